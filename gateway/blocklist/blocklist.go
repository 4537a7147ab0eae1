// Package blocklist refuses operations that the settings block: by their name, document, kind, client,
// class of caller, or by the fields that they select.
//
// It promises that a blocked operation is refused before it joins the execution of another request and
// before any service is called, and that the fields of an operation are looked at only if an entry
// names fields, in time linear in the length of the document.
package blocklist

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// List has the entries that block operations. It is an execute.Rule, and safe for concurrent use.
type List struct {
	entries []entry
	fields  map[coordinate][]int // the indices of the entries that name a field
}

var _ execute.Rule = (*List)(nil)

// entry is an Entry that is ready for use.
type entry struct {
	Entry
	until time.Time // zero for never
}

// New returns a list of the entries that have not ended, nil if there are none. The error says which
// fields the schema lacks, or what else is wrong, each with the path of its setting.
func New(entries []Entry, schema *ast.Schema) (*List, error) {
	list := &List{fields: map[coordinate][]int{}}
	var errs []error
	for i, e := range entries {
		setting := fmt.Sprintf("blocked[%d]", i)
		if err := e.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", setting, err))
			continue
		}
		if e.Name == "" {
			e.Name = setting
		}
		fields, err := fieldsOf(schema, e.Fields)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s.%w", setting, err))
		}
		if e.Ended(time.Now()) {
			continue
		}
		for c := range fields {
			list.fields[c] = append(list.fields[c], len(list.entries))
		}
		e.DocumentID = trimHash(e.DocumentID)
		until, _ := e.until()
		list.entries = append(list.entries, entry{e, until})
	}
	if len(list.entries) == 0 {
		list = nil
	}
	return list, errors.Join(errs...)
}

// defaultMessage is the default of Entry.Message.
const defaultMessage = "this operation is blocked"

// Check implements execute.Rule. The error has the code fault.Forbidden and the message of the first entry
// that matches. Its extensions have the reason "blocked" and, if the entry ends some day, until.
func (l *List) Check(ctx context.Context, op *execute.Operation) error {
	var now time.Time  // once an entry needs it
	var selects []bool // by entry, whether the operation selects one of its fields; once an entry needs it
	for i := range l.entries {
		e := &l.entries[i]
		if !e.matches(op) {
			continue
		}
		if len(e.Fields) > 0 {
			if selects == nil {
				selects = l.selected(op)
			}
			if !selects[i] {
				continue
			}
		}
		if !e.until.IsZero() {
			if now.IsZero() {
				now = time.Now()
			}
			if !now.Before(e.until) {
				continue
			}
		}
		request.LogEntryOf(ctx).Refuse(request.RefusedBlocked, e.Name)
		return e.refusal()
	}
	return nil
}

// refusal returns the error for clients.
func (e *entry) refusal() error {
	message := e.Message
	if message == "" {
		message = defaultMessage
	}
	extensions := map[string]any{"reason": string(request.RefusedBlocked)}
	if !e.until.IsZero() {
		extensions["until"] = e.until.UTC().Format(time.RFC3339)
	}
	return &fault.Error{Code: fault.Forbidden, Message: message, Extensions: extensions}
}
