package upstreams

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// Fetch makes a call and decodes its response by read. Of rules there is at most one. It
// says which responses are data, and what an error shows to the client.
//
// Fetch reads only those fields of objects that the operation selects (engine.ProjectionOf).
// Values that do not fit the graph are recorded in the operation's decode.Faults, if it has
// any. The error is a *fault.Error: that of the call; that the body does not have the form
// that read expects, as decode.ReadProjection describes; or that the body is empty although
// the status does not say so.
func Fetch[T any](ctx context.Context, s *Services, source string, c *rest.Call, read func(*decode.Decoder) T, rules ...*Rules) (T, error) {
	return fetch(ctx, s, source, c, read, rules, nil)
}

// fetch is Fetch. It calls keep, if that is not nil, with each response that was decoded, or whose
// status is read as null, and with the results of decoding.
func fetch[T any](ctx context.Context, s *Services, source string, c *rest.Call, read func(*decode.Decoder) T, rules []*Rules, keep func(*rest.Response, T, error)) (T, error) {
	c = s.observe(ctx, source, c)
	v, err := repeatedly(ctx, s, source, c, read, rules, collecting(ctx, s, source, c, keep))
	c.EndObservation(err)
	return v, err
}

// repeatedly makes a call, and again if its response cannot be decoded and the call may be repeated.
func repeatedly[T any](ctx context.Context, s *Services, source string, c *rest.Call, read func(*decode.Decoder) T, rules []*Rules, keep func(*rest.Response, T, error)) (T, error) {
	resp, err := s.do(ctx, source, c, rules)
	v, malformed, err := decodeResponse(ctx, source, resp, err, rules, read, keep)
	for malformed {
		again, ok, againErr := s.again(ctx, source, c, resp, rules)
		if !ok {
			return v, err
		}
		resp = again
		v, malformed, err = decodeResponse(ctx, source, again, againErr, rules, read, keep)
	}
	return v, err
}

// decodeResponse decodes the response of a call, or returns its error. It reports whether the
// response is malformed: the call may be made again then. Otherwise the response is accepted and
// released.
func decodeResponse[T any](ctx context.Context, source string, resp *rest.Response, err error, rules []*Rules, read func(*decode.Decoder) T, keep func(*rest.Response, T, error)) (v T, malformed bool, _ error) {
	if nullResponse := asNull(rules, resp, err); nullResponse != nil {
		if keep != nil {
			keep(nullResponse, v, nil)
		}
		return v, false, nil
	}
	if err != nil {
		return v, false, err
	}
	defer resp.Release() // the decoder copies what it keeps
	if err := requireContent(source, resp); err != nil {
		return v, true, err
	}
	v, err = decode.ReadProjection(source, resp.Body, engine.FaultsOf(ctx), engine.ProjectionOf(ctx), read)
	if _, malformed = errors.AsType[*decode.MalformedError](err); !malformed {
		resp.Accept()
		if keep != nil {
			keep(resp, v, err)
		}
	}
	return v, malformed, withExcerpt(err, resp)
}

// withExcerpt adds to the cause of an error for a response that is not JSON what came instead, for
// the log: its media type and the beginning of the body. Other errors stay as they are.
func withExcerpt(err error, r *rest.Response) error {
	if err == nil {
		return nil
	}
	f, ok := err.(*fault.Error)
	if _, malformed := errors.AsType[*decode.MalformedError](err); !ok || !malformed {
		return err
	}
	const maxType = 100
	mediaType := r.Header.Get("Content-Type")
	return f.WithCause(fmt.Errorf("%w; the response of %d bytes, %q, begins with %s",
		f.Cause, len(r.Body), mediaType[:min(len(mediaType), maxType)], r.Excerpt()))
}

// asNull returns the response to a call if it has a status that the rules read as null, whether or not it
// is an error otherwise. Otherwise it returns nil.
func asNull(rules []*Rules, resp *rest.Response, err error) *rest.Response {
	if len(rules) == 0 || rules[0] == nil || len(rules[0].NullOn) == 0 {
		return nil
	}
	if statusErr, ok := errors.AsType[*rest.StatusError](err); ok {
		resp = statusErr.Response
	}
	if resp == nil || !slices.Contains(rules[0].NullOn, resp.Status) {
		return nil
	}
	return resp
}

// requireContent returns an error for an empty body with a 2xx status other than 204 and
// 205: it must not be taken for a null. A response that is not a 2xx, and that the binding
// declares a success, may be empty.
func requireContent(source string, r *rest.Response) error {
	if len(bytes.TrimSpace(r.Body)) > 0 || r.Status < 200 || r.Status > 299 ||
		r.Status == http.StatusNoContent || r.Status == http.StatusResetContent {
		return nil
	}
	return &fault.Error{
		Code: fault.DownstreamService, Message: "the service's answer is empty", Service: source, Status: r.Status,
		Cause: fmt.Errorf("%d %s without a body: a service that has nothing to return responds with 204, or with null", r.Status, http.StatusText(r.Status)),
	}
}

// Send makes a call and ignores the body of its response. See Fetch for the rules.
func Send(ctx context.Context, s *Services, source string, c *rest.Call, rules ...*Rules) error {
	c = s.observe(ctx, source, c)
	resp, err := s.do(ctx, source, c, rules)
	if err == nil {
		resp.Accept()
		s.addHeaders(ctx, source, c, resp)
		resp.Release()
	}
	c.EndObservation(err)
	return err
}

// Confirm makes a call whose response is not documented, for a field of type Boolean. It
// returns true for a successful response without a body, and otherwise the body, which must
// be true or false in JSON. Any other body is an error, since it may say that nothing was
// done. See Fetch for the rules.
func Confirm(ctx context.Context, s *Services, source string, c *rest.Call, rules ...*Rules) (bool, error) {
	c = s.observe(ctx, source, c)
	ok, err := confirm(ctx, s, source, c, rules)
	c.EndObservation(err)
	return ok, err
}

func confirm(ctx context.Context, s *Services, source string, c *rest.Call, rules []*Rules) (bool, error) {
	resp, err := s.do(ctx, source, c, rules)
	if err != nil {
		return false, err
	}
	defer resp.Release()
	resp.Accept()
	ok := true
	if len(bytes.TrimSpace(resp.Body)) > 0 {
		if ok, err = decode.Read(source, resp.Body, engine.FaultsOf(ctx), (*decode.Decoder).Boolean); err != nil {
			return ok, withExcerpt(err, resp)
		}
	}
	s.addHeaders(ctx, source, c, resp)
	return ok, nil
}
