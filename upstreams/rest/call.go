// Package rest builds a call to a REST service, sends it, and translates its failure.
//
// A Call keeps every value in its place: whatever a client wrote into an argument, it
// never changes the host, the depth of the path, or the names of parameters and headers.
// Each place has its own escaping (escape.go), and a value that cannot be escaped for its
// place fails the call before anything is sent.
//
// A Client sends calls to one service. It follows no redirects, reads a bounded response,
// stops when the context ends, and returns a 2xx response or a *fault.Error in which only
// Cause holds anything that the service said.
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
	"time"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
)

const (
	contentType    = "Content-Type"
	cookie         = "Cookie"
	idempotencyKey = "Idempotency-Key"

	// maxHead bounds path, parameters and headers together, in bytes. Most servers accept
	// less: a call for many keys is split earlier, see Batch. Some close the connection over
	// more, which would look like a broken replica.
	maxHead = 64 << 10
)

// Call is one request to a service, built piece by piece by generated code:
//
//	rest.New("GET", "/users/").Segment(id).Literal("/orders").Query("limit", first)
//
// Values are strings, booleans, numbers, json.Number, a json.RawMessage of one of these,
// types based on them, and pointers to them. Nil and nil pointers mean "absent". Some
// places also accept lists of these values, and encode.Objects whose members are such
// values. The names of an object's members come from the schema: they are escaped, but
// not checked. The first value that does not fit its place fails the whole call, and the
// calls that follow have no effect: see Err.
//
// OpenAPI's parameter styles have these methods:
//
//	path    simple          Segment, SegmentList
//	path    label, matrix   Label, Matrix
//	query   form            Query, QueryExploded
//	query   spaceDelimited  QueryDelimited with Spaces
//	query   pipeDelimited   QueryDelimited with Pipes
//	query   deepObject      DeepObject
//	header  simple          Header, HeaderList
//	cookie  form, cookie    Cookie, PlainCookie
//
// The collectionFormats of Swagger 2.0 that OpenAPI 3 lacks are QueryDelimited with Tabs,
// SegmentDelimited and HeaderDelimited. QueryText writes text of the schema with values in it.
//
// A parameter of the media type application/json is written by the same methods, from
// the text that encode.JSONText returns.
//
// One goroutine builds a Call. Once built, it may be sent any number of times, also
// concurrently.
type Call struct {
	method string
	path   []byte // escaped
	spans  []span // of the values in path
	query  []byte // escaped, in the order of the template
	header http.Header
	body   []byte
	mime   string // of body, unless header has a Content-Type; "" means no body
	accept string // media types of responses, unless header has an Accept; "" means JSON
	err    *fault.Error

	timeout       time.Duration // 0 for that of the Client
	hashKey       uint64        // by which the call is balanced, if hasHashKey
	hasHashKey    bool
	requestScoped bool
	nonIdempotent bool
	expects       func(*Response) bool // see Expecting
	group         string               // see Shared
	keys          int                  // of a batch; 0 for other calls
	maxLength     int                  // of a batch's URL and of each of its headers, in bytes
	service       bool                 // the values that follow come from a service
	// Of the size of the head, serviceSize is what came from services before the last change of
	// service, and counted is the size at that change.
	serviceSize, counted int

	observation *observation // see Observed
}

// span is a part of a path that came from a value.
type span struct{ start, end int }

// New returns a call with its method, in capitals, and the first literal part of its path,
// which starts with a slash.
func New(method, literal string) *Call {
	c := &Call{method: method, path: make([]byte, 0, len(literal)+48)}
	return c.Literal(literal)
}

// Literal adds trusted text of the schema to the path. Its slashes separate segments, and
// its percent-encodings are kept. A '?' or '#' is escaped.
func (c *Call) Literal(s string) *Call {
	c.path = appendLiteral(c.path, s)
	return c
}

// Header sets a header; nil leaves it out. Line breaks, NUL and other control characters
// are refused, and so is white space at the ends, which HTTP would remove. A reserved name
// (see Reserved) and one that is not a token are mistakes of the schema. The value of
// Cookie is one cookie, name=value, and is added to those that are there; a ';' in it is
// refused.
func (c *Call) Header(name string, v any) *Call {
	if !ValidHeaderName(name) || ReservedHeader(name) {
		return c.fail(fault.Internal, "a call cannot set the header %q", name)
	}
	s, ok := c.value(v)
	switch {
	case !ok, s == "" && strings.EqualFold(name, idempotencyKey): // an empty string is not a key
		return c
	case !ValidHeaderValue(s):
		return c.refuse("a value in a header has control characters")
	case isPadded(s):
		return c.refuse("a value in a header begins or ends with a space")
	case !strings.EqualFold(name, cookie):
		c.set(name, s)
		return c
	case strings.Contains(s, ";"):
		return c.refuse("a value in a cookie has a semicolon")
	}
	return c.addCookies(s)
}

// Accept sets the media types that the call asks for, as an Accept header without q-values, in
// place of application/json. A header Accept of the call, if it is present, is sent instead.
func (c *Call) Accept(types string) *Call {
	c.accept = types
	return c
}

func (c *Call) set(name, value string) {
	if c.header == nil {
		c.header = http.Header{}
	}
	c.header.Set(name, value)
}

// Idempotent declares that sending the call twice does no harm, so that a POST, PUT, PATCH
// or DELETE may be sent to another replica when a connection breaks: see replay.Allowed.
func (c *Call) Idempotent() *Call {
	if c.header == nil {
		c.header = http.Header{}
	}
	if _, set := c.header[idempotencyKey]; !set {
		// A header without any value marks the request for replay.Allowed and for net/http,
		// and is not sent.
		c.header[idempotencyKey] = nil
	}
	return c
}

// NonIdempotent declares that the call changes something although it is a GET. It is then not sent
// again once it may have reached the service: see replay.Forbid.
func (c *Call) NonIdempotent() *Call {
	c.nonIdempotent = true
	return c
}

// Expecting returns a copy of c for which a response counts as a success, whatever its status, if
// expects reports true for it. Such a response is not retried, and does not speak against its
// endpoint. expects is called for statuses of 500 and above and for 429 alone; Client.Do returns a
// fault for the response all the same.
func (c *Call) Expecting(expects func(*Response) bool) *Call {
	expecting := *c
	expecting.expects = expects
	return &expecting
}

// RequestScoped declares that the call holds a value of the client's request, so that no
// other client may receive its response.
func (c *Call) RequestScoped() *Call {
	c.requestScoped = true
	return c
}

// Timeout bounds the call from first connection to last byte, all attempts included, in place of
// Client.Timeout, which may be shorter. The context's own deadline may be earlier. 0 has no effect.
func (c *Call) Timeout(d time.Duration) *Call {
	c.timeout = d
	return c
}

// Shared declares that the call only reads, and that other fields of an operation, or the same
// field at another place, may make an equal call. group names the calls that may be equal. An
// operation that selects several of them makes equal ones once: see upstreams.Fetch.
func (c *Call) Shared(group string) *Call {
	c.group = group
	return c
}

// Group returns the group of calls that Shared has set, "" for none.
func (c *Call) Group() string { return c.group }

// Batch declares that the call carries this many keys in its URL, headers or cookies, and that it
// may be replaced by several calls with fewer keys each. Such a call fails if its path and query
// together, or one of its headers, have more than maxLength bytes: see BatchError.
func (c *Call) Batch(keys, maxLength int) *Call {
	c.keys, c.maxLength = keys, maxLength
	return c
}

// ServiceValues declares that the values which follow come from the response of a service. If one
// of them does not fit its place, the fault's code is DownstreamService: the client has not sent
// it, and cannot correct it.
func (c *Call) ServiceValues() *Call { return c.setOrigin(true) }

// ClientValues ends ServiceValues.
func (c *Call) ClientValues() *Call { return c.setOrigin(false) }

func (c *Call) setOrigin(service bool) *Call {
	c.serviceSize, c.counted = c.serviceBytes(), c.headSize()
	c.service = service
	return c
}

// serviceBytes returns how many bytes of the head came from services.
func (c *Call) serviceBytes() int {
	if !c.service {
		return c.serviceSize
	}
	return c.serviceSize + c.headSize() - c.counted
}

// CanCoalesce reports whether clients that make equal calls at the same time may share one
// response: c is a GET without a body and not RequestScoped.
func (c *Call) CanCoalesce() bool {
	return c.method == http.MethodGet && c.mime == "" && !c.requestScoped
}

// Err returns the first error of building the call, or nil. It is a *fault.Error for a value
// that does not fit its place, or for values that need more than 64 KiB of URL and headers:
// BadUserInput, or DownstreamService if the value came from a service. It is Internal for a
// mistake in the schema, and wraps a *BatchError if a Batch has to be split. Client.Do returns
// it without sending anything.
func (c *Call) Err() error {
	switch {
	case c.err != nil:
		return c.err.WithCause(fmt.Errorf("%s %s", c.method, c.Template()))
	case c.keys > 1 && c.longestPart() > c.maxLength:
		cause := &BatchError{Call: c.method + " " + c.Template(), Keys: c.keys, Length: c.longestPart(), MaxLength: c.maxLength}
		return fault.New(fault.Internal, "the keys are too long to be sent to the service at once").WithCause(cause)
	case c.headSize() > maxHead:
		return fault.New(c.blameForLength(), "the values are too long to be sent to the service").
			WithCause(fmt.Errorf("%s %s has %d bytes of URL and headers, but at most %d are sent", c.method, c.Template(), c.headSize(), maxHead))
	}
	return nil
}

// BatchError is the cause of the fault of a Batch that is too long to be sent. The keys have to be
// sent by several calls.
type BatchError struct {
	Call      string // the method and the template of the path: "GET /users"
	Keys      int    // how many keys the call has
	Length    int    // of its URL, or of its longest header, in bytes
	MaxLength int
}

// Error returns the lengths, for operators.
func (e *BatchError) Error() string {
	return fmt.Sprintf("%s: %d keys need %d bytes, but at most %d are sent at once", e.Call, e.Keys, e.Length, e.MaxLength)
}

// SplitBatch returns into how many parts the keys have to be split at least.
func (e *BatchError) SplitBatch() int { return (e.Length + e.MaxLength - 1) / e.MaxLength }

// blameForLength returns the code of a call whose values are too long: that of the side that most
// bytes came from.
func (c *Call) blameForLength() fault.Code {
	if c.serviceBytes() > c.headSize()/2 {
		return fault.DownstreamService
	}
	return fault.BadUserInput
}

// longestPart returns the length of path and query, or of the longest header if that is longer:
// servers bound each line of a request.
func (c *Call) longestPart() int {
	longest := len(c.path) + len("?") + len(c.query)
	for name, values := range c.header {
		for _, value := range values {
			longest = max(longest, len(name)+len(": ")+len(value))
		}
	}
	return longest
}

// headSize returns how many bytes path, parameters and headers have.
func (c *Call) headSize() int {
	size := len(c.path) + len(c.query)
	for name, values := range c.header {
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	return size
}

// Key returns what the call sends, for engine.Identity.Request: method, path and
// parameters sorted by name, then headers and body if there are any. The caller is not
// part of it. A timeout of its own is: a call must not fail by the shorter timeout of another one.
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
	if c.accept != "" {
		b.WriteString("\n" + c.accept)
	}
	if c.mime != "" {
		b.WriteString("\n" + c.mime + "\n")
		b.Write(c.body)
	}
	if c.timeout > 0 {
		b.WriteString("\nwithin " + c.timeout.String())
	}
	if c.err != nil {
		b.WriteString("\n" + c.err.Message)
	}
	return b.String()
}

// sortedQuery sorts parameters by name. Parameters of one name are a list, and keep their
// order.
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

// WithHashKey returns a copy of c that is balanced by a hash: see balance.Choice. c itself may be in use.
func (c *Call) WithHashKey(hash uint64) *Call {
	copied := *c
	copied.hashKey, copied.hasHashKey = hash, true
	return &copied
}

// HasHashKey reports whether c comes from WithHashKey.
func (c *Call) HasHashKey() bool { return c.hasHashKey }

// Path returns the path as it is sent, without the query.
func (c *Call) Path() string { return string(c.path) }

// Method returns the HTTP method.
func (c *Call) Method() string { return c.method }

// Template returns the path with {} in the place of each value. It is safe for logs and
// metrics, since it holds nothing that a client wrote.
func (c *Call) Template() string { return string(c.appendTemplate(nil)) }

func (c *Call) appendTemplate(b []byte) []byte {
	end := 0
	for _, s := range c.spans {
		b = append(append(b, c.path[end:s.start]...), "{}"...)
		end = s.end
	}
	return append(b, c.path[end:]...)
}

// appendOperation appends to b the method and the template of the path: "GET /users/{}".
func (c *Call) appendOperation(b []byte) []byte {
	return c.appendTemplate(append(append(b, c.method...), ' '))
}

// Request returns the call as a request to host, which a balancer may replace. The caller
// may change its headers. Its body can be rewound by GetBody.
func (c *Call) Request(ctx context.Context, host string) (*http.Request, error) {
	if err := c.Err(); err != nil {
		return nil, err
	}
	return c.request(ctx, host, c.headers())
}

// request is Request for a call without an error, with the headers of its requests.
func (c *Call) request(ctx context.Context, host string, header http.Header) (*http.Request, error) {
	if !ValidHeaderName(c.method) { // both are tokens
		return nil, fmt.Errorf("%q is not an HTTP method", c.method)
	}
	if c.nonIdempotent {
		ctx = replay.Forbid(ctx)
	}
	raw := string(c.path)
	path, err := url.PathUnescape(raw)
	if err != nil {
		return nil, err
	}
	req := blankRequest.WithContext(ctx)
	// RawPath has net/http send the path as it was escaped here, %2F included.
	req.Method, req.URL = c.method, &url.URL{Scheme: "http", Host: host, Path: path, RawPath: raw, RawQuery: string(c.query)}
	if c.mime != "" {
		c.addBody(req)
	}
	req.Header = header
	return req, nil
}

// blankRequest is copied for each request. http.NewRequest would parse a URL first.
var blankRequest = http.Request{Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}

// addBody sets the body of req, which can be rewound.
func (c *Call) addBody(req *http.Request) {
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(c.body)), nil }
	req.Body, _ = req.GetBody()
	req.ContentLength = int64(len(c.body))
	if req.ContentLength == 0 {
		req.Body = http.NoBody // a length of 0 with another body means "unknown"
	}
}

// headers returns a copy of the call's headers.
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

// value returns v as text, and whether it is present. It reports false after the call has
// failed, and fails the call if v is not a scalar.
func (c *Call) value(v any) (s string, ok bool) {
	if c.err != nil {
		return "", false
	}
	s, ok, err := formatScalar(v)
	if err != nil {
		c.fail(fault.Internal, "%s", err)
		return "", false
	}
	if !utf8.ValidString(s) {
		c.refuse("a value is not valid UTF-8")
		return "", false
	}
	return s, ok
}

// refuse fails the call because of a value.
func (c *Call) refuse(format string, args ...any) *Call {
	code := fault.BadUserInput
	if c.service {
		code = fault.DownstreamService
	}
	return c.fail(code, format, args...)
}

// fail keeps the first error.
func (c *Call) fail(code fault.Code, format string, args ...any) *Call {
	if c.err == nil {
		c.err = fault.New(code, format, args...)
	}
	return c
}
