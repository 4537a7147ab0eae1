package front

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// decodeBody reads the JSON object around an operation. What it gives holds no part of body.
func decodeBody(body []byte) (*graphql.RawParams, error) {
	if p, ok := scanBody(body); ok {
		return p, nil
	}
	return decodeOdd(body)
}

// decodeOdd reads any body, and says what is wrong with it.
func decodeOdd(body []byte) (*graphql.RawParams, error) {
	text := bytes.TrimLeft(body, " \t\r\n")
	if len(text) > 0 && text[0] == '[' {
		return nil, fault.New(fault.BadRequest, "send one operation at a time: a list of them is not supported")
	}
	var e envelope
	if !utf8.Valid(body) || len(text) == 0 || text[0] != '{' || json.Unmarshal(body, &e) != nil {
		return nil, fault.New(fault.BadRequest, "the request's body is not a JSON object in UTF-8")
	}
	if err := checkJSON(body, 0); err != nil {
		return nil, err
	}
	return e.params()
}

// envelope is the JSON object around an operation, by the exact names of its members. Those
// that params does not name are left to later versions of the specification.
type envelope map[string]json.RawMessage

func (e envelope) params() (*graphql.RawParams, error) {
	var p graphql.RawParams
	for _, member := range []struct {
		name string
		into any
		what string
	}{
		{"query", &p.Query, "a string"},
		{"operationName", &p.OperationName, "a string"},
		{"variables", &p.Variables, "an object"},
		{"extensions", &p.Extensions, "an object"},
	} {
		if err := decodeMember(e[member.name], member.into); err != nil {
			return nil, fault.New(fault.BadRequest, "%q must be %s", member.name, member.what)
		}
	}
	return &p, nil
}

// decodeMember leaves into alone for a member that is absent or null. Numbers keep
// their digits: an id of 64 bits is more than a float64 holds.
func decodeMember(text []byte, into any) error {
	if len(text) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("something follows")
	}
	return nil
}

// scanBody reads the bodies that nearly all clients send, for a fraction of what
// encoding/json takes. It is false for all that is wrong or only odd, which is left to that:
// it takes each member once, by its exact name, and knows no others and no \u.
func scanBody(body []byte) (*graphql.RawParams, bool) {
	s := bodyScanner{text: body}
	if !utf8.Valid(body) || !s.take('{') {
		return nil, false
	}
	var p graphql.RawParams
	for {
		name, plain := s.quoted()
		if !plain || !s.take(':') || !s.member(string(name), &p) {
			return nil, false
		}
		if !s.take(',') {
			return &p, s.take('}') && s.peek() == 0 && s.at == len(body)
		}
	}
}

type bodyScanner struct {
	text []byte
	at   int
	seen [4]bool // members
}

// peek gives the next byte that is no space; 0 at the end.
func (s *bodyScanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		if c := s.text[s.at]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// take goes past the next byte that is no space if it is c.
func (s *bodyScanner) take(c byte) bool {
	is := s.peek() == c
	if is {
		s.at++
	}
	return is
}

func (s *bodyScanner) takeNull() bool {
	s.peek()
	is := bytes.HasPrefix(s.text[s.at:], []byte("null"))
	if is {
		s.at += len("null")
	}
	return is
}

func (s *bodyScanner) member(name string, p *graphql.RawParams) bool {
	var i int
	var read func() bool
	switch name {
	case "query":
		i, read = 0, func() bool { return s.string(&p.Query) }
	case "operationName":
		i, read = 1, func() bool { return s.string(&p.OperationName) }
	case "variables":
		i, read = 2, func() bool { return s.object(&p.Variables) }
	case "extensions":
		i, read = 3, func() bool { return s.object(&p.Extensions) }
	default:
		return false
	}
	again := s.seen[i]
	s.seen[i] = true
	return !again && (s.takeNull() || read())
}

// quoted goes past a string and gives what is between its quotes; false for plain when it
// has escapes, and for a text that is no string.
func (s *bodyScanner) quoted() (between []byte, plain bool) {
	if !s.take('"') {
		return nil, false
	}
	start, plain := s.at, true
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return s.text[start : s.at-1], plain
		case c == '\\':
			s.at++
			plain = false
		case c < ' ':
			return nil, false
		}
	}
	return nil, false
}

func (s *bodyScanner) string(into *string) bool {
	between, plain := s.quoted()
	if plain {
		*into = string(between)
		return true
	}
	text := make([]byte, 0, len(between))
	for i := 0; i < len(between); i++ {
		c := between[i]
		if c == '\\' {
			i++
			if c = unescaped[between[i]]; c == 0 {
				return false
			}
		}
		text = append(text, c)
	}
	*into = string(text)
	return between != nil
}

// unescaped is what stands for what after a backslash.
var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// object finds the end of an object and leaves it to encoding/json.
func (s *bodyScanner) object(into *map[string]any) bool {
	if s.peek() != '{' {
		return false
	}
	start, depth := s.at, 0
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			if between, _ := s.quoted(); between == nil {
				return false
			}
			continue
		}
		s.at++
		if depth == 0 {
			object := s.text[start:s.at]
			return decodeMember(object, into) == nil && checkJSON(object, 1) == nil
		}
	}
	return false
}
