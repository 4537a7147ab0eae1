package binding

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Compile reads the directives of a schema that Load has validated. It adds guards that
// stand on types to the fields they concern. The directives named inert are not ours and
// do nothing here. The error holds every mistake as Faults.
func Compile(schema *ast.Schema, inert ...string) (*Graph, error) {
	return CompileWith(schema, Beside{Inert: inert})
}

// Beside is what a project has beside its schema.
type Beside struct {
	// Inert are the directives that are not ours and do nothing here.
	Inert []string
	// Calls tells whether a resolver by hand calls a service, which needs no binding
	// then. Nil: none does.
	Calls func(source string) bool
}

// CompileWith is Compile for a schema that is not alone.
func CompileWith(schema *ast.Schema, beside Beside) (*Graph, error) {
	if beside.Calls == nil {
		beside.Calls = func(string) bool { return false }
	}
	c := &compiler{schema: schema, inert: beside.Inert, calls: beside.Calls, graph: &Graph{wire: map[[2]string]string{}}, broken: map[*ast.Directive]bool{}}
	c.directives()
	c.sources()
	for _, object := range c.objects() {
		for _, field := range object.Fields {
			c.field(object, field)
		}
	}
	c.unusedSources()
	c.foreignDirectives()
	c.goNames()
	c.guards()
	c.wireNames()
	if err := c.faults.OrNil(); err != nil {
		return nil, err
	}
	return c.graph, nil
}

type compiler struct {
	schema *ast.Schema
	inert  []string
	calls  func(source string) bool
	graph  *Graph
	broken map[*ast.Directive]bool // those whose arguments make no sense
	faults Faults
}

// objects are the schema's own object types in the order of its text.
func (c *compiler) objects() []*ast.Definition {
	types := slices.DeleteFunc(slices.Collect(maps.Values(c.schema.Types)), func(d *ast.Definition) bool {
		return d.BuiltIn || d.Kind != ast.Object && d.Kind != ast.Interface
	})
	slices.SortFunc(types, func(a, b *ast.Definition) int { return cmp.Compare(a.Name, b.Name) })
	return types
}

func (c *compiler) sources() {
	for _, d := range c.schema.SchemaDirectives.ForNames("source") {
		if c.broken[d] {
			continue
		}
		name := text(d, "name")
		if c.known(name) {
			c.faults.Add(d.Position, "the source %q is declared twice; keep one", name)
			continue
		}
		c.graph.Sources = append(c.graph.Sources, Source{Name: name, OpenAPI: text(d, "openapi"), Position: d.Position})
	}
}

func (c *compiler) known(source string) bool {
	return slices.Contains(c.sourceNames(), source)
}

func (c *compiler) sourceNames() []string {
	names := make([]string, len(c.graph.Sources))
	for i, s := range c.graph.Sources {
		names[i] = s.Name
	}
	return names
}

func (c *compiler) unusedSources() {
	for _, s := range c.graph.Sources {
		used := slices.ContainsFunc(c.graph.Fields, func(f *Field) bool { return f.Source == s.Name })
		if !used && !c.calls(s.Name) && len(c.faults) == 0 {
			c.faults.Add(s.Position, "no field is bound to the source %q; bind one, or remove the source", s.Name)
		}
	}
}

// field compiles a field's binding, if it has one.
func (c *compiler) field(object *ast.Definition, field *ast.FieldDefinition) {
	if returned := c.schema.Types[field.Type.Name()]; c.isRoot(returned) {
		c.faults.Add(field.Type.Position, "%s is where operations begin, so no field can return it; return what you want of it", returned.Name)
	}
	d := field.Directives.ForName("connect")
	switch {
	case d == nil:
		if object.Kind == ast.Object && !c.isRoot(object) && len(field.Arguments) > 0 && Sent(field) {
			c.faults.Add(field.Arguments[0].Position, "%s.%s has arguments, but nothing uses them; bind the field with @connect, or answer it by hand with @goField(forceResolver: true)", object.Name, field.Name)
		}
	case c.broken[d]:
	case object.Kind == ast.Interface:
		c.faults.Add(d.Position, "%s.%s is a field of an interface; bind it on the types that implement %s", object.Name, field.Name, object.Name)
	case object == c.schema.Subscription:
		c.faults.Add(d.Position, "%s.%s is a subscription, and a call answers only once; resolve it by hand in resolvers/", object.Name, field.Name)
	case byHand(field):
		c.faults.Add(d.Position, "%s.%s is bound by @connect and answered by hand with @goField(forceResolver: true); remove one of them", object.Name, field.Name)
	default:
		c.connect(object, field, d)
	}
}

// connect compiles one @connect.
func (c *compiler) connect(object *ast.Definition, field *ast.FieldDefinition, d *ast.Directive) {
	f := &Field{Object: object, Definition: field, Position: d.Position, Source: text(d, "source")}
	if !c.known(f.Source) {
		c.faults.Add(d.Arguments.ForName("source").Value.Position, "there is no source %q%s", f.Source, DidYouMean(f.Source, c.sourceNames()))
	}
	b := &bindingCompiler{compiler: c, field: f, root: c.isRoot(object), used: map[string]bool{}}
	before := len(c.faults)
	b.batch(d)
	b.call(d)
	b.selection(d)
	b.result()
	if len(c.faults) > before {
		return
	}
	f.Done = b.root && f.Call.Method != "GET" && field.Type.NamedType == "Boolean" && f.Root == nil
	b.unusedArguments()
	c.graph.Fields = append(c.graph.Fields, f)
}

func (c *compiler) isRoot(object *ast.Definition) bool {
	return object == c.schema.Query || object == c.schema.Mutation || object == c.schema.Subscription
}

// wireNames refuses two fields of a type that read the same member, or two values of
// an enum that are the same text, since neither can be told from the other.
func (c *compiler) wireNames() {
	for _, name := range slices.Sorted(maps.Keys(c.schema.Types)) {
		def := c.schema.Types[name]
		if def.BuiltIn || vocabulary(def.Position) {
			continue
		}
		seen := map[string]string{}
		for _, v := range named(def) {
			wire := v.name
			if d := v.directives.ForName("json"); d != nil && !c.broken[d] {
				wire = text(d, "name")
				c.graph.wire[[2]string{name, v.name}] = wire
			}
			if other, twice := seen[wire]; twice {
				c.faults.Add(v.position, "%s.%s and %s.%s are both %q to the services; give each its own @json(name:)", name, other, name, v.name, wire)
			}
			seen[wire] = v.name
		}
	}
}

// foreignDirectives refuses directives that are declared beside ours, unless they are for
// other tools: nothing runs them, and who reads the schema might rely on it.
func (c *compiler) foreignDirectives() {
	for _, name := range slices.Sorted(maps.Keys(c.schema.Directives)) {
		d := c.schema.Directives[name]
		if !d.Position.Src.BuiltIn && !vocabulary(d.Position) && !slices.Contains(c.inert, name) {
			c.faults.Add(d.Position, "nothing runs @%s; remove it, or name it in gqlgen.yml if it is for other tools: directives: {%s: {skip_runtime: true}}", name, name)
		}
	}
}

// goNames refuses a type that the resolvers have no room for: each type with resolvers
// becomes a method of resolvers.Resolver, beside its field Services.
func (c *compiler) goNames() {
	for _, object := range c.objects() {
		resolved := func(f *ast.FieldDefinition) bool { return !Sent(f) && !strings.HasPrefix(f.Name, "__") }
		if strings.EqualFold(object.Name, "services") && object.Kind == ast.Object && slices.ContainsFunc(object.Fields, resolved) {
			c.faults.Add(object.Position, "the type %s would be a Go method of resolvers.Resolver, whose Services are there already; name it otherwise", object.Name)
		}
	}
}

type member struct {
	name       string
	directives ast.DirectiveList
	position   *ast.Position
}

// named lists the fields that a service sends or is sent, or the values of an enum.
func named(def *ast.Definition) []member {
	var members []member
	for _, f := range def.Fields {
		if Sent(f) {
			members = append(members, member{f.Name, f.Directives, f.Position})
		}
	}
	for _, v := range def.EnumValues {
		members = append(members, member{v.Name, v.Directives, v.Position})
	}
	return members
}

// vocabulary tells whether a declaration belongs to our directives, not to the graph.
func vocabulary(pos *ast.Position) bool {
	return pos != nil && pos.Src != nil && pos.Src.Name == VocabularyFile
}

// text is the raw value of a directive's argument, "" when it is not given.
func text(d *ast.Directive, name string) string {
	if arg := d.Arguments.ForName(name); arg != nil {
		return arg.Value.Raw
	}
	return ""
}

// child is a member of an input object's literal, nil when it is not given or null.
func child(v *ast.Value, name string) *ast.Value {
	if v == nil {
		return nil
	}
	m := v.Children.ForName(name)
	if m == nil || m.Kind == ast.NullValue {
		return nil
	}
	return m
}

// elements are those of a list's literal; one value is a list of one.
func elements(v *ast.Value) []*ast.Value {
	switch {
	case v == nil:
		return nil
	case v.Kind != ast.ListValue:
		return []*ast.Value{v}
	}
	all := make([]*ast.Value, len(v.Children))
	for i, child := range v.Children {
		all[i] = child.Value
	}
	return all
}

func number(v *ast.Value) int {
	if v == nil {
		return 0
	}
	n, _ := strconv.Atoi(v.Raw)
	return n
}

func isList(t *ast.Type) bool { return t.Elem != nil }

// quoteAll writes names for people: a, b and c.
func quoteAll(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}
