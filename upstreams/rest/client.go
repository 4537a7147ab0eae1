package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/observe"
	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
)

const (
	// DefaultMaxResponse is the default of Client.MaxResponse: 10 MiB.
	DefaultMaxResponse = 10 << 20
	// MaxErrorBody is how many bytes are read of a response that is not a 2xx: enough for a
	// problem document, and usually for the whole body, so that the connection can be
	// reused.
	MaxErrorBody = 64 << 10
	// maxPreallocated is how many bytes a Content-Length may reserve before they arrive.
	maxPreallocated = 1 << 20
)

// Client makes calls to one service. Its fields are set before the first call. It is then
// safe for concurrent use.
type Client struct {
	// Service is the service's name in faults and in the log.
	Service string
	// Transport sends the requests to endpoints that have no transport of their own. Default
	// http.DefaultTransport.
	Transport http.RoundTripper
	// Balancer chooses the endpoint of each attempt. Default none: the host is Service.
	Balancer *balance.Balancer
	// Timeout bounds each call from first connection to last byte, all attempts included, unless the
	// call has a timeout of its own. Default none, apart from the context's own deadline.
	Timeout time.Duration
	// AttemptTimeout bounds each attempt of a call, which may then be followed by another one. Default
	// none.
	AttemptTimeout time.Duration
	// Resilience decides about retries and hedges. Default none: only a connection that could not be
	// made, or was stale, is followed by another attempt.
	Resilience *resilience.Policy
	// MaxResponse is how many bytes the body of a 2xx response may have, counted after
	// decompression. Default DefaultMaxResponse.
	MaxResponse int64
	// DecorateHeaders, if set, adds to the headers of a request, which already hold those of
	// the call.
	DecorateHeaders func(context.Context, http.Header)
	// DeadlineHeader tells the service how long each attempt may take. Default none.
	DeadlineHeader DeadlineHeader
	// DeniesCaller, if set, reports whether a 401 or 403 with these headers concerns the
	// caller of the graph, and not the credentials of the gateway itself. It is called for
	// these two statuses only. Default: they concern the gateway.
	DeniesCaller func(*http.Request, http.Header) bool
	// Join, if set, is called for each call with its request, its timeout, which is 0 without one, and
	// the function that makes its attempts. It may return the response of an equal call instead.
	Join func(ctx context.Context, req *http.Request, timeout time.Duration, send func(context.Context) (*Response, error)) (*Response, error)
	// Reserve, if set, is called before n more bytes of memory are used for a response, of a 2xx
	// status. It may wait; its error ends the call, and is a *fault.Error or that of the context.
	Reserve func(ctx context.Context, n int64) error
	// Log receives a line at debug level for each call, without values. Default none.
	Log *slog.Logger
}

// Response is a response whose body has been read. Do returns those with a 2xx status; the
// caller owns them.
type Response struct {
	Status int
	Header http.Header
	// Body is complete and decompressed. It is empty when the response has no body.
	Body []byte

	buffer       *bytes.Buffer // the memory of Body, when it can be reused
	host         string        // the endpoint, for the log
	release      func()        // called by Release instead, if set
	lease        balance.Lease // to be judged by Accept or Reject; zero if there is none
	history      history       // of the call's attempts
	deniesCaller bool          // a 401 or 403 that concerns the caller of the graph
	observation  *observation  // of the call that the response came to; nil if it is not observed
	origin       *byte         // the same in all copies of a detached response, and nil otherwise
}

// Attempts returns how many attempts the call had.
func (r *Response) Attempts() int { return r.history.made }

// Origin returns a value by which copies of one detached response are recognized, nil if r was not
// detached.
func (r *Response) Origin() any {
	if r.origin == nil {
		return nil
	}
	return r.origin
}

// Copy returns a copy of a detached r for another place that uses the response. Its Accept and
// Reject have no effect, so that a response is judged once.
func (r *Response) Copy() *Response {
	copied := *r
	copied.lease = balance.Lease{}
	return &copied
}

// Shared returns a copy of r for one of several callers, who must not change the body. Its Release
// calls release.
func (r *Response) Shared(release func()) *Response {
	shared := *r
	shared.Header = r.Header.Clone()
	shared.buffer, shared.release = nil, release
	return &shared
}

// buffers hold the bodies of responses.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooledBuffer is how large a buffer may be, in bytes, that is kept for reuse.
const maxPooledBuffer = 4 << 20

// Release returns the memory of Body for reuse by other calls. Body must not be used
// afterwards. Release is optional, and must not be called twice.
func (r *Response) Release() {
	if release := r.release; release != nil {
		r.Body, r.release = nil, nil
		release()
		return
	}
	buffer := r.buffer
	r.Body, r.buffer = nil, nil
	if buffer == nil || buffer.Cap() > maxPooledBuffer {
		return
	}
	buffer.Reset()
	buffers.Put(buffer)
}

// Detach moves Body to memory of its own, of exactly its size, and returns the buffer that it lay
// in for reuse by other calls. A detached Response may be copied and kept: Release of a copy leaves
// the memory of Body alone.
func (r *Response) Detach() {
	body := bytes.Clone(r.Body)
	r.Release()
	r.Body, r.origin = body, new(byte)
}

// Values of headers that neither the call nor DecorateHeaders sets. All requests share them.
var (
	userAgent = []string{"gatehouse"}
	accept    = []string{typeJSON + acceptProblem}
)

// acceptProblem asks for errors as problem documents (RFC 9457), whatever the responses are.
const acceptProblem = ", application/problem+json"

// setDefaults sets the headers that a request has in any case, unless it has them already.
func (c *Call) setDefaults(h http.Header) {
	if len(h["User-Agent"]) == 0 {
		h["User-Agent"] = userAgent
	}
	switch {
	case len(h["Accept"]) > 0:
	case c.accept == "":
		h["Accept"] = accept
	default:
		h["Accept"] = []string{c.accept + acceptProblem}
	}
}

// Do makes one call. Its error is always a *fault.Error: that of c.Err, or one that
// describes the failure of the call. The error wraps context.Canceled when ctx was
// cancelled, and context.DeadlineExceeded when the service took too long. For a response
// that is not a 2xx it wraps a *StatusError.
func (c *Client) Do(ctx context.Context, call *Call) (*Response, error) {
	if err := call.Err(); err != nil {
		return nil, err
	}
	return c.do(ctx, call, history{})
}

// timeoutOf returns the timeout of a call, 0 for none.
func (c *Client) timeoutOf(call *Call) time.Duration {
	if call.timeout > 0 {
		return call.timeout
	}
	return c.Timeout
}

// do is Do for a call with a history.
func (c *Client) do(ctx context.Context, call *Call, h history) (*Response, error) {
	started := time.Now()
	resp, err := c.join(ctx, call, h)
	c.logCall(ctx, call, resp, time.Since(started), err)
	if err != nil {
		return nil, c.transportFault(ctx, err)
	}
	if !resp.isSuccess() {
		return nil, StatusFault(c.Service, call, resp)
	}
	return resp, nil
}

// Again rejects the response r of a call and makes the call once more, at another endpoint if there
// is one. It is a retry like those of Do: they share the number of attempts, the budget and the
// timeout. It reports false if the call must not be repeated, or no more.
func (c *Client) Again(ctx context.Context, call *Call, r *Response) (again *Response, ok bool, err error) {
	r.Reject()
	h := r.history
	if h.made == 0 || h.made >= c.Resilience.MaxAttempts() || !h.deadline.IsZero() && !time.Now().Before(h.deadline) {
		return nil, false, nil
	}
	req, err := call.request(ctx, c.Service, c.headers(ctx, call))
	if err != nil || !replay.Allowed(req) || !c.Resilience.TakeRetry() {
		return nil, false, nil
	}
	again, err = c.do(ctx, call, h)
	return again, true, err
}

// Accept confirms that the body of r could be decoded. Do leaves it to its caller, who
// alone know what a body should be; for the endpoint's health a response counts only when it was
// accepted or rejected. Further calls have no effect.
func (r *Response) Accept() { r.judge(attempt.Success) }

// Reject is Accept for a body that could not be decoded.
func (r *Response) Reject() { r.judge(attempt.Malformed) }

func (r *Response) judge(o attempt.Outcome) {
	r.observation.judge(o)
	if l := r.lease; l.Endpoint != nil {
		r.lease = balance.Lease{}
		l.Judge(o)
	}
}

func (r *Response) isSuccess() bool { return r.Status >= 200 && r.Status <= 299 }

// join sends the call, or has Join do it.
func (c *Client) join(ctx context.Context, call *Call, h history) (*Response, error) {
	header := c.headers(ctx, call)
	if c.Join == nil {
		return c.send(ctx, call, header, h)
	}
	req, err := call.request(ctx, c.Service, header)
	if err != nil {
		return nil, err
	}
	r, err := c.Join(ctx, req, c.timeoutOf(call), func(ctx context.Context) (*Response, error) {
		call.observation.sends()
		return c.send(ctx, call, header, h)
	})
	if o := call.observation; o != nil && !o.sent.Load() {
		call.ObserveJoin(observe.Coalesced, r)
	}
	return r, err
}

// headers returns the headers of the requests of a call.
func (c *Client) headers(ctx context.Context, call *Call) http.Header {
	header := call.headers()
	if c.DecorateHeaders != nil {
		c.DecorateHeaders(ctx, header)
	}
	call.setDefaults(header)
	return header
}

// exchange sends a request to an endpoint, nil without a balancer, and reads the whole response,
// whatever its status.
func (c *Client) exchange(ctx context.Context, req *http.Request, to *balance.Endpoint) (*Response, error) {
	c.DeadlineHeader.set(req)
	// RoundTrip instead of http.Client.Do: no redirect is followed, and no error holds the
	// URL, which may hold values of clients.
	resp, err := c.transport(to).RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	r := &Response{Status: resp.StatusCode, Header: resp.Header, host: req.URL.Host}
	if to != nil {
		r.host = to.String()
	}
	if r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden {
		r.deniesCaller = c.DeniesCaller != nil && c.DeniesCaller(req, r.Header)
	}
	if err := c.readBody(ctx, resp, r); err != nil {
		return r, err
	}
	return r, nil
}

func (c *Client) transport(to *balance.Endpoint) http.RoundTripper {
	if to != nil {
		if t := to.Transport(); t != nil {
			return t
		}
	}
	if c.Transport == nil {
		return http.DefaultTransport
	}
	return c.Transport
}

// The errors of reading a body. They are causes of faults, for the log.
var (
	errTooLarge  = errors.New("the response is larger than allowed")
	errBroken    = errors.New("the response broke off")
	errMalformed = errors.New("the response is malformed")
)

// readBody reads the body into r, to its end, so that the connection can be reused. If the
// status is not a 2xx, it keeps what can be read and returns no error: the status alone
// decides.
func (c *Client) readBody(ctx context.Context, resp *http.Response, r *Response) error {
	if !r.isSuccess() {
		r.Body = readErrorBody(resp)
		return nil
	}
	limit := c.MaxResponse
	if limit <= 0 {
		limit = DefaultMaxResponse
	}
	if resp.ContentLength > limit {
		return fmt.Errorf("%w: %d of %d bytes", errTooLarge, resp.ContentLength, limit)
	}
	body, length, err := decodeBody(resp, limit)
	if err != nil {
		return err
	}
	if c.Reserve != nil {
		body = &ReservingReader{Reader: body, Reserve: func(n int64) error { return c.Reserve(ctx, n) }}
	}
	r.buffer = buffers.Get().(*bytes.Buffer)
	err = readUpTo(r.buffer, body, length, limit+1)
	r.Body = r.buffer.Bytes()
	switch size := len(r.Body); {
	case int64(size) > limit:
		err = fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
	case err == nil:
		r.Body, err = toUTF8(r.Body, r.Header.Get("Content-Type"))
	default:
		err = readError(err)
	}
	if err != nil {
		r.Release()
	}
	return err
}

// memoryPerByte is the memory that a byte of a response takes, about: in the buffer that it is read
// into, and in the objects that it is decoded into.
const memoryPerByte = 2

// ReservingReader reserves the memory for what is read.
type ReservingReader struct {
	io.Reader
	// Reserve reserves n bytes of memory.
	Reserve func(n int64) error
}

// Read implements io.Reader.
func (r *ReservingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		if refused := r.Reserve(int64(n) * memoryPerByte); refused != nil {
			return 0, refused
		}
	}
	return n, err
}

// readError returns the cause of the fault for an error of reading a body.
func readError(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok { // no memory for it
		return f
	}
	switch {
	case errors.Is(err, errExpands):
		return fmt.Errorf("%w: %w", errTooLarge, err)
	case isMalformed(err), isCorrupt(err):
		return fmt.Errorf("%w: %w", errMalformed, err)
	}
	return fmt.Errorf("%w: %w", errBroken, err)
}

// readErrorBody returns what can be read of the body of a response that is not a 2xx. It is not
// pooled, because the fault keeps it.
func readErrorBody(resp *http.Response) []byte {
	body, length, err := decodeBody(resp, MaxErrorBody)
	if err != nil {
		body, length = resp.Body, resp.ContentLength
	}
	var b bytes.Buffer
	_ = readUpTo(&b, body, length, MaxErrorBody)
	if text, err := toUTF8(b.Bytes(), resp.Header.Get("Content-Type")); err == nil {
		return text
	}
	return b.Bytes()
}

// readUpTo reads at most limit bytes of body into b. It allocates by length, which is -1 when it
// is unknown, to avoid copies. A length above maxPreallocated is believed only after that many
// bytes have arrived, so that a header alone cannot make the gateway allocate much.
func readUpTo(b *bytes.Buffer, body io.Reader, length, limit int64) error {
	length = min(length, limit)
	if length > maxPreallocated {
		b.Grow(maxPreallocated + bytes.MinRead)
		if _, err := io.CopyN(b, body, maxPreallocated); err != nil {
			return err
		}
	}
	remaining := limit - int64(b.Len())
	if more := length - int64(b.Len()); more > 0 {
		b.Grow(int(more) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(body, remaining))
	return err
}

// logCall writes a line for the call, without values of the client, headers or bodies.
// r is nil when there was no response.
func (c *Client) logCall(ctx context.Context, call *Call, r *Response, duration time.Duration, err error) {
	if c.Log == nil || !c.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("source", c.Service),
		slog.String("method", call.method),
		slog.String("path", call.Template()),
		slog.Float64("duration_ms", float64(duration.Microseconds())/1000),
	}
	if r != nil {
		attrs = append(attrs, slog.Int("status", r.Status), slog.String("endpoint", r.host))
	}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	c.Log.LogAttrs(ctx, slog.LevelDebug, "backend call", attrs...)
}
