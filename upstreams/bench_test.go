//go:build unix

package upstreams_test

import (
	"bufio"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// serveConstant serves each request with one small response, for next to nothing. It returns its URL.
func serveConstant(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	response := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 13\r\n\r\n\"ada, or not\"")
	serve := func(conn net.Conn) {
		defer conn.Close()
		r := bufio.NewReader(conn)
		for {
			line, err := r.ReadSlice('\n')
			if err != nil {
				return
			}
			if len(line) == len("\r\n") {
				if _, err := conn.Write(response); err != nil {
					return
				}
			}
		}
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return "http://" + listener.Addr().String()
}

// BenchmarkFetch measures a call over one of three healthy replicas.
func BenchmarkFetch(b *testing.B) {
	services, err := upstreams.New(upstreams.Options{"users": {URLs: upstreams.URLs(serveConstant(b), serveConstant(b), serveConstant(b))}}, nil)
	if err != nil {
		b.Fatal(err)
	}
	defer services.Close()
	read := func(d *decode.Decoder) string { return d.String() }
	before := cpuTime(b)
	b.ReportAllocs()
	for b.Loop() {
		name, err := upstreams.Fetch(b.Context(), services, "users", rest.New("GET", "/users/").Segment("u1"), read)
		if err != nil || !strings.HasPrefix(name, "ada") {
			b.Fatal(name, err)
		}
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op")
}

// cpuTime returns the CPU time of this process so far.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
