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
)

const (
	// DefaultMaxResponse bounds an answer unless told otherwise: 10 MiB.
	DefaultMaxResponse = 10 << 20
	// MaxRefusal is how much of an unsuccessful answer is kept: enough for a problem
	// document, and reading that much lets its connection be used again.
	MaxRefusal = 64 << 10
	// maxTrusted is how much room a Content-Length is given before any bytes arrive.
	maxTrusted = 1 << 20
)

// Client makes calls to one service. Set its fields before the first call; it is then
// safe for concurrent use.
type Client struct {
	// Service names the service in faults and in the log.
	Service string
	// Transport sends. It may choose the host itself, which is called Service in
	// requests. Default http.DefaultTransport.
	Transport http.RoundTripper
	// Timeout bounds each call from first connection to last byte. Default none but
	// the context's own deadline.
	Timeout time.Duration
	// MaxResponse is how many bytes of body a successful answer may have, counted
	// after decompression. Default DefaultMaxResponse.
	MaxResponse int64
	// DecorateHeaders, if set, adds to the headers of a request, which already hold those of
	// the call.
	DecorateHeaders func(context.Context, http.Header)
	// Log gets a line at debug level for each call, without values. Default none.
	Log *slog.Logger
}

// Response is a successful one: Status is 2xx. Whoever gets it owns it.
type Response struct {
	Status int
	Header http.Header
	// Body is whole and decompressed, and empty when there was none.
	Body []byte

	buffer *bytes.Buffer // of Body, when it can be used again
}

// buffers hold the bodies of answers that have been read.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxKept is how large a buffer may be that is kept for the next answer.
const maxKept = 4 << 20

// Release gives the body's memory back, for the next answer to any caller. Nothing of Body
// may be used afterwards. It need not be called, and is called once at the most.
func (a *Response) Release() {
	buffer := a.buffer
	a.Body, a.buffer = nil, nil
	if buffer == nil || buffer.Cap() > maxKept {
		return
	}
	buffer.Reset()
	buffers.Put(buffer)
}

// Values that never change are shared by all requests.
var (
	userAgent = []string{"gatehouse"}
	accept    = []string{"application/json, application/problem+json"}
)

// Do makes one call. Its error is always a *fault.Error: the call's own, if a value
// did not fit, or one that says what became of the call. errors.Is finds
// context.Canceled in it when the caller gave up, and context.DeadlineExceeded when
// the service took too long.
func (s *Client) Do(ctx context.Context, c *Call) (*Response, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	if s.Timeout > 0 {
		bounded, cancel := context.WithTimeout(ctx, s.Timeout)
		defer cancel()
		ctx = bounded
	}
	started := time.Now()
	answer, endpoint, err := s.exchange(ctx, c)
	s.note(ctx, c, answer, endpoint, time.Since(started), err)
	if err != nil {
		return nil, s.unanswered(ctx, err)
	}
	if answer.Status < 200 || answer.Status > 299 {
		return nil, Refused(s.Service, c, answer)
	}
	return answer, nil
}

// exchange sends the call and reads the whole answer, whatever its status.
func (s *Client) exchange(ctx context.Context, c *Call) (answer *Response, endpoint string, err error) {
	req, err := c.Request(ctx, s.Service)
	if err != nil {
		return nil, "", err
	}
	req.Header["User-Agent"], req.Header["Accept"] = userAgent, accept
	if s.DecorateHeaders != nil {
		s.DecorateHeaders(ctx, req.Header)
	}
	// RoundTrip and not Client.Do: nothing is followed, and no error holds the URL.
	resp, err := s.transport().RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	if resp.Request != nil {
		endpoint = resp.Request.URL.Host
	}
	answer = &Response{Status: resp.StatusCode, Header: resp.Header}
	return answer, endpoint, s.read(resp, answer)
}

func (s *Client) transport() http.RoundTripper {
	if s.Transport == nil {
		return http.DefaultTransport
	}
	return s.Transport
}

// What can be wrong with a body. These are causes; the log shows them.
var (
	errTooLarge = errors.New("the answer is larger than allowed")
	errEncoding = errors.New("the answer has a content encoding that was not asked for")
	errBroken   = errors.New("the answer broke off")
)

// read takes the body to its end, so that its connection can be used again. Of an
// unsuccessful answer it takes what it gets: the status has said what matters.
func (s *Client) read(resp *http.Response, into *Response) error {
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		var refusal bytes.Buffer // which stays with the fault
		_ = readUpTo(&refusal, resp, MaxRefusal)
		into.Body = refusal.Bytes()
		return nil
	}
	// Some say how they would have encoded what they do not send, above all with a 204.
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" && resp.Body != http.NoBody && resp.ContentLength != 0 {
		return fmt.Errorf("%w: %q", errEncoding, encoding)
	}
	limit := s.MaxResponse
	if limit <= 0 {
		limit = DefaultMaxResponse
	}
	if resp.ContentLength > limit {
		return fmt.Errorf("%w: %d of %d bytes", errTooLarge, resp.ContentLength, limit)
	}
	into.buffer = buffers.Get().(*bytes.Buffer)
	err := readUpTo(into.buffer, resp, limit+1)
	into.Body = into.buffer.Bytes()
	switch size := len(into.Body); {
	case err != nil:
		into.Release()
		return fmt.Errorf("%w: %w", errBroken, err)
	case int64(size) > limit:
		into.Release()
		return fmt.Errorf("%w: more than %d bytes", errTooLarge, limit)
	}
	return nil
}

// readUpTo reads at most limit bytes. Where the length is told there is room for it at once,
// but for a large one not before so much of it is there that it is no bluff.
func readUpTo(b *bytes.Buffer, resp *http.Response, limit int64) error {
	told := min(resp.ContentLength, limit)
	if told > maxTrusted {
		b.Grow(maxTrusted + bytes.MinRead)
		if _, err := io.CopyN(b, resp.Body, maxTrusted); err != nil {
			return err
		}
	}
	left := limit - int64(b.Len())
	if more := told - int64(b.Len()); more > 0 {
		b.Grow(int(more) + bytes.MinRead)
	}
	_, err := b.ReadFrom(io.LimitReader(resp.Body, left))
	return err
}

// note writes the call's line to the log: no value of a client, no header, no body.
func (s *Client) note(ctx context.Context, c *Call, a *Response, endpoint string, took time.Duration, err error) {
	if s.Log == nil || !s.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{
		slog.String("source", s.Service),
		slog.String("method", c.method),
		slog.String("path", c.Template()),
		slog.Duration("duration", took),
	}
	if a != nil {
		attrs = append(attrs, slog.Int("status", a.Status), slog.String("endpoint", endpoint))
	}
	if err != nil {
		attrs = append(attrs, slog.Any("error", err))
	}
	s.Log.LogAttrs(ctx, slog.LevelDebug, "backend call", attrs...)
}
