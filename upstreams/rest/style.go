package rest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// style says how a value is written in one place. OpenAPI's styles are defined by the
// operators of RFC 6570 (Appendix A), whose terms are used here.
//
// Invariant: what escape appends, together with what unfit refuses, contains none of the
// separators, so that the service finds the same elements as were given.
type style struct {
	first string // before the value
	sep   string // between the elements of an exploded value
	comma string // between the elements of a value that is not exploded
	// name appends the parameter's name, which is written before the value, or before each exploded
	// element. Nil: there is no name.
	name   func(b []byte, name string) []byte
	repeat bool // a list in an exploded object repeats its member, as in k=a&k=b
	// escape appends an element.
	escape func(b []byte, s string) []byte
	// unfit returns why an element cannot be written here, or "" if it can. Nil accepts all.
	unfit func(s string) (reason string)
}

var (
	simple       = style{sep: ",", comma: ",", escape: appendEscaped, unfit: unfitSegment}
	label        = style{first: ".", sep: ".", comma: ",", escape: appendEscaped, unfit: unfitSegment}
	matrix       = style{first: ";", sep: ";", comma: ",", name: appendEscaped, escape: appendEscaped, unfit: unfitSegment}
	form         = style{sep: "&", comma: ",", repeat: true, name: appendQueryName, escape: appendEscaped}
	formBody     = style{sep: "&", comma: ",", repeat: true, name: appendEscaped, escape: appendEscaped}
	headerList   = style{sep: ",", comma: ",", escape: appendHeaderElement}
	cookieForm   = style{sep: "; ", comma: ",", name: appendEscaped, escape: appendEscaped}
	plainCookies = style{sep: "; ", comma: ",", name: appendEscaped, escape: appendPlain, unfit: unfitCookie}
)

// expand appends a value in style s. Absent elements and members are left out; if all are
// absent, it returns b unchanged.
func (c *Call) expand(b []byte, s *style, name string, v any, explode bool) []byte {
	if raw, ok := v.(json.RawMessage); ok && json.Valid(raw) {
		v = mapping.Normalize(raw)
	}
	parts := partsOf(v)
	before, between := s.first, s.comma
	if explode {
		between = s.sep
	}
	first := true
	for i := range parts.len() {
		member, part := parts.at(i)
		if inner := partsOf(part); explode && parts.kind == object && s.repeat && inner.kind == list {
			for _, element := range inner.all {
				if text, ok := c.fittingValue(s, element); ok {
					b = s.escape(append(appendEscaped(append(b, before...), member), '='), text)
					before, first = between, false
				}
			}
			continue
		}
		text, ok := c.fittingValue(s, part)
		if !ok {
			continue
		}
		b = append(b, before...)
		switch {
		case explode && parts.kind == object:
			b = append(appendEscaped(b, member), '=')
		case s.name != nil && (explode || first):
			b = append(s.name(b, name), '=')
		}
		if !explode && parts.kind == object {
			b = append(appendEscaped(b, member), s.comma...)
		}
		b, before, first = s.escape(b, text), between, false
	}
	return b
}

// fittingValue returns v as text, and whether it is present. It fails the call if the text
// does not fit style s.
func (c *Call) fittingValue(s *style, v any) (text string, ok bool) {
	text, ok = c.value(v)
	if !ok || s.unfit == nil {
		return text, ok
	}
	if reason := s.unfit(text); reason != "" {
		c.refuse("%s", reason)
		return "", false
	}
	return text, true
}

// Segment adds an untrusted value to the path, as a segment or part of one. It refuses
// absent and empty values, control characters, and "." and "..", also between the slashes
// of a longer value: some proxies decode %2F and then resolve dots. Everything except
// letters, digits and "-._~" is escaped.
func (c *Call) Segment(v any) *Call {
	if partsOf(v).kind != scalar {
		return c.fail(fault.Internal, "a list or an object cannot be a segment of a path")
	}
	return c.segment(&simple, "", v, false)
}

// SegmentList adds an untrusted list or object to the path, in OpenAPI's style simple:
// "a,b", or "k,v" and with explode "k=v". Its elements are refused and escaped as by
// Segment. At least one must be present.
func (c *Call) SegmentList(v any, explode bool) *Call { return c.segment(&simple, "", v, explode) }

// Label adds an untrusted value to the path, in OpenAPI's style label: ".a", ".a,b", and
// with explode ".a.b" and ".k=v". See SegmentList. It refuses dots in the elements of an
// exploded value, which the service would read as separators.
func (c *Call) Label(v any, explode bool) *Call {
	s := label
	if explode && partsOf(v).kind != scalar {
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
	start := len(c.path)
	c.path = c.expand(c.path, s, name, v, explode)
	if len(c.path) == start {
		return c.refuse("a value in the path is missing")
	}
	c.spans = append(c.spans, span{start, len(c.path)})
	return c
}

// QueryText adds a parameter whose value is the text of parts, one after the other. A Text is
// trusted text of the schema, and every other part is an untrusted scalar, which is escaped. If one
// of them is absent, the parameter is left out.
func (c *Call) QueryText(name string, parts ...any) *Call {
	end := len(c.query)
	if end > 0 {
		c.query = append(c.query, '&')
	}
	c.query = append(appendQueryName(c.query, name), '=')
	for _, part := range parts {
		if text, ok := part.(Text); ok {
			c.query = appendQueryText(c.query, string(text))
			continue
		}
		text, ok := c.value(part)
		if !ok {
			c.query = c.query[:end]
			return c
		}
		c.query = appendEscaped(c.query, text)
	}
	return c
}

// Text is trusted text of the schema in a query parameter: "id,name". What a query may hold stays as
// it is written, percent-encodings included (RFC 3986, 3.4); everything else is escaped, and so is
// '&'.
type Text string

// Query adds a parameter. Its name is trusted like a Text. Nil and an empty list leave it out. The elements of a list, and
// the names and values of an object, are joined by commas; a comma within one is escaped.
// This is OpenAPI's style form without explode.
func (c *Call) Query(name string, v any) *Call { return c.parameter(&form, name, v, false) }

// QueryExploded adds a parameter for each element of a list, or one for each member of an
// object, named by the member; a list among the members repeats its name. Other values are added as by Query. This is OpenAPI's style
// form with explode.
func (c *Call) QueryExploded(name string, v any) *Call { return c.parameter(&form, name, v, true) }

// Delimiter separates the elements of one parameter.
type Delimiter byte

// The delimiters of OpenAPI's styles spaceDelimited and pipeDelimited, and of the collectionFormat
// tsv of Swagger 2.0.
const (
	Spaces Delimiter = ' '
	Pipes  Delimiter = '|'
	Tabs   Delimiter = '\t'
)

// QueryDelimited is Query with another delimiter. A URL can hold neither of them, so that the
// delimiter itself is escaped. An element that contains it could not be told from two elements, and
// is refused. With explode, these styles are written by QueryExploded.
func (c *Call) QueryDelimited(name string, v any, between Delimiter) *Call {
	s := delimited(form, between)
	return c.parameter(&s, name, v, false)
}

// SegmentDelimited is SegmentList without explode, with another delimiter: see QueryDelimited.
func (c *Call) SegmentDelimited(v any, between Delimiter) *Call {
	s := delimited(simple, between)
	return c.segment(&s, "", v, false)
}

// delimited returns a style of URLs with another delimiter between the elements of a value.
func delimited(s style, between Delimiter) style {
	unfit := s.unfit
	s.comma = string(appendHex(nil, byte(between)))
	s.unfit = func(text string) (reason string) {
		switch {
		case strings.IndexByte(text, byte(between)) >= 0:
			return fmt.Sprintf("a value has the character %q, which separates values for the service", between)
		case unfit != nil:
			return unfit(text)
		}
		return ""
	}
	return s
}

// HeaderDelimited is HeaderList without explode, with another delimiter, which is not escaped. An
// element that contains it is refused.
func (c *Call) HeaderDelimited(name string, v any, between Delimiter) *Call {
	s := delimited(headerList, between)
	s.comma = string(between)
	if partsOf(v).kind == scalar {
		return c.Header(name, v)
	}
	if !c.hasParts(v) {
		return c
	}
	return c.Header(name, string(c.expand(nil, &s, "", v, false)))
}

func (c *Call) parameter(s *style, name string, v any, explode bool) *Call {
	end := len(c.query)
	if end > 0 {
		c.query = append(c.query, '&')
	}
	start := len(c.query)
	if c.query = c.expand(c.query, s, name, v, explode); len(c.query) == start {
		c.query = c.query[:end] // nothing was added: remove the '&'
	}
	return c
}

// DeepObject adds a parameter for each scalar in an object or a list: name[member]=v,
// name[member][inner]=v, for a list of scalars name[]=v for each element, and for a list of objects
// or lists name[0][member]=v. This is OpenAPI's style deepObject; where the specification leaves
// nesting and lists undefined, it follows what PHP, Rails, qs and Stripe read alike. A scalar is a
// list of one element. Names are escaped, so that they stay within their brackets, and the value may
// also be a json.RawMessage.
func (c *Call) DeepObject(name string, v any) *Call {
	v = mapping.Normalize(v)
	if v != nil && partsOf(v).kind == scalar {
		if _, ok := c.value(v); !ok {
			return c
		}
		v = []any{v}
	}
	c.appendDeep(appendQueryName(nil, name), v, false)
	return c
}

// appendDeep adds the scalars of v, a normalized value, below an escaped name. Elements of lists of
// scalars have an index if indexAll is set, and empty brackets otherwise. Each level repeats the names
// of all levels above, so that the result may be much larger than the value. Hence the query is
// bounded here, and not only by Err.
func (c *Call) appendDeep(name []byte, v any, indexAll bool) {
	parts := partsOf(v)
	if parts.kind == scalar {
		c.appendPair(name, v)
		return
	}
	indexed := indexAll || parts.kind == list && hasComposite(&parts)
	base, index := len(name), 0
	for i := range parts.len() {
		if c.err != nil || len(c.query) > maxHead {
			return
		}
		member, part := parts.at(i)
		if part = mapping.Normalize(part); isAbsent(part) {
			continue
		}
		name = append(name[:base], "%5B"...)
		switch {
		case parts.kind == object:
			name = appendEscaped(name, member)
		case indexed:
			name = strconv.AppendInt(name, int64(index), 10)
		}
		index++
		c.appendDeep(append(name, "%5D"...), part, indexAll)
	}
}

// hasComposite reports whether a list has lists or objects in it.
func hasComposite(p *parts) bool {
	for _, part := range p.all {
		if partsOf(mapping.Normalize(part)).kind != scalar {
			return true
		}
	}
	return false
}

// isAbsent reports whether a normalized value is nil or a nil pointer.
func isAbsent(v any) bool {
	if v == nil {
		return true
	}
	value := reflect.ValueOf(v)
	return value.Kind() == reflect.Pointer && value.IsNil()
}

// appendPair adds name=v, whose name is escaped, unless v is absent.
func (c *Call) appendPair(name []byte, v any) {
	text, ok := c.value(v)
	if !ok {
		return
	}
	if len(c.query) > 0 {
		c.query = append(c.query, '&')
	}
	c.query = appendEscaped(append(append(c.query, name...), '='), text)
}

// HeaderList sets a header to a list or an object, in OpenAPI's style simple: "a,b", or
// "k,v" and with explode "k=v". Other values are set as by Header, and an empty list or
// object is left out. Of an element only commas, equals signs, quotes, percent signs and
// white space at the ends are percent-encoded: see appendHeaderElement.
func (c *Call) HeaderList(name string, v any, explode bool) *Call {
	if partsOf(v).kind == scalar {
		return c.Header(name, v)
	}
	if !c.hasParts(v) {
		return c
	}
	return c.Header(name, string(c.expand(nil, &headerList, "", v, explode)))
}

// hasParts reports whether a list or an object has a part that is present, even if that is
// an empty string.
func (c *Call) hasParts(v any) bool {
	parts := partsOf(v)
	for _, part := range parts.all {
		if _, ok := c.value(part); ok {
			return true
		}
	}
	return false
}

// Cookie adds a cookie, in OpenAPI's style form: name=a, for a list name=a,b, and with
// explode a cookie for each element or member. Nil and empty lists are left out. Values are
// percent-encoded, as services that follow OpenAPI 3.0 and 3.1 expect.
func (c *Call) Cookie(name string, v any, explode bool) *Call {
	return c.addCookies(string(c.expand(nil, &cookieForm, name, v, explode)))
}

// PlainCookie is Cookie in the style cookie of OpenAPI 3.2, which encodes nothing. It refuses
// characters that RFC 6265 does not allow in a cookie.
func (c *Call) PlainCookie(name string, v any, explode bool) *Call {
	return c.addCookies(string(c.expand(nil, &plainCookies, name, v, explode)))
}

// addCookies adds pairs to the Cookie header; "" adds nothing.
func (c *Call) addCookies(pairs string) *Call {
	if c.err != nil || pairs == "" {
		return c
	}
	if previous := c.header.Get(cookie); previous != "" {
		pairs = previous + cookieForm.sep + pairs
	}
	c.set(cookie, pairs)
	return c
}
