package binding

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// Compile reads the directives of a valid schema. It adds guards that stand on types
// to the fields they concern, and returns every fault it finds.
func Compile(schema *ast.Schema) (*Graph, error) {
	c := &compiler{schema: schema, graph: &Graph{wire: map[[2]string]string{}}}
	c.sources()
	for _, object := range c.objects() {
		for _, field := range object.Fields {
			if d := field.Directives.ForName("connect"); d != nil {
				c.connect(object, field, d)
			}
		}
	}
	c.unusedSources()
	c.guards()
	c.wireNames()
	if len(c.faults) > 0 {
		return nil, c.faults.sorted()
	}
	return c.graph, nil
}

type compiler struct {
	schema *ast.Schema
	graph  *Graph
	faults Faults
}

func (c *compiler) fault(pos *ast.Position, format string, args ...any) {
	c.faults = append(c.faults, faultAt(pos, 0, format, args...))
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
		name := text(d, "name")
		if c.known(name) {
			c.fault(d.Position, "the source %q is declared twice; keep one", name)
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
		if !used && len(c.faults) == 0 {
			c.fault(s.Position, "no field is bound to the source %q; bind one, or remove the source", s.Name)
		}
	}
}

// connect compiles one @connect.
func (c *compiler) connect(object *ast.Definition, field *ast.FieldDefinition, d *ast.Directive) {
	if object.Kind == ast.Interface {
		c.fault(d.Position, "%s.%s is a field of an interface; bind it on the types that implement %s", object.Name, field.Name, object.Name)
		return
	}
	f := &Field{Object: object, Definition: field, Position: d.Position, Source: text(d, "source")}
	if !c.known(f.Source) {
		c.fault(d.Arguments.ForName("source").Value.Position, "there is no source %q%s", f.Source, didYouMean(f.Source, c.sourceNames()))
	}
	b := &bindingCompiler{compiler: c, field: f, root: c.isRoot(object)}
	before := len(c.faults)
	b.batch(d)
	b.call(d)
	b.selection(d)
	b.result()
	if len(c.faults) == before {
		c.graph.Fields = append(c.graph.Fields, f)
	}
}

func (c *compiler) isRoot(object *ast.Definition) bool {
	return object == c.schema.Query || object == c.schema.Mutation || object == c.schema.Subscription
}

// wireNames refuses two fields of a type that read the same member, or two values of
// an enum that are the same text, since neither can be told from the other.
func (c *compiler) wireNames() {
	for _, name := range slices.Sorted(maps.Keys(c.schema.Types)) {
		def := c.schema.Types[name]
		if def.BuiltIn || vocabulary(def) {
			continue
		}
		seen := map[string]string{}
		for _, v := range named(def) {
			wire := v.name
			if d := v.directives.ForName("json"); d != nil {
				wire = text(d, "name")
				c.graph.wire[[2]string{name, v.name}] = wire
			}
			if other, twice := seen[wire]; twice {
				c.fault(v.position, "%s.%s and %s.%s are both %q to the services; give each its own @json(name:)", name, other, name, v.name, wire)
			}
			seen[wire] = v.name
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
		if sent(f) {
			members = append(members, member{f.Name, f.Directives, f.Position})
		}
	}
	for _, v := range def.EnumValues {
		members = append(members, member{v.Name, v.Directives, v.Position})
	}
	return members
}

// vocabulary tells whether a type belongs to our directives, not to the graph.
func vocabulary(def *ast.Definition) bool {
	return def.Position != nil && def.Position.Src != nil && def.Position.Src.Name == VocabularyFile
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
