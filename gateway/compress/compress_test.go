package compress_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/gateway/compress"
)

func TestNegotiate(t *testing.T) {
	for want, values := range map[compress.Coding][]string{
		compress.Identity: {
			"", "identity", "br", "br, deflate", "gzip;q=0", "gzip; q=0.0, br", "gzip ;q=0", "*;q=0", "gzip;q=0, *", "gzip;q=0.4, identity;q=0.5",
			"gzip;q=nan", "gzip;q=2", "gzip;q=-1", "gzip;q=", "gzip;q=x", "identity;q=0", "gzip;q=0, identity;q=0", "gzipped", "not-gzip",
		},
		compress.Optional: {
			"gzip", "GZIP", "x-gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8, *;q=0.1", "*", "*;q=0.5", "deflate, gzip;q=1.0, *;q=0.5",
			"gzip;Q=0.5", "gzip;q=0.001", "gzip, identity", " gzip ", "gzip;level=1", "identity;q=0.5, gzip", "identity;q=0.5, *", ",gzip,",
		},
		compress.Required: {"gzip, identity;q=0", "gzip, *;q=0", "identity;q=0, *", "*;q=0.5, identity;q=0"},
	} {
		for _, value := range values {
			if got := compress.Negotiate(http.Header{"Accept-Encoding": {value}}); got != want {
				t.Errorf("%q: %d, want %d", value, got, want)
			}
		}
	}
	if got := compress.Negotiate(http.Header{}); got != compress.Identity {
		t.Errorf("no header: %d", got)
	}
	if got := compress.Negotiate(http.Header{"Accept-Encoding": {"br", "gzip"}}); got != compress.Optional {
		t.Errorf("two headers: %d", got)
	}
}

// Any number of callers compress at the same time, each its own text.
func TestGzip(t *testing.T) {
	var callers sync.WaitGroup
	for i := range 50 {
		callers.Go(func() {
			text := strings.Repeat(string(rune('a'+i%26)), 1000*i)
			r, err := gzip.NewReader(bytes.NewReader(compress.Gzip([]byte("{"), []byte(text), nil, []byte("}"))))
			if err != nil {
				t.Error(err)
				return
			}
			if got, err := io.ReadAll(r); err != nil || string(got) != "{"+text+"}" {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		})
	}
	callers.Wait()
}
