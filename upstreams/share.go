package upstreams

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// doOnce is Do for a call that the operation may make at several places: see rest.Call.Shared.
// Equal calls of one epoch are made once. Each place gets the response, whose rules it applies
// and whose body it decodes by itself, or the error.
//
// Calls are equal if they send the same request to the same source. The headers that a source is
// sent besides those of the call belong to the client, of which an operation has one.
//
// The body is kept until the operation ends, because a field below another one makes its call
// later. If the operation has kept too much (engine.KeepBytes), the response is not shared.
func (s *Services) doOnce(ctx context.Context, source string, c *rest.Call) (*rest.Response, error) {
	if !engine.SharesCalls(ctx, c.Group()) || c.Err() != nil {
		return s.Do(ctx, source, c)
	}
	var own *rest.Response // the response, if this place has made the call
	id := engine.Identity{Source: source, Request: c.Key()}
	kept, err := engine.CallOnce(ctx, id, func(ctx context.Context) (*rest.Response, error) {
		r, err := s.Do(ctx, source, c)
		if err != nil {
			return nil, err
		}
		if !engine.KeepBytes(ctx, len(r.Body)) {
			own = r
			return nil, nil
		}
		r.Detach()
		return r, nil
	})
	switch {
	case err != nil:
		return nil, err
	case kept != nil:
		return new(*kept), nil
	case own != nil:
		return own, nil
	}
	return s.Do(ctx, source, c)
}
