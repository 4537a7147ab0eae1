package front_test

import (
	"context"
	"crypto/tls"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

var idleConnections = flag.Int("idle-connections", 400, "how many idle connections TestMemoryOfIdleConnections opens; each takes two files")

// An idle connection holds a bounded amount of memory, so that http.maxConnections bounds that of all. 100,000 of
// them take 100,000 times as much: what is measured is the same for each, as more connections show.
func TestMemoryOfIdleConnections(t *testing.T) {
	const request = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
	ask := func(conn net.Conn) error {
		if _, err := io.WriteString(conn, request); err != nil {
			return err
		}
		buffer := make([]byte, 4096) // larger than the response
		_, err := conn.Read(buffer)
		return err
	}
	askHTTP2 := func(conn net.Conn) error {
		protocols := new(http.Protocols)
		protocols.SetHTTP2(true)
		transport := &http.Transport{Protocols: protocols, DialTLSContext: func(context.Context, string, string) (net.Conn, error) { return conn, nil }}
		r, _ := http.NewRequest("GET", "https://h/healthz", nil)
		response, err := transport.RoundTrip(r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, response.Body)
		return errors.Join(err, response.Body.Close())
	}
	for _, c := range []struct {
		name      string
		protocols []string // nil without TLS
		use       func(net.Conn) error
		most      int // bytes for each connection
	}{
		{"plain, silent", nil, func(net.Conn) error { return nil }, 16 << 10},
		{"plain, after a request", nil, ask, 24 << 10},
		{"TLS, silent", []string{"http/1.1"}, func(net.Conn) error { return nil }, 32 << 10},
		{"TLS, after a request", []string{"http/1.1"}, ask, 40 << 10},
		{"HTTP/2 over TLS, after a request", []string{"h2"}, askHTTP2, 64 << 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecured(t, front.Options{HTTP: front.HTTP{MaxConnections: -1, IdleTimeout: 10 * time.Minute, HeaderTimeout: 10 * time.Minute}}, front.ServeOptions{Grace: time.Second}, nil)
			plainFront, _ := newFront(t, front.Options{HTTP: front.HTTP{MaxConnections: -1, IdleTimeout: 10 * time.Minute, HeaderTimeout: 10 * time.Minute}}, &service{})
			plainURL, _, _ := serving(t, plainFront, front.ServeOptions{Grace: time.Second})
			open := func() (file int, err error) {
				address := s.address
				if c.protocols == nil {
					address = plainURL[len("http://"):]
				}
				below, err := net.Dial("tcp", address)
				if err != nil {
					return 0, err
				}
				defer below.Close()
				conn := below
				if c.protocols != nil {
					secure := tls.Client(below, &tls.Config{InsecureSkipVerify: true, NextProtos: c.protocols})
					if err := secure.Handshake(); err != nil {
						return 0, err
					}
					conn = secure
				}
				if err := c.use(conn); err != nil {
					return 0, err
				}
				return keepOpen(below)
			}
			// The first ones are for what is made once.
			var files []int
			defer func() {
				for _, file := range files {
					_ = syscall.Close(file)
				}
			}()
			openAll := func(n int) {
				var mu sync.Mutex
				var opening sync.WaitGroup
				for range 8 {
					opening.Go(func() {
						for range n / 8 {
							file, err := open()
							if err != nil {
								t.Error(err)
								return
							}
							mu.Lock()
							files = append(files, file)
							mu.Unlock()
						}
					})
				}
				opening.Wait()
			}
			openAll(80)
			before := memory()
			openAll(*idleConnections)
			n := len(files) - 80
			if n < *idleConnections-8 {
				t.Fatalf("only %d connections; with a limit of files (ulimit -n) of less than twice as many, choose fewer", n)
			}
			for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
				open := int(s.front.Load().Connections.Open + plainFront.Load().Connections.Open)
				if open == len(files) {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("%d connections are open, want %d", open, len(files))
				}
			}
			each := int(memory()-before) / n
			t.Logf("%d connections, %d bytes each, so that 100,000 take %d MB", n, each, each/10)
			if each > 2*c.most { // that is a leak; the race detector and other tests of the process take a part
				t.Errorf("%d bytes for each connection, want at most %d", each, c.most)
			}
		})
	}
}

// keepOpen returns a file of the connection that stays open when the connection is closed here, so that the memory
// of the client does not count.
func keepOpen(conn net.Conn) (file int, err error) {
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	controlErr := raw.Control(func(descriptor uintptr) { file, err = syscall.Dup(int(descriptor)) })
	return file, errors.Join(controlErr, err)
}

// memory returns the bytes of heap and stacks that are in use, after a while for goroutines that are about to end.
func memory() uint64 {
	time.Sleep(200 * time.Millisecond)
	for range 2 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse
}
