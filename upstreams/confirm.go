package upstreams

import (
	"bytes"
	"context"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// Confirm makes a call of which no document says what it answers, and returns whether what it
// asks for was done: true for an answer without a body, else the body, which has to be true or
// false in JSON. Another body is an error, since it may say that nothing was done. See Fetch
// for the rules.
func Confirm(ctx context.Context, s *Services, source string, c *rest.Call, rules ...*Rules) (bool, error) {
	answer, err := s.ask(ctx, source, c, rules)
	if err != nil {
		return false, err
	}
	defer answer.Release()
	if len(bytes.TrimSpace(answer.Body)) == 0 {
		return true, nil
	}
	return decode.Read(source, answer.Body, engine.FaultsOf(ctx), (*decode.Decoder).Boolean)
}
