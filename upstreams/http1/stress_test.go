package http1

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// moody answers each request with its path, and behaves as servers may: it sends the response
// at once, in pieces, with bytes that do not belong to it, or not at all.
func moody(conn net.Conn, r *bufio.Reader) error {
	req, err := http.ReadRequest(r)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return err
	}
	body := strings.Repeat(req.URL.Path+" ", 1+rand.IntN(2000))
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	const ok = "HTTP/1.1 200 OK\r\n"
	switch rand.IntN(12) {
	case 0: // more than Content-Length
		_, err = io.WriteString(conn, ok+length+"\r\n"+body+ok+"Content-Length: 6\r\n\r\npoison")
	case 1: // closes before the end
		_, _ = io.WriteString(conn, ok+length+"\r\n"+body[:len(body)/2])
		return io.EOF
	case 2: // closes instead
		return io.EOF
	case 3: // closes afterwards without announcing it
		_, _ = io.WriteString(conn, ok+length+"\r\n"+body)
		return io.EOF
	case 4: // in pieces
		for piece := range strings.SplitSeq(ok+length+"\r\n"+body, "\n") {
			if _, err = io.WriteString(conn, piece+"\n"); err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
		}
		return io.EOF // what was split had no "\n" at its end
	case 5, 6:
		half := len(body) / 2
		_, err = fmt.Fprintf(conn, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n%x\r\n%s\r\n0\r\nX: 1\r\n\r\n",
			ok, half, body[:half], len(body)-half, body[half:])
	case 7: // slowly
		time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond)
		fallthrough
	default:
		_, err = io.WriteString(conn, ok+length+"\r\n"+body)
	}
	return err
}

// Whatever servers and callers do concurrently: a caller that receives a response receives
// its own, no call waits forever, and no connection is lost or counted twice.
func TestNoResponseIsMixedUp(t *testing.T) {
	if !CanCheckIdle {
		t.Skip("nothing is kept here")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				r := bufio.NewReader(conn)
				for moody(conn, r) == nil {
				}
			})
		}
	})
	transport := New(Options{MaxConns: 6, MaxIdle: 4, IdleTimeout: 5 * time.Millisecond})
	const callers, calls = 16, 60
	var well, other atomic.Int64
	var calling sync.WaitGroup
	for caller := range callers {
		calling.Go(func() {
			for n := range calls {
				path := fmt.Sprintf("/%d/%d", caller, n)
				body, err := moodyCall(t.Context(), transport, "http://"+listener.Addr().String()+path)
				if !strings.HasPrefix(strings.Repeat(path+" ", 2000), body) {
					t.Errorf("%s got %.200q", path, body)
				}
				if err == nil {
					well.Add(1)
				} else {
					other.Add(1)
				}
			}
		})
	}
	calling.Wait()
	time.Sleep(20 * time.Millisecond)
	transport.CloseIdleConnections()
	listener.Close()
	serving.Wait()
	transport.mu.Lock()
	defer transport.mu.Unlock()
	for address, h := range transport.hosts {
		t.Errorf("%s has %d connections, %d of them idle, and %d wait", address, h.conns, len(h.idle), h.waiting.Len())
	}
	if well.Load() < callers*calls/4 || other.Load() == 0 {
		t.Errorf("%d calls went well, and %d did not", well.Load(), other.Load())
	}
}

// moodyCall makes a call whose caller may leave at any time.
func moodyCall(ctx context.Context, transport *Transport, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	mood := rand.IntN(8)
	var body io.Reader
	if mood < 2 {
		body = struct{ io.Reader }{strings.NewReader(strings.Repeat("x", 40000))}
	}
	if mood == 3 {
		time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, cancel)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, body)
	if err != nil {
		return "", err
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			panic("a call waits for ever")
		}
		return "", err
	}
	defer resp.Body.Close()
	if mood == 4 { // closes in the middle of the body
		part := make([]byte, 10)
		n, err := io.ReadFull(resp.Body, part)
		return string(part[:n]), err
	}
	if mood == 5 {
		go resp.Body.Close()
	}
	all, err := io.ReadAll(resp.Body)
	return string(all), err
}
