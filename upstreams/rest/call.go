// Package rest owns one call to a REST service: what it says, how it is sent, and
// what its failure means.
//
// A Call keeps every value in its place: whatever a client wrote into an argument,
// it never changes the host, the depth of the path, the names of the parameters or
// the headers. It is escaped, or the call is refused before anything is sent.
//
// A Client sends calls to one service. It follows no redirects, reads no more than
// it was told, stops when the context does, and answers with a 2xx or a *fault.Error
// in which only Cause holds anything that the service said.
package rest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

const (
	contentType    = "Content-Type"
	cookie         = "Cookie"
	idempotencyKey = "Idempotency-Key"

	// maxHead bounds path, parameters and headers together, in bytes. Servers take less,
	// and some drop the connection over more, which would look like a broken replica.
	maxHead = 64 << 10
)

// Call is one request to a service, built piece by piece by generated code:
//
//	rest.New("GET", "/users/").Segment(id).Literal("/orders").Query("limit", first)
//
// Values are strings, booleans, numbers, json.Number, a json.RawMessage of one of
// these, types based on them, and pointers to them; nil and nil pointers mean "not
// given". Some places take lists of them, and encode.Objects of which each member is
// one. The names of an object's members are the schema's: they are escaped, but which
// there are is not looked at. The first value that does not fit its place makes the
// whole call fail, and what follows is ignored: see Err.
//
// OpenAPI's parameter styles have these methods:
//
//	path    simple          Segment, SegmentList
//	path    label, matrix   Label, Matrix
//	query   form            Query, QueryEach
//	query   spaceDelimited  QueryDelimited with Spaces
//	query   pipeDelimited   QueryDelimited with Pipes
//	query   deepObject      DeepObject
//	header  simple          Header, HeaderList
//	cookie  form, cookie    Cookie, PlainCookie
//
// A parameter of the media type application/json is written by the same methods, from
// the text that encode.JSONText makes.
//
// One goroutine builds a Call; once built, it may be sent any number of times and
// from several goroutines.
type Call struct {
	method string
	path   []byte  // escaped
	places []place // where in path the values stand
	query  []byte  // escaped, in the order of the template
	header http.Header
	body   []byte
	mime   string // of body, unless header has a Content-Type; "" is no body
	err    *fault.Error
	alone  bool
	once   bool
}

// place is a stretch of a path that came from a value.
type place struct{ from, to int }

// New begins a call with its method in capitals and the first literal piece of its
// path, which starts with a slash.
func New(method, literal string) *Call {
	c := &Call{method: method, path: make([]byte, 0, len(literal)+48)}
	return c.Literal(literal)
}

// Literal adds text of the schema to the path. It is trusted: slashes separate, and
// what is percent-encoded already stays so. A '?' or '#' is no separator here.
func (c *Call) Literal(s string) *Call {
	c.path = appendLiteral(c.path, s)
	return c
}

// Header sets a header. Nil leaves it out. Line breaks, NUL and other control
// characters are refused, and so is white space at the ends, which would be cut off; a name that belongs to the connection (see Reserved) or is
// no name at all is a fault of the schema. Cookie is one cookie, name=value, and is
// added to those that are there; a ';' in it is refused.
func (c *Call) Header(name string, v any) *Call {
	if !ValidHeaderName(name) || Reserved(name) {
		return c.fail(fault.Internal, "a call cannot set the header %q", name)
	}
	s, given := c.value(v)
	switch {
	case !given, s == "" && strings.EqualFold(name, idempotencyKey): // an empty text is no key
		return c
	case !ValidHeaderValue(s):
		return c.refuse("a value in a header has control characters")
	case padded(s):
		return c.refuse("a value in a header begins or ends with a space")
	case !strings.EqualFold(name, cookie):
		c.set(name, s)
		return c
	case strings.Contains(s, ";"):
		return c.refuse("a value in a cookie has a semicolon")
	}
	return c.addCookies(s)
}

func (c *Call) set(name, value string) {
	if c.header == nil {
		c.header = http.Header{}
	}
	c.header.Set(name, value)
}

// Idempotent says that sending the call twice does no harm, so that a POST, PUT, PATCH or
// DELETE may go to another replica when a connection breaks.
func (c *Call) Idempotent() *Call {
	if c.header == nil {
		c.header = http.Header{}
	}
	if _, set := c.header[idempotencyKey]; !set {
		// The sign that net/http's own transport understands: present, with no value,
		// it is never written to the wire.
		c.header[idempotencyKey] = nil
	}
	return c
}

// Once says that the call changes something although it is a GET: it is not sent again
// once it may have reached the service.
func (c *Call) Once() *Call {
	c.once = true
	return c
}

// SentOnce reports whether the call is Once.
func (c *Call) SentOnce() bool { return c.once }

// RequestScoped says that the call holds a value of the client's request, so that no other client
// may have its answer.
func (c *Call) RequestScoped() *Call {
	c.alone = true
	return c
}

// CanCoalesce tells whether clients who make the same call at the same time may have one
// answer: a GET that is not Alone.
func (c *Call) CanCoalesce() bool { return c.method == http.MethodGet && c.mime == "" && !c.alone }

// Err is the first thing that did not fit: a *fault.Error, BadUserInput for a value,
// or for all values if they take more than 64 KiB of URL and headers, and Internal for
// a mistake in the schema. Do returns it before any call is made.
func (c *Call) Err() error {
	err := c.err
	if err == nil && c.head() > maxHead {
		err = fault.New(fault.BadUserInput, "the values are too long to be sent to the service")
	}
	if err == nil {
		return nil
	}
	return err.WithCause(fmt.Errorf("%s %s", c.method, c.Template()))
}

// head is how many bytes the call takes before its body.
func (c *Call) head() int {
	size := len(c.path) + len(c.query)
	for name, values := range c.header {
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	return size
}

// Key is what the call sends, as the Request of an engine.Identity: method, path, and the
// parameters sorted by name, then its headers and its body if it has any. It says nothing
// about the caller.
func (c *Call) Key() string {
	var b strings.Builder
	b.WriteString(c.method + " ")
	b.Write(c.path)
	if len(c.query) > 0 {
		b.WriteByte('?')
		b.Write(sortedQuery(c.query))
	}
	if len(c.header) > 0 {
		b.WriteByte('\n')
		c.header.Write(&b) // sorted, each on a line of its own, as no value has line breaks
	}
	if c.mime != "" {
		b.WriteString("\n" + c.mime + "\n")
		b.Write(c.body)
	}
	if c.err != nil {
		b.WriteString("\n" + c.err.Message)
	}
	return b.String()
}

// sortedQuery keeps the order among parameters of one name: that is a list.
func sortedQuery(query []byte) []byte {
	amp := []byte("&")
	if !bytes.Contains(query, amp) {
		return query
	}
	pairs := bytes.Split(query, amp)
	slices.SortStableFunc(pairs, func(a, b []byte) int {
		nameA, _, _ := bytes.Cut(a, []byte("="))
		nameB, _, _ := bytes.Cut(b, []byte("="))
		return bytes.Compare(nameA, nameB)
	})
	return bytes.Join(pairs, amp)
}

// Template is the path with each value shown as {}: fit for logs and metrics, since
// it holds nothing that a client wrote.
func (c *Call) Template() string {
	var b strings.Builder
	end := 0
	for _, p := range c.places {
		b.Write(c.path[end:p.from])
		b.WriteString("{}")
		end = p.to
	}
	b.Write(c.path[end:])
	return b.String()
}

// Request is the call as a request to host, which a balancer may replace. Its headers
// belong to the caller; its body can be read again by GetBody.
func (c *Call) Request(ctx context.Context, host string) (*http.Request, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	if !ValidHeaderName(c.method) { // both are tokens
		return nil, fmt.Errorf("%q is no method", c.method)
	}
	raw := string(c.path)
	path, err := url.PathUnescape(raw)
	if err != nil {
		return nil, err
	}
	req := blank.WithContext(ctx)
	// With both forms set, net/http sends the escaped one as it is, %2F included.
	req.Method, req.URL = c.method, &url.URL{Scheme: "http", Host: host, Path: path, RawPath: raw, RawQuery: string(c.query)}
	if c.mime != "" {
		c.addBody(req)
	}
	req.Header = c.headers()
	return req, nil
}

// blank is what requests begin with: http.NewRequest would parse a URL first.
var blank = http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}

// addBody adds one that can be read again.
func (c *Call) addBody(req *http.Request) {
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(c.body)), nil }
	req.Body, _ = req.GetBody()
	req.ContentLength = int64(len(c.body))
	if req.ContentLength == 0 {
		req.Body = http.NoBody // or its length would be taken for unknown
	}
}

// headers are the call's own, in a map of the caller's.
func (c *Call) headers() http.Header {
	h := make(http.Header, len(c.header)+3)
	if c.mime != "" {
		h[contentType] = []string{c.mime}
	}
	for name, values := range c.header {
		h[name] = slices.Clone(values)
	}
	return h
}

// value is the text of v, and whether there is one. Once the call has failed there
// is none.
func (c *Call) value(v any) (s string, given bool) {
	if c.err != nil {
		return "", false
	}
	s, given, err := text(v)
	if err != nil {
		c.fail(fault.Internal, "%s", err)
		return "", false
	}
	if !utf8.ValidString(s) {
		c.refuse("a value is not valid UTF-8")
		return "", false
	}
	return s, given
}

// refuse blames the value.
func (c *Call) refuse(format string, args ...any) *Call {
	return c.fail(fault.BadUserInput, format, args...)
}

func (c *Call) fail(kind fault.Code, format string, args ...any) *Call {
	if c.err == nil {
		c.err = fault.New(kind, format, args...)
	}
	return c
}
