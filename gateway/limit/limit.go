// Package limit bounds the size of an operation: the length of its text, its depth, and the number of
// its fields, aliases and directives with all fragments expanded.
//
// It promises that checking a text takes time and memory linear in its length and precedes
// validation, and that an accepted text can be parsed and walked without deep recursion. It does
// not know the schema. All functions are safe for concurrent use.
package limit

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Document is a parsed document with the counts of its operations. Only a validator changes it, which
// writes definitions into AST.
type Document struct {
	// AST is the parsed document. It has at least one operation, and no fragment of it spreads
	// itself.
	AST *ast.QueryDocument

	// Tokens is the number of tokens in the text, a measure of the memory that AST takes.
	Tokens int

	limits     Options
	operations map[*ast.OperationDefinition]counts
}

// counts are the counts of one operation.
type counts struct {
	sums
	rootFields int
}

// Parse parses a query and checks the limits of documents; Check checks those of one operation. Its
// error is a *gqlerror.Error with the place of a syntax error and the code GRAPHQL_PARSE_FAILED, or
// a *fault.Error that names the limit.
func Parse(query string, o Options) (*Document, error) {
	o = o.withDefaults()
	tokens, err := scan(query, o)
	if err != nil {
		return nil, err
	}
	if err := checkLexicalTokens(query); err != nil {
		return nil, err
	}
	doc, err := parse(query)
	if err != nil {
		return nil, err
	}
	d := &Document{AST: doc, Tokens: tokens, limits: o, operations: map[*ast.OperationDefinition]counts{}}
	if err := d.count(); err != nil {
		return nil, err
	}
	return d, nil
}

// parse parses a text that scan has accepted, so that the recursion of the parser is bounded.
func parse(query string) (*ast.QueryDocument, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		return nil, syntaxError(err)
	}
	if len(doc.Operations) == 0 {
		return nil, fault.New(fault.ParseFailed, "the document has no operation")
	}
	return doc, nil
}

// syntaxError returns an error of gqlparser with its code.
func syntaxError(err error) error {
	syntax := gqlerror.WrapIfUnwrapped(err)
	syntax.Extensions = map[string]any{"code": string(fault.ParseFailed)}
	return syntax
}

// count counts each operation and checks the counts of the whole document, since the validator walks
// all operations and all fragments, those that are not spread included.
func (d *Document) count() error {
	c := newCounter(d.AST)
	var all sums
	for _, op := range d.AST.Operations {
		found, err := c.selectionSet(op.SelectionSet, 0)
		if err != nil {
			return err
		}
		found = found.plus(sums{directives: len(op.Directives)})
		d.operations[op] = counts{sums: found, rootFields: c.rootFields(op)}
		all = all.plus(found)
	}
	for _, fragment := range d.AST.Fragments {
		if _, used := c.counted[fragment]; used {
			continue
		}
		found, err := c.fragment(fragment, 0)
		if err != nil {
			return err
		}
		all = all.plus(found)
	}
	if exceeds(all.selections, d.limits.Selections) {
		return exceededError(fault.MaxSelections, "the document", "selections with its fragments expanded",
			all.selections, d.limits.Selections)
	}
	return nil
}

// Check checks the limits of one operation of the document. Its error is a *fault.Error with the count
// and the limit in its text.
func (d *Document) Check(op *ast.OperationDefinition) error {
	found := d.operations[op]
	for _, limit := range []struct {
		code    fault.Code
		what    string
		count   int
		allowed int
	}{
		{fault.MaxDepth, "levels of fields", found.depth, d.limits.Depth},
		{fault.MaxDepth, "levels of introspection", found.introspection, introspectionDepth},
		{fault.MaxAliases, "aliases", found.aliases, d.limits.Aliases},
		{fault.MaxRootFields, "root fields", found.rootFields, d.limits.RootFields},
		{fault.MaxDirectives, "directives", found.directives, d.limits.Directives},
	} {
		if exceeds(limit.count, limit.allowed) {
			return exceededError(limit.code, "the operation", limit.what, limit.count, limit.allowed)
		}
	}
	return nil
}

// Introspects reports whether op selects __schema or __type.
func (d *Document) Introspects(op *ast.OperationDefinition) bool {
	return d.operations[op].introspection > 0
}

// exceededError returns the error for a count above a limit. Counting stops at ceiling.
func exceededError(code fault.Code, whose, what string, count, limit int) error {
	many := fmt.Sprint(count)
	if count >= ceiling {
		many = "over " + fmt.Sprint(ceiling-1)
	}
	return fault.New(code, "%s has %s %s; the limit is %d", whose, many, what, limit)
}
