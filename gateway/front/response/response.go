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

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

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
}

// Encode encodes the response. It fails for extensions that cannot be encoded as JSON, which
// only an extension of gqlgen can cause.
func (r *Response) Encode() (Encoded, error) {
	before, after, err := r.envelope()
	if err != nil {
		return Encoded{}, fmt.Errorf("encode the response: %w", err)
	}
	if r.appendable { // one large write: a few bytes after it would go over the network by themselves
		return Encoded{before, append(r.Data, after...), nil, r.Errors}, nil
	}
	return Encoded{before, r.Data, after, r.Errors}, nil
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
	values := &[...]string{
		mediaType + "; charset=utf-8",
		strconv.Itoa(len(e.before) + len(e.data) + len(e.after)),
		"no-store", // the response may be for one caller only
		"nosniff",
	}
	header := w.Header()
	for i, name := range [...]string{"Content-Type", "Content-Length", "Cache-Control", "X-Content-Type-Options"} {
		header[name] = values[i : i+1 : i+1]
	}
	if c, ok := req.Context().(*request.Context); ok && c.Draining != nil && c.Draining.Load() {
		header["Connection"] = connectionClose
	}
	w.WriteHeader(status)
	for _, part := range [][]byte{e.before, e.data, e.after} {
		_, _ = w.Write(part) // it fails when the client has disconnected, which needs no handling
	}
}
