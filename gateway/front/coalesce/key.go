package coalesce

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"slices"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/coalesce"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// appendKey appends to b everything that a response depends on besides the graph: the version of
// the settings, the operation, what its cost is limited to if the response says so, and the caller's
// credentials, the identity that fields can read, the
// headers that services are forwarded, except those that say nothing about their responses, and the
// variables. Each part has its length or a letter for its type,
// so that different requests never have equal keys. It reports false for values that it cannot
// compare.
func (c *Coalescer) appendKey(b []byte, r *http.Request, op *execute.Operation) (_ []byte, ok bool) {
	id := engine.Identity{Request: op.Document.ID, Extraction: op.OperationName, Caller: engine.CallerID(r.Header["Authorization"])}
	b = appendCost(id.AppendKey(binary.AppendUvarint(b, c.version)), op.Cost)
	if b, ok = appendIdentity(b, auth.FromContext(r.Context())); !ok {
		return b, false
	}
	for _, name := range c.options.Varying {
		values := r.Header[name]
		if name == request.HeaderID { // the services get the front's own
			values = []string{request.ID(r.Context())}
		}
		b = coalesce.AppendTexts(b, values)
	}
	return appendValue(b, op.Variables)
}

// appendCost appends what differs by the caller of what a response says of costs.
func appendCost(b []byte, c *execute.Cost) []byte {
	if c == nil || !c.Exposed {
		return append(b, 0)
	}
	return binary.AppendVarint(append(b, 1), int64(c.Maximum))
}

// appendIdentity appends the caller's identity as fields can read it. A Verify function may look
// up more than the credentials hold, so that these do not always determine the identity.
func appendIdentity(b []byte, caller *auth.Identity) ([]byte, bool) {
	if caller == nil {
		return append(b, 0), true
	}
	b = coalesce.AppendText(append(b, 1), caller.Subject)
	b = coalesce.AppendTexts(coalesce.AppendTexts(b, caller.Scopes), caller.Roles)
	return appendValue(b, caller.Claims)
}

// appendValue appends the value of a variable or a claim, with a letter for its type.
func appendValue(b []byte, v any) (_ []byte, ok bool) {
	switch v := v.(type) {
	case nil:
		return append(b, 'n'), true
	case bool:
		if v {
			return append(b, 't'), true
		}
		return append(b, 'f'), true
	case string:
		return coalesce.AppendText(append(b, 's'), v), true
	case json.Number:
		return coalesce.AppendText(append(b, '#'), string(v)), true
	case int:
		return binary.AppendVarint(append(b, 'i'), int64(v)), true
	case int64:
		return binary.AppendVarint(append(b, 'l'), v), true
	case float64:
		return binary.BigEndian.AppendUint64(append(b, 'd'), math.Float64bits(v)), true
	case []any:
		b, ok = binary.AppendUvarint(append(b, '['), uint64(len(v))), true
		for i := 0; i < len(v) && ok; i++ {
			b, ok = appendValue(b, v[i])
		}
		return b, ok
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		b, ok = binary.AppendUvarint(append(b, '{'), uint64(len(v))), true
		for i := 0; i < len(names) && ok; i++ {
			b, ok = appendValue(coalesce.AppendText(b, names[i]), v[names[i]])
		}
		return b, ok
	}
	return b, false
}
