// Package document parses and validates queries within the limits, and remembers the documents
// by the text of the query.
//
// It promises that refusing a query takes little time: limits are checked before the query is
// parsed and validated, validation stops after a few errors, and the rule of overlapping fields,
// which takes quadratic time and more in gqlparser, takes linear time here.
package document

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/gatehouse-graphql/gatehouse/engine/cache"
	"github.com/gatehouse-graphql/gatehouse/engine/cost"
	"github.com/gatehouse-graphql/gatehouse/engine/input"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

// maxErrors is the number of errors after which validation stops, since each takes time and
// makes the response longer.
const maxErrors = 20

// Options are the settings of a Store. The zero value has all limits at their defaults.
type Options struct {
	// Limits bound each document.
	Limits limit.Options
	// Size is how many documents are remembered, in up to 16 KB of memory each on average.
	// Default 1,000; a negative number remembers none.
	Size int
	// Suggestions adds "Did you mean ...?" to validation errors, which shows names of the
	// schema to all clients. Default false.
	Suggestions bool
	// Inputs reads the values in documents and those of variables. By default it is a reader
	// that accepts any value of a custom scalar; NewStore then panics if a default value in the
	// schema does not fit its type.
	Inputs *input.Coercer
}

// Document is a document that is valid and within the limits. It is not changed once it is made,
// except for what Costs remembers.
type Document struct {
	*limit.Document
	// ID identifies the document by its text: the SHA-256 of it, in lower-case hexadecimal digits. It
	// is what clients of persisted documents compute.
	ID string
	// Inputs reads the variables of the document's operations.
	Inputs *input.Document
	// Costs remembers how the costs of the operations are computed, if anything asks for them.
	Costs cost.Programs
}

// Store returns documents and remembers them by the text of their queries. It is safe for
// concurrent use.
type Store struct {
	schema *ast.Schema
	limits limit.Options
	inputs *input.Coercer
	rules  []validator.Rule
	cache  *cache.Cache[string, outcome]
}

// NewStore returns a store of documents that are valid for the schema.
func NewStore(schema *ast.Schema, o Options) *Store {
	if o.Inputs == nil {
		o.Inputs = acceptAllScalars(schema, o.Suggestions)
	}
	return &Store{
		schema: schema,
		limits: o.Limits,
		inputs: o.Inputs,
		rules:  validationRules(o.Suggestions, o.Inputs),
		cache:  newCache(o.Size),
	}
}

// acceptAllScalars returns the default of Options.Inputs.
func acceptAllScalars(schema *ast.Schema, suggestions bool) *input.Coercer {
	inputs, err := input.NewCoercer(schema, input.Options{Suggestions: suggestions})
	if err != nil {
		panic(err)
	}
	return inputs
}

// Get returns the document of a query, or the errors for which it must not be executed: parse
// and validation errors, which have codes, or one error that wraps a *fault.Error for a limit
// that the query exceeds. Callers with equal queries share the document and must not change it.
// If several of them call Get at the same time, the document is made once; a caller whose ctx
// ends meanwhile gets the error of ctx.
func (s *Store) Get(ctx context.Context, query string) (*Document, gqlerror.List) {
	if cached, ok := s.cache.Get(query); ok {
		return cached.doc, nil
	}
	loaded, err := s.cache.Load(ctx, query, func() (outcome, int) {
		o := s.prepare(query)
		return o, o.weight(query)
	})
	if err != nil {
		return nil, gqlerror.List{gqlerror.Wrap(err)}
	}
	return loaded.copy()
}

// Pin prepares the document of a query and keeps it, beside the size of the store, until Unpin has been
// called as often as Pin. It returns an estimate of its memory in bytes. A query with errors is not
// kept.
func (s *Store) Pin(query string) (doc *Document, bytes int, errs gqlerror.List) {
	made, bytes, _ := s.cache.Pin(query, func() (outcome, int) {
		o := s.prepare(query)
		return o, o.weight(query)
	})
	doc, errs = made.copy()
	return doc, max(bytes, 0), errs
}

// Unpin undoes one Pin that has returned a document.
func (s *Store) Unpin(query string) { s.cache.Unpin(query) }

// prepare parses and validates a query.
func (s *Store) prepare(query string) outcome {
	doc, err := limit.Parse(query, s.limits)
	if err != nil {
		return outcome{errs: gqlerror.List{gqlerror.WrapIfUnwrapped(err)}}
	}
	if err := checkSingleOperation(doc); err != nil {
		return outcome{errs: gqlerror.List{gqlerror.Wrap(err)}}
	}
	if errs := s.validate(doc.AST); len(errs) > 0 {
		return outcome{errs: errs}
	}
	return outcome{doc: &Document{Document: doc, ID: idOf(query), Inputs: s.inputs.Prepare(doc.AST)}}
}

// idOf returns the Document.ID of a query.
func idOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}

// checkSingleOperation checks the limits of the operation in a document that has no other one,
// so that an operation beyond its limits is not validated. Of several operations it is not known
// here which one will be executed; the executor checks that one.
func checkSingleOperation(doc *limit.Document) error {
	if len(doc.AST.Operations) > 1 {
		return nil
	}
	return doc.Check(doc.AST.Operations[0])
}

// errTooMany is the panic that ends a validation: the validator has no other way to stop.
var errTooMany = errors.New("too many errors")

// validate returns at most maxErrors errors, and one more that says that validation stopped.
func (s *Store) validate(doc *ast.QueryDocument) (errs gqlerror.List) {
	defer func() {
		if p := recover(); p != nil && p != errTooMany {
			panic(p)
		}
	}()
	var events validator.Events
	events.OnField(shareTypename)
	for _, rule := range s.rules {
		rule.RuleFunc(&events, func(options ...validator.ErrorOption) {
			if len(errs) == maxErrors {
				errs = append(errs, validationError("Too many validation errors, validation aborted."))
				panic(errTooMany)
			}
			err := validationError("")
			for _, set := range options {
				set(err)
			}
			err.Rule = rule.Name
			errs = append(errs, err)
		})
	}
	validator.Walk(s.schema, doc, &events)
	return errs
}

// typename is the definition of all __typename fields. The validator makes one for each field,
// which is nearly half of the memory of a document with no other fields.
var typename = &ast.FieldDefinition{Name: "__typename", Type: ast.NamedType("String", nil)}

// shareTypename replaces the definition that the validator made.
func shareTypename(_ *validator.Walker, field *ast.Field) {
	if field.Name == typename.Name {
		field.Definition = typename
	}
}

func validationError(message string) *gqlerror.Error {
	return &gqlerror.Error{
		Message:    message,
		Extensions: map[string]any{"code": string(fault.ValidationFailed)},
	}
}

// validationRules returns the rules of gqlparser in a fixed order, with our own rules for
// overlapping fields and for values.
func validationRules(suggestions bool, inputs *input.Coercer) []validator.Rule {
	known := rules.NewDefaultRules().GetInner()
	known[overlappingFields.Name] = overlappingFields.RuleFunc
	known[rules.ValuesOfCorrectTypeRule.Name] = inputs.Rule().RuleFunc
	if !suggestions {
		for name, rule := range map[string]validator.Rule{
			rules.FieldsOnCorrectTypeRule.Name: rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
			rules.ScalarLeafsRule.Name:         rules.ScalarLeafsRuleWithoutSuggestions,
			rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
			rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
		} {
			known[name] = rule.RuleFunc
		}
	}
	var all []validator.Rule
	for _, name := range slices.Sorted(maps.Keys(known)) {
		all = append(all, validator.Rule{Name: name, RuleFunc: known[name]})
	}
	return all
}
