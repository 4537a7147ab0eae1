package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/internal/proc"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
)

// load sends one operation to a server, over many connections, each of which sends it again as
// soon as it has the response. net/http's client would need more CPU than most of the servers,
// so load implements as much of HTTP/1.1 as these use.
type load struct {
	address string
	request []byte
	checker *responseChecker
	conns   int
}

func newLoad(op operations.Operation, address string, conns int) *load {
	var b bytes.Buffer
	body := op.Request()
	fmt.Fprintf(&b, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", address, len(body), body)
	return &load{address: address, request: b.Bytes(), checker: &responseChecker{op: op}, conns: conns}
}

// loadResult is the result of a run.
type loadResult struct {
	took      time.Duration
	latencies []time.Duration // of each request, in no order
}

// run sends requests for a duration. Its error joins the errors of all connections; a wrong response
// is an error.
func (l *load) run(ctx context.Context, duration time.Duration) (loadResult, error) {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	latencies := make([][]time.Duration, l.conns)
	errs := make([]error, l.conns)
	start := time.Now()
	var all sync.WaitGroup
	for i := range l.conns {
		all.Go(func() {
			if latencies[i], errs[i] = l.runConn(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	return loadResult{time.Since(start), slices.Concat(latencies...)}, errors.Join(errs...)
}

// runConn sends requests over one connection until ctx ends, at least one. It waits for the
// last response, so that all calls to the services belong to counted requests.
func (l *load) runConn(ctx context.Context) (latencies []time.Duration, err error) {
	conn, err := net.DialTimeout("tcp", l.address, proc.StartTimeout)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	r := responseReader{from: bufio.NewReaderSize(conn, 64<<10)}
	for start := time.Now(); ; {
		if err := l.roundTrip(conn, &r); err != nil {
			return latencies, err
		}
		now := time.Now()
		latencies = append(latencies, now.Sub(start))
		if start = now; ctx.Err() != nil {
			return latencies, nil
		}
	}
}

func (l *load) roundTrip(conn net.Conn, r *responseReader) error {
	if err := conn.SetDeadline(time.Now().Add(proc.StartTimeout)); err != nil {
		return err
	}
	if _, err := conn.Write(l.request); err != nil {
		return err
	}
	status, body, err := r.readResponse()
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("status %d: %.300s", status, body)
	}
	return l.checker.check(body)
}

// responseChecker checks that responses are right, and recognizes those that it has checked
// before.
type responseChecker struct {
	op    operations.Operation
	mu    sync.RWMutex
	known map[string]bool // guarded by mu
}

// maxKnown is how many different responses are recognized.
const maxKnown = 64

func (a *responseChecker) check(body []byte) error {
	a.mu.RLock()
	known := a.known[string(body)]
	a.mu.RUnlock()
	if known {
		return nil
	}
	if err := a.op.Check(body); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		a.known = map[string]bool{}
	}
	if len(a.known) < maxKnown {
		a.known[string(body)] = true
	}
	return nil
}

// responseReader reads consecutive responses from a connection.
type responseReader struct {
	from *bufio.Reader
	body []byte
}

var errResponse = errors.New("the response is not HTTP/1.1 with a length")

// readResponse returns the next response. The one after it overwrites its body.
func (r *responseReader) readResponse() (status int, body []byte, err error) {
	line, err := r.readLine()
	if err != nil {
		return 0, nil, err
	}
	_, rest, _ := bytes.Cut(line, []byte(" "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	if status, err = strconv.Atoi(string(code)); err != nil {
		return 0, nil, fmt.Errorf("%w: %q", errResponse, line)
	}
	length, chunked, err := r.readHeaders()
	switch r.body = r.body[:0]; {
	case err != nil:
	case chunked:
		err = r.readChunks()
	case length < 0:
		err = errResponse
	default:
		err = r.readBody(length)
	}
	return status, r.body, err
}

// readHeaders reads up to the end of the headers. Without a Content-Length, length is -1.
func (r *responseReader) readHeaders() (length int, chunked bool, err error) {
	length = -1
	for {
		line, err := r.readLine()
		if err != nil || len(line) == 0 {
			return length, chunked, err
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, false, fmt.Errorf("%w: %q", errResponse, line)
			}
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		}
	}
}

// readLine returns the next line without its end.
func (r *responseReader) readLine() ([]byte, error) {
	line, err := r.from.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("the response broke off: %w", err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// readBody appends n bytes to the body.
func (r *responseReader) readBody(n int) error {
	from := len(r.body)
	r.body = slices.Grow(r.body, n)[:from+n]
	if _, err := io.ReadFull(r.from, r.body[from:]); err != nil {
		return fmt.Errorf("the response broke off: %w", err)
	}
	return nil
}

// readChunks reads a chunked body (RFC 9112, 7.1).
func (r *responseReader) readChunks() error {
	for {
		line, err := r.readLine()
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(size), 16, 31)
		if err != nil {
			return fmt.Errorf("%w: a chunk of %q bytes", errResponse, size)
		}
		if err := r.readBody(int(n)); err != nil {
			return err
		}
		if _, err := r.readLine(); err != nil || n == 0 {
			return err
		}
	}
}
