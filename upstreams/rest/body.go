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

// The media types of bodies, unless told otherwise.
const (
	typeJSON      = "application/json"
	typeForm      = "application/x-www-form-urlencoded"
	typeText      = "text/plain; charset=utf-8"
	typeMultipart = "multipart/form-data"
)

// JSON makes a wire value the body. Its type is application/json, unless a
// Content-Type header is set as well (application/merge-patch+json, say).
// For nil, which stands for an argument that was left out, there is no body.
func (c *Call) JSON(v any) *Call { return c.JSONAs(typeJSON, v) }

// JSONAs is JSON of another media type, as application/vnd.api+json.
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

// Text makes a scalar the body, as text/plain in UTF-8. For nil there is no body.
func (c *Call) Text(v any) *Call {
	if s, given := c.value(v); given {
		c.body, c.mime = []byte(s), typeText
	}
	return c
}

// Form makes the members of o the body, as application/x-www-form-urlencoded. Nil
// members are left out; a list repeats its name. Objects have no place in it.
func (c *Call) Form(o encode.Object) *Call {
	body := Call{}
	for _, m := range o {
		if piecesOf(m.Value).shape == members {
			return c.fail(fault.Internal, "a form has no place for the object %q", m.Name)
		}
		body.QueryEach(m.Name, m.Value)
	}
	if body.err != nil && c.err == nil {
		c.err = body.err
	}
	c.body, c.mime = body.query, typeForm
	return c
}

// Multipart makes the members of o the body, as multipart/form-data: of a scalar a part
// of text, of a list of scalars one for each, and of an object or a list with objects a
// part of JSON. Nil members are left out, and so are empty lists.
//
// What separates the parts is made of their content, so that it is in none of them, and
// equal calls have equal bodies.
func (c *Call) Multipart(o encode.Object) *Call {
	var parts []part
	for _, m := range o {
		parts = append(parts, c.parts(m)...)
	}
	if c.err != nil {
		return c
	}
	boundary := boundaryOf(parts)
	c.body, c.mime = joinParts(parts, boundary), typeMultipart+"; boundary="+boundary
	return c
}

// part is one of a multipart body, as it is written.
type part struct{ head, body string }

// parts are those of one member.
func (c *Call) parts(m encode.Member) (parts []part) {
	if structured(m.Value) {
		text, err := json.Marshal(m.Value)
		if err != nil {
			c.fail(fault.Internal, "the input cannot be written as JSON")
			return nil
		}
		return []part{{partHead(m.Name) + "Content-Type: " + typeJSON + "\r\n", string(text)}}
	}
	pieces := piecesOf(m.Value)
	for _, piece := range pieces.all {
		if text, given := c.value(piece); given {
			parts = append(parts, part{partHead(m.Name), text})
		}
	}
	return parts
}

// structured tells whether only JSON can hold v: it is an object, or a list with an
// object or a list in it.
func structured(v any) bool {
	if raw, ok := v.(json.RawMessage); ok {
		return len(raw) > 0 && (raw[0] == '{' || raw[0] == '[')
	}
	pieces := piecesOf(v)
	if pieces.shape != list {
		return pieces.shape == members
	}
	for _, piece := range pieces.all {
		if piecesOf(piece).shape != scalar || structured(piece) {
			return true
		}
	}
	return false
}

// quoted escapes a name as browsers do (WHATWG, "multipart/form-data").
var quoted = strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A")

func partHead(name string) string {
	return `Content-Disposition: form-data; name="` + quoted.Replace(name) + "\"\r\n"
}

// boundaryOf hashes the parts. That one of them holds its own hash cannot be contrived.
func boundaryOf(parts []part) string {
	sum := sha256.New()
	for _, p := range parts {
		sum.Write([]byte(p.head + "\r\n" + p.body + "\r\n"))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

func joinParts(parts []part, boundary string) []byte {
	var b bytes.Buffer
	for _, p := range parts {
		b.WriteString("--" + boundary + "\r\n" + p.head + "\r\n" + p.body + "\r\n")
	}
	b.WriteString("--" + boundary + "--\r\n")
	return b.Bytes()
}
