package binding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/vektah/gqlparser/v2/ast"
)

// Fault is one mistake in the schema's bindings.
type Fault struct {
	File         string // as named in gqlgen.yml, with slashes
	Line, Column int    // from 1; Column counts characters
	Text         string // what is wrong and what to do
}

// Error gives file:line:column and the text.
func (f Fault) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, f.Text)
}

// Faults are the mistakes of a whole run.
type Faults []Fault

// Error gives a line for each fault.
func (f Faults) Error() string {
	lines := make([]string, len(f))
	for i, fault := range f {
		lines[i] = fault.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted puts the faults in the order of the files' text.
func (f Faults) sorted() Faults {
	slices.SortStableFunc(f, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return slices.Compact(f)
}

// faultAt makes a fault at a place, moved by offset characters into the text there.
func faultAt(pos *ast.Position, offset int, format string, args ...any) Fault {
	f := Fault{Text: fmt.Sprintf(format, args...)}
	if pos != nil {
		f.Line, f.Column = pos.Line, pos.Column+offset
		if pos.Src != nil {
			f.File = pos.Src.Name
		}
	}
	return f
}

// didYouMean suggests the nearest of the known names, or lists them when none is near
// and they are few. It begins with a semicolon, or is empty.
func didYouMean(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	case len(known) == 0:
		return ""
	case len(known) <= 8:
		return "; there is " + strings.Join(known, ", ")
	}
	return ""
}
