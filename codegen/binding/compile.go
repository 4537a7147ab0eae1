package binding

import (
	"cmp"
	"maps"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// Compile reads the directives of a schema that Load has validated. It adds guards that
// stand on types to the fields they concern. The documents of sources are read from beside
// the files that name them; what of them cannot be read stands in Document.Warnings. The
// error holds every mistake as Faults; even so, the graph has the bindings that are without,
// so that these can be held against documents.
func Compile(schema *ast.Schema, beside CompileOptions) (*Graph, error) {
	c := &compiler{schema: schema, beside: beside, broken: map[*ast.Directive]bool{}, graph: &Graph{
		Entities: map[string]*Field{}, Abstract: map[string]*Choice{}, wire: map[[2]string]string{}, unclear: map[string]bool{},
	}}
	c.directives()
	c.defaultValues()
	c.sources()
	c.discriminators()
	for _, object := range c.objects() {
		c.entity(object)
		for _, field := range object.Fields {
			c.field(object, field)
		}
	}
	c.entityFields()
	c.completions()
	c.uniqueIDs()
	c.unusedSources()
	c.reach()
	c.foreignDirectives()
	c.goNames()
	c.fieldGoNames()
	c.typeGoNames()
	c.guards()
	c.wireNames()
	c.listSizes()
	return c.graph, c.faults.OrNil()
}

// CompileOptions is what a project has beside its schema. Nothing is a project with a schema alone.
type CompileOptions struct {
	// Inert are the directives that are not ours and do nothing here.
	Inert []string
	// Calls tells whether a resolver by hand calls a service, which needs no binding
	// then. Nil: none does.
	Calls func(source string) bool
	// ReadDocument reads the OpenAPI document of a source. Nil means openapi.Read.
	ReadDocument func(path string) (*openapi.Document, error)
}

func (b CompileOptions) readDocument(path string) (*openapi.Document, error) {
	if b.ReadDocument == nil {
		return openapi.Read(path)
	}
	return b.ReadDocument(path)
}

func (b CompileOptions) calls(source string) bool { return b.Calls != nil && b.Calls(source) }

type compiler struct {
	schema *ast.Schema
	beside CompileOptions
	graph  *Graph
	broken map[*ast.Directive]bool // those whose arguments make no sense
	faults Faults
}

// objects are the schema's own object types in the order of its text.
func (c *compiler) objects() []*ast.Definition { return c.types(ast.Object, ast.Interface) }

// types are the schema's own types of some kinds, in the order of their names.
func (c *compiler) types(kinds ...ast.DefinitionKind) []*ast.Definition {
	types := slices.DeleteFunc(slices.Collect(maps.Values(c.schema.Types)), func(d *ast.Definition) bool {
		return d.BuiltIn || !slices.Contains(kinds, d.Kind)
	})
	slices.SortFunc(types, byName)
	return types
}

func byName(a, b *ast.Definition) int { return cmp.Compare(a.Name, b.Name) }

// field compiles a field's binding, if it has one.
func (c *compiler) field(object *ast.Definition, field *ast.FieldDefinition) {
	if returned := c.schema.Types[field.Type.Name()]; c.isRoot(returned) {
		c.faults.Add(RootReturned, field.Type.Position, "%s is where operations begin, so no field can return it; return what you want of it", returned.Name)
	}
	d := field.Directives.ForName("connect")
	switch {
	case d == nil:
		if object.Kind == ast.Object && !c.isRoot(object) && len(field.Arguments) > 0 && Sent(field) {
			c.faults.Add(UnusedArgument, field.Arguments[0].Position, "%s.%s has arguments, but nothing uses them; bind the field with @connect, or answer it by hand with @goField(forceResolver: true)", object.Name, field.Name)
		}
	case c.broken[d]:
	case object.Kind == ast.Interface:
		c.faults.Add(BoundInterface, d.Position, "%s.%s is a field of an interface; bind it on the types that implement %s", object.Name, field.Name, object.Name)
	case object == c.schema.Subscription:
		c.faults.Add(BoundSubscription, d.Position, "%s.%s is a subscription, and a call answers only once; resolve it by hand in resolvers/", object.Name, field.Name)
	case byHand(field):
		c.faults.Add(BoundTwice, d.Position, "%s.%s is bound by @connect and answered by hand with @goField(forceResolver: true); remove one of them", object.Name, field.Name)
	default:
		c.connect(object, field, d)
	}
}

// connect compiles one @connect.
func (c *compiler) connect(object *ast.Definition, field *ast.FieldDefinition, d *ast.Directive) {
	f := c.newField(object, field, d)
	if f = c.compileField(f, d); f != nil {
		c.graph.Fields = append(c.graph.Fields, f)
	}
}

// compileField compiles what a @connect says of a field, or of a type. It is nil after a fault.
func (c *compiler) compileField(f *Field, d *ast.Directive) *Field {
	b := &bindingCompiler{compiler: c, directive: d, field: f, scopes: requestScopes, root: c.isRoot(f.Object), used: map[string]bool{}}
	before := len(c.faults)
	b.batch(d)
	b.pagination(d)
	isPage := len(c.faults) == before
	b.call(d)
	if len(c.faults) == before {
		b.pageCall()
	}
	if s := c.graph.Source(f.Source); s != nil {
		f.Rules = b.rules(d, s.Rules)
	}
	if isPage && (f.Batch == nil || f.Batch.Parent != nil) {
		b.result(d)
	}
	if len(c.faults) > before {
		return nil
	}
	b.unusedArguments()
	return f
}

// newField begins a binding.
func (c *compiler) newField(object *ast.Definition, field *ast.FieldDefinition, d *ast.Directive) *Field {
	f := &Field{Object: object, Definition: field, Position: d.Position, Source: text(d, "source"), ID: text(d, "id")}
	if !c.known(f.Source) {
		c.faults.Add(UnknownSource, d.Arguments.ForName("source").Value.Position, "there is no source %q%s", f.Source, DidYouMean(f.Source, c.sourceNames()))
	}
	return f
}

func (c *compiler) isRoot(object *ast.Definition) bool {
	return object == c.schema.Query || object == c.schema.Mutation || object == c.schema.Subscription
}

// vocabulary tells whether a declaration belongs to our directives, not to the graph.
func vocabulary(pos *ast.Position) bool {
	return pos != nil && pos.Src != nil && pos.Src.Name == VocabularyFile
}

func isList(t *ast.Type) bool { return t.Elem != nil }
