package input

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// Error says which value does not fit and why. Its text is fit for clients.
type Error struct {
	// Variable is the variable that holds the value, without its $; "" for a literal.
	Variable string
	// Path leads to the value inside of the variable.
	Path ast.Path
	// Position is where in the document the variable is defined, or the literal stands.
	Position *ast.Position
	// Message says what is wrong with the value.
	Message string
}

// Error returns the message, after the place of a value in its variable:
// `variable $order.lines[0].quantity: Int cannot represent non-integer value: "7"`.
func (e *Error) Error() string {
	if e.Variable == "" {
		return e.Message
	}
	var b strings.Builder
	b.WriteString("variable $" + e.Variable)
	for i := len(e.Path) - 1; i >= 0; i-- { // the innermost element was added first
		switch at := e.Path[i].(type) {
		case ast.PathIndex:
			fmt.Fprintf(&b, "[%d]", at)
		case ast.PathName:
			b.WriteString("." + string(at))
		}
	}
	return b.String() + ": " + e.Message
}

// Locations returns the position as an error of a response has it.
func (e *Error) Locations() []gqlerror.Location {
	if e.Position == nil {
		return nil
	}
	return []gqlerror.Location{{Line: e.Position.Line, Column: e.Position.Column}}
}

// below adds the place of the value that contains the wrong one.
func (e *Error) below(place ast.PathElement) *Error {
	e.Path = append(e.Path, place)
	return e
}

func mistake(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// maxTyped bounds the names for which similar names are searched, in bytes: the search takes time
// that grows with the length.
const maxTyped = 64

// suggest returns a question for similar names, or "" where there are none to tell.
func suggest(wanted bool, what, typed string, names []string) string {
	if !wanted || len(typed) > maxTyped {
		return ""
	}
	var question gqlerror.Error
	core.SuggestListQuoted(strings.TrimSpace("Did you mean "+what), typed, names)(&question)
	return question.Message
}
