package upstreams

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// Fetch makes a call and reads its answer. Errors are the call's, a *fault.Error, or that
// the answer is not what read expects, as decode.Answer says. Parts that do not fit are
// noted in the operation's table, where it has one, and of objects only those fields are read
// that the operation wants (engine.Want). The rules, of which there is at most
// one, say what counts as success and what an error tells the client.
func Fetch[T any](ctx context.Context, s *Services, source string, c *rest.Call, read func(*decode.Decoder) T, rules ...*Rules) (T, error) {
	answer, err := s.ask(ctx, source, c, rules)
	if err != nil {
		var none T
		return none, err
	}
	defer answer.Release() // whatever is read is copied
	return decode.Selected(source, answer.Body, engine.FaultsOf(ctx), engine.WantedOf(ctx), read)
}

// Send makes a call whose answer says no more than that it went well. See Fetch for the
// rules.
func Send(ctx context.Context, s *Services, source string, c *rest.Call, rules ...*Rules) error {
	answer, err := s.ask(ctx, source, c, rules)
	if err == nil {
		answer.Release()
	}
	return err
}
