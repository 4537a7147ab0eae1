// Package openapi reads a service's OpenAPI document into the little that bindings
// are checked against: its operations, what they take, and what they send.
//
// It reads OpenAPI 3.0, 3.1 and 3.2 and Swagger 2.0, as YAML or JSON. It is lenient,
// since the document is mostly somebody else's: what is wrong in one place costs that
// place alone and is told in Document.Warnings. Recursion in schemas ends in pointers,
// not in errors; examples are never looked at; nothing is fetched from a network.
// Everything carries the line where it stands. What it returns is never changed
// afterwards, so that it may be shared between goroutines.
package openapi

import (
	"fmt"
	"mime"
	"regexp"
	"slices"
	"strings"
)

// Place is where something stands in a document.
type Place struct {
	File   string // as it was given to Read, or reached from there by references
	Line   int    // from 1
	Column int    // from 1
}

// String gives file:line.
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Document is what a service says of itself.
type Document struct {
	File       string       // as it was given
	Version    string       // of the specification, such as "3.1.0" or "2.0"
	Operations []*Operation // in the document's order; webhooks and callbacks are no operations
	Warnings   []string     // what could not be read, each with its file and line; in the text's order
}

// Operation finds an operation by its operationId, nil when there is none. Of two with
// the same id it is the first, and the document has a warning.
func (d *Document) Operation(id string) *Operation {
	i := slices.IndexFunc(d.Operations, func(o *Operation) bool { return id != "" && o.ID == id })
	if i < 0 {
		return nil
	}
	return d.Operations[i]
}

// Operation is one call of a service.
type Operation struct {
	Place                   // of its verb
	ID         string       // operationId, "" when it has none
	Method     string       // upper case
	Path       string       // with its parameters, such as /users/{id}
	Parameters []*Parameter // those of the path first, as the operation overrides them
	Body       *Body        // nil: none
	Responses  []*Response  // in the document's order

	pattern *regexp.Regexp
}

// Parameter finds a parameter by its place, such as "query", and its name; nil when
// there is none. Names of headers are compared without regard to case.
func (o *Operation) Parameter(in, name string) *Parameter {
	for _, p := range o.Parameters {
		if p.In == in && (p.Name == name || in == "header" && strings.EqualFold(p.Name, name)) {
			return p
		}
	}
	return nil
}

// Success is the answer that a caller hopes for: the first of the 2xx that sends JSON,
// else the default one. It is nil when none sends JSON, as with 204.
func (o *Operation) Success() *Response {
	var best *Response
	for _, r := range o.Responses {
		if r.JSON() != nil && r.rank() > 0 && (best == nil || r.rank() < best.rank()) {
			best = r
		}
	}
	return best
}

// Answer is what a document says of the body of a successful answer.
type Answer int

// The answers.
const (
	UnknownAnswer Answer = iota // the document says nothing of a successful answer
	NoAnswer                    // it has no body
	OtherAnswer                 // it may have a body, which is never JSON
	JSONAnswer                  // it may be JSON
)

// Answer returns what a caller gets when all goes well. The default answer counts only where
// the document names no success.
func (o *Operation) Answer() Answer {
	hoped := slices.DeleteFunc(slices.Clone(o.Responses), func(r *Response) bool { return !r.isSuccess() })
	if len(hoped) == 0 {
		hoped = slices.DeleteFunc(slices.Clone(o.Responses), func(r *Response) bool { return r.Status != "default" })
	}
	answer := UnknownAnswer
	for _, r := range hoped {
		answer = max(answer, r.answer())
	}
	return answer
}

func (r *Response) isSuccess() bool { return r.rank() > 0 && r.Status != "default" }

func (r *Response) answer() Answer {
	switch {
	case r.JSON() != nil:
		return JSONAnswer
	case len(r.Media) > 0:
		return OtherAnswer
	}
	return NoAnswer
}

// Parameter is a value outside of the body.
type Parameter struct {
	Place
	Name          string
	In            string // path, query, header, cookie, or querystring
	Style         string // form, simple, label, matrix, spaceDelimited, pipeDelimited, deepObject, cookie; the default is filled in
	Explode       bool   // the default is filled in
	Required      bool   // always in a path
	AllowReserved bool
	Media         string  // the media type that the value is written in; "" when Style says how
	Schema        *Schema // never nil; empty when the document gives none
}

// Body is what an operation takes.
type Body struct {
	Place
	Required bool
	Media    []Media // in the document's order
}

// JSON is what the body is as JSON, nil when it cannot be sent so.
func (b *Body) JSON() *Media { return firstJSON(b.Media) }

// Response is an answer.
type Response struct {
	Place
	Status  string    // "200", "2XX" or "default"
	Headers []*Header // in the document's order
	Media   []Media   // in the document's order
}

// JSON is what the answer is as JSON, nil when it is none.
func (r *Response) JSON() *Media { return firstJSON(r.Media) }

// rank orders answers by how much they are the hoped one: 0 is never.
func (r *Response) rank() int {
	switch {
	case strings.EqualFold(r.Status, "2xx"):
		return 300
	case strings.HasPrefix(r.Status, "2") && len(r.Status) == 3:
		return int(r.Status[1]-'0')*10 + int(r.Status[2]-'0') + 200
	case r.Status == "default":
		return 301
	}
	return 0
}

// Header is a header of an answer.
type Header struct {
	Place
	Name   string
	Schema *Schema // never nil
}

// Media is a body in one media type.
type Media struct {
	Place
	Type   string
	Schema *Schema // never nil; empty when the document gives none
	Items  *Schema // of each item of a stream (itemSchema), else nil
}

func firstJSON(media []Media) *Media {
	i := slices.IndexFunc(media, func(m Media) bool { return isJSON(m.Type) })
	if i < 0 {
		return nil
	}
	return &media[i]
}

// isJSON tells whether a media type or range can be one JSON value.
func isJSON(media string) bool {
	base, _, err := mime.ParseMediaType(media)
	if err != nil {
		base = strings.ToLower(strings.TrimSpace(media))
	}
	switch base {
	case "application/json", "text/json", "application/*", "*/*":
		return true
	}
	return strings.HasPrefix(base, "application/") && strings.HasSuffix(base, "+json")
}
