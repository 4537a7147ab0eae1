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
	// maxSingleWrite is how large head and body may be together, in bytes, to be sent by
	// one write. The system accepts that much without waiting for the server to read.
	maxSingleWrite = 16 << 10
	// sendGrace is how long the end of a response waits for the end of its request. The
	// request has usually been sent, and its goroutine has not yet reported it.
	sendGrace = 10 * time.Millisecond
)

var (
	errClosed   = errors.New("http1: read after the body was closed")
	errSendBody = errors.New("http1: the body of the request cannot be sent")
)

// exchange is one request and its response, whose body it is.
//
// It owns its connection until done is set. Three parties may set it: the reader at the
// end of the response, the caller by Close, and the context. Only the first of them
// returns the connection to the pool or closes it, and nothing of the exchange touches the
// connection afterwards. So a connection has one owner at a time, whatever happens
// concurrently.
type exchange struct {
	resp      http.Response // what RoundTrip returns; a value, so that both are one allocation
	c         *conn
	ctx       context.Context // nil when it never ends
	stopWatch func() bool     // stops waiting for the end of ctx; nil when ctx is nil
	done      atomic.Bool

	sendDone chan error // receives the result of sendBody; nil when no goroutine sends
	sendErr  error      // of a request that was sent by write

	body  bodyReader
	close bool  // the connection serves no further call
	err   error // returned by further Reads
}

// exchange sends req and reads the head of its response. When it returns an error, or when
// the request's context ends, the connection is closed.
func (c *conn) exchange(req *http.Request) (*http.Response, error) {
	x := &exchange{c: c, resp: http.Response{Request: req}}
	if ctx := req.Context(); ctx.Done() != nil {
		x.ctx = ctx
		x.stopWatch = context.AfterFunc(ctx, x.abort)
	}
	if err := x.run(req); err != nil {
		x.finish(false)
		return nil, err
	}
	return &x.resp, nil
}

func (x *exchange) run(req *http.Request) error {
	decompress := asksForGzip(req)
	if err := x.send(req, decompress); err != nil {
		return err
	}
	f, err := x.receive(req)
	if err == nil {
		x.setBody(f, decompress)
	}
	return err
}

// abort closes the connection when the context ends. Reads and writes that are waiting
// return with an error.
func (x *exchange) abort() {
	if !x.done.Swap(true) {
		x.c.t.discard(x.c)
	}
}

// finish ends the exchange, and returns the connection to the pool or closes it. The
// connection is reused only if reuse is true, the whole request was sent, and no byte is
// buffered that did not belong to the response.
func (x *exchange) finish(reuse bool) {
	if x.done.Swap(true) {
		return
	}
	if x.stopWatch != nil {
		x.stopWatch()
	}
	c := x.c
	if !reuse || c.r.Buffered() > 0 || !x.requestSent() {
		c.t.discard(c)
		return
	}
	c.headBuf, c.sendBuf = reusable(c.headBuf), reusable(c.sendBuf)
	c.t.putConn(c)
}

// send sends a small request by one write. The body of another request is sent by a
// goroutine, so that a response may come, or the call be cancelled, before the whole body
// has been read.
func (x *exchange) send(req *http.Request, decompress bool) error {
	c := x.c
	var err error
	if c.sendBuf, err = appendHead(c.sendBuf[:0], req, decompress); err != nil {
		closeBody(req)
		return err
	}
	if !hasBody(req) {
		return x.write()
	}
	// A body with GetBody is in memory, so that reading it does not block.
	if n := bodyLength(req); n < 0 || int64(len(c.sendBuf))+n > maxSingleWrite || req.GetBody == nil {
		x.sendDone = make(chan error, 1)
		go x.sendBody(req)
		return nil
	}
	head := len(c.sendBuf)
	c.sendBuf = append(c.sendBuf, make([]byte, req.ContentLength)...)
	err = readExactly(requestBody{req.Body}, c.sendBuf[head:])
	closeBody(req)
	if err != nil {
		return err
	}
	return x.write()
}

// write sends sendBuf. A partial write is not returned as an error: the server may have
// responded, and closed the connection before it had read everything.
func (x *exchange) write() error {
	n, err := x.c.Write(x.c.sendBuf)
	if err != nil && n == 0 {
		return &noResponseError{unsent: true, err: fmt.Errorf("http1: sending: %w", err)}
	}
	x.sendErr = err
	return nil
}

// sendBody sends the head that is in sendBuf, and the body. If the body cannot be read to
// its announced end, it closes the connection: the server would wait for the rest, and the
// caller for its response. The result is reported before, so that receive finds it.
func (x *exchange) sendBody(req *http.Request) {
	err := x.copyBody(req)
	closeBody(req)
	x.sendDone <- err
	if errors.Is(err, errSendBody) {
		x.c.Close()
	}
}

func (x *exchange) copyBody(req *http.Request) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: its reader panicked: %v", errSendBody, p)
		}
	}()
	if _, err := x.c.Write(x.c.sendBuf); err != nil {
		return err
	}
	body := requestBody{req.Body}
	if bodyLength(req) < 0 {
		return x.copyChunks(body)
	}
	n, err := io.Copy(x.c.Conn, io.LimitReader(body, req.ContentLength))
	if err == nil && n < req.ContentLength {
		err = fmt.Errorf("%w: %w", errSendBody, io.ErrUnexpectedEOF)
	}
	if err == nil {
		err = requireEOF(body)
	}
	return err
}

// copyChunks sends a body of unknown length (RFC 9112, 7.1). Each chunk is read to the
// middle of a buffer, and its size is written before it, so that one write sends both.
func (x *exchange) copyChunks(body requestBody) error {
	const maxSizeLine = len("ffffffff\r\n")
	buffer := make([]byte, maxSizeLine+maxSingleWrite+len("\r\n"))
	for {
		n, err := body.Read(buffer[maxSizeLine : maxSizeLine+maxSingleWrite])
		if n > 0 { // a chunk of size 0 would end the body
			size := strconv.AppendInt(nil, int64(n), 16)
			start := maxSizeLine - len(size) - len("\r\n")
			copy(buffer[start:], size)
			copy(buffer[maxSizeLine-len("\r\n"):], "\r\n")
			copy(buffer[maxSizeLine+n:], "\r\n")
			if _, err := x.c.Write(buffer[start : maxSizeLine+n+len("\r\n")]); err != nil {
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

// requestBody is the body of a request. It wraps read errors in errSendBody, so that they
// can be told from errors of the connection.
type requestBody struct{ r io.Reader }

func (b requestBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", errSendBody, err)
	}
	return n, err
}

// readExactly reads the whole body into b, which has the length that was announced.
func readExactly(body requestBody, b []byte) error {
	switch _, err := io.ReadFull(body, b); err {
	case nil:
		return requireEOF(body)
	case io.EOF, io.ErrUnexpectedEOF:
		return fmt.Errorf("%w: %w", errSendBody, io.ErrUnexpectedEOF)
	default:
		return err
	}
}

// requireEOF returns an error if body has more bytes.
func requireEOF(body requestBody) error {
	n, err := io.ReadFull(body, make([]byte, 1))
	switch {
	case n > 0:
		return fmt.Errorf("%w: it is longer than its Content-Length", errSendBody)
	case err != io.EOF:
		return err
	}
	return nil
}

// requestSent reports whether the whole request was sent, so that no goroutine still writes
// to the connection.
func (x *exchange) requestSent() bool {
	if x.sendDone == nil {
		return x.sendErr == nil
	}
	timer := time.NewTimer(sendGrace)
	defer timer.Stop()
	select {
	case err := <-x.sendDone:
		return err == nil
	case <-timer.C:
		return false
	}
}

// receive reads the head of the response. When there is none, the error of sending may
// explain why.
func (x *exchange) receive(req *http.Request) (framing, error) {
	f, buf, err := readHead(x.c.r, req.Method, x.c.t.options.MaxHeader, x.c.headBuf, &x.resp)
	x.c.headBuf = buf
	if err == nil {
		return f, nil
	}
	sendErr := x.sendErr
	select {
	case sendErr = <-x.sendDone: // never, when nil
	default:
	}
	if errors.Is(sendErr, errSendBody) {
		return f, sendErr
	}
	if sendErr != nil {
		err = fmt.Errorf("http1: sending: %w, and then %w", sendErr, err)
	}
	if _, none := errors.AsType[*noResponseError](err); !none {
		err = &ResponseError{err}
	}
	return f, err
}

// setBody sets the body of a response whose head has been read. A response without a body
// ends the exchange at once.
func (x *exchange) setBody(f framing, decompress bool) {
	x.close = f.close
	if f.length == 0 {
		x.resp.Body = http.NoBody
		x.finish(!f.close)
		return
	}
	x.body = newBodyReader(x.c.r, f)
	x.resp.Body = x
	if decompress && strings.EqualFold(x.resp.Header.Get("Content-Encoding"), "gzip") {
		x.resp.Body = &gunzipBody{body: x}
		x.resp.Header.Del("Content-Encoding")
		x.resp.Header.Del("Content-Length")
		x.resp.ContentLength, x.resp.Uncompressed = -1, true
	}
}

// Read reads the body. It returns io.EOF together with the last byte, so that the
// connection becomes free without another call.
func (x *exchange) Read(p []byte) (int, error) {
	if x.err != nil {
		return 0, x.err
	}
	n, err := 0, errClosed
	if !x.done.Load() {
		n, err = x.body.read(p)
	}
	switch {
	case err == nil:
		return n, nil
	case err == io.EOF:
		x.finish(!x.close)
	default:
		x.finish(false)
		if x.ctx != nil && x.ctx.Err() != nil {
			err = contextError(x.ctx)
		} else if err != errClosed {
			err = &ResponseError{err}
		}
	}
	x.err = err
	return n, err
}

// Close closes the connection, unless the body has been read to its end. It may be called
// while a Read waits, which then returns.
func (x *exchange) Close() error {
	x.finish(false)
	return nil
}
