package upstreams

import (
	"context"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/upstreams/observe"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// sharesCall reports whether the operation may make a call at several places: see rest.Call.Shared.
func sharesCall(ctx context.Context, c *rest.Call) bool {
	return engine.SharesCalls(ctx, c.Group()) && c.Err() == nil
}

// once makes a call by send for which sharesCall reports true. attempts is how many it had before.
// Equal calls of one epoch are made once. Each place gets the response, whose rules it applies
// and whose body it decodes by itself, or the error.
//
// Calls are equal if they send the same request to the same source for the same client. An operation
// has one client, unless handwritten code calls WithClientHeaders.
//
// The body is kept until the operation ends, because a field below another one makes its call
// later. If the operation has kept too much (engine.KeepBytes), the response is not shared. Each
// place reserves memory for what it decodes; the one that makes the call does so while it reads.
func (s *Services) once(ctx context.Context, source string, c *rest.Call, attempts int, send func(context.Context) (*rest.Response, error)) (*rest.Response, error) {
	var own *rest.Response // the response, if this place has made the call and does not share it
	made := false
	client := ctx.Value(clientKey{})
	id := engine.Identity{Source: source, Request: c.Key(), Caller: fmt.Sprintf("%p", client)}
	if attempts > 0 {
		id.Request += fmt.Sprintf("\nafter %d attempts", attempts)
	}
	kept, err := engine.CallOnce(ctx, id, func(ctx context.Context) (*rest.Response, error) {
		made = true
		ctx = context.WithValue(ctx, clientKey{}, client)
		r, err := send(ctx)
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
	case kept != nil && !made:
		c.ObserveJoin(observe.Once, kept)
		if err := engine.ReserveMemory(ctx, int64(len(kept.Body))); err != nil {
			return nil, err
		}
		return kept.Copy(), nil
	case kept != nil:
		return new(*kept), nil
	case own != nil:
		return own, nil
	}
	return send(ctx)
}
