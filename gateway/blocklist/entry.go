package blocklist

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
)

// Entry blocks the operations that fulfil all of its conditions: Operation, DocumentID, Kind, Client,
// ClientVersion, Class and Fields. It has at least one. A * at the end of Operation, Client and
// ClientVersion stands for any text.
type Entry struct {
	// Name is the reason for the log, such as an incident's number. Default the place in the list.
	Name string `yaml:"name"`
	// Operation is the name of the operation in its document, such as CreateOrder, or Export* for all
	// that begin so. An operation without a name has an empty one. Default any.
	Operation string `yaml:"operation"`
	// DocumentID is the SHA-256 of the document's text in hexadecimal, with or without "sha256:", however
	// clients send the document; or an id by which they refer to it. Default any.
	DocumentID string `yaml:"documentId"`
	// Kind is query, mutation or subscription. Default any.
	Kind string `yaml:"kind"`
	// Client is the name that the client states for itself, such as shop-ios. Default any.
	Client string `yaml:"client"`
	// ClientVersion is the version that the client states for itself, such as 2.* for all that
	// begin so. Default any.
	ClientVersion string `yaml:"clientVersion"`
	// Class is the class of the caller, such as anonymous: see callers.classes. Default any.
	Class string `yaml:"class"`
	// Fields are fields of the schema, such as Mutation.createOrder, of which the operation selects at
	// least one. Default any.
	Fields []string `yaml:"fields"`
	// Message is shown to clients. Default "this operation is blocked".
	Message string `yaml:"message"`
	// Until is the time from which the entry blocks nothing, as 2026-12-31T08:00:00Z, or as 2026-12-31 for
	// the beginning of that day in UTC. Default never.
	Until string `yaml:"until"`
}

// kinds are the values of Entry.Kind.
var kinds = []string{string(ast.Query), string(ast.Mutation), string(ast.Subscription)}

// Validate returns what is wrong with an entry, joined, each beginning with its setting. It does not know
// the schema, by which New checks Fields.
func (e Entry) Validate() error {
	var errs []error
	fail := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !e.hasConditions() {
		fail("has no condition, so that it would block everything: add operation, documentId, kind, client, clientVersion, class or fields; or write operation: \"*\"")
	}
	for _, condition := range []struct{ setting, pattern string }{
		{"operation", e.Operation}, {"client", e.Client}, {"clientVersion", e.ClientVersion},
	} {
		if at := strings.IndexByte(condition.pattern, '*'); at >= 0 && at < len(condition.pattern)-1 {
			fail("%s: %q has a * that is not at its end: write a * at the end alone", condition.setting, condition.pattern)
		}
	}
	if id := trimHash(e.DocumentID); e.DocumentID != "" && id == "" {
		fail("documentId: %q is not an id: write the SHA-256 of the document's text", e.DocumentID)
	} else if _, err := hex.DecodeString(id); strings.HasPrefix(e.DocumentID, hashPrefix) && (err != nil || len(id) != 64) {
		fail("documentId: %q is not the SHA-256 of a text: write sha256: and 64 hexadecimal digits", e.DocumentID)
	}
	if e.Kind != "" && !slices.Contains(kinds, e.Kind) {
		fail("kind: unknown kind %q: write query, mutation or subscription", e.Kind)
	}
	for i, field := range e.Fields {
		if _, err := parseCoordinate(field); err != nil {
			fail("fields[%d]: %w", i, err)
		}
	}
	if _, err := e.until(); err != nil {
		fail("until: %w", err)
	}
	return errors.Join(errs...)
}

func (e Entry) hasConditions() bool {
	return e.Operation != "" || e.DocumentID != "" || e.Kind != "" || e.Client != "" || e.ClientVersion != "" || e.Class != "" || len(e.Fields) > 0
}

// Ended reports whether the entry blocks nothing any more. An entry with a mistake has not ended.
func (e Entry) Ended(now time.Time) bool {
	until, err := e.until()
	return err == nil && !until.IsZero() && !now.Before(until)
}

// until returns the parsed Until, the zero time for none.
func (e Entry) until() (time.Time, error) {
	if e.Until == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, e.Until); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time: write it like 2026-12-31T08:00:00Z or 2026-12-31", e.Until)
}

// hashPrefix is how GraphQL over HTTP marks an id that is a hash.
const hashPrefix = "sha256:"

// trimHash returns an id without the prefix, in the form of document.Document.ID.
func trimHash(id string) string {
	if hash, ok := strings.CutPrefix(id, hashPrefix); ok {
		return strings.ToLower(hash)
	}
	return id
}

// matchesPattern reports whether text is what the pattern says; "" matches everything.
func matchesPattern(pattern, text string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(text, prefix)
	}
	return pattern == "" || pattern == text
}

// matches reports whether all conditions hold but that of Fields.
func (e *Entry) matches(op *execute.Operation) bool {
	return matchesPattern(e.Operation, op.Operation.Name) &&
		(e.DocumentID == "" || e.DocumentID == op.DocumentID || op.Document != nil && e.DocumentID == op.Document.ID) &&
		(e.Kind == "" || e.Kind == string(op.Operation.Operation)) &&
		matchesPattern(e.Client, op.Caller.Client) &&
		matchesPattern(e.ClientVersion, op.Caller.ClientVersion) &&
		(e.Class == "" || e.Class == op.Caller.Class)
}
