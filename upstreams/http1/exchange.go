package http1

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// maxAtOnce is how large head and body may be together to be sent in one piece: what
	// the system takes without waiting for the server to read.
	maxAtOnce = 16 << 10
	// sendGrace is how long the end of an answer waits for the end of its request. That
	// end has usually come, and its goroutine has just not said so yet.
	sendGrace = 10 * time.Millisecond
)

var (
	errClosed = errors.New("http1: read after the body was closed")
	errBody   = errors.New("http1: the body of the request cannot be sent")
)

// exchange is one request and its answer, of which it is the body. Whoever first ends it
// decides what becomes of the connection, and nobody touches that afterwards: the reader at
// the end of the answer, the caller by Close, or the context.
type exchange struct {
	resp    http.Response // that RoundTrip returns: one piece of memory for both
	c       *conn
	ctx     context.Context // nil when it never ends
	unwatch func() bool     // ends the watching of ctx; nil without one
	over    atomic.Bool

	sent    chan error // gets the outcome of sendBody; nil when no goroutine sends
	sendErr error      // of a request that was sent at once

	body content
	last bool  // the connection serves no further call
	err  error // that Read goes on to return
}

// exchange sends req and reads the head of its answer. With an error the connection is
// given up, and so it is as soon as the request's context ends.
func (c *conn) exchange(req *http.Request) (*http.Response, error) {
	x := &exchange{c: c, resp: http.Response{Request: req}}
	if ctx := req.Context(); ctx.Done() != nil {
		x.ctx = ctx
		x.unwatch = context.AfterFunc(ctx, x.abort)
	}
	if err := x.run(req); err != nil {
		x.end(false)
		return nil, err
	}
	return &x.resp, nil
}

func (x *exchange) run(req *http.Request) error {
	unpack := wantsGzip(req)
	if err := x.send(req, unpack); err != nil {
		return err
	}
	f, err := x.receive(req)
	if err == nil {
		x.begin(f, unpack)
	}
	return err
}

// abort is what the end of the context does.
func (x *exchange) abort() {
	if !x.over.Swap(true) {
		x.c.t.drop(x.c)
	}
}

// end gives the connection back, for another call if it may be.
func (x *exchange) end(reuse bool) {
	if x.over.Swap(true) {
		return
	}
	if x.unwatch != nil {
		x.unwatch()
	}
	c := x.c
	if !reuse || c.r.Buffered() > 0 || !x.allSent() {
		c.t.drop(c)
		return
	}
	c.in, c.out = scratch(c.in), scratch(c.out)
	c.t.put(c)
}

// send sends a small request at once, and else its body by a goroutine, so that an answer
// may come, or the call be given up, before the body has been read.
func (x *exchange) send(req *http.Request, unpack bool) error {
	c := x.c
	var err error
	if c.out, err = appendHead(c.out[:0], req, unpack); err != nil {
		closeBody(req)
		return err
	}
	if !hasBody(req) {
		return x.write()
	}
	// With GetBody the body is in memory, so that reading it does not wait.
	if n := length(req); n < 0 || int64(len(c.out))+n > maxAtOnce || req.GetBody == nil {
		x.sent = make(chan error, 1)
		go x.sendBody(req)
		return nil
	}
	head := len(c.out)
	c.out = append(c.out, make([]byte, req.ContentLength)...)
	err = readWhole(source{req.Body}, c.out[head:])
	closeBody(req)
	if err != nil {
		return err
	}
	return x.write()
}

// write sends what is in c.out. That some of it could not be sent is no reason not to look
// for an answer: the server may have given one, and closed before it had read everything.
func (x *exchange) write() error {
	n, err := x.c.Write(x.c.out)
	if err != nil && n == 0 {
		return &failure{unsent: true, err: fmt.Errorf("http1: sending: %w", err)}
	}
	x.sendErr = err
	return nil
}

// sendBody sends the head that is in c.out, and the body. It tells the outcome before it
// ends the waiting for an answer to a request that could not be made whole.
func (x *exchange) sendBody(req *http.Request) {
	err := x.copyBody(req)
	closeBody(req)
	x.sent <- err
	if errors.Is(err, errBody) {
		x.c.Close()
	}
}

func (x *exchange) copyBody(req *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: its reader panicked: %v", errBody, p)
		}
	}()
	if _, err := x.c.Write(x.c.out); err != nil {
		return err
	}
	from := source{req.Body}
	if length(req) < 0 {
		return x.copyChunks(from)
	}
	n, err := io.Copy(x.c.TCPConn, io.LimitReader(from, req.ContentLength))
	if err == nil && n < req.ContentLength {
		err = fmt.Errorf("%w: %w", errBody, io.ErrUnexpectedEOF)
	}
	if err == nil {
		err = atEnd(from)
	}
	return err
}

func (x *exchange) copyChunks(from source) error {
	const room = len("ffffffff\r\n")
	buffer := make([]byte, room+maxAtOnce+len("\r\n"))
	for {
		n, err := from.Read(buffer[room : room+maxAtOnce])
		if n > 0 {
			size := strconv.AppendInt(nil, int64(n), 16)
			start := room - len(size) - len("\r\n")
			copy(buffer[start:], size)
			copy(buffer[room-len("\r\n"):], "\r\n")
			copy(buffer[room+n:], "\r\n")
			if _, err := x.c.Write(buffer[start : room+n+len("\r\n")]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			_, err = x.c.Write([]byte("0\r\n\r\n"))
			return err
		}
		if err != nil {
			return err
		}
	}
}

// source is the body of a request. It makes its errors known from those of sending.
type source struct{ r io.Reader }

func (s source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", errBody, err)
	}
	return n, err
}

// readWhole fills b with all that there is.
func readWhole(from source, b []byte) error {
	switch _, err := io.ReadFull(from, b); err {
	case nil:
		return atEnd(from)
	case io.EOF, io.ErrUnexpectedEOF:
		return fmt.Errorf("%w: %w", errBody, io.ErrUnexpectedEOF)
	default:
		return err
	}
}

// atEnd is an error when there is more.
func atEnd(from source) error {
	n, err := io.ReadFull(from, make([]byte, 1))
	switch {
	case n > 0:
		return fmt.Errorf("%w: it is longer than was said", errBody)
	case err != io.EOF:
		return err
	}
	return nil
}

// allSent tells whether the server got the whole request, and nothing sends any more.
func (x *exchange) allSent() bool {
	if x.sent == nil {
		return x.sendErr == nil
	}
	timer := time.NewTimer(sendGrace)
	defer timer.Stop()
	select {
	case err := <-x.sent:
		return err == nil
	case <-timer.C:
		return false
	}
}

// receive reads the head of the answer. Why there is none, sending may know better.
func (x *exchange) receive(req *http.Request) (framing, error) {
	f, in, err := readHead(x.c.r, req.Method, x.c.t.options.MaxHeader, x.c.in, &x.resp)
	x.c.in = in
	if err == nil {
		return f, nil
	}
	sendErr := x.sendErr
	select {
	case sendErr = <-x.sent: // never, when nil
	default:
	}
	if errors.Is(sendErr, errBody) {
		return f, sendErr
	}
	if sendErr != nil {
		err = fmt.Errorf("http1: sending: %w, and then %w", sendErr, err)
	}
	return f, err
}

// begin makes the body of an answer whose head has been read.
func (x *exchange) begin(f framing, unpack bool) {
	x.last = f.last
	if f.length == 0 {
		x.resp.Body = http.NoBody
		x.end(!f.last)
		return
	}
	x.body = newContent(x.c.r, f)
	x.resp.Body = x
	if unpack && strings.EqualFold(x.resp.Header.Get("Content-Encoding"), "gzip") {
		x.resp.Body = &unpacking{body: x}
		x.resp.Header.Del("Content-Encoding")
		x.resp.Header.Del("Content-Length")
		x.resp.ContentLength, x.resp.Uncompressed = -1, true
	}
}

// Read reads the body. With its last byte it returns io.EOF, so that the connection is
// free without another call.
func (x *exchange) Read(p []byte) (int, error) {
	if x.err != nil {
		return 0, x.err
	}
	n, err := 0, errClosed
	if !x.over.Load() {
		n, err = x.body.read(p)
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		x.end(!x.last)
	default:
		x.end(false)
		if x.ctx != nil && x.ctx.Err() != nil {
			err = ended(x.ctx)
		}
	}
	x.err = err
	return n, err
}

// Close gives the connection up, unless the body has been read to its end. It may be called
// while Read waits, which then returns.
func (x *exchange) Close() error {
	x.end(false)
	return nil
}
