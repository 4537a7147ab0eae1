package front

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// readPOST reads an operation from a body of type application/json. It takes no other
// type, which is also the guard against forged requests: the types that a page of
// another origin may send without asking first are not among those taken.
// Its errors never repeat what was sent.
func readPOST(w http.ResponseWriter, r *http.Request, limit int64) (*graphql.RawParams, error) {
	if !isJSON(r.Header.Values("Content-Type")) {
		no := newRefusal(http.StatusUnsupportedMediaType, fault.BadRequest,
			"send the operation as application/json, in UTF-8")
		no.header = http.Header{"Accept-Post": {typeJSON}}
		return nil, no
	}
	if r.ContentLength > limit {
		return nil, tooLarge()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, unreadable(err)
	}
	// The time to send the body is over; while the operation runs, the server listens
	// on the connection for the client's leaving, and a deadline would look like that.
	_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	return decodeBody(body)
}

func isJSON(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	media, params, err := mime.ParseMediaType(contentType[0])
	charset, stated := params["charset"]
	return err == nil && media == typeJSON && (!stated || strings.EqualFold(charset, "utf-8") || strings.EqualFold(charset, "utf8"))
}

func tooLarge() error {
	return newRefusal(http.StatusRequestEntityTooLarge, fault.BadRequest, "the request is too large")
}

// unreadable tells why a body could not be read to its end.
func unreadable(err error) error {
	if _, big := errors.AsType[*http.MaxBytesError](err); big {
		return tooLarge()
	}
	return newRefusal(http.StatusBadRequest, fault.BadRequest, "the request's body did not arrive")
}

// envelope is the JSON object around an operation. Members it does not name are left
// to later versions of the specification.
type envelope struct {
	Query         json.RawMessage `json:"query"`
	OperationName json.RawMessage `json:"operationName"`
	Variables     json.RawMessage `json:"variables"`
	Extensions    json.RawMessage `json:"extensions"`
}

func decodeBody(body []byte) (*graphql.RawParams, error) {
	text := bytes.TrimLeft(body, " \t\r\n")
	if len(text) > 0 && text[0] == '[' {
		return nil, fault.New(fault.BadRequest, "send one operation at a time: a list of them is not supported")
	}
	var e envelope
	if !utf8.Valid(body) || len(text) == 0 || text[0] != '{' || json.Unmarshal(body, &e) != nil {
		return nil, fault.New(fault.BadRequest, "the request's body is not a JSON object in UTF-8")
	}
	return e.params()
}

func (e *envelope) params() (*graphql.RawParams, error) {
	var p graphql.RawParams
	for _, member := range []struct {
		name string
		json json.RawMessage
		into any
		what string
	}{
		{"query", e.Query, &p.Query, "a string"},
		{"operationName", e.OperationName, &p.OperationName, "a string"},
		{"variables", e.Variables, &p.Variables, "an object"},
		{"extensions", e.Extensions, &p.Extensions, "an object"},
	} {
		if err := decodeMember(member.json, member.into); err != nil {
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

// readGET reads an operation from the URL.
func readGET(_ http.ResponseWriter, r *http.Request, _ int64) (*graphql.RawParams, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || !utf8.ValidString(values.Get("query")+values.Get("operationName")) {
		return nil, fault.New(fault.BadRequest, "the URL's query cannot be read")
	}
	p := &graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}
	if err := decodeMember([]byte(values.Get("variables")), &p.Variables); err != nil {
		return nil, fault.New(fault.BadRequest, `"variables" must be an object in JSON`)
	}
	if err := decodeMember([]byte(values.Get("extensions")), &p.Extensions); err != nil {
		return nil, fault.New(fault.BadRequest, `"extensions" must be an object in JSON`)
	}
	return p, nil
}
