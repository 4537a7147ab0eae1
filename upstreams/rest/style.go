package rest

import (
	"fmt"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// style is how a value is written in one place, in the terms of RFC 6570, of which
// OpenAPI's styles are made.
type style struct {
	first string // before the value
	sep   string // between the elements of an exploded value
	comma string // between those of one that is not exploded
	named bool   // whether the parameter's name stands before the value, or before each exploded element
	// escape adds an element, so that none of the above is in it.
	escape func(b []byte, s string) []byte
	// unfit says why an element cannot stand here; "" when it can. Nil takes all.
	unfit func(s string) (why string)
}

var (
	simple       = style{sep: ",", comma: ",", escape: appendEscaped, unfit: unfitSegment}
	label        = style{first: ".", sep: ".", comma: ",", escape: appendEscaped, unfit: unfitSegment}
	matrix       = style{first: ";", sep: ";", comma: ",", named: true, escape: appendEscaped, unfit: unfitSegment}
	form         = style{sep: "&", comma: ",", named: true, escape: appendEscaped}
	headerList   = style{sep: ",", comma: ",", escape: appendHeaderElement}
	cookieForm   = style{sep: "; ", comma: ",", named: true, escape: appendEscaped}
	plainCookies = style{sep: "; ", comma: ",", named: true, escape: appendPlain, unfit: unfitCookie}
)

// expand adds a value to b as s says. Absent elements and members are left out, and
// without any b stays as it is.
func (c *Call) expand(b []byte, s *style, name string, v any, explode bool) []byte {
	pieces := piecesOf(v)
	glue, next := s.first, s.comma
	if explode {
		next = s.sep
	}
	begun := false
	for i := range pieces.len() {
		member, piece := pieces.at(i)
		text, given := c.fitting(s, piece)
		if !given {
			continue
		}
		b = append(b, glue...)
		switch {
		case explode && pieces.shape == members:
			b = append(appendEscaped(b, member), '=')
		case s.named && (explode || !begun):
			b = append(appendEscaped(b, name), '=')
		}
		if !explode && pieces.shape == members {
			b = append(appendEscaped(b, member), s.comma...)
		}
		b, glue, begun = s.escape(b, text), next, true
	}
	return b
}

// fitting is the text of a piece that can stand where s writes it.
func (c *Call) fitting(s *style, piece any) (text string, given bool) {
	text, given = c.value(piece)
	if !given || s.unfit == nil {
		return text, given
	}
	if why := s.unfit(text); why != "" {
		c.refuse("%s", why)
		return "", false
	}
	return text, true
}

// Segment adds an untrusted value to the path, as a segment or part of one. Refused
// are absent and empty values, control characters, and "." and ".." also between the
// slashes of a longer value, because proxies exist that decode %2F and then resolve
// dots. Everything but letters, digits and "-._~" is escaped.
func (c *Call) Segment(v any) *Call {
	if piecesOf(v).shape != scalar {
		return c.fail(fault.Internal, "a list or an object is no segment of a path")
	}
	return c.segment(&simple, "", v, false)
}

// SegmentList adds an untrusted list or object to the path, in OpenAPI's style simple:
// "a,b", or "k,v" and with explode "k=v". Its elements are refused and escaped as those
// of Segment are, and one at least must be given.
func (c *Call) SegmentList(v any, explode bool) *Call { return c.segment(&simple, "", v, explode) }

// Label adds an untrusted value to the path, in OpenAPI's style label: ".a", ".a,b"
// and with explode ".a.b" and ".k=v". See SegmentList. In an exploded value no element
// may have a dot, which nothing keeps from being read as a separator.
func (c *Call) Label(v any, explode bool) *Call {
	s := label
	if explode && piecesOf(v).shape != scalar {
		s.unfit = unfitLabel
	}
	return c.segment(&s, "", v, explode)
}

// Matrix adds an untrusted value to the path, in OpenAPI's style matrix: ";name=a",
// ";name=a,b", and with explode ";name=a;name=b" and ";k=v". See SegmentList.
func (c *Call) Matrix(name string, v any, explode bool) *Call {
	return c.segment(&matrix, name, v, explode)
}

func (c *Call) segment(s *style, name string, v any, explode bool) *Call {
	from := len(c.path)
	c.path = c.expand(c.path, s, name, v, explode)
	if len(c.path) == from {
		return c.refuse("a value in the path is missing")
	}
	c.places = append(c.places, place{from, len(c.path)})
	return c
}

// Query adds a parameter. Nil leaves it out, and so does an empty list. The elements
// of a list are joined by commas, while a comma within an element is escaped; so are
// the names and values of an object. This is OpenAPI's style form without explode.
func (c *Call) Query(name string, v any) *Call { return c.parameter(&form, name, v, false) }

// QueryEach adds a parameter once for each element of a list, and one for each member
// of an object, which has its name. What is neither is added as Query does. This is
// OpenAPI's style form with explode.
func (c *Call) QueryEach(name string, v any) *Call { return c.parameter(&form, name, v, true) }

// Delimiter stands between the elements of one parameter.
type Delimiter byte

// The delimiters of OpenAPI's styles spaceDelimited and pipeDelimited.
const (
	Spaces Delimiter = ' '
	Pipes  Delimiter = '|'
)

// QueryDelimited is Query with another delimiter. Neither may stand in a URL, so both
// are escaped, and an element that has one could not be told from two: it is refused.
// With explode, QueryEach writes these styles.
func (c *Call) QueryDelimited(name string, v any, between Delimiter) *Call {
	s := form
	s.comma = string(appendHex(nil, byte(between)))
	s.unfit = func(text string) (why string) {
		if strings.IndexByte(text, byte(between)) >= 0 {
			return fmt.Sprintf("a value has the character %q, which separates values for the service", between)
		}
		return ""
	}
	return c.parameter(&s, name, v, false)
}

func (c *Call) parameter(s *style, name string, v any, explode bool) *Call {
	before := len(c.query)
	if before > 0 {
		c.query = append(c.query, '&')
	}
	begin := len(c.query)
	if c.query = c.expand(c.query, s, name, v, explode); len(c.query) == begin {
		c.query = c.query[:before]
	}
	return c
}

// DeepObject adds a parameter for each member of an object: name[member]=v, of an
// object in it name[member][inner]=v, and of a list one for each element. This is
// OpenAPI's style deepObject, with what common servers make of its open ends. Names
// stay within their brackets, so that the object may also be a json.RawMessage.
func (c *Call) DeepObject(name string, v any) *Call {
	switch v := mapping.Value(v).(type) {
	case nil:
		return c
	case encode.Object:
		c.deep(string(appendEscaped(nil, name)), v)
		return c
	}
	return c.refuse("a value that must be an object is none")
}

// deep adds the members of o under a name that is escaped already. The name grows with
// each level, so that it is bounded here what a small value may come to.
func (c *Call) deep(name string, o encode.Object) {
	for _, m := range o {
		if c.err != nil || len(c.query) > maxHead {
			return
		}
		inner := name + "%5B" + string(appendEscaped(nil, m.Name)) + "%5D"
		value := mapping.Value(m.Value)
		if members, ok := value.(encode.Object); ok {
			c.deep(inner, members)
			continue
		}
		c.deepList(inner, value)
	}
}

func (c *Call) deepList(name string, v any) {
	pieces := piecesOf(v)
	for _, piece := range pieces.all {
		if piecesOf(mapping.Value(piece)).shape != scalar {
			c.refuse("a list in a parameter has something else than plain values")
		}
		text, given := c.value(piece)
		if !given || len(c.query) > maxHead {
			continue
		}
		if len(c.query) > 0 {
			c.query = append(c.query, '&')
		}
		c.query = appendEscaped(append(append(c.query, name...), '='), text)
	}
}

// HeaderList sets a header to a list or an object, in OpenAPI's style simple: "a,b", or
// "k,v" and with explode "k=v". What is neither is set as Header does, and an empty one
// is left out. Headers are not percent-encoded, but for what an element would break out
// with: commas, equals signs, quotes and the percent sign itself.
func (c *Call) HeaderList(name string, v any, explode bool) *Call {
	if piecesOf(v).shape == scalar {
		return c.Header(name, v)
	}
	if !c.holds(v) {
		return c
	}
	return c.Header(name, string(c.expand(nil, &headerList, "", v, explode)))
}

// holds tells whether a list or an object has anything in it, be it an empty text.
func (c *Call) holds(v any) bool {
	pieces := piecesOf(v)
	for _, piece := range pieces.all {
		if _, given := c.value(piece); given {
			return true
		}
	}
	return false
}

// Cookie adds a cookie, in OpenAPI's style form: name=a, of a list name=a,b, and with
// explode a cookie for each element or member. Nil and empty lists are left out. Values
// are percent-encoded, as services that follow OpenAPI 3.0 and 3.1 expect.
func (c *Call) Cookie(name string, v any, explode bool) *Call {
	return c.addCookies(string(c.expand(nil, &cookieForm, name, v, explode)))
}

// PlainCookie is Cookie in the style cookie of OpenAPI 3.2, which encodes nothing: what
// RFC 6265 has no place for in a cookie is refused.
func (c *Call) PlainCookie(name string, v any, explode bool) *Call {
	return c.addCookies(string(c.expand(nil, &plainCookies, name, v, explode)))
}

// addCookies adds pairs to the cookies that are there; "" is none.
func (c *Call) addCookies(pairs string) *Call {
	if c.err != nil || pairs == "" {
		return c
	}
	if before := c.header.Get(cookie); before != "" {
		pairs = before + cookieForm.sep + pairs
	}
	c.set(cookie, pairs)
	return c
}
