// Package binding says what the directives of a schema mean: which call answers a
// field, where its values come from, who may see it. It reads the schema's syntax
// tree alone, and reports every mistake of a run with file, line and column.
package binding

import (
	_ "embed"

	"github.com/vektah/gqlparser/v2/ast"
)

// Vocabulary is the SDL of our directives, for gqlgen, editors and documentation.
//
//go:embed vocabulary.graphqls
var Vocabulary string

// VocabularyFile is the name under which Vocabulary stands among the schema's sources.
const VocabularyFile = "gatehouse/vocabulary.graphqls"

// Graph is what a schema's directives say.
type Graph struct {
	Sources []Source
	Fields  []*Field // ordered by type, then as in the schema's text

	wire    map[[2]string]string // type and member -> @json(name:)
	unclear map[string]bool      // types with an @json that makes no sense
}

// Source is a REST service.
type Source struct {
	Name     string
	OpenAPI  string
	Position *ast.Position
}

// Field is a field bound to a call.
type Field struct {
	Object     *ast.Definition
	Definition *ast.FieldDefinition
	Position   *ast.Position // of its @connect
	Source     string
	Call       Call
	Root       []string // the members that lead to the value in the answer
	Batch      *Batch   // nil: a call for each parent
	Done       bool     // the value is only that the call went well: a Boolean that nothing selects
}

// Call is one HTTP call with places for values.
type Call struct {
	Method     string        // upper case
	Template   string        // path and query as written
	Position   *ast.Position // of Template
	Path       []Part
	Query      []Param
	Headers    []Param
	Body       *Value
	Form       bool
	Idempotent bool
}

// Param is a query parameter or a header.
type Param struct {
	Name  string
	Parts []Part
	Each  bool // repeated for each element of its one list value
}

// Part is literal text, or one value.
type Part struct {
	Literal string
	Value   *Value
}

// Scope says where a value comes from.
type Scope string

// The scopes of values.
const (
	Args   Scope = "args"
	This   Scope = "this"
	Keys   Scope = "batch"
	Claims Scope = "claims"
)

// Value is a variable of a template.
type Value struct {
	Scope Scope
	Path  []string  // of an argument and its members, a parent's field, or a claim
	Type  *ast.Type // of the value; nil for claims
}

// Batch is one call for many parents.
type Batch struct {
	Parent  *ast.FieldDefinition // the parent's field that holds the key, or a list of keys
	Item    string               // the returned item's field that holds its key; "" when the answer is a map
	MaxSize int                  // 0: any number
}

// WireName is what the services call a type's field, or an enum's value.
func (g *Graph) WireName(object, member string) string {
	if wire, ok := g.wire[[2]string{object, member}]; ok {
		return wire
	}
	return member
}

// Unclear tells that a type's wire names are not all known, which is a fault of its own.
func (g *Graph) Unclear(object string) bool { return g.unclear[object] }
