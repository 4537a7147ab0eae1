package upstreams

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// Fetch makes a call and reads its answer. Errors are the call's, a *fault.Error, or that
// the answer is not what read expects, as decode.Answer says, or is empty without a status
// that says so. Parts that do not fit are
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
	if err := promised(source, answer); err != nil {
		var none T
		return none, err
	}
	return decode.ReadProjection(source, answer.Body, engine.FaultsOf(ctx), engine.ProjectionOf(ctx), read)
}

// promised returns an error for an answer without content where a status promises some: it
// must not pass for a null. No content is what 204 and 205 say; an answer that is no 2xx,
// and that the binding's isSuccess takes all the same, promises nothing.
func promised(source string, a *rest.Response) error {
	if len(bytes.TrimSpace(a.Body)) > 0 || a.Status < 200 || a.Status > 299 ||
		a.Status == http.StatusNoContent || a.Status == http.StatusResetContent {
		return nil
	}
	return &fault.Error{
		Code: fault.DownstreamService, Message: "the service's answer is empty", Service: source, Status: a.Status,
		Cause: fmt.Errorf("%d %s without a body: a service that has nothing to say answers with 204, or with null", a.Status, http.StatusText(a.Status)),
	}
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
