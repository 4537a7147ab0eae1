package front_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// countingListener counts what is written to its connections.
type countingListener struct {
	net.Listener
	writes *atomic.Int32
}

func (l countingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return countingConn{conn, l.writes}, err
}

type countingConn struct {
	net.Conn
	writes *atomic.Int32
}

func (c countingConn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// A large response takes two writes to the connection, as few as net/http can do: its own buffer
// with the header, and the rest of the body. The data may fill their memory to its end.
func TestLargeResponse(t *testing.T) {
	for name, o := range map[string]front.Options{"alone": {}, "shared": coalescing} {
		for _, room := range []int{0, 1, 100} {
			data := `{"s":"` + strings.Repeat("x", 24<<10) + `"}`
			f, _ := newFront(t, o, &service{}, planned(func(*graphql.OperationContext, []byte) engine.Result {
				return written(append(make([]byte, 0, len(data)+room), data...))
			}), func(d *front.Deps) { d.Schema, d.Forwarded = coalescingPlanner{d.Schema.(planner)}, []string{} })
			writes := &atomic.Int32{}
			server := httptest.NewUnstartedServer(f.Handler())
			server.Listener = countingListener{server.Listener, writes}
			server.Start()
			r, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+"/graphql", strings.NewReader(`{"query":"{s}"}`))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", typeJSON)
			r.Header.Set("Accept-Encoding", "identity")
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			server.Close()
			if err != nil || string(body) != `{"data":`+data+`}` {
				t.Errorf("%s: %d bytes, %v", name, len(body), err)
			}
			if n := writes.Load(); n != 2 {
				t.Errorf("%s: %d writes", name, n)
			}
		}
	}
}
