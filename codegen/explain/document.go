package explain

import (
	"errors"
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/gatehouse-graphql/gatehouse/engine/input"
)

// What is planned at the most. The gateway, unless set otherwise, takes a tenth of it and
// less; more would only keep the machine busy.
const (
	// Bounds of what is planned. The gateway's own defaults are a tenth of them or less; larger
	// operations would only keep the machine busy.
	maxTokens     = 200_000
	maxSelections = 50_000 // of an operation, counting a fragment for each spread
)

// parseDocument parses and validates a document.
func parseDocument(schema *ast.Schema, inputs *input.Coercer, source *ast.Source) (*ast.QueryDocument, error) {
	doc, err := parser.ParseQueryWithTokenLimit(source, maxTokens)
	if err != nil {
		return nil, locateErrors(source, gqlerror.WrapIfUnwrapped(err))
	}
	if len(doc.Operations) == 0 {
		return nil, fmt.Errorf("%s: there is no operation in it", source.Name)
	}
	if err := checkSize(doc); err != nil {
		return nil, locateErrors(source, err)
	}
	known := rules.NewDefaultRules()
	known.ReplaceRule(rules.ValuesOfCorrectTypeRule.Name, inputs.Rule().RuleFunc)
	if errs := validator.ValidateWithRules(schema, doc, known); len(errs) > 0 {
		return nil, locateErrors(source, errs...)
	}
	return doc, nil
}

// locateErrors returns the errors of a document as one, with a line for each that begins with its
// place.
func locateErrors(source *ast.Source, errs ...*gqlerror.Error) error {
	lines := make([]error, len(errs))
	for i, err := range errs {
		if len(err.Locations) == 0 {
			lines[i] = fmt.Errorf("%s: %s", source.Name, err.Message)
			continue
		}
		at := err.Locations[0]
		lines[i] = fmt.Errorf("%s:%d:%d: %s", source.Name, at.Line, at.Column, err.Message)
	}
	return errors.Join(lines...)
}

// checkSize rejects documents that the validator cannot handle. It must run before validation:
// fragments that contain themselves overflow the validator's stack, and fragments that multiply
// keep it busy for hours.
func checkSize(doc *ast.QueryDocument) *gqlerror.Error {
	m := &sizeCounter{doc: doc, sizes: map[string]int{}}
	for _, f := range doc.Fragments {
		if _, err := m.fragment(f, f.Position); err != nil {
			return err
		}
	}
	for _, op := range doc.Operations {
		size, err := m.selectionSet(op.SelectionSet)
		if err != nil {
			return err
		}
		if size > maxSelections {
			return gqlerror.ErrorPosf(op.Position, "the operation asks for more than %s fields, its fragments put in their places; ask for less at once", Count(maxSelections))
		}
	}
	return nil
}

// sizeCounter counts the selections of fragments. It counts each fragment once, so its cost is
// linear in the length of the text even if the number of selections is exponential.
type sizeCounter struct {
	doc   *ast.QueryDocument
	sizes map[string]int // selections by fragment; inProgress while a fragment is counted
}

const inProgress = -1

func (m *sizeCounter) selectionSet(set ast.SelectionSet) (int, *gqlerror.Error) {
	total := 0
	for _, selection := range set {
		size, err := m.selection(selection)
		if err != nil {
			return 0, err
		}
		total = min(total+1+size, maxSelections+1)
	}
	return total, nil
}

func (m *sizeCounter) selection(selection ast.Selection) (int, *gqlerror.Error) {
	switch it := selection.(type) {
	case *ast.Field:
		return m.selectionSet(it.SelectionSet)
	case *ast.InlineFragment:
		return m.selectionSet(it.SelectionSet)
	case *ast.FragmentSpread:
		if f := m.doc.Fragments.ForName(it.Name); f != nil { // the validator reports unknown fragments
			return m.fragment(f, it.Position)
		}
	}
	return 0, nil
}

func (m *sizeCounter) fragment(f *ast.FragmentDefinition, at *ast.Position) (int, *gqlerror.Error) {
	size, met := m.sizes[f.Name]
	if size == inProgress {
		return 0, gqlerror.ErrorPosf(at, "Cannot spread fragment %q within itself.", f.Name)
	}
	if met {
		return size, nil
	}
	m.sizes[f.Name] = inProgress
	size, err := m.selectionSet(f.SelectionSet)
	m.sizes[f.Name] = size
	return size, err
}
