package ratelimit

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
)

// subject is what a selector reads: an operation and, for the limit of a field, the arguments of a
// place.
type subject struct {
	op        *execute.Operation
	arguments map[string]any
}

// selector appends to b what a limit counts apart. What it appends has its length or is of fixed length, so that two
// different subjects never have equal keys.
type selector func(b []byte, s *subject) []byte

var selectors = map[string]selector{
	"caller":    func(b []byte, s *subject) []byte { return appendCaller(b, callerOf(s)) },
	"ip":        func(b []byte, s *subject) []byte { return appendNetwork(b, callerOf(s)) },
	"client":    func(b []byte, s *subject) []byte { return appendText(b, callerOf(s).Client) },
	"class":     func(b []byte, s *subject) []byte { return appendText(b, callerOf(s).Class) },
	"operation": func(b []byte, s *subject) []byte { return appendText(b, s.op.OperationContext.Operation.Name) },
	"everyone":  func(b []byte, _ *subject) []byte { return b },
}

// selectorNames are the names of selectors, in the order of documentation.
var selectorNames = []string{"caller", "ip", "client", "class", "operation", "claims.NAME", "everyone"}

// noCaller stands for the caller of an operation without one, as tests of other packages have them.
var noCaller = &caller.Caller{}

func callerOf(s *subject) *caller.Caller {
	if s.op.Caller == nil {
		return noCaller
	}
	return s.op.Caller
}

// parseSelector reads a selector of the settings.
func parseSelector(text string) (selector, error) {
	if path, ok := strings.CutPrefix(text, "claims."); ok && path != "" {
		return claimSelector(path), nil
	}
	if s := selectors[text]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("is not known, %.40q%s", text, suggest.DidYouMean(text, selectorNames))
}

// parseFieldSelector reads the argument by of @rateLimit, which the generator has checked: a selector
// of the settings, $claims.NAME or $args.NAME.
func parseFieldSelector(text string) (selector, error) {
	if path, ok := strings.CutPrefix(text, "$args."); ok {
		return argumentSelector(strings.Split(path, ".")), nil
	}
	if path, ok := strings.CutPrefix(text, "$claims."); ok {
		return claimSelector(path), nil
	}
	return parseSelector(text)
}

// parseTier reads what tells tiers apart, as a function that returns the tier of a caller.
func parseTier(text string) (func(*caller.Caller) string, error) {
	if text == TierClass {
		return func(c *caller.Caller) string { return c.Class }, nil
	}
	if path, ok := strings.CutPrefix(text, "claims."); ok && path != "" {
		return func(c *caller.Caller) string {
			value, _ := c.Identity.Claim(path)
			name, _ := value.(string)
			return name
		}, nil
	}
	return nil, fmt.Errorf("must be class or claims.NAME, not %.40q", text)
}

// appendCaller appends the subject of a token with its issuer, or the address of another caller.
func appendCaller(b []byte, c *caller.Caller) []byte {
	if c.Identity == nil || c.Identity.Subject == "" {
		return appendNetwork(append(b, 'i'), c)
	}
	issuer, _ := c.Identity.Claims["iss"].(string)
	return appendText(appendText(append(b, 's'), issuer), c.Identity.Subject)
}

// appendNetwork appends the network of a caller's address.
func appendNetwork(b []byte, c *caller.Caller) []byte {
	size := len(b)
	b, _ = c.NetworkKey().AppendBinary(append(b, 0)) // it never fails
	b[size] = byte(len(b) - size)
	return b
}

// claimSelector selects by a claim. Callers without it are counted as caller does.
func claimSelector(path string) selector {
	return func(b []byte, s *subject) []byte {
		c := callerOf(s)
		value, ok := claimOf(c.Identity, path)
		if !ok {
			return appendCaller(append(b, 0), c)
		}
		return appendValue(append(b, 1), value)
	}
}

func claimOf(i *auth.Identity, path string) (any, bool) {
	value, ok := i.Claim(path)
	return value, ok && value != nil
}

// argumentSelector selects by an argument of the field, at a path within it.
func argumentSelector(path []string) selector {
	return func(b []byte, s *subject) []byte {
		value := any(s.arguments)
		for _, name := range path {
			object, _ := value.(map[string]any)
			value = object[name]
		}
		return appendValue(b, value)
	}
}

// appendValue appends a value such that the ways to write one value, as the ID 1 and "1", are
// equal.
func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		return appendText(b, v)
	case nil, map[string]any, []any:
		text, _ := json.Marshal(v) // the values are those of JSON
		return appendText(b, string(text))
	default:
		return appendText(b, fmt.Sprint(v))
	}
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}
