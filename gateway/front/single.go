package front

import (
	"net/http"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// single is the transport of one operation in, one answer out.
type single struct {
	front  *Front
	method string
	read   func(w http.ResponseWriter, r *http.Request, limit int64, b *buffer) (*graphql.RawParams, error)
	safe   bool // the method promises to change nothing, so mutations are refused
}

var _ graphql.Transport = single{}

// Supports says yes to the method, but not to a connection that wants to be another.
func (s single) Supports(r *http.Request) bool {
	return r.Method == s.method && r.Header.Get("Upgrade") == ""
}

// Do reads the operation, has it executed and writes the answer.
func (s single) Do(w http.ResponseWriter, r *http.Request, exec graphql.GraphExecutor) {
	media, ok := accepted(r)
	if !ok {
		s.front.refuse(w, r, newRefusal(http.StatusNotAcceptable, fault.BadRequest,
			"answers are "+typeGraphQL+" or "+typeJSON))
		return
	}
	b := s.front.buffers.take()
	params, err := s.read(w, r, s.front.options.BodyBytes, b)
	if err != nil {
		s.front.refuse(w, r, asRefusal(err))
		return
	}
	params.Headers = r.Header
	ctx := r.Context()
	op, errs := exec.CreateOperationContext(ctx, params)
	if len(errs) > 0 {
		response := exec.DispatchError(graphql.WithOperationContext(ctx, op), errs)
		send(w, r, media, statusOf(media, response.Errors), &answer{Errors: response.Errors, Extensions: response.Extensions})
		return
	}
	if no := s.unfit(op.Operation.Operation); no != nil {
		s.front.refuse(w, r, no)
		return
	}
	if s.front.shareable(r.Context(), op) {
		s.executeShared(w, r, media, op, b)
		return
	}
	s.execute(w, r, media, op, b)
}

// unfit refuses what this transport cannot answer; nil when it can.
func (s single) unfit(kind ast.Operation) *refusal {
	switch {
	case kind == ast.Subscription:
		return newRefusal(http.StatusBadRequest, fault.BadRequest, "a subscription has more than one answer; this way has one")
	case kind == ast.Mutation && s.safe:
		no := newRefusal(http.StatusMethodNotAllowed, fault.BadRequest, "send mutations by POST")
		no.header = http.Header{"Allow": {"POST"}}
		return no
	}
	return nil
}

func (s single) execute(w http.ResponseWriter, r *http.Request, media string, op *graphql.OperationContext, b *buffer) {
	found, err := s.front.executor.Execute(r.Context(), op, b)
	recordOf(r.Context()).executed(found)
	if err != nil {
		s.front.refuse(w, r, because(err))
		return
	}
	send(w, r, media, http.StatusOK, answerOf(found.response, b))
	if rewritable(r) {
		s.front.buffers.give(b)
	}
}

func asRefusal(err error) *refusal {
	if no, ok := err.(*refusal); ok {
		return no
	}
	return because(err)
}
