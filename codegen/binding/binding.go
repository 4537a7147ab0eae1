// Package binding compiles the directives of a schema: which call answers a field, where the values
// of the call come from, how its response is read, and who may see the field.
//
// Load parses a schema, and Compile turns it into a Graph, from which the other packages of codegen
// generate code, check documents and estimate costs. The package reads the syntax tree of the schema
// alone. It reports every mistake of a run as Faults, each with file, line, column and the Code of the
// check that found it, which explanations/CODE.md explains.
package binding

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// Graph is the result of compiling a schema's directives.
type Graph struct {
	Sources []*Source
	Fields  []*Field // the bindings of fields, ordered by type, then as in the schema's text
	// Entities holds the bindings of types by the names of the types.
	Entities map[string]*Field
	// Completions holds the fields at which objects come with some of their fields only.
	Completions []*Completion
	// Discriminators holds how the types of interfaces and unions are told apart, by their names.
	Discriminators map[string]*Discriminator
	// Statements are what directives state of parts of the schema, in the order of the types' names.
	Statements []Statement

	wire         map[[2]string]string // @json(name:) by type and member
	aliases      map[string]string    // scalars by the names of those that are the same
	literals     map[[2]string]bool   // the enum values whose @json is a number or a Boolean
	invalidNames map[string]bool      // types whose @json is not valid
	facts        map[[2]string][]Fact // what directives say of a type's field at run time
	isIncomplete bool
}

// Source is a REST service.
type Source struct {
	Name     string
	OpenAPI  string            // the path of its document as the schema writes it; "" for none
	Document *openapi.Document // nil if there is none, or if it cannot be read
	Headers  []Param           // of every call
	Query    []Param           // of every call
	Rules    Rules
	Ignores  []*Ignore // for the findings of all of its bindings
	// ExternalSecurity is set where the credentials of the document's security schemes come from outside of
	// the schema, so that calls are not searched for them.
	ExternalSecurity bool
	Position         *ast.Position
}

// Rules determine whether a call succeeded, and what its failure means to clients. A nil Success
// accepts every 2xx status; a nil Message leaves the gateway's own text.
type Rules struct {
	NullOn     []int // the statuses that mean null, sorted
	Success    *Value
	Message    *Value
	Extensions *Value
}

// Field is the binding of a field, or of a type whose objects a call completes.
type Field struct {
	Object *ast.Definition
	// Definition is the bound field. For the binding of a type it has no name, and the type itself
	// as its type.
	Definition *ast.FieldDefinition
	Position   *ast.Position // of its @connect
	Source     string
	Call       Call
	// Extraction is how the value is read from the response: with a batch the list or map of all
	// items, with a page one item. It is nil when Done.
	Extraction         *Extraction
	SelectionVariables []*Value // the variables that Reading uses
	Batch              *Batch   // nil for a call for each parent
	Page               *Page    // nil unless the field is a connection
	Rules              Rules    // the binding's own, else its source's
	OnError            OnError  // what the value is when the service fails
	Ignores            []*Ignore

	// ReportsSuccess is set for a Boolean without a selection whose value is that the call succeeded.
	ReportsSuccess bool
	// UndocumentedResponse goes with Done, where no document says that the response has no body. A response
	// that has a body is the value then, and has to be true or false.
	UndocumentedResponse bool

	// Completion is set where the field's objects come with some of their fields only.
	Completion *Completion
	ID         string // the binding's name in the schema; "" stands for Type.field
	Entity     bool   // the field can fetch any object of its type by its key
	// QueryField is the field of Query whose call a type's binding makes; nil for a call of its own.
	QueryField *Field
}

// Name returns Type.field, or the name of the type for the binding of a type.
func (f *Field) Name() string {
	if f.Definition.Name == "" {
		return f.Object.Name
	}
	return f.Object.Name + "." + f.Definition.Name
}

// Call is one HTTP call with places for values.
type Call struct {
	Method    string             // in upper case
	Template  string             // path and query as written
	Position  *ast.Position      // of Template, or of the operation's name
	Operation *openapi.Operation // nil if the binding writes the call itself
	Path      []Part
	Query     []Param
	Headers   []Param
	Cookies   []Param
	Body      *Value
	Encoding  Encoding
	MediaType string // the body's media type if it is not the default of Encoding
	Fields    []FormField
	// Idempotent is set where the schema says that the call may be repeated without harm.
	Idempotent bool
	// Timeout is how long each call may take; 0 stands for the timeout of the source in the settings.
	Timeout time.Duration
}

// Encoding is how a body is written.
type Encoding string

// The encodings.
const (
	JSON      Encoding = "JSON"
	Form      Encoding = "FORM"
	Multipart Encoding = "MULTIPART"
	Text      Encoding = "TEXT" // in calls by operation only
)

// FormField says how a member of a form or of a multipart body is written.
type FormField struct {
	Name        string
	Style       FieldStyle
	ContentType string  // of a part; "" for the default
	Headers     []Param // of a part
	Documented  bool    // the service's document says so, not the binding
}

// FieldStyle is how a list or an object in a form is written, by its name in a schema.
type FieldStyle string

// The styles. The empty one repeats the name of a list.
const (
	Repeated    FieldStyle = "REPEATED"
	CommaList   FieldStyle = "COMMAS"
	SpaceList   FieldStyle = "SPACES"
	PipeList    FieldStyle = "PIPES"
	TabList     FieldStyle = "TABS"
	Brackets    FieldStyle = "BRACKETS"
	Indices     FieldStyle = "INDICES"
	SpreadField FieldStyle = "SPREAD"
	JSONField   FieldStyle = "JSON"
)

// Param is a query parameter, a header or a cookie. The name of a query parameter by http may have
// percent-encodings, see PlainName.
type Param struct {
	Name    string
	Parts   []Part
	Explode bool               // repeat the parameter for each element of its one value, a list
	JSON    bool               // the one value is written as JSON
	Style   *openapi.Parameter // how a document describes its form; nil in calls by http
}

// PlainName returns the name without percent-encodings, as documents write it.
func (p *Param) PlainName() string {
	if p.Style == nil {
		if name, err := url.PathUnescape(p.Name); err == nil {
			return name
		}
	}
	return p.Name
}

// Part is literal text, or one value.
type Part struct {
	Literal string
	Value   *Value
	Style   *openapi.Parameter // how a document describes the form of a value in a path
}

// Batch is one call for many parents.
type Batch struct {
	ParentKey *ast.FieldDefinition // the parent's field that holds the key, or a list of keys
	ItemKey   string               // the field of the items that holds their key; "" if the response is an object by key
	MaxSize   int                  // the most keys in one call; 0 for any number
	MaxLength int                  // of the URL of a call with several keys, and of each header, in bytes
}

// DefaultMaxLength is the default of Batch.MaxLength. RFC 9110 (section 4.1) recommends that every
// server accepts URIs of 8000 bytes.
const DefaultMaxLength = 8000

// WireName returns the name by which services know a type's field, or a value of an enum.
func (g *Graph) WireName(object, member string) string {
	if wire, ok := g.wire[[2]string{object, member}]; ok {
		return wire
	}
	return member
}

// WireLiteral returns a value of an enum as JSON: a quoted text, a number or a Boolean.
func (g *Graph) WireLiteral(enum, value string) string {
	text := g.WireName(enum, value)
	if !g.literals[[2]string{enum, value}] {
		return marshalJSON(text)
	}
	return text
}

// Facts returns what the directives of a type's field say of it at run time, each fact once.
func (g *Graph) Facts(object, field string) []Fact { return g.facts[[2]string{object, field}] }

// IsEntry reports whether a type has the fields key and value and no others. Lists of such a type are
// also read from objects whose members have any name, where each member is an entry.
func (g *Graph) IsEntry(def *ast.Definition) bool {
	names := propertyNames(def)
	slices.Sort(names)
	return def.Kind == ast.Object && slices.Equal(names, []string{"key", "value"}) &&
		g.WireName(def.Name, "key") == "key" && g.WireName(def.Name, "value") == "value"
}

// Source returns the source of a name, nil if there is none.
func (g *Graph) Source(name string) *Source {
	for _, s := range g.Sources {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Bindings returns the bindings of fields and of types.
func (g *Graph) Bindings() []*Field {
	all := slices.Clone(g.Fields)
	for _, name := range slices.Sorted(maps.Keys(g.Entities)) {
		all = append(all, g.Entities[name])
	}
	return all
}

// FullCall returns a binding's call with what its source adds to every call: headers and parameters of
// the query that the call does not have itself.
func (g *Graph) FullCall(f *Field) Call {
	call, s := f.Call, g.Source(f.Source)
	if s == nil {
		return call
	}
	call.Headers = slices.Concat(without(s.Headers, call.Headers, strings.EqualFold), call.Headers)
	call.Query = slices.Concat(call.Query, without(s.Query, call.Query, func(a, b string) bool { return a == b }))
	return call
}

// without returns the parameters whose names others do not have.
func without(params, others []Param, same func(a, b string) bool) []Param {
	return slices.DeleteFunc(slices.Clone(params), func(p Param) bool {
		return slices.ContainsFunc(others, func(o Param) bool { return same(o.Name, p.Name) })
	})
}

// PathTemplate returns the call's path with {} in the place of each value, by which documents are
// searched.
func (c *Call) PathTemplate() string {
	var b strings.Builder
	for _, p := range c.Path {
		if p.Value != nil {
			p.Literal = "{}"
		}
		b.WriteString(p.Literal)
	}
	return b.String()
}

// Variables returns all variables that a call takes.
func (c *Call) Variables() []*Value {
	all := c.headVariables()
	if c.Body != nil {
		all = slices.AppendSeq(all, c.Body.Variables())
	}
	return all
}

// headVariables returns the variables that a call takes outside of its body.
func (c *Call) headVariables() []*Value {
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
	for _, f := range c.Fields {
		for _, h := range f.Headers {
			for _, part := range h.Parts {
				add(part.Value)
			}
		}
	}
	return all
}

// Equal reports whether two sets of rules are written alike.
func (r Rules) Equal(other Rules) bool {
	return slices.Equal(r.NullOn, other.NullOn) && equalValues(r.Success, other.Success) && equalValues(r.Message, other.Message) && equalValues(r.Extensions, other.Extensions)
}

// IsZero reports whether there are no rules.
func (r Rules) IsZero() bool { return r.Equal(Rules{}) }

func equalValues(a, b *Value) bool {
	return a == b || a != nil && b != nil && a.sourceText() == b.sourceText()
}

// HasInvalidNames reports whether a directive that names members of a type is not valid. That is a fault of
// its own, so checks of these names skip the type.
func (g *Graph) HasInvalidNames(object string) bool { return g.invalidNames[object] }

// CarriesKeys reports whether the call sends the keys of a batch.
func (c *Call) CarriesKeys() bool {
	return slices.ContainsFunc(c.Variables(), func(v *Value) bool { return v.Scope == Keys })
}

// CarriesKeysInHead reports whether the call sends the keys of a batch in its URL, headers or cookies,
// whose length servers bound.
func (c *Call) CarriesKeysInHead() bool {
	return slices.ContainsFunc(c.headVariables(), func(v *Value) bool { return v.Scope == Keys })
}

// ParentFields returns the names of the parent's fields that the binding takes with $this, each once, in
// order.
func (f *Field) ParentFields() []string {
	var names []string
	for _, v := range slices.Concat(f.Call.Variables(), f.SelectionVariables) {
		if v.Scope == This && !slices.Contains(names, v.Path[0]) {
			names = append(names, v.Path[0])
		}
	}
	return names
}
