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

// coalesces tells whether a call may have the response of another operation's: its operation
// allows it, the call holds nothing of the client's request, and it is known who the client
// is, since that is a part of what must be equal.
func coalesces(ctx context.Context, c *rest.Call) bool {
	return engine.CoalescesCalls(ctx) && c.CanCoalesce() && knowsClient(ctx)
}

// coalescing is a transport to one service that sends equal requests of the same time once.
// Equal are those of one URL, with the same headers to the last, whose clients have sent the
// same credentials.
type coalescing struct {
	source  string
	next    http.RoundTripper
	running *engine.Slots // of calls to the source; those who share one take one together
	timeout time.Duration // of each request, its body included
	most    int64         // bytes of a successful answer's body that are of use
	ids     bool          // the service is to get the client's X-Request-Id, and not only the log
	flights coalesce.Group[*response]
}

func newCoalescing(source string, next http.RoundTripper, running *engine.Slots, o Source) *coalescing {
	return &coalescing{
		source: source, next: next, running: running, timeout: o.Timeout, most: o.MaxResponse,
		ids:     slices.Contains(union(nil, o.Forward), requestID),
		flights: coalesce.Group[*response]{Release: (*response).release},
	}
}

// response is one that has been read, as far as it is of use.
type response struct {
	*http.Response
	body *bytes.Buffer
	err  error // that the body ended with; nil at its end
}

// bodies hold responses until the last of those who share them has read his copy.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxKept is how large a buffer may be that is kept for the next response.
const maxKept = 4 << 20

func (r *response) release() {
	if r.body.Cap() <= maxKept {
		r.body.Reset()
		bodies.Put(r.body)
	}
}

// RoundTrip sends a GET or joins the one that is under way.
func (t *coalescing) RoundTrip(req *http.Request) (*http.Response, error) {
	var room [1 << 10]byte
	share, err := t.flights.Do(req.Context(), t.key(room[:0], req), time.Now().Add(t.timeout), func(ctx context.Context) (*response, error) {
		return t.fetch(req.WithContext(ctx))
	})
	if err != nil {
		return nil, err
	}
	own := *share.Value.Response
	own.Header = own.Header.Clone() // which each may change
	own.Body = &part{from: bytes.NewReader(share.Value.body.Bytes()), share: share}
	return &own, nil
}

func (t *coalescing) fetch(req *http.Request) (*response, error) {
	if err := t.running.Acquire(req.Context()); err != nil {
		return nil, err
	}
	defer t.running.Release()
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	r := &response{Response: resp, body: bodies.Get().(*bytes.Buffer)}
	most := t.most + 1
	switch success := resp.StatusCode >= 200 && resp.StatusCode <= 299; {
	case !success:
		most = rest.MaxRefusal
	case resp.ContentLength > t.most:
		return r, nil // nobody reads what is known to be too large
	}
	_, r.err = r.body.ReadFrom(io.LimitReader(resp.Body, most))
	return r, nil
}

// key appends to b the identity of the call, and then what else is sent: each part with its
// length, so that no two sets of parts look alike. Responses are shared before they are read,
// so that by which rules and as what they are read is no part of it.
func (t *coalescing) key(b []byte, req *http.Request) []byte {
	identity := engine.Identity{
		Source:  t.source,
		Request: req.URL.RawPath,
		Caller:  engine.Caller(clientHeader(req.Context(), "Authorization")),
	}
	b = identity.AppendKey(b)
	b = coalesce.AppendText(coalesce.AppendText(b, req.URL.Path), req.URL.RawQuery)
	id := clientHeader(req.Context(), requestID)
	var room [16]string
	names := room[:0]
	for name, values := range req.Header {
		if name != requestID || t.ids || !same(values, id) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b = coalesce.AppendTexts(coalesce.AppendText(b, name), req.Header[name])
	}
	return b
}

// same tells whether a header's values are the client's own, and not only like them.
func same(a, b []string) bool { return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] }

// part is the body of a shared response for one of those who share it.
type part struct {
	from  *bytes.Reader // nil when closed
	share coalesce.Share[*response]
}

func (p *part) Read(into []byte) (int, error) {
	if p.from == nil {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := p.from.Read(into)
	if err == io.EOF && p.share.Value.err != nil {
		err = p.share.Value.err
	}
	return n, err
}

func (p *part) Close() error {
	if p.from != nil {
		p.from = nil
		p.share.Done()
	}
	return nil
}
