// Package document turns the text of a query into a document that may run: bounded,
// parsed and valid for the schema; and remembers the ones it made.
//
// It promises that one text costs little to refuse: limits come before parsing and
// validation, validation stops after a few errors, and the rule on overlapping fields,
// quadratic and worse in gqlparser, is linear here.
package document

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/gatehouse-graphql/gatehouse/engine/cache"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

// maxErrors is after how many errors validation stops. Each costs time and answer.
const maxErrors = 20

// Options are what a Store needs besides the schema.
type Options struct {
	// Limits bound each document.
	Limits limit.Options
	// Size is how many documents are remembered, in 16 KB of memory for each, counted
	// together. Default 1,000; negative remembers none.
	Size int
	// Suggestions adds "Did you mean ...?" to validation errors, which tells names of
	// the schema to whoever asks. Default false.
	Suggestions bool
	// Inputs reads the values in documents, and those of variables. Default: a reader that
	// takes any value of a custom scalar; NewStore panics if a default value of the schema
	// does not fit then.
	Inputs *input.Reader
}

// Document is a document that may run.
type Document struct {
	*limit.Document
	// Inputs has the values of an operation's variables read.
	Inputs *input.Document
}

// Store makes documents and remembers them by their text.
// It is safe for concurrent use.
type Store struct {
	schema *ast.Schema
	limits limit.Options
	inputs *input.Reader
	rules  []validator.Rule
	cache  *cache.Cache[string, prepared]
}

// NewStore returns a store of documents valid for schema.
func NewStore(schema *ast.Schema, o Options) *Store {
	if o.Inputs == nil {
		o.Inputs = anyScalars(schema, o.Suggestions)
	}
	return &Store{
		schema: schema,
		limits: o.Limits,
		inputs: o.Inputs,
		rules:  validationRules(o.Suggestions, o.Inputs),
		cache:  newCache(o.Size),
	}
}

func anyScalars(schema *ast.Schema, suggestions bool) *input.Reader {
	inputs, err := input.NewReader(schema, input.Options{Suggestions: suggestions})
	if err != nil {
		panic(err)
	}
	return inputs
}

// Get returns the document that query is, or why it is none: a parse or validation
// error, which has its code, or one around a *fault.Error that names a broken limit.
// The document is shared between all who ask for the same text: nobody changes it. Callers
// who ask for it at the same time have it made once; one whose ctx ends meanwhile gets the
// error of that.
func (s *Store) Get(ctx context.Context, query string) (*Document, gqlerror.List) {
	if kept, ok := s.cache.Get(query); ok {
		return kept.doc, nil
	}
	made, err := s.cache.Load(ctx, query, func() (prepared, int) {
		made := s.prepare(query)
		return made, made.weight(query)
	})
	if err != nil {
		return nil, gqlerror.List{gqlerror.Wrap(err)}
	}
	return made.own()
}

// prepare makes a document of a text.
func (s *Store) prepare(query string) prepared {
	doc, err := limit.Read(query, s.limits)
	if err != nil {
		return prepared{errs: gqlerror.List{gqlerror.WrapIfUnwrapped(err)}}
	}
	if err := allowAlone(doc); err != nil {
		return prepared{errs: gqlerror.List{gqlerror.Wrap(err)}}
	}
	if errs := s.validate(doc.AST); len(errs) > 0 {
		return prepared{errs: errs}
	}
	return prepared{doc: &Document{doc, s.inputs.Prepare(doc.AST)}}
}

// allowAlone checks the limits of an operation that is the only one of its document, and
// so is the one to run, before the cost of validating it. Of several it is not known yet
// which will run.
func allowAlone(doc *limit.Document) error {
	if len(doc.AST.Operations) > 1 {
		return nil
	}
	return doc.Allow(doc.AST.Operations[0])
}

// errEnough ends a validation from within: the validator knows no other way to stop.
var errEnough = errors.New("enough errors")

// validate finds at most maxErrors errors, and one more that says so.
func (s *Store) validate(doc *ast.QueryDocument) (found gqlerror.List) {
	defer func() {
		if stopped := recover(); stopped != nil && stopped != errEnough {
			panic(stopped)
		}
	}()
	var events validator.Events
	events.OnField(shareTypename)
	for _, rule := range s.rules {
		rule.RuleFunc(&events, func(options ...validator.ErrorOption) {
			if len(found) == maxErrors {
				found = append(found, invalid("Too many validation errors, validation aborted."))
				panic(errEnough)
			}
			one := invalid("")
			for _, set := range options {
				set(one)
			}
			one.Rule = rule.Name
			found = append(found, one)
		})
	}
	validator.Walk(s.schema, doc, &events)
	return found
}

// typename is the definition of every __typename. The validator makes a new one for each,
// which is nearly half the memory of a document that asks for nothing else.
var typename = &ast.FieldDefinition{Name: "__typename", Type: ast.NamedType("String", nil)}

func shareTypename(_ *validator.Walker, field *ast.Field) {
	if field.Name == typename.Name {
		field.Definition = typename
	}
}

func invalid(message string) *gqlerror.Error {
	return &gqlerror.Error{
		Message:    message,
		Extensions: map[string]any{"code": string(fault.ValidationFailed)},
	}
}

// validationRules are gqlparser's in a fixed order, with our own for overlapping fields and
// for values.
func validationRules(suggestions bool, inputs *input.Reader) []validator.Rule {
	known := rules.NewDefaultRules().GetInner()
	known[overlappingFields.Name] = overlappingFields.RuleFunc
	known[rules.ValuesOfCorrectTypeRule.Name] = inputs.Rule().RuleFunc
	if !suggestions {
		for name, silent := range map[string]validator.Rule{
			rules.FieldsOnCorrectTypeRule.Name: rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
			rules.ScalarLeafsRule.Name:         rules.ScalarLeafsRuleWithoutSuggestions,
			rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
			rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
		} {
			known[name] = silent.RuleFunc
		}
	}
	var all []validator.Rule
	for _, name := range slices.Sorted(maps.Keys(known)) {
		all = append(all, validator.Rule{Name: name, RuleFunc: known[name]})
	}
	return all
}
