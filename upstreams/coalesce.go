package upstreams

import (
	"context"
	"encoding/binary"
	"net/http"
	"slices"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce"
	"github.com/gatehouse-graphql/gatehouse/upstreams/resilience"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// coalesces reports whether a call may receive the response to a call of another operation:
// its operation permits it, the call holds no value of the client's request, the client is known, since
// its credentials are part of the key, and it receives no cookies of the service.
func (s *source) coalesces(ctx context.Context, c *rest.Call) bool {
	return !s.setsCookies && engine.CoalescesCalls(ctx) && c.CanCoalesce() && hasClient(ctx)
}

// coalescer makes equal concurrent calls to one service once. Calls are equal if URL, timeout and all
// headers are equal, and if their clients have sent the same credentials.
type coalescer struct {
	source  string
	limiter *resilience.Limiter // of the source; callers that share a response use one slot together
	noVary  []string            // canonical names of the client's headers on which no response depends
	group   coalesce.Group[*rest.Response]
}

func newCoalescer(source string, limiter *resilience.Limiter, o Source) *coalescer {
	return &coalescer{
		source: source, limiter: limiter,
		noVary: o.noVaryHeaders(),
		group:  coalesce.Group[*rest.Response]{Release: (*rest.Response).Release},
	}
}

// join makes a call by send, or joins an equal one that is running. The call runs apart from all
// callers, so that none of them can hold up the others by leaving. Its memory is reserved by the
// run for reading, and by each further caller for decoding.
func (c *coalescer) join(ctx context.Context, req *http.Request, timeout time.Duration, send func(context.Context) (*rest.Response, error)) (*rest.Response, error) {
	var buf [1 << 10]byte
	share, err := c.group.Do(ctx, c.appendKey(buf[:0], req, timeout), time.Now().Add(timeout), func(ctx context.Context) (*rest.Response, error) {
		slot, err := c.limiter.Acquire(ctx)
		if err != nil {
			return nil, notSent(c.source, err)
		}
		r, err := send(ctx)
		slot.Release(err == nil)
		return r, err
	})
	if err != nil {
		return nil, err
	}
	if share.Joined {
		if err := engine.ReserveMemory(ctx, int64(len(share.Value.Body))); err != nil {
			share.Done()
			return nil, err
		}
	}
	return share.Value.Shared(share.Done), nil
}

// appendKey appends to b everything on which the response may depend: source, URL, the time that
// the service has, the client's credentials and all headers but those of noVary. Each part is
// written with its length, so that no two lists of parts have the same key. The binding's rules and
// selection are not part of it, since responses are shared before they are decoded.
func (c *coalescer) appendKey(b []byte, req *http.Request, timeout time.Duration) []byte {
	identity := engine.Identity{
		Source:  c.source,
		Request: req.URL.RawPath,
		Caller:  engine.CallerID(clientHeader(req.Context(), "Authorization")),
	}
	b = identity.AppendKey(b)
	b = coalesce.AppendText(coalesce.AppendText(b, req.URL.Path), req.URL.RawQuery)
	b = binary.AppendUvarint(b, uint64(timeout))
	var buf [16]string
	names := buf[:0]
	for name, values := range req.Header {
		if !slices.Contains(c.noVary, name) || !isSameSlice(values, clientHeader(req.Context(), name)) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b = coalesce.AppendTexts(coalesce.AppendText(b, name), req.Header[name])
	}
	return b
}

// isSameSlice reports whether a and b are one slice, and not only equal. So a traceparent that a
// binding or the settings send counts, while the client's, which decorate has added, does not.
func isSameSlice(a, b []string) bool { return len(a) > 0 && len(a) == len(b) && &a[0] == &b[0] }
