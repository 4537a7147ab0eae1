package http1_test

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
)

// serverFor is the environment variable by which the test binary becomes the server of the
// benchmarks, so that these measure the client alone.
const serverFor = "GATEHOUSE_BENCHMARK_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverFor) != "" {
		serve()
		return
	}
	if !http1.CanCheckIdle {
		return // the package is not used on this system
	}
	log.SetOutput(io.Discard) // net/http logs unexpected bytes on idle connections
	goleak.VerifyTestMain(m)
}

// serve prints its URL and serves until standard input ends.
func serve() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	bodies := map[string][]byte{
		"/300B": []byte(strings.Repeat("x", 300)),
		"/29kB": []byte(strings.Repeat("x", 29<<10)),
	}
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Content-Type"] = []string{"application/json"}
		w.Header()["Content-Length"] = []string{fmt.Sprint(len(bodies[r.URL.Path]))}
		w.Write(bodies[r.URL.Path])
	}))
	fmt.Println("http://" + listener.Addr().String())
	os.Stdin.Read(make([]byte, 1))
}
