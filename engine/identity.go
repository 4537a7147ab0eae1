package engine

import (
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/engine/coalesce"
)

// Identity is everything that the result of a call depends on. Two calls of equal
// identities have the same result, so that one may stand for both; calls whose identities
// differ share nothing. Fields find their loader by it within an operation, and by it calls and
// operations of different requests are coalesced. It is comparable; a field that does not apply is
// empty.
type Identity struct {
	// Source is the service, by its name in the settings. It is empty for what is no call
	// of one service, such as a batch by hand.
	Source string
	// Request is what is sent: method, path, query, headers and body, as rest.Call.Key
	// writes them. For a batch it holds AnyKey where the keys stand. A batch by hand has a
	// name here that tells it from others.
	Request string
	// Caller is who asks, by the credentials that were sent. It is empty within an
	// operation, which has one caller.
	Caller string
	// Rules names the rules that say which responses are successes and what clients read of
	// the others (isSuccess, errors); empty when HTTP alone says so.
	Rules string
	// Reading says what is read of a response, and as which type of the graph; of a batch
	// also how the values are matched with the keys. Of a whole operation, whose Request is
	// its document, it is the name of the one that is executed.
	Reading string
	// Arguments are the values of the field's arguments by which the response is read,
	// besides those in Request, as KeyText writes them.
	Arguments string
}

// AppendKey appends the identity to b. No two identities that differ are written alike, nor
// is one the beginning of another.
func (id *Identity) AppendKey(b []byte) []byte {
	for _, part := range [...]string{id.Source, id.Request, id.Caller, id.Rules, id.Reading, id.Arguments} {
		b = coalesce.AppendText(b, part)
	}
	return b
}

// Caller is the Caller of an identity for the values of an Authorization header. No value of a
// header has a line break.
func Caller(authorization []string) string { return strings.Join(authorization, "\n") }

// AnyKey stands for the i-th part of a key in the Request of a batch's identity, which is
// made before there are keys. It is the text of a number, so that it fits wherever a key
// does, and a random one: no argument and no literal of a binding can be taken for it.
func AnyKey(i int) string {
	if i < len(anyKeys) {
		return anyKeys[i]
	}
	return strconv.FormatUint(anyKeyBase+uint64(i), 10)
}

// AnyKeys is AnyKey for a call that takes a list of keys of one part each.
func AnyKeys() []string { return anyKeys[:1:1] }

// anyKeyBase leaves room for the parts below 2^63.
var anyKeyBase = 1<<62 + rand.Uint64N(1<<61)

var anyKeys = [...]string{
	strconv.FormatUint(anyKeyBase, 10),
	strconv.FormatUint(anyKeyBase+1, 10),
	strconv.FormatUint(anyKeyBase+2, 10),
	strconv.FormatUint(anyKeyBase+3, 10),
}
