package upstreams

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// ResponseHeader is a header of a service's responses that clients receive with the response of their
// operation: in the file a name, or a block with more.
type ResponseHeader struct {
	// Name is the name of the header, such as X-Total-Count. Required.
	Name string `yaml:"name,scalar"`
	// As is the name under which clients receive the header. Default that of the service.
	As string `yaml:"as"`
	// Merge says which values a client receives if the responses to several calls of its operation
	// have the header: first, last, or append, which are all different ones. Default last; those of
	// Set-Cookie are always appended.
	Merge string `yaml:"merge"`
}

// setCookie is the name of the header whose values are for one client alone.
const setCookie = "Set-Cookie"

// headerMerges are the values of ResponseHeader.Merge.
var headerMerges = map[string]engine.HeaderMerge{
	"": engine.MergeLast, "last": engine.MergeLast, "first": engine.MergeFirst, "append": engine.MergeAppend,
}

// responseHeader is a ResponseHeader with canonical names and its defaults.
type responseHeader struct {
	name, as string
	merge    engine.HeaderMerge
}

func (h ResponseHeader) withDefaults() responseHeader {
	with := responseHeader{textproto.CanonicalMIMEHeaderKey(h.Name), textproto.CanonicalMIMEHeaderKey(h.As), headerMerges[h.Merge]}
	if with.as == "" {
		with.as = with.name
	}
	if with.name == setCookie {
		with.merge = engine.MergeAppend
	}
	return with
}

// responseHeaders returns the headers that clients receive, nil for none.
func (o Source) responseHeaders() []responseHeader {
	var headers []responseHeader
	for _, h := range o.ResponseHeaders {
		headers = append(headers, h.withDefaults())
	}
	return headers
}

// setsCookies reports whether clients receive the service's cookies. A response with one is for one
// client alone.
func (o Source) setsCookies() bool {
	return slices.ContainsFunc(o.responseHeaders(), func(h responseHeader) bool { return h.name == setCookie })
}

func (o Source) validateResponseHeaders() error {
	var errs []error
	seen := map[string]bool{}
	for i, h := range o.ResponseHeaders {
		with := h.withDefaults()
		problem := h.problem()
		if problem == "" && seen[with.as] {
			problem = fmt.Sprintf("%q is what clients receive of two headers: remove one, or give one another name with as", with.as)
		}
		seen[with.as] = true
		if problem != "" {
			errs = append(errs, fmt.Errorf("responseHeaders[%d] %s", i, problem))
		}
	}
	return errors.Join(errs...)
}

// problem returns what is wrong with h and what to write instead, "" if nothing is.
func (h ResponseHeader) problem() string {
	with := h.withDefaults()
	if _, known := headerMerges[h.Merge]; !known {
		return fmt.Sprintf("has the merge %q: write first, last or append", h.Merge)
	}
	switch {
	case h.Name == "":
		return "has no name: write the name of a header, such as X-Total-Count"
	case !rest.ValidHeaderName(h.Name):
		return fmt.Sprintf("%q is not a header name", h.Name)
	case rest.ReservedHeader(h.Name):
		return fmt.Sprintf("%q belongs to the connection with the service: remove it", h.Name)
	case with.name == setCookie && h.As != "":
		return "gives Set-Cookie another name, under which no client keeps a cookie: remove as"
	case with.name == setCookie && h.Merge != "" && h.Merge != "append":
		return fmt.Sprintf("has the merge %q for Set-Cookie, which would lose cookies: remove merge", h.Merge)
	case with.name == setCookie:
		return ""
	case h.As == "":
		if reason := ownHeaderReason(with.name); reason != "" {
			return fmt.Sprintf("%q %s: remove it, or give it another name, such as {name: %s, as: X-Service-%s}", h.Name, reason, h.Name, h.Name)
		}
		return ""
	case !rest.ValidHeaderName(h.As):
		return fmt.Sprintf("has as %q, which is not a header name", h.As)
	case with.as == setCookie:
		return "has as Set-Cookie, which would make a cookie of another header: write another name"
	}
	if reason := ownHeaderReason(with.as); reason != "" {
		return fmt.Sprintf("has as %q, which %s: write another name", h.As, reason)
	}
	return ""
}

// Why clients never receive a header of a service under its own name.
const (
	describesResponse = "describes the service's response and not the gateway's"
	decidesForOrigin  = "would decide for the gateway's whole origin, or for its connections"
	writtenByGateway  = "is written by the gateway itself"
)

// ownHeaders are the canonical names of headers that only the gateway may write, with the reason. The
// fields are those of the IANA registry (RFC 9110, section 18.4) that change what a client does with the
// response or with the origin that sent it.
var ownHeaders = map[string]string{
	"Accept-Ch": decidesForOrigin, "Accept-Patch": describesResponse, "Accept-Post": describesResponse, "Accept-Query": describesResponse,
	"Accept-Ranges": describesResponse, "Age": describesResponse, "Allow": describesResponse, "Alt-Svc": decidesForOrigin,
	"Authentication-Info": describesResponse, "Cache-Control": "lets caches keep the response, which may have data of other services and of one caller only",
	"Cache-Status": describesResponse, "Cdn-Cache-Control": "lets caches keep the response, which may have data of other services and of one caller only",
	"Clear-Site-Data": decidesForOrigin, "Critical-Ch": decidesForOrigin, "Date": writtenByGateway, "Digest": describesResponse,
	"Early-Data": describesResponse, "Etag": describesResponse, "Expect-Ct": decidesForOrigin, "Expires": describesResponse,
	"Last-Modified": describesResponse, "Location": "sends the client elsewhere", "Nel": decidesForOrigin,
	"No-Vary-Search": describesResponse, "Observe-Browsing-Topics": decidesForOrigin, "Origin-Agent-Cluster": decidesForOrigin,
	"Origin-Trial": decidesForOrigin, "Permissions-Policy": decidesForOrigin, "Pragma": describesResponse,
	"Preference-Applied": describesResponse, "Public-Key-Pins": decidesForOrigin, "Ratelimit": writtenByGateway,
	"Ratelimit-Policy": writtenByGateway, "Referrer-Policy": decidesForOrigin, "Refresh": "sends the client elsewhere",
	"Report-To": decidesForOrigin, "Reporting-Endpoints": decidesForOrigin, "Repr-Digest": describesResponse,
	"Retry-After": writtenByGateway, "Service-Worker-Allowed": decidesForOrigin, "Set-Cookie2": "is obsolete",
	"Set-Login": decidesForOrigin, "Signature": describesResponse, "Signature-Input": describesResponse,
	"Speculation-Rules": decidesForOrigin, "Sourcemap": describesResponse, "Strict-Transport-Security": decidesForOrigin,
	"Supports-Loading-Mode": decidesForOrigin, "Surrogate-Control": "lets caches keep the response, which may have data of other services and of one caller only",
	"Timing-Allow-Origin": "is about which pages may read the response, as cors is", "Use-As-Dictionary": describesResponse,
	"Vary": writtenByGateway, "Www-Authenticate": "asks for the credentials of the service and not for the gateway's",
	"X-Content-Type-Options": writtenByGateway, "X-Dns-Prefetch-Control": decidesForOrigin, "X-Frame-Options": decidesForOrigin,
	RequestIDHeader: writtenByGateway, "X-Xss-Protection": decidesForOrigin,
}

// ownHeaderReason returns why only the gateway may write a header, by its canonical name, in the form
// "describes ..."; "" if a service may.
func ownHeaderReason(name string) string {
	switch {
	case rest.ReservedHeader(name):
		return "belongs to the gateway's own connection"
	case strings.HasPrefix(name, "Access-Control-"):
		return "is about which pages may read the response, as cors is"
	case strings.HasPrefix(name, "Content-"):
		return describesResponse
	case strings.HasPrefix(name, "Cross-Origin-"), strings.HasPrefix(name, "Sec-"):
		return decidesForOrigin
	}
	return ownHeaders[name]
}

// ResponseHeaders returns the canonical names of the headers of services that clients receive.
func (s *Sources) ResponseHeaders() []string {
	var names []string
	for _, source := range s.byName {
		for _, h := range source.responseHeaders {
			names = addNames(names, []string{h.as})
		}
	}
	slices.Sort(names)
	return names
}

// addHeaders adds to the operation in ctx what clients receive of the header of r, which has given a
// field its value.
func (s *Services) addHeaders(ctx context.Context, source string, c *rest.Call, r *rest.Response) {
	if !s.hasResponseHeaders.Load() {
		return
	}
	to := s.source(ctx, source)
	if to == nil || len(to.responseHeaders) == 0 {
		return
	}
	if fields := headerFields(to.responseHeaders, r.Header); len(fields) > 0 {
		engine.AddHeader(ctx, engine.CallHeader{Fields: fields, Response: r.Origin(), Source: source, Request: c.Key})
	}
}

// headerFields returns the fields of a response's header that clients receive. A value with control
// characters is left out: an HTTP client that is more lenient than ours must not read two fields of
// it.
func headerFields(headers []responseHeader, response http.Header) []engine.HeaderField {
	var fields []engine.HeaderField
	for _, h := range headers {
		values := slices.DeleteFunc(slices.Clone(response[h.name]), func(v string) bool { return v == "" || !rest.ValidHeaderValue(v) })
		if len(values) > 0 {
			fields = append(fields, engine.HeaderField{Name: h.as, Values: values, Merge: h.merge})
		}
	}
	return fields
}

// collecting returns keep, which fetch calls, extended to add the headers that clients receive.
func collecting[T any](ctx context.Context, s *Services, source string, c *rest.Call, keep func(*rest.Response, T, error)) func(*rest.Response, T, error) {
	if !s.hasResponseHeaders.Load() {
		return keep
	}
	return func(r *rest.Response, v T, err error) {
		if !isFailure(err) {
			s.addHeaders(ctx, source, c, r)
		}
		if keep != nil {
			keep(r, v, err)
		}
	}
}
