package upstreams

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// coalesces reports whether a call may receive the response to a call of another operation:
// its operation permits it, the call holds no value of the client's request, and the client
// is known, since its credentials are part of the key.
func coalesces(ctx context.Context, c *rest.Call) bool {
	return engine.CoalescesCalls(ctx) && c.CanCoalesce() && hasClient(ctx)
}

// coalescingTransport is a transport to one service that sends equal concurrent requests
// once. Requests are equal if URL and all headers are equal, and if their clients have sent
// the same credentials.
type coalescingTransport struct {
	source  string
	next    http.RoundTripper
	slots   *engine.Semaphore // of the source; callers that share a response use one slot together
	timeout time.Duration     // of each request, its body included
	maxBody int64             // of a 2xx response, in bytes
	sendsID bool              // the settings forward X-Request-Id, so that it is part of the key
	group   coalesce.Group[*response]
}

func newCoalescingTransport(source string, next http.RoundTripper, slots *engine.Semaphore, o Source) *coalescingTransport {
	return &coalescingTransport{
		source: source, next: next, slots: slots, timeout: o.Timeout, maxBody: o.MaxResponse,
		sendsID: slices.Contains(addNames(nil, o.Forward), RequestIDHeader),
		group:   coalesce.Group[*response]{Release: (*response).release},
	}
}

// response is a response whose body has been read, up to the bound that its readers have.
type response struct {
	*http.Response
	body *bytes.Buffer
	err  error // of reading the body; nil at its end
}

// bodies are the buffers of responses. A buffer is in use until the last caller that shares
// the response has closed its copy.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooledBuffer is how large a buffer may be, in bytes, that is kept for reuse.
const maxPooledBuffer = 4 << 20

func (r *response) release() {
	if r.body.Cap() <= maxPooledBuffer {
		r.body.Reset()
		bodies.Put(r.body)
	}
}

// RoundTrip sends a GET, or joins an equal one that is running.
func (t *coalescingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	var buf [1 << 10]byte
	share, err := t.group.Do(req.Context(), t.appendKey(buf[:0], req), time.Now().Add(t.timeout), func(ctx context.Context) (*response, error) {
		return t.fetch(req.WithContext(ctx))
	})
	if err != nil {
		return nil, err
	}
	resp := *share.Value.Response
	resp.Header = resp.Header.Clone() // each caller may change its own
	resp.Body = &sharedBody{r: bytes.NewReader(share.Value.body.Bytes()), share: share}
	return &resp, nil
}

// fetch sends the request and reads the whole response. It runs apart from all callers, so
// that none of them can hold up the others by reading slowly or by leaving.
func (t *coalescingTransport) fetch(req *http.Request) (*response, error) {
	if err := t.slots.Acquire(req.Context()); err != nil {
		return nil, err
	}
	defer t.slots.Release()
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	r := &response{Response: resp, body: bodies.Get().(*bytes.Buffer)}
	limit := t.maxBody + 1 // one byte more, by which rest.Client sees that it is too large
	switch success := resp.StatusCode >= 200 && resp.StatusCode <= 299; {
	case !success:
		limit = rest.MaxErrorBody
	case resp.ContentLength > t.maxBody:
		return r, nil // rest.Client refuses it by its Content-Length
	}
	body := &rest.ReservingReader{Reader: resp.Body, Reserve: func(n int64) error { return engine.ReserveMemory(req.Context(), n) }}
	_, r.err = r.body.ReadFrom(io.LimitReader(body, limit))
	return r, nil
}

// appendKey appends to b everything on which the response may depend: source, URL, the
// client's credentials and all headers. Each part is written with its length, so that no
// two lists of parts have the same key. The binding's rules and selection are not part of
// it, since responses are shared before they are decoded.
func (t *coalescingTransport) appendKey(b []byte, req *http.Request) []byte {
	identity := engine.Identity{
		Source:  t.source,
		Request: req.URL.RawPath,
		Caller:  engine.CallerID(clientHeader(req.Context(), "Authorization")),
	}
	b = identity.AppendKey(b)
	b = coalesce.AppendText(coalesce.AppendText(b, req.URL.Path), req.URL.RawQuery)
	id := clientHeader(req.Context(), RequestIDHeader)
	var buf [16]string
	names := buf[:0]
	for name, values := range req.Header {
		if name != RequestIDHeader || t.sendsID || !isSameSlice(values, id) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b = coalesce.AppendTexts(coalesce.AppendText(b, name), req.Header[name])
	}
	return b
}

// isSameSlice reports whether a and b are one slice, and not only equal. So an X-Request-Id
// that a binding sends counts, while the one that decorate has added does not.
func isSameSlice(a, b []string) bool { return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] }

// sharedBody is the body of a shared response for one of its callers.
type sharedBody struct {
	r     *bytes.Reader // nil when closed
	share coalesce.Share[*response]
}

func (b *sharedBody) Read(p []byte) (int, error) {
	if b.r == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.r.Read(p)
	if err == io.EOF && b.share.Value.err != nil {
		err = b.share.Value.err
	}
	return n, err
}

func (b *sharedBody) Close() error {
	if b.r != nil {
		b.r = nil
		b.share.Done()
	}
	return nil
}
