package binding

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/lexer"

	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
)

// Fault is one mistake in a schema.
type Fault struct {
	File    string `json:"file"`    // as named in gqlgen.yml, with slashes
	Line    int    `json:"line"`    // from 1
	Column  int    `json:"column"`  // from 1, in characters
	Code    Code   `json:"code"`    // the check that found it
	Message string `json:"message"` // what is wrong and what to write instead
}

// Error returns file:line:column, the message, and the code.
func (f Fault) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s (%s)", f.File, f.Line, f.Column, f.Message, f.Code)
}

// Faults are all mistakes of a run.
type Faults []Fault

// Error returns one line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// causes are the checks whose faults come first, since others can follow from them.
var causes = []Code{InvalidSyntax, UnreadableDocument}

// Err returns the faults as an error, sorted by their places, those that are causes of others first,
// and each once. It returns nil if there are none.
func (f Faults) Err() error {
	if len(f) == 0 {
		return nil
	}
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(compareBools(slices.Contains(causes, b.Code), slices.Contains(causes, a.Code)), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(f)
}

// compareBools orders false before true.
func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// MergeFaults returns the faults of two errors as one, sorted by their places.
func MergeFaults(a, b error) error {
	first, _ := errors.AsType[Faults](a)
	second, _ := errors.AsType[Faults](b)
	return slices.Concat(first, second).Err()
}

// Add reports a fault at the beginning of a token.
func (f *Faults) Add(code Code, pos *ast.Position, format string, args ...any) {
	line, column := lineColumn(pos)
	*f = append(*f, Fault{pos.Src.Name, line, column, code, escape.Line(fmt.Sprintf(format, args...))})
}

// AddAtExtraction reports a fault where an extraction is written.
func (f *Faults) AddAtExtraction(code Code, r *Extraction, format string, args ...any) {
	f.addInText(code, r.text, r.offset, format, args...)
}

// AddAtValue reports a fault where a value is written.
func (f *Faults) AddAtValue(code Code, v *Value, format string, args ...any) {
	f.addInText(code, v.Text, v.Offset, format, args...)
}

// addInText reports a fault at a byte offset of a text.
func (f *Faults) addInText(code Code, v *ast.Value, offset int, format string, args ...any) {
	if v.Kind == ast.Variable { // from impliedText: the schema has no such text
		f.Add(code, v.Position, format, args...)
		return
	}
	line, column := lineColumnIn(v, offset)
	*f = append(*f, Fault{v.Position.Src.Name, line, column, code, escape.Line(fmt.Sprintf(format, args...))})
}

// asFaults converts an error of gqlparser. The place of such an error may be that of a string,
// which gqlparser gives wrongly.
func asFaults(code Code, err error, sources []*ast.Source) error {
	parsed, ok := errors.AsType[*gqlerror.Error](err)
	if !ok || len(parsed.Locations) == 0 {
		return err
	}
	name, _ := parsed.Extensions["file"].(string)
	at := parsed.Locations[0]
	f := Fault{name, at.Line, at.Column, code, escape.Line(parsed.Message)}
	for _, s := range sources {
		if s.Name == name {
			f.Line, f.Column = startOfString(s, at)
			f.Message = nameInvalidCharacter(f.Message, s.Input, at)
		}
	}
	return Faults{f}
}

// nameInvalidCharacter names the character that gqlparser calls <Invalid>.
func nameInvalidCharacter(message, text string, at gqlerror.Location) string {
	lines := strings.Split(text, "\n")
	if !strings.Contains(message, "<Invalid>") || at.Line > len(lines) {
		return message
	}
	line := []rune(lines[at.Line-1])
	if at.Column < 1 || at.Column > len(line) || line[at.Column-1] <= unicode.MaxASCII {
		return message // a broken number or string, whose place is inside of the token
	}
	message = strings.ReplaceAll(message, "<Invalid>", fmt.Sprintf("%q", line[at.Column-1]))
	return message + "; names have the letters a to z and A to Z, digits and _ only; write other characters in strings"
}

// startOfString returns the beginning of the string that gqlparser places at a location. It returns
// the location itself if no string is there.
func startOfString(s *ast.Source, at gqlerror.Location) (line, column int) {
	for l := lexer.New(s); ; {
		token, err := l.ReadToken()
		if err != nil || token.Kind == lexer.EOF {
			return at.Line, at.Column
		}
		isString := token.Kind == lexer.String || token.Kind == lexer.BlockString
		if isString && token.Pos.Line == at.Line && token.Pos.Column == at.Column {
			return lineColumn(&token.Pos)
		}
	}
}

// DidYouMean suggests one of the known names, or lists them; see suggest.DidYouMean.
func DidYouMean(name string, known []string) string { return suggest.DidYouMean(name, known) }
