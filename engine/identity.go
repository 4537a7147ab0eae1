package engine

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/engine/coalesce"
)

// Identity is everything that the result of a call depends on. Calls with equal identities have
// the same result, so that one may stand for the other; calls with different identities share
// nothing. Within an operation, LoaderFor finds loaders by identity. Across requests, calls and
// operations are coalesced by it. An Identity is comparable; a field that does not apply is empty.
type Identity struct {
	// Source is the name of the service in the settings. It is empty for anything else than a
	// call of one service, such as a handwritten batch.
	Source string
	// Request is what is sent: method, path, query, headers and body, in the form of
	// rest.Call.Key. A generated batch has a constant text with placeholders here, for its keys
	// and for the first of Arguments: equal texts and arguments send equal requests for equal
	// keys. A handwritten batch has a name here that no other batch has.
	Request string
	// Caller identifies the client by the credentials that it sent. It is empty within an
	// operation, which has a single client.
	Caller string
	// Rules names the rules that decide which responses are successes and what clients see of
	// the others (isSuccess, errors). It is empty when the HTTP status alone decides.
	Rules string
	// Extraction describes what is read from a response, and as which type of the graph; for a
	// batch also how values are matched with keys. For a whole operation, whose Request is its
	// document, it is the name of the operation that is executed.
	Extraction string
	// Arguments are those values of the field's arguments that the request or its reading depends
	// on and that Request does not contain, in the form of EncodeKey.
	Arguments string
}

// AppendKey appends the identity to b. Different identities are written differently, and none is
// a prefix of another.
func (id *Identity) AppendKey(b []byte) []byte {
	for _, part := range [...]string{id.Source, id.Request, id.Caller, id.Rules, id.Extraction, id.Arguments} {
		b = coalesce.AppendText(b, part)
	}
	return b
}

// CallerID returns the Identity.Caller for the values of an Authorization header. It joins them with
// line breaks, which no header value contains.
func CallerID(authorization []string) string { return strings.Join(authorization, "\n") }

// EncodeKey returns the parts of a key, each a value of encoding/json or a slice of them, as one
// JSON text. Different lists of parts have different texts.
func EncodeKey(parts ...any) string {
	text, err := json.Marshal(parts)
	if err != nil {
		return fmt.Sprint(parts...)
	}
	return string(text)
}
