// Package response writes GraphQL responses over HTTP: it negotiates their media type, encodes
// them, and writes the errors of requests that were not executed.
//
// It promises that the status and the media type follow the GraphQL-over-HTTP specification.
package response

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/gateway/compress"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/buffer"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// Response is a GraphQL response. Data is nil if the operation was not executed, and "null" if
// an error emptied the data.
type Response struct {
	Errors     gqlerror.List
	Data       json.RawMessage
	Extensions map[string]any

	appendable bool // Data lies in a buffer of ours, so that bytes may be appended to it
}

// FromExecution returns the response of an operation that was executed with the buffer b.
func FromExecution(executed *graphql.Response, b *buffer.Buffer) *Response {
	r := &Response{Errors: executed.Errors, Data: executed.Data, Extensions: executed.Extensions, appendable: b.Holds(executed.Data)}
	if r.Data == nil {
		r.Data = []byte("null")
	}
	return r
}

// dataPrefix and dataSuffix stand around the data of a response without errors and extensions.
var dataPrefix, dataSuffix = []byte(`{"data":`), []byte(`}`)

// envelope returns the JSON before Data and after it. Data are written unchanged: the executor
// made them, and checking megabytes of JSON again, as json.Marshal does, or copying them, costs
// more than making them.
func (r *Response) envelope() (before, after []byte, err error) {
	if len(r.Errors) == 0 && len(r.Extensions) == 0 && r.Data != nil {
		return dataPrefix, dataSuffix, nil
	}
	comma := byte('{')
	member := func(b []byte, name string, value any) []byte {
		var text []byte
		if value != nil && err == nil {
			text, err = json.Marshal(value)
		}
		b = append(b, comma, '"')
		comma = ','
		return append(append(append(b, name...), '"', ':'), text...)
	}
	if len(r.Errors) > 0 {
		before = member(before, "errors", r.Errors)
	}
	if r.Data != nil {
		before = member(before, "data", nil)
	}
	if len(r.Extensions) > 0 {
		after = member(after, "extensions", r.Extensions)
	}
	if comma == '{' {
		before = append(before, comma)
	}
	return before, append(after, '}'), err
}

// Encoded is a response as the bytes of its parts, which may be written to any number of
// clients.
type Encoded struct {
	before, data, after []byte
	errors              gqlerror.List
	compressed          *compressed // nil for a small response
}

// compressed is a response that is compressed when the first client wants it so.
type compressed struct {
	once  sync.Once
	bytes []byte
}

// minCompressed is the size of the smallest response that is compressed, in bytes. A smaller one
// takes a few packets at most, which compression does not save.
const minCompressed = 4 << 10

// Encode encodes the response. It fails for extensions that cannot be encoded as JSON, which
// only an extension of gqlgen can cause.
func (r *Response) Encode() (Encoded, error) {
	before, after, err := r.envelope()
	if err != nil {
		return Encoded{}, fmt.Errorf("encode the response: %w", err)
	}
	e := Encoded{before: before, data: r.Data, after: after, errors: r.Errors}
	if r.appendable { // one large write: a few bytes after it would go over the network by themselves
		e.data, e.after = append(r.Data, after...), nil
	}
	if e.size() >= minCompressed {
		e.compressed = &compressed{}
	}
	return e, nil
}

// size returns the size of the response without compression, in bytes.
func (e Encoded) size() int { return len(e.before) + len(e.data) + len(e.after) }

// compress returns the response by gzip. It is compressed once for all clients that it is written
// to.
func (e Encoded) compress() []byte {
	if e.compressed == nil {
		return compress.Gzip(e.before, e.data, e.after)
	}
	e.compressed.once.Do(func() { e.compressed.bytes = compress.Gzip(e.before, e.data, e.after) })
	return e.compressed.bytes
}

// negotiate returns the parts of the response in the coding that the client wants, and whether
// that is gzip. It adds Vary to a response whose coding depends on the request.
func (e Encoded) negotiate(w http.ResponseWriter, req *http.Request) (parts [3][]byte, zipped bool) {
	parts = [...][]byte{e.before, e.data, e.after}
	accepted := req.Header["Accept-Encoding"]
	if e.compressed == nil && (len(accepted) == 0 || !strings.Contains(accepted[0], ";")) { // most requests
		return parts, false
	}
	if c, ok := req.Context().(*request.Context); ok && c.Uncompressed {
		return parts, false
	}
	coding := compress.Negotiate(req.Header)
	if e.compressed != nil || coding == compress.Required {
		w.Header().Add("Vary", "Accept-Encoding")
	}
	if coding == compress.Identity || coding == compress.Optional && e.compressed == nil {
		return parts, false
	}
	packed := e.compress()
	if coding == compress.Optional && len(packed) >= e.size() {
		return parts, false
	}
	return [...][]byte{packed, nil, nil}, true
}

// Write writes the response, and notes it in the access log. It panics if the response cannot
// be encoded.
func (r *Response) Write(w http.ResponseWriter, req *http.Request, mediaType string, status int) {
	encoded, err := r.Encode()
	if err != nil {
		panic(err)
	}
	encoded.Write(w, req, mediaType, status)
}

// connectionClose ends the connection of a server that stops, so that the client opens the next
// one to another server. The middleware of package drain sets it for requests that arrive later.
var connectionClose = []string{"close"}

// Write writes the response, and notes it in the access log.
func (e Encoded) Write(w http.ResponseWriter, req *http.Request, mediaType string, status int) {
	request.LogEntryOf(req.Context()).SetResponse(status, e.errors)
	parts, zipped := e.negotiate(w, req)
	size := len(parts[0]) + len(parts[1]) + len(parts[2])
	values := &[...]string{
		mediaType + "; charset=utf-8",
		strconv.Itoa(size),
		"no-store", // the response may be for one caller only
	}
	header := w.Header()
	for i, name := range [...]string{"Content-Type", "Content-Length", "Cache-Control"} {
		header[name] = values[i : i+1 : i+1]
	}
	if zipped {
		header["Content-Encoding"] = []string{"gzip"}
	}
	if c, ok := req.Context().(*request.Context); ok && c.Draining != nil && c.Draining.Load() {
		header["Connection"] = connectionClose
	}
	w.WriteHeader(status)
	for _, part := range parts {
		_, _ = w.Write(part) // it fails when the client has disconnected, which needs no handling
	}
}
