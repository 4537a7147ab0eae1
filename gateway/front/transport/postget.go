// Package transport has the transports of operations over HTTP: POST and GET, with one response
// each. A transport reads the operation, executes it, and writes the response.
package transport

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/buffer"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/coalesce"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/httperror"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/response"
)

// Options are what the transports need. All fields are required.
type Options struct {
	Executor  *execute.Executor
	Coalescer *coalesce.Coalescer
	Buffers   *buffer.Pool
	Errors    *response.ErrorWriter
	// BodyBytes is the size of the largest body, in bytes.
	BodyBytes int64
	// Limits bound the parameters of a request.
	Limits request.Limits
}

// POST returns the transport of operations in the bodies of POST requests.
func POST(o Options) graphql.Transport {
	return &httpTransport{Options: o, method: http.MethodPost, read: request.ReadPOST, checkType: checkPOST}
}

// GET returns the transport of queries in the URLs of GET requests, and of HEAD requests, which are
// executed likewise and answered without the body (RFC 9110, section 9.3.2).
func GET(o Options) graphql.Transport {
	return &httpTransport{Options: o, method: http.MethodGet, read: request.ReadGET, checkType: checkGET}
}

// httpTransport is the transport of operations with one response each.
type httpTransport struct {
	Options
	method string
	read   func(w http.ResponseWriter, r *http.Request, size int64, limits request.Limits, b *buffer.Buffer) (*request.Params, error)
	// checkType returns why the transport does not execute operations of a type; nil if it does.
	checkType func(ast.Operation) error
}

// Supports reports whether the request has the transport's method. An Upgrade to another protocol,
// which some clients offer with every request, is ignored (RFC 9110, section 7.8).
func (t *httpTransport) Supports(r *http.Request) bool {
	return r.Method == t.method || t.method == http.MethodGet && r.Method == http.MethodHead
}

// Do reads the operation, executes it, and writes the response.
func (t *httpTransport) Do(w http.ResponseWriter, r *http.Request, _ graphql.GraphExecutor) {
	mediaType, ok := response.Negotiate(r)
	if !ok {
		t.Errors.Write(w, r, httperror.New(http.StatusNotAcceptable, fault.BadRequest, notAcceptable(r)))
		return
	}
	b := t.Buffers.Get()
	params, err := t.read(w, r, t.BodyBytes, t.Limits, b)
	if err != nil {
		t.Errors.Write(w, r, err)
		return
	}
	params.Headers, params.CheckType = r.Header, t.checkType
	ctx := r.Context()
	op, errs := t.Executor.Prepare(ctx, params)
	maps.Copy(w.Header(), op.Header)
	if len(errs) > 0 {
		if e, ok := errors.AsType[*httperror.Error](errs[0]); ok {
			maps.Copy(w.Header(), e.Header)
		}
		refused := t.Executor.DispatchError(graphql.WithOperationContext(ctx, &op.OperationContext), errs)
		body := response.Response{Errors: refused.Errors, Extensions: refused.Extensions}
		body.Write(w, r, mediaType, response.RefusalStatus(mediaType, refused.Errors))
		return
	}
	if t.Coalescer.CanCoalesce(ctx, op) {
		t.Buffers.Put(b) // the execution has a buffer of its own
		if t.coalesce(w, r, mediaType, op) {
			return
		}
		b = t.Buffers.Get()
	}
	t.execute(w, r, mediaType, op, b)
}

// notAcceptable returns the message for a client that accepts no media type of ours.
func notAcceptable(r *http.Request) string {
	message := "accept " + response.TypeGraphQL + " or " + response.TypeJSON
	for _, streaming := range []string{"text/event-stream", "multipart/mixed"} {
		if strings.Contains(strings.Join(r.Header["Accept"], ","), streaming) {
			message += "; there is no " + streaming + ", since subscriptions and @defer are not supported"
		}
	}
	return message
}

// checkPOST returns why an operation of a type is not executed by POST; nil if it is.
func checkPOST(kind ast.Operation) error {
	if kind == ast.Subscription {
		return httperror.New(http.StatusBadRequest, fault.BadRequest, "subscriptions are not supported: a response over POST or GET has one result")
	}
	return nil
}

// checkGET is checkPOST for methods that are safe (RFC 9110, section 9.2.1), by which no mutation is executed.
func checkGET(kind ast.Operation) error {
	if kind != ast.Mutation {
		return checkPOST(kind)
	}
	e := httperror.New(http.StatusMethodNotAllowed, fault.BadRequest, "send mutations by POST")
	e.Header = http.Header{"Allow": {http.MethodPost}}
	return e
}

// execute executes the operation for this request only.
func (t *httpTransport) execute(w http.ResponseWriter, r *http.Request, mediaType string, op *execute.Operation, b *buffer.Buffer) {
	result, err := t.Executor.Execute(r.Context(), op, b)
	entry := request.LogEntryOf(r.Context())
	noteResult(entry, result)
	if err != nil {
		t.Errors.Write(w, r, err)
		return
	}
	addHeader(w.Header(), result.Header)
	response.FromExecution(result.Response, b).Write(w, r, mediaType, http.StatusOK)
	if buffer.IsReusable(r) {
		t.Buffers.Put(b)
	}
}

// noteResult notes the outcome of an execution in the log entry of the request that began it.
func noteResult(entry *request.LogEntry, result execute.Result) {
	entry.Calls, entry.Unmatched, entry.Fallback = result.Calls, result.UnmatchedKeys, result.Fallback
	if result.Cost != nil {
		entry.Cost.Actual, entry.Cost.HasActual = result.Cost.Cost().Float(), true
	}
}

// coalesce executes the operation together with equal requests. It reports false if the request
// has to be executed by itself.
func (t *httpTransport) coalesce(w http.ResponseWriter, r *http.Request, mediaType string, op *execute.Operation) bool {
	share, ok, err := t.Coalescer.Execute(r, op)
	if err != nil {
		t.Errors.Write(w, r, err)
	}
	if !ok || err != nil {
		return ok
	}
	defer share.Done()
	entry := request.LogEntryOf(r.Context())
	if share.Joined {
		entry.Coalesced = share.BegunBy
	} else {
		noteResult(entry, share.Result)
	}
	addHeader(w.Header(), share.Result.Header)
	share.Write(w, r, mediaType, http.StatusOK)
	return true
}

// addHeader adds fields of services' responses to a header. Those that it has already are the gateway's
// own, which win.
func addHeader(to, from http.Header) {
	for name, values := range from {
		if _, has := to[name]; !has {
			to[name] = values
		}
	}
}
