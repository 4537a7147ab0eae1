package input

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
)

// Error is the error of a value that does not fit its type. Its text may be shown to clients.
type Error struct {
	// Variable is the name, without the $, of the variable that holds the value. It is empty for a
	// literal.
	Variable string
	// Path leads from the variable to the value. The innermost element comes first.
	Path ast.Path
	// Position is the position of the variable's definition, or of the literal, in the document.
	// It may be nil.
	Position *ast.Position
	// Message says what is wrong with the value, without its place.
	Message string
}

// Error returns the message, after the place of a value in its variable:
// `variable $order.lines[0].quantity: Int cannot represent non 32-bit signed integer value: "7"`.
func (e *Error) Error() string {
	if e.Variable == "" {
		return e.Message
	}
	var b strings.Builder
	b.WriteString("variable $" + e.Variable)
	for i := len(e.Path) - 1; i >= 0; i-- { // the innermost element is first
		switch at := e.Path[i].(type) {
		case ast.PathIndex:
			fmt.Fprintf(&b, "[%d]", at)
		case ast.PathName:
			b.WriteString("." + string(at))
		}
	}
	return b.String() + ": " + e.Message
}

// Locations returns the position in the form of the errors of a response; nil without a position.
func (e *Error) Locations() []gqlerror.Location {
	if e.Position == nil {
		return nil
	}
	return []gqlerror.Location{{Line: e.Position.Line, Column: e.Position.Column}}
}

// within adds the place of the wrong value in the value that contains it.
func (e *Error) within(place ast.PathElement) *Error {
	e.Path = append(e.Path, place)
	return e
}

func errorf(format string, args ...any) *Error {
	return &Error{Message: fmt.Sprintf(format, args...)}
}

// maxSuggestedLength is the maximum length, in bytes, of a name for which similar names are searched.
// The time of the search grows with the length.
const maxSuggestedLength = 64

// suggestion returns the question whether one of names was meant by typed, with a leading space. It
// returns "" if suggestions are off, or if no name is similar.
func suggestion(enabled bool, what, typed string, names []string) string {
	if !enabled || len(typed) > maxSuggestedLength {
		return ""
	}
	var question gqlerror.Error
	core.SuggestListQuoted(strings.TrimSpace("Did you mean "+what), typed, names)(&question)
	return question.Message
}
