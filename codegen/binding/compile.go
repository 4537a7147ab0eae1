package binding

import (
	"cmp"
	"maps"
	"path"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// Compile compiles the directives of a schema that Load has validated. It adds the guards of types
// to the fields of the schema that they protect, and removes interfaces from the possible types. It
// reads the documents of sources, whose paths are relative to the schema's files; Document.Warnings
// returns what it cannot read of a document.
// The error holds every mistake as Faults. The graph is valid in that case too: it has the bindings
// without mistakes, so that they can be compared with the documents in the same run.
func Compile(schema *ast.Schema, beside CompileOptions) (*Graph, error) {
	c := &compiler{schema: schema, options: beside, invalid: map[*ast.Directive]bool{}, graph: &Graph{
		Entities: map[string]*Field{}, Discriminators: map[string]*Discriminator{}, wire: map[[2]string]string{}, literals: map[[2]string]bool{}, aliases: map[string]string{}, invalidNames: map[string]bool{},
		facts: map[[2]string][]Fact{},
	}}
	keepObjects(schema)
	c.checkDirectives()
	c.checkDefaultValues()
	for _, d := range Directives {
		if d.compile != nil {
			d.compile(c)
		}
	}
	c.spreadGuards()
	c.collectFacts()
	c.collectStatements()
	c.checkReachability()
	c.checkForeignDirectives()
	c.checkResolverNames()
	c.checkFieldNames()
	c.checkTypeNames()
	return c.graph, c.faults.Err()
}

// CompileOptions describes the project around a schema. The zero value is a project that has a
// schema alone.
type CompileOptions struct {
	// InertDirectives names the directives that are not ours and that nothing runs.
	InertDirectives []string
	// CallsSource reports whether a handwritten resolver calls a source, which then needs no binding. Nil
	// means that none does.
	CallsSource func(source string) bool
	// ReadDocument reads the OpenAPI document of a source. Nil means openapi.Read.
	ReadDocument func(path string) (*openapi.Document, error)
}

func (b CompileOptions) readDocument(path string) (*openapi.Document, error) {
	if b.ReadDocument == nil {
		return openapi.Read(path)
	}
	return b.ReadDocument(path)
}

func (b CompileOptions) callsSource(source string) bool {
	return b.CallsSource != nil && b.CallsSource(source)
}

type compiler struct {
	schema  *ast.Schema
	options CompileOptions
	graph   *Graph
	invalid map[*ast.Directive]bool // directives whose arguments are not valid; they are not compiled
	faults  Faults
}

// compileBindings compiles every @connect, and then what depends on all bindings together.
func (c *compiler) compileBindings() {
	for _, object := range c.objectTypes() {
		c.compileEntity(object)
		for _, field := range object.Fields {
			c.compileField(object, field)
		}
	}
	c.compileEntityFields()
	c.findCompletions()
	c.checkNullCompletions()
	c.checkIDs()
	c.checkUnusedSources()
}

// collectFacts collects what directives state of fields at run time. It runs after guards are
// spread.
func (c *compiler) collectFacts() {
	for _, object := range c.objectTypes() {
		for _, field := range object.Fields {
			if facts := factsOf(field); len(facts) > 0 {
				c.graph.facts[[2]string{object.Name, field.Name}] = facts
			}
		}
	}
}

// objectTypes returns the schema's own object and interface types in the order of their names.
func (c *compiler) objectTypes() []*ast.Definition { return c.typesOf(ast.Object, ast.Interface) }

// typesOf returns the schema's own types of some kinds in the order of their names.
func (c *compiler) typesOf(kinds ...ast.DefinitionKind) []*ast.Definition {
	types := slices.DeleteFunc(slices.Collect(maps.Values(c.schema.Types)), func(d *ast.Definition) bool {
		return d.BuiltIn || !slices.Contains(kinds, d.Kind)
	})
	slices.SortFunc(types, compareNames)
	return types
}

func compareNames(a, b *ast.Definition) int { return cmp.Compare(a.Name, b.Name) }

// compileField compiles a field's binding, if the field has one.
func (c *compiler) compileField(object *ast.Definition, field *ast.FieldDefinition) {
	if returned := c.schema.Types[field.Type.Name()]; c.isRoot(returned) {
		c.faults.Add(RootReturned, field.Type.Position, "operations begin at %s, so no field can return it; return the type that clients need", returned.Name)
	}
	d := field.Directives.ForName("connect")
	switch {
	case d == nil:
		if object.Kind == ast.Object && !c.isRoot(object) && len(field.Arguments) > 0 && IsProperty(field) {
			c.faults.Add(UnusedArgument, field.Arguments[0].Position, "%s.%s has arguments, but nothing uses them; bind the field with @connect, or resolve it by hand with @goField(forceResolver: true)", object.Name, field.Name)
		}
	case c.invalid[d]:
	case object.Kind == ast.Interface:
		c.faults.Add(BoundInterface, d.Position, "%s.%s is a field of an interface; bind it on the types that implement %s", object.Name, field.Name, object.Name)
	case object == c.schema.Subscription:
		c.faults.Add(BoundSubscription, d.Position, "%s.%s is a subscription, and a call has only one response; resolve it by hand in resolvers/", object.Name, field.Name)
	case isHandwritten(field):
		c.faults.Add(BoundAndHandwritten, d.Position, "%s.%s is bound by @connect and resolved by hand with @goField(forceResolver: true); remove one of them", object.Name, field.Name)
	default:
		c.addBinding(object, field, d)
	}
}

// addBinding compiles one @connect of a field and adds it to the graph.
func (c *compiler) addBinding(object *ast.Definition, field *ast.FieldDefinition, d *ast.Directive) {
	f := c.newField(object, field, d)
	if f = c.compileBinding(f, d); f == nil {
		c.graph.isIncomplete = true
		return
	}
	c.graph.Fields = append(c.graph.Fields, f)
}

// compileBinding compiles the @connect of a field or of a type. It returns nil after a fault.
// The order of the steps matters: batch and pagination determine which variables the call may take,
// the call determines the keys of a batch and the size of a page, and the selection depends on
// both.
func (c *compiler) compileBinding(f *Field, d *ast.Directive) *Field {
	b := &bindingCompiler{compiler: c, directive: d, field: f, scopes: requestScopes, isRootField: c.isRoot(f.Object), usedArguments: map[string]bool{}}
	before := len(c.faults)
	f.Ignores = c.compileIgnores(d)
	b.compileBatch(d)
	b.compilePagination(d)
	isPage := len(c.faults) == before
	b.compileCall(d)
	if b.isUnknownCall { // what the call lacks would be reported for each argument
		return nil
	}
	if len(c.faults) == before {
		b.settlePage()
	}
	f.Call.Timeout = b.compileTimeout(d)
	if s := c.graph.Source(f.Source); s != nil {
		f.Rules = b.compileRules(d, s.Rules)
	}
	if isPage && (f.Batch == nil || f.Batch.ParentKey != nil) {
		b.compileResult(d)
	}
	b.checkNullOn(d)
	b.compileOnError(d)
	if len(c.faults) > before {
		return nil
	}
	b.checkUnusedArguments()
	return f
}

// newField begins a binding.
func (c *compiler) newField(object *ast.Definition, field *ast.FieldDefinition, d *ast.Directive) *Field {
	f := &Field{Object: object, Definition: field, Position: d.Position, Source: argumentText(d, "source"), ID: argumentText(d, "id")}
	if !c.hasSource(f.Source) && !c.hasInvalidSource(f.Source) {
		c.faults.Add(UnknownSource, d.Arguments.ForName("source").Value.Position, "there is no source %q%s", f.Source, DidYouMean(f.Source, c.sourceNames()))
	}
	return f
}

func (c *compiler) isRoot(object *ast.Definition) bool {
	return object == c.schema.Query || object == c.schema.Mutation || object == c.schema.Subscription
}

// isOwnDeclaration reports whether a declaration belongs to our directives, not to the project's
// schema.
func isOwnDeclaration(pos *ast.Position) bool {
	return pos != nil && pos.Src != nil && path.Dir(pos.Src.Name) == declarationDir
}

func isList(t *ast.Type) bool { return t.Elem != nil }
