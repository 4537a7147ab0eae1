package yaml

import "fmt"

// Problem is the kind of a mistake in a text.
type Problem int

// The problems.
const (
	Syntax         Problem = iota // the text is not YAML; there is no tree
	TooManyValues                 // the tree has more values than Options.MaxValues
	SecondDocument                // "---" begins another document
	DuplicateKey                  // a mapping has a key twice; the first one stands
	ComplexKey                    // a key is a list or a mapping
	InvalidMerge                  // "<<" merges a value that is not a mapping
	CyclicAlias                   // an alias stands within the value that it names
	Tag                           // a value has a tag, as !!binary
	Refused                       // a member is left out by Options.Refuse
)

// Error is a mistake in a text.
type Error struct {
	Line, Column int // from 1; columns count characters
	Path         Path
	Problem      Problem
	Message      string // says what is wrong and what to write instead
}

// Error returns the place and the message.
func (e *Error) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message) }
