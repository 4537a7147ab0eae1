// Package binding says what the directives of a schema mean: which call answers a
// field, where its values come from, who may see it. It reads the schema's syntax
// tree alone, and reports every mistake of a run with file, line and column.
package binding

import (
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// Graph is what a schema's directives say.
type Graph struct {
	Sources      []*Source
	Fields       []*Field             // ordered by type, then as in the schema's text
	Entities     map[string]*Field    // bindings of types, by the type's name
	Completions  []*Completion        // the fields whose objects an entity's binding completes
	Abstract     map[string]*Choice   // how the types of interfaces and unions are told apart
	wire         map[[2]string]string // type and member -> @json(name:)
	invalidNames map[string]bool      // types with an @json that makes no sense
	facts        map[[2]string][]Fact // what directives say of a type's field at run time
}

// Source is a REST service.
type Source struct {
	Name     string
	OpenAPI  string
	Document *openapi.Document // nil when there is none, or it cannot be read
	Headers  []Param           // of every call
	Rules    Rules
	Position *ast.Position
}

// Rules say when a call went well, and what its failure means. Nil values leave it at HTTP's
// status and our own texts.
type Rules struct {
	Success    *Value
	Message    *Value
	Extensions *Value
}

// Field is a field bound to a call, or a type whose objects a call completes.
type Field struct {
	Object     *ast.Definition
	Definition *ast.FieldDefinition // of a type's binding, one without a name that gives the type
	Position   *ast.Position        // of its @connect
	Source     string
	Call       Call
	Reading    *Extraction // how the value is read from the answer: of a batch its list or map, of a page one item; nil when Done
	Given      []*Value    // the variables that Reading takes
	Batch      *Batch      // nil: a call for each parent
	Page       *Page       // nil unless the field is a connection
	Rules      Rules       // the binding's own, else its source's
	Done       bool        // the value is only that the call went well: a Boolean that nothing selects

	// Undescribed goes with Done: no document says that the call has no answer. One that has a
	// body is the value, which has to be true or false.
	Undescribed bool

	Completes *Completion // the field's objects come with some of their fields only; nil: with all
	ID        string      // as the schema names the binding; "" is Type.field
	Entity    bool        // the field can be asked for any object of its type by its key
	Root      *Field      // of a type's binding, the field of Query whose call it is; nil: the type's own
}

// Name is the field's for people: Type.field, or the type's own for a type's binding.
func (f *Field) Name() string {
	if f.Definition.Name == "" {
		return f.Object.Name
	}
	return f.Object.Name + "." + f.Definition.Name
}

// Call is one HTTP call with places for values.
type Call struct {
	Method     string             // upper case
	Template   string             // path and query as written
	Position   *ast.Position      // of Template, or of the operation's name
	Operation  *openapi.Operation // nil when the binding writes the call itself
	Path       []Part
	Query      []Param
	Headers    []Param
	Cookies    []Param
	Body       *Value
	Encoding   Encoding
	Media      string // the body's media type where it is not the encoding's own
	Idempotent bool
}

// Encoding is how a body is written.
type Encoding string

// The encodings.
const (
	JSON      Encoding = "JSON"
	Form      Encoding = "FORM"
	Multipart Encoding = "MULTIPART"
	Text      Encoding = "TEXT" // only by operation
)

// Param is a query parameter, a header or a cookie.
type Param struct {
	Name  string
	Parts []Part
	Each  bool               // repeated for each element of its one list value
	Style *openapi.Parameter // how a document says that it is written; nil: as http says
}

// Part is literal text, or one value.
type Part struct {
	Literal string
	Value   *Value
	Style   *openapi.Parameter // of a path's value, by operation
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

// Facts returns what the directives of a type's field say of it at run time, each fact once.
func (g *Graph) Facts(object, field string) []Fact { return g.facts[[2]string{object, field}] }

// IsEntry tells whether a type is a member of an object whose members have any name: it has a
// key and a value, and lists of it are read from such objects too.
func (g *Graph) IsEntry(def *ast.Definition) bool {
	names := propertyNames(def)
	slices.Sort(names)
	return def.Kind == ast.Object && slices.Equal(names, []string{"key", "value"}) &&
		g.WireName(def.Name, "key") == "key" && g.WireName(def.Name, "value") == "value"
}

// Source finds a source by its name, nil when there is none.
func (g *Graph) Source(name string) *Source {
	for _, s := range g.Sources {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// All are the bindings of fields and of types.
func (g *Graph) All() []*Field {
	all := slices.Clone(g.Fields)
	for _, name := range slices.Sorted(maps.Keys(g.Entities)) {
		all = append(all, g.Entities[name])
	}
	return all
}

// Variables are all variables that a call takes.
func (c *Call) Variables() []*Value {
	var all []*Value
	add := func(v *Value) {
		if v != nil {
			all = slices.AppendSeq(all, v.Variables())
		}
	}
	for _, p := range c.Path {
		add(p.Value)
	}
	for _, p := range slices.Concat(c.Query, c.Headers, c.Cookies) {
		for _, part := range p.Parts {
			add(part.Value)
		}
	}
	add(c.Body)
	return all
}

// Changed are the expressions by which keys and parents' fields are changed on their way into
// the call, as they stand in the schema. Two calls may differ in nothing else.
func (c *Call) Changed() []string {
	var all []string
	for _, v := range c.Variables() {
		if (v.Scope == Keys || v.Scope == This) && !v.Plain() {
			all = append(all, v.sourceText())
		}
	}
	return all
}

// Equal reports whether two sets of rules say the same, wherever they stand.
func (r Rules) Equal(other Rules) bool {
	return equalValues(r.Success, other.Success) && equalValues(r.Message, other.Message) && equalValues(r.Extensions, other.Extensions)
}

func equalValues(a, b *Value) bool {
	return a == b || a != nil && b != nil && a.sourceText() == b.sourceText()
}

// Unclear tells that a type's wire names are not all known, which is a fault of its own.
func (g *Graph) Unclear(object string) bool { return g.invalidNames[object] }

// CarriesKeys tells whether the call says for which keys of a batch it asks.
func (c *Call) CarriesKeys() bool {
	return slices.ContainsFunc(c.Variables(), func(v *Value) bool { return v.Scope == Keys })
}

// Own are the parent's fields that the binding takes one by one, each once, in order.
func (f *Field) Own() []string {
	var names []string
	for _, v := range slices.Concat(f.Call.Variables(), f.Given) {
		if v.Scope == This && !slices.Contains(names, v.Path[0]) {
			names = append(names, v.Path[0])
		}
	}
	return names
}
