// Package limit owns what an operation may ask: how long its text is, how deep it
// nests, how many fields, aliases and directives it has once its fragments are put in
// their places.
//
// It promises to find out in time and memory linear in the length of the text, before
// anything validates it, whichever way the text came in; and that what it lets pass
// can be parsed and walked without deep recursion. It knows no schema.
// All functions are safe for concurrent use.
package limit

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Document is a parsed document with the counts of its operations.
// It does not change after Read, apart from what a validator notes in AST.
type Document struct {
	// AST is the parsed document. It has at least one operation and no fragment
	// that contains itself.
	AST *ast.QueryDocument

	// Tokens is how many tokens the text has: a measure of the memory AST takes.
	Tokens int

	limits     Options
	operations map[*ast.OperationDefinition]counts
}

// counts are those of one operation.
type counts struct {
	sums
	roots int
}

// Read parses query and refuses what no operation in it may ask. Its error is a
// *gqlerror.Error with the place of a syntax error and the code GRAPHQL_PARSE_FAILED,
// or a *fault.Error that names the limit. What only the chosen operation must keep to,
// Allow tells.
func Read(query string, o Options) (*Document, error) {
	o = o.withDefaults()
	tokens, err := scan(query, o)
	if err != nil {
		return nil, err
	}
	if err := checkLexemes(query); err != nil {
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

// parse is for a text that was scanned.
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

// count fills in the counts of each operation, and checks those of the document:
// the validator walks every operation and every fragment, used or not.
func (d *Document) count() error {
	c := newCounter(d.AST)
	var all sums
	for _, op := range d.AST.Operations {
		found, err := c.set(op.SelectionSet, 0)
		if err != nil {
			return err
		}
		found = found.and(sums{directives: len(op.Directives)})
		d.operations[op] = counts{sums: found, roots: c.roots(op)}
		all = all.and(found)
	}
	for _, fragment := range d.AST.Fragments {
		if _, used := c.known[fragment]; used {
			continue
		}
		found, err := c.fragment(fragment, 0)
		if err != nil {
			return err
		}
		all = all.and(found)
	}
	if over(all.selections, d.limits.Selections) {
		return broken(fault.MaxSelections, "the document", "selections, fragments put in their places",
			all.selections, d.limits.Selections)
	}
	return nil
}

// Allow refuses an operation of the document that asks more than one may.
// Its error is a *fault.Error with the number and the limit in its text.
func (d *Document) Allow(op *ast.OperationDefinition) error {
	found := d.operations[op]
	for _, limit := range []struct {
		kind    fault.Code
		what    string
		count   int
		allowed int
	}{
		{fault.MaxDepth, "levels of fields", found.depth, d.limits.Depth},
		{fault.MaxDepth, "levels of introspection", found.introspection, introspectionDepth},
		{fault.MaxAliases, "aliases", found.aliases, d.limits.Aliases},
		{fault.MaxRootFields, "root fields", found.roots, d.limits.RootFields},
		{fault.MaxDirectives, "directives", found.directives, d.limits.Directives},
	} {
		if over(limit.count, limit.allowed) {
			return broken(limit.kind, "the operation", limit.what, limit.count, limit.allowed)
		}
	}
	return nil
}

// Introspects tells whether op asks for the schema. __typename does not.
func (d *Document) Introspects(op *ast.OperationDefinition) bool {
	return d.operations[op].introspection > 0
}

func broken(kind fault.Code, whose, what string, count, limit int) error {
	many := fmt.Sprint(count)
	if count >= ceiling {
		many = "over " + fmt.Sprint(ceiling-1)
	}
	return fault.New(kind, "%s has %s %s; the limit is %d", whose, many, what, limit)
}
