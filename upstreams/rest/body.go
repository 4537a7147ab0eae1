package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// The media types of bodies.
const (
	typeJSON      = "application/json"
	typeForm      = "application/x-www-form-urlencoded"
	typeText      = "text/plain; charset=utf-8"
	typeMultipart = "multipart/form-data"
)

// JSON sets the body to v in JSON. Its type is application/json, unless a Content-Type
// header is set as well, such as application/merge-patch+json. Nil is an absent argument,
// and means no body.
func (c *Call) JSON(v any) *Call { return c.JSONAs(typeJSON, v) }

// JSONAs is JSON with another media type, such as application/vnd.api+json.
func (c *Call) JSONAs(mime string, v any) *Call {
	if v == nil {
		return c
	}
	body, err := json.Marshal(v)
	if err != nil {
		return c.fail(fault.Internal, "the input cannot be written as JSON")
	}
	c.body, c.mime = body, mime
	return c
}

// Text sets the body to a scalar, as text/plain in UTF-8. Nil means no body.
func (c *Call) Text(v any) *Call {
	if s, ok := c.value(v); ok {
		c.body, c.mime = []byte(s), typeText
	}
	return c
}

// Form sets the body to the members of o, as application/x-www-form-urlencoded. Nil members are
// left out. A member is written as the Field of its name says; without one, a list repeats its name,
// and a member that is an object or has one is a mistake of the schema.
func (c *Call) Form(o encode.Object, fields ...Field) *Call {
	body := Call{service: c.service}
	for _, m := range o {
		f := fieldNamed(fields, m.Name)
		if f.Style == Repeated && needsJSON(m.Value) {
			return c.fail(fault.Internal, "a form cannot hold the object %q", m.Name)
		}
		body.formField(f, m.Value)
	}
	if body.err != nil && c.err == nil {
		c.err = body.err
	}
	c.body, c.mime = body.query, typeForm
	return c
}

// Field says how one member of a form or of a multipart body is written.
type Field struct {
	Name  string
	Style FieldStyle
	// ContentType and Headers are of a part of a multipart body. The default type is
	// application/json for a JSONText, and none for other texts. Headers whose value is nil are left
	// out.
	ContentType string
	Headers     []Header
}

// Header is a header of a part.
type Header struct {
	Name  string
	Value any
}

// FieldStyle is how a member is written that is a list or an object. A scalar is written alike in all
// styles, except that JSONText quotes a text.
type FieldStyle int

// The styles.
const (
	Repeated  FieldStyle = iota // name=a&name=b
	Commas                      // name=a,b
	SpaceList                   // name=a%20b
	PipeList                    // name=a%7Cb
	TabList                     // name=a%09b
	Brackets                    // name[]=a&name[]=b, name[k]=v, and name[0][k]=v: see DeepObject
	Indices                     // name[0]=a&name[1]=b, name[k]=v, name[0][k]=v
	Spread                      // k=v for each member of an object
	JSONText                    // name={"k":"v"}
)

// fieldNamed returns the field of a name, a Repeated one if there is none.
func fieldNamed(fields []Field, name string) Field {
	for _, f := range fields {
		if f.Name == name {
			return f
		}
	}
	return Field{Name: name}
}

// formField adds a member of a form to the query of c, which becomes a body.
func (c *Call) formField(f Field, v any) {
	switch f.Style {
	case Repeated, Spread:
		c.parameter(&formBody, f.Name, v, true)
	case Commas:
		c.parameter(&formBody, f.Name, v, false)
	case SpaceList, PipeList, TabList:
		s := delimited(formBody, delimiters[f.Style])
		c.parameter(&s, f.Name, v, false)
	case Brackets, Indices:
		if v = mapping.Normalize(v); isAbsent(v) {
			return
		}
		c.appendDeep(appendEscaped(nil, f.Name), v, f.Style == Indices)
	case JSONText:
		c.parameter(&formBody, f.Name, encode.JSONText(v), false)
	}
}

var delimiters = map[FieldStyle]Delimiter{SpaceList: Spaces, PipeList: Pipes, TabList: Tabs}

// Multipart sets the body to the members of o, as multipart/form-data (RFC 7578). A scalar
// is one part of text, a list of scalars a part for each element, and an object or a list
// with objects a part in JSON, unless the Field of the member's name says otherwise. Nil members
// and empty lists are left out.
//
// The boundary is a hash of the parts, so that it occurs in none of them, and equal calls
// have equal bodies.
func (c *Call) Multipart(o encode.Object, fields ...Field) *Call {
	var sections []section
	for _, m := range o {
		sections = append(sections, c.sections(m, fieldNamed(fields, m.Name))...)
	}
	if c.err != nil {
		return c
	}
	boundary := boundaryOf(sections)
	c.body, c.mime = joinSections(sections, boundary), typeMultipart+"; boundary="+boundary
	return c
}

// section is a part of a multipart body, with its headers.
type section struct{ head, body string }

// sections returns those of one member.
func (c *Call) sections(m encode.Member, f Field) (sections []section) {
	if m.Value == nil {
		return nil
	}
	head := c.sectionHead(f)
	if f.Style == JSONText || f.Style == Repeated && needsJSON(m.Value) {
		text, err := json.Marshal(m.Value)
		if err != nil {
			c.fail(fault.Internal, "the input cannot be written as JSON")
			return nil
		}
		if string(text) == "null" {
			return nil
		}
		if f.ContentType == "" {
			head += "Content-Type: " + typeJSON + "\r\n"
		}
		return []section{{dispositionOf(f.Name) + head, string(text)}}
	}
	if f.Style != Repeated {
		return c.namedSections(f, m.Value, head)
	}
	parts := partsOf(m.Value)
	for _, part := range parts.all {
		if text, ok := c.value(part); ok {
			sections = append(sections, section{dispositionOf(f.Name) + head, text})
		}
	}
	return sections
}

// namedSections returns the parts of a member in a style that is defined for forms: a part has the
// name and the value of each field that a form would have.
func (c *Call) namedSections(f Field, v any, head string) (sections []section) {
	form := Call{service: c.service}
	if f.Style == Commas { // which no escaping tells apart from a comma in an element
		s := delimited(formBody, ',')
		form.parameter(&s, f.Name, v, false)
	} else {
		form.formField(f, v)
	}
	if form.err != nil && c.err == nil {
		c.err = form.err
	}
	for pair := range strings.SplitSeq(string(form.query), "&") {
		name, value, found := strings.Cut(pair, "=")
		if !found {
			continue
		}
		name, _ = url.PathUnescape(name) // both are escaped here
		value, _ = url.PathUnescape(value)
		sections = append(sections, section{dispositionOf(name) + head, value})
	}
	return sections
}

// sectionHead returns the headers of a part, without its name.
func (c *Call) sectionHead(f Field) string {
	var b strings.Builder
	if f.ContentType != "" {
		b.WriteString("Content-Type: " + f.ContentType + "\r\n")
	}
	for _, h := range f.Headers {
		text, ok := c.value(h.Value)
		switch {
		case !ok:
		case !ValidHeaderName(h.Name):
			c.fail(fault.Internal, "a part cannot have the header %q", h.Name)
		case !ValidHeaderValue(text):
			c.refuse("a value in a header has control characters")
		default:
			b.WriteString(h.Name + ": " + text + "\r\n")
		}
	}
	return b.String()
}

// needsJSON reports whether only JSON can represent v: it is an object, or a list that
// contains an object or a list.
func needsJSON(v any) bool {
	if raw, ok := v.(json.RawMessage); ok {
		return len(raw) > 0 && (raw[0] == '{' || raw[0] == '[')
	}
	parts := partsOf(v)
	if parts.kind != list {
		return parts.kind == object
	}
	for _, part := range parts.all {
		if partsOf(part).kind != scalar || needsJSON(part) {
			return true
		}
	}
	return false
}

// nameEscaper escapes a name as browsers do (WHATWG, "multipart/form-data encoding
// algorithm"), so that it cannot leave its quotes or its line.
var nameEscaper = strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A")

func dispositionOf(name string) string {
	return `Content-Disposition: form-data; name="` + nameEscaper.Replace(name) + "\"\r\n"
}

// boundaryOf returns the SHA-256 of all sections. A client cannot construct a value that
// contains this boundary, since the boundary depends on the value.
func boundaryOf(sections []section) string {
	sum := sha256.New()
	for _, s := range sections {
		sum.Write([]byte(s.head + "\r\n" + s.body + "\r\n"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func joinSections(sections []section, boundary string) []byte {
	var b bytes.Buffer
	for _, s := range sections {
		b.WriteString("--" + boundary + "\r\n" + s.head + "\r\n" + s.body + "\r\n")
	}
	b.WriteString("--" + boundary + "--\r\n")
	return b.Bytes()
}
