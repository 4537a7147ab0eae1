package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
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

// Form sets the body to the members of o, as application/x-www-form-urlencoded. Nil members
// are left out, and a list repeats its name. A member that is an object is a mistake of
// the schema.
func (c *Call) Form(o encode.Object) *Call {
	body := Call{}
	for _, m := range o {
		if partsOf(m.Value).kind == object {
			return c.fail(fault.Internal, "a form cannot hold the object %q", m.Name)
		}
		body.parameter(&formBody, m.Name, m.Value, true)
	}
	if body.err != nil && c.err == nil {
		c.err = body.err
	}
	c.body, c.mime = body.query, typeForm
	return c
}

// Multipart sets the body to the members of o, as multipart/form-data (RFC 7578). A scalar
// is one part of text, a list of scalars a part for each element, and an object or a list
// with objects a part in JSON. Nil members and empty lists are left out.
//
// The boundary is a hash of the parts, so that it occurs in none of them, and equal calls
// have equal bodies.
func (c *Call) Multipart(o encode.Object) *Call {
	var sections []section
	for _, m := range o {
		sections = append(sections, c.sections(m)...)
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
func (c *Call) sections(m encode.Member) (sections []section) {
	if needsJSON(m.Value) {
		text, err := json.Marshal(m.Value)
		if err != nil {
			c.fail(fault.Internal, "the input cannot be written as JSON")
			return nil
		}
		return []section{{sectionHead(m.Name) + "Content-Type: " + typeJSON + "\r\n", string(text)}}
	}
	parts := partsOf(m.Value)
	for _, part := range parts.all {
		if text, ok := c.value(part); ok {
			sections = append(sections, section{sectionHead(m.Name), text})
		}
	}
	return sections
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

func sectionHead(name string) string {
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
