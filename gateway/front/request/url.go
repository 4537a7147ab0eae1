package request

import (
	"net/http"
	"net/url"
	"slices"
	"unicode/utf8"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/buffer"
)

// ReadGET reads the parameters of an operation, within limits, from the URL (GraphQL over HTTP, section GET).
func ReadGET(_ http.ResponseWriter, r *http.Request, _ int64, limits Limits, _ *buffer.Buffer) (*Params, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, fault.New(fault.BadRequest, "the URL's query cannot be read")
	}
	for _, name := range append([]string{"query", "operationName", "variables", "extensions"}, documentIDs[:]...) {
		if len(values[name]) > 1 {
			return nil, fault.New(fault.BadRequest, "the URL's query has %q twice", name)
		}
		if !utf8.ValidString(values.Get(name)) {
			return nil, fault.New(fault.BadRequest, "%q in the URL's query is not in UTF-8", name)
		}
	}
	p := &Params{RawParams: graphql.RawParams{Query: values.Get("query"), OperationName: values.Get("operationName")}}
	for _, name := range documentIDs {
		if err := p.setDocumentID(values.Get(name)); err != nil {
			return nil, err
		}
	}
	if err := p.setDocumentID(r.PathValue(PathID)); err != nil {
		return nil, err
	}
	for _, member := range []struct {
		name string
		into *map[string]any
	}{{"variables", &p.Variables}, {"extensions", &p.Extensions}} {
		text := []byte(values.Get(member.name))
		if member.into == &p.Variables {
			if err := limits.checkBytes(len(text)); err != nil {
				return nil, err
			}
		}
		if err := decodeMember(text, member.into); err != nil {
			return nil, fault.New(fault.BadRequest, "%q must be an object in JSON", member.name)
		}
		if err := checkJSON(text, 1, limits.depth()); err != nil {
			return nil, err
		}
	}
	return p, limits.checkCount(p.Variables)
}

// HasDocumentID reports whether the URL of a request, with these values in its query, has the id of a
// document.
func HasDocumentID(r *http.Request, values url.Values) bool {
	return r.PathValue(PathID) != "" || slices.ContainsFunc(documentIDs[:], values.Has)
}
