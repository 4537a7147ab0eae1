package front

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// The media types an answer may have. The first says with its status whether the
// operation ran; the second is for clients older than the specification.
const (
	typeGraphQL = "application/graphql-response+json"
	typeJSON    = "application/json"
)

// answer is a GraphQL response. Data is absent when nothing was executed, and null when
// an error emptied all of it: nil and "null" here.
type answer struct {
	Errors     gqlerror.List
	Data       json.RawMessage
	Extensions map[string]any

	ours bool // Data lies in a buffer of ours, so that more may be appended to it
}

// answerOf is the answer of an operation that was executed with a buffer.
func answerOf(response *graphql.Response, b *buffer) *answer {
	a := &answer{Errors: response.Errors, Data: response.Data, Extensions: response.Extensions, ours: b.holds(response.Data)}
	if a.Data == nil {
		a.Data = []byte("null")
	}
	return a
}

// What is around the data of an answer that has nothing else.
var beforeData, afterData = []byte(`{"data":`), []byte(`}`)

// around writes what stands before Data and after it. Data is written as it is: the
// executor made it, and checking megabytes of JSON again, as json.Marshal does, or copying
// them, costs more than making them.
func (a *answer) around() (before, after []byte, err error) {
	if len(a.Errors) == 0 && len(a.Extensions) == 0 && a.Data != nil {
		return beforeData, afterData, nil
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
	if len(a.Errors) > 0 {
		before = member(before, "errors", a.Errors)
	}
	if a.Data != nil {
		before = member(before, "data", nil)
	}
	if len(a.Extensions) > 0 {
		after = member(after, "extensions", a.Extensions)
	}
	if comma == '{' {
		before = append(before, comma)
	}
	return before, append(after, '}'), err
}

// written is an answer as its bytes, of which any number of copies may be sent.
type written struct {
	before, data, after []byte
	errors              gqlerror.List
}

func (a *answer) written() (all written, err error) {
	before, after, err := a.around()
	if err != nil {
		return all, fmt.Errorf("encode the answer: %w", err)
	}
	if a.ours { // one write of all that is large: a few bytes after it would go over the network by themselves
		return written{before, append(a.Data, after...), nil, a.Errors}, nil
	}
	return written{before, a.Data, after, a.Errors}, nil
}

// send writes an answer and notes it for the log. It panics for an answer that is no
// JSON, which only an extension's own values can cause.
func send(w http.ResponseWriter, r *http.Request, media string, status int, a *answer) {
	all, err := a.written()
	if err != nil {
		panic(err)
	}
	all.send(w, r, media, status)
}

func (a written) send(w http.ResponseWriter, r *http.Request, media string, status int) {
	recordOf(r.Context()).end(status, a.errors)
	values := &[...]string{
		media + "; charset=utf-8",
		strconv.Itoa(len(a.before) + len(a.data) + len(a.after)),
		"no-store", // it may be one caller's alone
		"nosniff",
	}
	header := w.Header()
	for i, name := range [...]string{"Content-Type", "Content-Length", "Cache-Control", "X-Content-Type-Options"} {
		header[name] = values[i : i+1 : i+1]
	}
	w.WriteHeader(status)
	for _, part := range [][]byte{a.before, a.data, a.after} {
		_, _ = w.Write(part) // a client that has gone is no error of ours
	}
}

// jsonRanges are those that application/json is in, the narrower the higher.
var jsonRanges = map[string]int{typeJSON: 3, "application/*": 2, "*/*": 1}

// accepted chooses the media type of the answer; false when the client takes neither.
// Who says nothing, or "anything", gets application/json.
func accepted(r *http.Request) (media string, ok bool) {
	wanted := strings.Join(r.Header["Accept"], ",")
	switch wanted { // what nearly everybody says
	case typeGraphQL:
		return typeGraphQL, true
	case "", typeJSON, "*/*":
		return typeJSON, true
	}
	if strings.TrimSpace(wanted) == "" {
		return typeJSON, true
	}
	graphQL, plain := -1.0, -1.0
	rank := 0 // of the range that plain is from: a narrower range counts for more
	for one := range strings.SplitSeq(wanted, ",") {
		name, params, err := mime.ParseMediaType(strings.TrimSpace(one))
		if err != nil {
			continue
		}
		switch narrow := jsonRanges[name]; {
		case name == typeGraphQL:
			graphQL = quality(params)
		case narrow > rank:
			rank, plain = narrow, quality(params)
		}
	}
	if graphQL > 0 && graphQL >= plain {
		return typeGraphQL, true
	}
	return typeJSON, plain > 0
}

// quality is how much a client wants a type, from 0 to 1.
func quality(params map[string]string) float64 {
	q, stated := params["q"]
	if !stated {
		return 1
	}
	value, err := strconv.ParseFloat(q, 64)
	if err != nil || value < 0 || value > 1 {
		return 0
	}
	return value
}
