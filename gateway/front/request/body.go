package request

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/buffer"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/httperror"
)

const mediaTypeJSON = "application/json"

// ReadPOST reads the parameters of an operation, within limits, from a body of type application/json
// and at most size bytes, into b (GraphQL over HTTP, section POST). The result holds no part of b.
// Other media types are refused, which also guards against forged requests: the types that a
// page of another origin may send without a preflight are not accepted.
func ReadPOST(w http.ResponseWriter, r *http.Request, size int64, limits Limits, b *buffer.Buffer) (*Params, error) {
	if !IsJSON(r.Header["Content-Type"]) {
		e := httperror.New(http.StatusUnsupportedMediaType, fault.BadRequest,
			"send the operation as application/json, in UTF-8")
		e.Header = http.Header{"Accept-Post": {mediaTypeJSON}}
		return nil, e
	}
	if r.ContentLength > size {
		return nil, errTooLarge()
	}
	if err := b.Fill(r.Body); err != nil {
		return nil, toBodyError(err)
	}
	// The body has arrived. While the operation runs, the server reads from the connection to
	// notice that the client disconnects, and a read deadline would look like that.
	SetReadDeadline(w, time.Time{})
	p, err := decodeBody(b.Bytes, limits)
	if err == nil {
		err = p.setDocumentID(r.PathValue(PathID))
	}
	return p, err
}

// PathID is the name of the wildcard in the path of a request that has the id of a document there.
const PathID = "documentId"

// IsJSON reports whether the values of a Content-Type are JSON in UTF-8.
func IsJSON(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	if contentType[0] == mediaTypeJSON {
		return true
	}
	media, params, err := mime.ParseMediaType(contentType[0])
	charset, ok := params["charset"]
	return err == nil && media == mediaTypeJSON && (!ok || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8"))
}

func errTooLarge() error {
	return httperror.New(http.StatusRequestEntityTooLarge, fault.BadRequest, "the request is too large")
}

// toBodyError returns what the client is shown of an error that reading the body returned.
func toBodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errTooLarge()
	}
	if f, ok := errors.AsType[*fault.Error](err); ok { // there is no memory for it
		return f
	}
	return httperror.New(http.StatusBadRequest, fault.BadRequest, "the request's body did not arrive")
}

// decodeBody decodes the JSON object with an operation's parameters. The result holds no part
// of body.
func decodeBody(body []byte, l Limits) (*Params, error) {
	p, ok := decodeFast(body, l)
	if !ok {
		var err error
		if p, err = decodeStrict(body, l); err != nil {
			return nil, err
		}
	}
	return p, l.checkCount(p.Variables)
}

// decodeStrict decodes any body. Its errors say what is wrong with the body.
func decodeStrict(body []byte, l Limits) (*Params, error) {
	text := bytes.TrimLeft(body, " \t\r\n")
	if len(text) > 0 && text[0] == '[' {
		return nil, fault.New(fault.BadRequest, "batches are not supported: send one operation in each request, as HttpLink of Apollo Client does")
	}
	var decoded requestBody
	if !utf8.Valid(body) || len(text) == 0 || text[0] != '{' || json.Unmarshal(body, &decoded) != nil {
		return nil, fault.New(fault.BadRequest, "the request's body is not a JSON object in UTF-8")
	}
	if err := checkJSON(body, 0, l.depth()); err != nil {
		return nil, err
	}
	if err := l.checkBytes(len(decoded["variables"])); err != nil {
		return nil, err
	}
	return decoded.params()
}

// Params are the parameters of an operation, as a request has them.
type Params struct {
	graphql.RawParams
	// DocumentID is the id of the document, "" if the request has none, or has the text of the query.
	DocumentID string
	// CheckType returns why the transport does not execute operations of a type, nil if it does. Nil
	// stands for all types.
	CheckType func(ast.Operation) error
}

// setDocumentID sets the id, which may be sent under several names. Of a request with a text, the text
// counts.
func (p *Params) setDocumentID(id string) error {
	switch {
	case p.Query != "" || id == "":
	case p.DocumentID != "" && p.DocumentID != id:
		return fault.New(fault.BadRequest, "the request has two different ids of a document")
	default:
		p.DocumentID = id
	}
	return nil
}

// documentIDs are the names by which clients send the id of a document: that of GraphQL over HTTP
// (appendix Persisted Documents), and those of Relay.
var documentIDs = [...]string{"documentId", "doc_id", "id"}

// requestBody is the JSON object with an operation's parameters, by the exact names of its
// members. Members that params does not read are left to later versions of the specification.
type requestBody map[string]json.RawMessage

func (b requestBody) params() (*Params, error) {
	var p Params
	for _, member := range []struct {
		name string
		into any
		want string
	}{
		{"query", &p.Query, "a string"},
		{"operationName", &p.OperationName, "a string"},
		{"variables", &p.Variables, "an object"},
		{"extensions", &p.Extensions, "an object"},
	} {
		if err := decodeMember(b[member.name], member.into); err != nil {
			return nil, fault.New(fault.BadRequest, "%q must be %s", member.name, member.want)
		}
	}
	if p.Query != "" { // clients send texts beside an "id" of their own
		return &p, nil
	}
	for _, name := range documentIDs {
		var value any
		err := decodeMember(b[name], &value)
		switch id := value.(type) {
		case nil:
		case string:
			err = p.setDocumentID(id)
		case json.Number: // Relay's ids are numbers where a server counts documents
			err = p.setDocumentID(id.String())
		default:
			err = fault.New(fault.BadRequest, "%q must be a string", name)
		}
		if err != nil {
			return nil, err
		}
	}
	return &p, nil
}

// decodeMember decodes a member's value. It leaves into unchanged if the member is absent or
// null. Numbers keep their digits, since a float64 does not hold every id of 64 bits.
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

// decodeFast decodes the bodies that nearly all clients send, in a fraction of the time of
// encoding/json. It reports false for a body that is wrong or unusual, which decodeStrict then
// decodes: it accepts the known members only, each at most once, no escapes \uXXXX in texts, and one
// id of a document.
func decodeFast(body []byte, l Limits) (*Params, bool) {
	s := bodyScanner{text: body, limits: l}
	if !utf8.Valid(body) || !s.accept('{') {
		return nil, false
	}
	var p Params
	for {
		name, plain := s.quoted()
		if !plain || !s.accept(':') || !s.member(string(name), &p) {
			return nil, false
		}
		if !s.accept(',') {
			if p.Query != "" {
				p.DocumentID = ""
			}
			return &p, s.accept('}') && s.peek() == 0 && s.at == len(body)
		}
	}
}

// bodyScanner reads a body from left to right. What encoding/json would refuse makes its methods
// report false, and never makes them accept more than encoding/json does.
type bodyScanner struct {
	text   []byte
	limits Limits
	at     int     // the index of the next byte
	seen   [5]bool // the members that were read
}

// peek skips white space and returns the byte after it without reading it; 0 at the end.
func (s *bodyScanner) peek() byte {
	for ; s.at < len(s.text); s.at++ {
		if c := s.text[s.at]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
	}
	return 0
}

// accept reads the next byte after white space if it is c, and reports whether it was.
func (s *bodyScanner) accept(c byte) bool {
	ok := s.peek() == c
	if ok {
		s.at++
	}
	return ok
}

func (s *bodyScanner) acceptNull() bool {
	s.peek()
	ok := bytes.HasPrefix(s.text[s.at:], []byte("null"))
	if ok {
		s.at += len("null")
	}
	return ok
}

// member reads the value of a member into p.
func (s *bodyScanner) member(name string, p *Params) bool {
	var i int
	var read func() bool
	switch name {
	case "query":
		i, read = 0, func() bool { return s.string(&p.Query) }
	case "operationName":
		i, read = 1, func() bool { return s.string(&p.OperationName) }
	case "variables":
		i, read = 2, func() bool { return s.object(&p.Variables, s.limits.checkBytes) }
	case "extensions":
		i, read = 3, func() bool { return s.object(&p.Extensions, anySize) }
	case documentIDs[0], documentIDs[1], documentIDs[2]:
		i, read = 4, func() bool { return s.string(&p.DocumentID) }
	default:
		return false
	}
	repeated := s.seen[i]
	s.seen[i] = true
	return !repeated && (s.acceptNull() || read())
}

// quoted reads a string and returns the bytes between its quotes; nil if there is none. It
// reports whether the string has no escapes.
func (s *bodyScanner) quoted() (between []byte, plain bool) {
	if !s.accept('"') {
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

// string reads a string, without its quotes and escapes.
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

// unescaped has the byte that an escape stands for, by the byte after the backslash; 0 for no
// escape and for \u.
var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// anySize is the check of an object whose size the whole body limits.
func anySize(int) error { return nil }

// object finds the end of an object, whose size is checked before encoding/json decodes it.
func (s *bodyScanner) object(into *map[string]any, checkBytes func(int) error) bool {
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
			return checkBytes(len(object)) == nil && decodeMember(object, into) == nil && checkJSON(object, 1, s.limits.depth()) == nil
		}
	}
	return false
}
