// Package openapi reads a service's OpenAPI document into what bindings are checked against: its
// operations, their parameters and bodies, and their responses.
//
// It reads OpenAPI 3.0, 3.1 and 3.2 and Swagger 2.0, as YAML or JSON. It is lenient, since most
// documents are written by other teams: a mistake costs only the part of the document that has it,
// and becomes a warning in Document.Warnings. Recursive schemas become recursive pointers. Examples
// are ignored, and nothing is fetched from a network. Every value has the place where it stands. What
// a document says of an operation is read when it is needed, so mistakes elsewhere do not matter. A
// Document is safe for concurrent use, and what it returns does not change.
package openapi

import (
	"fmt"
	"mime"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Place is a position in a document.
type Place struct {
	File   string // as passed to Read, or relative to it by references
	Line   int    // from 1
	Column int    // from 1
}

// String returns file:line.
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Document describes a service.
type Document struct {
	File    string // as passed to Read
	Version string // of the specification, such as "3.1.0" or "2.0"

	// Operations are in the order of the document, without webhooks and callbacks. They have their
	// places, ids, methods and paths. Operation, Find and Load return them with everything else, which
	// is read only then, since most bindings use a small part of a large document.
	Operations []*Operation
	Schemes    []*SecurityScheme
	Servers    []string // URLs, in the document's order

	mu     sync.Mutex // guards the reader, and the operations that it completes
	reader *reader
}

// Operation returns the operation with an operationId, or nil. If several have the same id, it
// returns the first; the document then has a warning.
func (d *Document) Operation(id string) *Operation {
	i := slices.IndexFunc(d.Operations, func(o *Operation) bool { return id != "" && o.ID == id })
	if i < 0 {
		return nil
	}
	return d.Load(d.Operations[i])
}

// Load reads everything that the document says of one of its operations, and returns the operation.
func (d *Document) Load(o *Operation) *Operation {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.reader.load(o)
	return o
}

// Warnings returns what could not be read, each with its file and line, in the order of the text. It
// covers the list of operations, and all of the operations that have been loaded.
func (d *Document) Warnings() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.reader.warnings()
}

// Operation is one call of a service.
type Operation struct {
	Place                   // of its method
	ID         string       // the operationId, or ""
	Method     string       // upper case
	Path       string       // with its parameters, such as /users/{id}
	Parameters []*Parameter // those of the path first, unless the operation overrides them
	Body       *Body        // nil if it takes none
	Responses  []*Response  // in the document's order
	Servers    []string     // URLs of the operation or of its path; nil for those of the document

	// Security has the alternatives by which a caller authenticates, each with the schemes that it
	// needs together. It is nil if the operation needs no credentials, and an empty alternative
	// means that it does without.
	Security [][]*SecurityScheme

	pattern *regexp.Regexp
	from    *operationText // nil after it has been read
}

// Parameter returns the parameter with a location, such as "query", and a name, or nil. Names of
// headers are compared without regard to case.
func (o *Operation) Parameter(in, name string) *Parameter {
	for _, p := range o.Parameters {
		if p.In == in && (p.Name == name || in == "header" && strings.EqualFold(p.Name, name)) {
			return p
		}
	}
	return nil
}

// ExplodedMember returns the query parameter of a member of an object whose style gives each member a parameter of
// its own (form with explode), and the parameter that is the object. It returns nil if there is none.
func (o *Operation) ExplodedMember(name string) (member, object *Parameter) {
	for _, p := range o.Parameters {
		if p.In != "query" || p.Style != "form" || !p.Explode || p.Schema.AllowsType("array") {
			continue
		}
		if m := p.Schema.Property(name); m != nil {
			return &Parameter{Place: m.Place, Name: name, In: p.In, Style: p.Style, Explode: true, Required: p.Required && m.Required, Schema: m.Schema}, p
		}
	}
	return nil, nil
}

// Success returns the response of a successful call: the first 2xx that can be JSON, or else the
// default response. It returns nil if none can be JSON, as with 204.
func (o *Operation) Success() *Response {
	var best *Response
	for _, r := range o.Responses {
		if r.JSON() != nil && r.rank() > 0 && (best == nil || r.rank() < best.rank()) {
			best = r
		}
	}
	return best
}

// BodyKind says what a document promises about the body of a successful response.
type BodyKind int

// The answers.
const (
	// Values of Answer, each one a stronger promise than the one before.
	UnknownBody BodyKind = iota // the document has no successful response
	NoBody                      // the response has no body
	OtherBody                   // the response may have a body, which is never JSON
	JSONBody                    // the response may be JSON
)

// SuccessBody returns what the document promises about a successful response. The default response
// counts only if the document has no 2xx.
func (o *Operation) SuccessBody() BodyKind {
	candidates := slices.DeleteFunc(slices.Clone(o.Responses), func(r *Response) bool { return !r.isSuccess() })
	if len(candidates) == 0 {
		candidates = slices.DeleteFunc(slices.Clone(o.Responses), func(r *Response) bool { return r.Status != "default" })
	}
	answer := UnknownBody
	for _, r := range candidates {
		answer = max(answer, r.bodyKind())
	}
	return answer
}

func (r *Response) isSuccess() bool { return r.rank() > 0 && r.Status != "default" }

func (r *Response) bodyKind() BodyKind {
	switch {
	case r.JSON() != nil:
		return JSONBody
	case len(r.Media) > 0:
		return OtherBody
	}
	return NoBody
}

// Parameter is a parameter of an operation, outside of the body.
type Parameter struct {
	Place
	Name          string
	In            string // path, query, header, cookie or querystring
	Style         string // form, simple, label, matrix, spaceDelimited, pipeDelimited, tabDelimited, deepObject or cookie; never ""
	Explode       bool   // the default of the style if the document has none
	Required      bool   // always true in a path
	AllowReserved bool
	Media         string  // the media type in which the value is serialized; "" if Style says how
	Schema        *Schema // never nil; empty if the document has none
}

// Body is the body of a request.
type Body struct {
	Place
	Required bool
	Media    []Media // in the document's order
}

// JSON returns the body as JSON, or nil if it cannot be JSON.
func (b *Body) JSON() *Media { return firstJSON(b.Media) }

// Response is a response of an operation.
type Response struct {
	Place
	Status  string    // "200", "2XX" or "default"
	Headers []*Header // in the document's order
	Media   []Media   // in the document's order
}

// JSON returns the body as JSON, or nil if it cannot be JSON.
func (r *Response) JSON() *Media { return firstJSON(r.Media) }

// rank orders responses by how well they describe success, lowest first. A rank of 0 is that of a
// failure.
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

// Header is a header of a response.
type Header struct {
	Place
	Name     string
	Required bool
	Schema   *Schema // never nil
}

// Media is a body in one media type.
type Media struct {
	Place
	Type   string
	Schema *Schema // never nil; empty if the document has none
	Items  *Schema // of each item of a stream (itemSchema of OpenAPI 3.2), or nil
	// Encodings says how properties of a form or a multipart body are written, in the document's
	// order.
	Encodings []Encoding
}

// Encoding says how a property of a form or a multipart body is written.
type Encoding struct {
	Place
	Property    string
	ContentType string    // "" for the default
	Headers     []*Header // of a part
	HasStyle    bool      // the document has style, explode or allowReserved, and they replace ContentType
	Style       string    // as of a query parameter
	Explode     bool
}

// Encoding returns how a property is written, or nil if the document does not say.
func (m *Media) Encoding(property string) *Encoding {
	for i := range m.Encodings {
		if m.Encodings[i].Property == property {
			return &m.Encodings[i]
		}
	}
	return nil
}

func firstJSON(media []Media) *Media {
	i := slices.IndexFunc(media, func(m Media) bool { return isJSON(m.Type) })
	if i < 0 {
		return nil
	}
	return &media[i]
}

// isJSON reports whether a media type or range includes JSON.
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
