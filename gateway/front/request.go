package front

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// readPOST reads an operation from a body of type application/json, into b. It takes no
// other type, which is also the guard against forged requests: the types that a page of
// another origin may send without asking first are not among those taken.
// Its errors never repeat what was sent, and what it gives holds no part of b.
func readPOST(w http.ResponseWriter, r *http.Request, limit int64, b *buffer) (*graphql.RawParams, error) {
	if !isJSON(r.Header["Content-Type"]) {
		no := newRefusal(http.StatusUnsupportedMediaType, fault.BadRequest,
			"send the operation as application/json, in UTF-8")
		no.header = http.Header{"Accept-Post": {typeJSON}}
		return nil, no
	}
	if r.ContentLength > limit {
		return nil, tooLarge()
	}
	if err := b.readFrom(r.Body); err != nil {
		return nil, unreadable(err)
	}
	// The time to send the body is over; while the operation runs, the server listens
	// on the connection for the client's leaving, and a deadline would look like that.
	setReadDeadline(w, time.Time{})
	return decodeBody(b.bytes)
}

func isJSON(contentType []string) bool {
	if len(contentType) != 1 {
		return false
	}
	if contentType[0] == typeJSON {
		return true
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

// readGET reads an operation from the URL.
func readGET(_ http.ResponseWriter, r *http.Request, _ int64, _ *buffer) (*graphql.RawParams, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.BadRequest, "the URL's query cannot be read")
	}
	for _, name := range []string{"query", "operationName", "variables", "extensions"} {
		if len(values[name]) > 1 {
			return nil, fault.New(fault.BadRequest, "the URL's query has %q twice", name)
		}
		if !utf8.ValidString(values.Get(name)) {
			return nil, fault.New(fault.BadRequest, "%q in the URL's query is not in UTF-8", name)
		}
	}
	p := &graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}
	for _, member := range []struct {
		name string
		into *map[string]any
	}{{"variables", &p.Variables}, {"extensions", &p.Extensions}} {
		text := []byte(values.Get(member.name))
		if err := decodeMember(text, member.into); err != nil {
			return nil, fault.New(fault.BadRequest, "%q must be an object in JSON", member.name)
		}
		if err := checkJSON(text, 1); err != nil {
			return nil, err
		}
	}
	return p, nil
}
