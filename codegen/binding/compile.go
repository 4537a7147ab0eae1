package binding

import (
	"cmp"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// Compile reads the directives of a schema that Load has validated. It adds guards that
// stand on types to the fields they concern. The documents of sources are read from beside
// the files that name them; what of them cannot be read stands in Document.Warnings. The
// error holds every mistake as Faults; even so, the graph has the bindings that are without,
// so that these can be held against documents.
func Compile(schema *ast.Schema, beside Beside) (*Graph, error) {
	c := &compiler{schema: schema, beside: beside, broken: map[*ast.Directive]bool{}, graph: &Graph{
		Entities: map[string]*Field{}, Abstract: map[string]*Choice{}, wire: map[[2]string]string{}, unclear: map[string]bool{},
	}}
	c.directives()
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
	c.guards()
	c.wireNames()
	c.listSizes()
	return c.graph, c.faults.OrNil()
}

// Beside is what a project has beside its schema. Nothing is a project with a schema alone.
type Beside struct {
	// Inert are the directives that are not ours and do nothing here.
	Inert []string
	// Calls tells whether a resolver by hand calls a service, which needs no binding
	// then. Nil: none does.
	Calls func(source string) bool
}

func (b Beside) calls(source string) bool { return b.Calls != nil && b.Calls(source) }

type compiler struct {
	schema *ast.Schema
	beside Beside
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

func (c *compiler) sources() {
	for _, d := range c.schema.SchemaDirectives.ForNames("source") {
		if c.broken[d] {
			continue
		}
		name := text(d, "name")
		if c.known(name) {
			c.faults.Add(RepeatedSource, d.Position, "the source %q is declared twice; keep one", name)
			continue
		}
		c.graph.Sources = append(c.graph.Sources, c.source(d))
	}
}

func (c *compiler) source(d *ast.Directive) *Source {
	s := &Source{Name: text(d, "name"), OpenAPI: text(d, "openapi"), Position: d.Position}
	b := &bindingCompiler{compiler: c, scopes: []Scope{Claims, Request, Env, Config}}
	s.Headers = b.headerList(given(d, "http"))
	s.Rules = b.rules(d, Rules{})
	if s.OpenAPI == "" {
		return s
	}
	var err error
	if s.Document, err = openapi.Read(filepath.ToSlash(filepath.Join(filepath.Dir(d.Position.Src.Name), s.OpenAPI))); err != nil {
		c.faults.Add(UnreadableDocument, d.Position, "the document of the source %q cannot be read: %v", s.Name, err)
		s.Document = nil
	}
	return s
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

// unusedSources refuses sources that no field is bound to. A binding with a mistake may be
// the one that uses it, so they are told of when nothing else is wrong.
func (c *compiler) unusedSources() {
	if len(c.faults) > 0 {
		return
	}
	for _, s := range c.graph.Sources {
		used := slices.ContainsFunc(c.graph.All(), func(f *Field) bool { return f.Source == s.Name })
		if !used && !c.beside.calls(s.Name) {
			c.faults.Add(UnusedSource, s.Position, "no field is bound to the source %q; bind one, or remove the source", s.Name)
		}
	}
}

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
	if isPage && (f.Batch == nil || f.Batch.Parent != nil) {
		b.result(d)
	}
	if s := c.graph.Source(f.Source); s != nil {
		f.Rules = b.rules(d, s.Rules)
	}
	if len(c.faults) > before {
		return nil
	}
	b.unusedArguments()
	return f
}

// result compiles how the answer is read.
func (b *bindingCompiler) result(d *ast.Directive) {
	text, t := given(d, "selection"), b.field.Definition.Type
	if text == nil && b.root && b.field.Call.Method != "GET" && t.NamedType == "Boolean" {
		b.field.Done = true
		return
	}
	if b.field.Batch != nil && isList(t) && isList(t.Elem) {
		b.faults.Add(BatchedListOfLists, b.field.Position, "%s is a list of lists, which a batch cannot answer; resolve it by hand in resolvers/", b.name())
		return
	}
	b.field.Reading = b.selection(text, d)
	if page := b.field.Page; page != nil && page.Items != nil && b.field.Reading != nil {
		graft(page.Items, b.field.Reading)
	}
	b.complete(b.field.Reading)
}

// selection compiles how the answer is read; without a text, by name.
func (b *bindingCompiler) selection(text *ast.Value, d *ast.Directive) *Reading {
	if text == nil {
		text = implied("$", d.Position)
	}
	e, ok := b.expression(text)
	if !ok {
		return nil
	}
	r := &readingCompiler{bindingCompiler: b, text: text}
	t := b.field.Definition.Type
	switch {
	case b.field.Page != nil:
		return r.value(e, b.field.Page.Node.Type)
	case b.field.Batch == nil:
		return r.value(e, t)
	case b.field.Batch.Parent.Type.Elem != nil && !isList(t):
		return nil // which is a fault already
	case b.field.Batch.Parent.Type.Elem != nil:
		t = t.Elem
	}
	if b.field.Batch.Item == "" {
		r.keyed = true
		return r.value(e, t)
	}
	item := t
	if isList(t) {
		item = t.Elem
	}
	return r.value(e, ast.NonNullListType(ast.NonNullNamedType(item.NamedType, item.Position), t.Position))
}

// complete refuses a selection without what the graph says is never null, or without the
// key by which a batch's items are matched.
func (b *bindingCompiler) complete(r *Reading) {
	if r == nil {
		return
	}
	if r.Op == Object {
		b.completeObject(r)
	}
	b.complete(r.Of)
	for _, f := range r.Fields {
		b.complete(f.Of)
	}
}

func (b *bindingCompiler) completeObject(r *Reading) {
	def, batch := b.schema.Types[r.Type.NamedType], b.field.Batch
	lacks := func(name string) bool {
		return !slices.ContainsFunc(r.Fields, func(f ReadField) bool { return f.Field.Name == name })
	}
	key := ""
	if batch != nil && batch.Item != "" && def.Name == b.field.Definition.Type.Name() && lacks(batch.Item) {
		key = batch.Item
		b.faults.addIn(NotSelected, r.value, r.offset, "the items are matched by %s.%s, which is not selected here; add %s", def.Name, key, key)
	}
	if b.isEntity(def) {
		return
	}
	var missing []string
	for _, f := range def.Fields {
		if Sent(f) && f.Type.NonNull && lacks(f.Name) && f.Name != key {
			missing = append(missing, f.Name)
		}
	}
	switch len(missing) {
	case 0:
	case 1:
		b.faults.addIn(NotSelected, r.value, r.offset, "%s.%s is never null, but is not selected here; add it, or declare it without its !", def.Name, missing[0])
	default:
		b.faults.addIn(NotSelected, r.value, r.offset, "%s of %s are never null, but are not selected here; add them, or declare them without their !", quoteAll(missing), def.Name)
	}
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
			switch d := v.directives.ForName("json"); {
			case d == nil:
			case c.broken[d]:
				c.graph.unclear[name] = true
			default:
				wire = text(d, "name")
				c.graph.wire[[2]string{name, v.name}] = wire
			}
			if other, twice := seen[wire]; twice {
				c.faults.Add(RepeatedWireName, v.position, "%s.%s and %s.%s are both %q to the services; give each its own @json(name:)", name, other, name, v.name, wire)
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
		if !d.Position.Src.BuiltIn && !vocabulary(d.Position) && !slices.Contains(c.beside.Inert, name) {
			c.faults.Add(ForeignDirective, d.Position, "nothing runs @%s; remove it, or name it in gqlgen.yml if it is for other tools: directives: {%s: {skip_runtime: true}}", name, name)
		}
	}
}

// goNames refuses a type that the resolvers have no room for: each type with resolvers
// becomes a method of resolvers.Resolver, beside its field Services.
func (c *compiler) goNames() {
	for _, object := range c.objects() {
		resolved := func(f *ast.FieldDefinition) bool { return !Sent(f) && !strings.HasPrefix(f.Name, "__") }
		if strings.EqualFold(object.Name, "services") && object.Kind == ast.Object && slices.ContainsFunc(object.Fields, resolved) {
			c.faults.Add(TakenGoName, object.Position, "the type %s would be a Go method of resolvers.Resolver, whose Services are there already; name it otherwise", object.Name)
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

// implied is a text that nobody has written: faults in it are reported at a whole.
func implied(text string, at *ast.Position) *ast.Value {
	return &ast.Value{Raw: text, Kind: ast.Variable, Position: at}
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
