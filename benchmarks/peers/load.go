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

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
)

// load asks one server the same, from many connections, each of which asks again as soon as
// it has its answer. net/http's client would take more of the machine than most of those
// that it asks, so this speaks HTTP/1.1 itself, as much of it as they answer.
type load struct {
	address string
	request []byte
	answers *answers
	conns   int
}

func newLoad(op operations.Operation, address string, conns int) *load {
	var b bytes.Buffer
	body := op.Request()
	fmt.Fprintf(&b, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", address, len(body), body)
	return &load{address: address, request: b.Bytes(), answers: &answers{op: op}, conns: conns}
}

// asked is what a load has seen.
type asked struct {
	took      time.Duration
	latencies []time.Duration // of each request, in no order
}

// run asks for a while. Its error is the first of any connection: a wrong answer, too.
func (l *load) run(ctx context.Context, duration time.Duration) (asked, error) {
	ctx, cancel := context.WithTimeout(ctx, duration)
	defer cancel()
	latencies := make([][]time.Duration, l.conns)
	errs := make([]error, l.conns)
	began := time.Now()
	var all sync.WaitGroup
	for i := range l.conns {
		all.Go(func() {
			if latencies[i], errs[i] = l.connection(ctx); errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	return asked{time.Since(began), slices.Concat(latencies...)}, errors.Join(errs...)
}

// connection asks over one until ctx ends, once at least. The last answer is waited for, so
// that calls to the services belong to requests that are counted.
func (l *load) connection(ctx context.Context) (latencies []time.Duration, err error) {
	conn, err := net.DialTimeout("tcp", l.address, startTimeout)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	r := reader{from: bufio.NewReaderSize(conn, 64<<10)}
	for began := time.Now(); ; {
		if err := l.ask(conn, &r); err != nil {
			return latencies, err
		}
		now := time.Now()
		latencies = append(latencies, now.Sub(began))
		if began = now; ctx.Err() != nil {
			return latencies, nil
		}
	}
}

func (l *load) ask(conn net.Conn, r *reader) error {
	if err := conn.SetDeadline(time.Now().Add(startTimeout)); err != nil {
		return err
	}
	if _, err := conn.Write(l.request); err != nil {
		return err
	}
	status, body, err := r.response()
	if err != nil {
		return err
	}
	if status != 200 {
		return fmt.Errorf("status %d: %.300s", status, body)
	}
	return l.answers.check(body)
}

// answers checks that each answer is right, and knows those again that were.
type answers struct {
	op    operations.Operation
	mu    sync.RWMutex
	right map[string]bool // guarded by mu
}

// maxRight is how many different right answers are remembered.
const maxRight = 64

func (a *answers) check(body []byte) error {
	a.mu.RLock()
	known := a.right[string(body)]
	a.mu.RUnlock()
	if known {
		return nil
	}
	if err := a.op.Check(body); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.right == nil {
		a.right = map[string]bool{}
	}
	if len(a.right) < maxRight {
		a.right[string(body)] = true
	}
	return nil
}

// reader reads responses that follow each other on a connection.
type reader struct {
	from *bufio.Reader
	body []byte
}

var errResponse = errors.New("the response is no HTTP/1.1 with a length")

// response gives the next one. Its body is overwritten by the one after that.
func (r *reader) response() (status int, body []byte, err error) {
	line, err := r.line()
	if err != nil {
		return 0, nil, err
	}
	_, rest, _ := bytes.Cut(line, []byte(" "))
	code, _, _ := bytes.Cut(rest, []byte(" "))
	if status, err = strconv.Atoi(string(code)); err != nil {
		return 0, nil, fmt.Errorf("%w: %q", errResponse, line)
	}
	length, chunked, err := r.headers()
	switch r.body = r.body[:0]; {
	case err != nil:
	case chunked:
		err = r.chunks()
	case length < 0:
		err = errResponse
	default:
		err = r.take(length)
	}
	return status, r.body, err
}

// headers reads them to their end; without a Content-Length, length is -1.
func (r *reader) headers() (length int, chunked bool, err error) {
	length = -1
	for {
		line, err := r.line()
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

// line is the next one without its end.
func (r *reader) line() ([]byte, error) {
	line, err := r.from.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("the response broke off: %w", err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

// take appends n bytes to the body.
func (r *reader) take(n int) error {
	from := len(r.body)
	r.body = slices.Grow(r.body, n)[:from+n]
	if _, err := io.ReadFull(r.from, r.body[from:]); err != nil {
		return fmt.Errorf("the response broke off: %w", err)
	}
	return nil
}

// chunks reads a body in pieces, each with its length before it, to the empty one.
func (r *reader) chunks() error {
	for {
		line, err := r.line()
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(size), 16, 31)
		if err != nil {
			return fmt.Errorf("%w: a chunk of %q bytes", errResponse, size)
		}
		if err := r.take(int(n)); err != nil {
			return err
		}
		if _, err := r.line(); err != nil || n == 0 {
			return err
		}
	}
}
