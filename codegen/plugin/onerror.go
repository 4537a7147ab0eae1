package plugin

import (
	"encoding/json"
	"fmt"
	"go/types"
	"strings"
	"time"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// defaultView is a function that returns the value of onError: DEFAULT. Its strings are Go text unless
// said.
type defaultView struct {
	Name   string
	For    string // the binding, for comments; not Go
	GoType string // of the result
	Value  string // the result; "" for the objects of a type
	Struct string // the type of the objects; "" for a field
	Fields []defaultFieldView
}

// defaultFieldView is a field that an object of a type gets, unless it came with the object.
type defaultFieldView struct {
	Name string // in the graph; not Go
	Go   string
	Read string
}

// onError fills in how a method degrades: OnError is the call around its results, and Fail what the
// method of a page returns after an error.
func (g *generator) onError(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) error {
	m.Fail = "nil, err"
	function, typeArgument := "", ""
	switch b.OnError.Mode {
	case binding.NullOnError:
		function, typeArgument = "NullOnError", fmt.Sprintf("[%s]", m.Result)
	case binding.DefaultOnError:
		value, err := g.literal(f, b.OnError.Default, field.TypeReference)
		if err != nil {
			return err
		}
		view := defaultView{Name: f.declare("default"+m.reader.name, "default of "+b.Name()), For: b.Name(), GoType: m.Result, Value: value}
		g.defaults = append(g.defaults, view)
		function, typeArgument = "DefaultOnError", fmt.Sprintf("(%s)", view.Name)
	case binding.StaleOnError:
		m.Stale = true
		return nil
	default:
		return nil
	}
	engine := f.use(enginePkg)
	m.Fail = fmt.Sprintf("%s%s%s(nil, err)", engine, function, typeArgument)
	if b.OnError.Mode == binding.NullOnError {
		typeArgument = "" // is inferred
	}
	if m.Join != nil {
		m.Fail = "nil, err"
		function = strings.Replace(function, "OnError", "EachOnError", 1)
	}
	m.OnError = engine + function + typeArgument
	if b.Page != nil && m.Join == nil {
		m.OnError = ""
	}
	return nil
}

// entityOnError fills in what an object has when it cannot be completed.
func (g *generator) entityOnError(f *goFile, b *binding.Field, v *entityView) error {
	switch b.OnError.Mode {
	case binding.NullOnError:
		v.NullOnError = true
	case binding.DefaultOnError:
		view := defaultView{Name: f.declare("default"+v.reader.name, "default of "+b.Name()), For: b.Object.Name, GoType: v.Result, Struct: v.GoType}
		for _, member := range b.OnError.Default.Children {
			field := g.field(b.Object.Name, member.Name)
			if member.Name == "__typename" || field == nil {
				continue
			}
			value, err := g.literal(f, member.Value, field.TypeReference)
			if err != nil {
				return err
			}
			view.Fields = append(view.Fields, defaultFieldView{field.Name, field.GoFieldName, value})
		}
		f.use("slices")
		g.defaults = append(g.defaults, view)
		v.DefaultOnError = view.Name
	}
	return nil
}

// stale writes the argument of upstreams.FetchStale that says how long responses are kept.
func (g *generator) stale(f *goFile, b *binding.Field, rules string) string {
	text := fmt.Sprintf("%sStale{MaxAge: %s", f.use(upstreamsPkg), goDuration(f, b.OnError.MaxAge))
	if rules != "" {
		text += fmt.Sprintf(", Rules: %q", rules)
	}
	return text + "}"
}

// goDuration writes a duration in its largest unit.
func goDuration(f *goFile, d time.Duration) string {
	name := f.use("time")
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"}, {time.Millisecond, "Millisecond"}} {
		if d == unit.size {
			return name + unit.name
		}
		if d%unit.size == 0 {
			return fmt.Sprintf("%d*%s%s", d/unit.size, name, unit.name)
		}
	}
	return fmt.Sprintf("%sDuration(%d)", name, d)
}

// literal writes a literal of an output type, which package binding has checked, as a Go expression.
func (g *generator) literal(f *goFile, v *ast.Value, tr *config.TypeReference) (string, error) {
	switch {
	case v.Kind == ast.NullValue:
		return "nil", nil
	case tr.GQL.Elem != nil:
		elements := make([]string, len(v.Children))
		for i, child := range v.Children {
			var err error
			if elements[i], err = g.literal(f, child.Value, tr.Elem()); err != nil {
				return "", err
			}
		}
		return fmt.Sprintf("%s{%s}", f.typ(tr.GO), strings.Join(elements, ", ")), nil
	case tr.Definition.IsCompositeType():
		return g.objectLiteral(f, v, tr)
	}
	base, pointer := tr.GO, false
	if p, ok := base.(*types.Pointer); ok {
		base, pointer = p.Elem(), true
	}
	expr, err := g.leafLiteral(f, v, tr, base)
	if pointer {
		expr = "new(" + expr + ")"
	}
	return expr, err
}

// objectLiteral writes an object, whose type is that of its __typename in the place of an interface or
// a union.
func (g *generator) objectLiteral(f *goFile, v *ast.Value, tr *config.TypeReference) (string, error) {
	name := tr.Definition.Name
	if concrete := v.Children.ForName("__typename"); concrete != nil {
		name = concrete.Raw
	}
	o := g.objectNamed(name)
	var members []string
	for _, child := range v.Children {
		field := g.field(name, child.Name)
		if child.Name == "__typename" || field == nil || !g.isSent(name, field) {
			continue
		}
		value, err := g.literal(f, child.Value, field.TypeReference)
		if err != nil {
			return "", err
		}
		members = append(members, field.GoFieldName+": "+value)
	}
	pointer := "&"
	if _, isStruct := tr.GO.Underlying().(*types.Struct); isStruct {
		pointer = ""
	}
	between, end := ", ", ""
	if all := strings.Join(members, between); len(all) > longArguments || strings.Contains(all, "\n") {
		between, end = ",\n", ",\n"
		members[0] = "\n" + members[0]
	}
	return fmt.Sprintf("%s%s{%s%s}", pointer, f.typ(o.Type), strings.Join(members, between), end), nil
}

// leafLiteral writes a scalar or the value of an enum.
func (g *generator) leafLiteral(f *goFile, v *ast.Value, tr *config.TypeReference, base types.Type) (string, error) {
	if basic, ok := base.(*types.Basic); ok {
		switch basic.Kind() {
		case types.String:
			return goLiteral(v.Raw), nil
		case types.Int, types.Bool:
			return v.Raw, nil
		case types.Int64, types.Float64:
			return fmt.Sprintf("%s(%s)", basic.Name(), v.Raw), nil
		}
	}
	if u, ok := base.Underlying().(*types.Basic); ok && u.Kind() == types.String && tr.Definition.Kind == ast.Enum && !tr.HasEnumValues() {
		return fmt.Sprintf("%s(%q)", f.typ(base), v.Raw), nil
	}
	text := jsonLiteral(v)
	if tr.Definition.Kind == ast.Enum {
		text = g.graph.WireLiteral(tr.Definition.Name, v.Raw)
	}
	decoder, err := g.nonNullDecoder(f, nonNull(tr, base))
	return fmt.Sprintf("%sLiteral(%s, %s)", f.use(decodePkg), goLiteral(text), decoder), err
}

// jsonLiteral returns a literal of GraphQL as JSON.
func jsonLiteral(v *ast.Value) string {
	parts := make([]string, len(v.Children))
	for i, child := range v.Children {
		parts[i] = jsonLiteral(child.Value)
		if v.Kind == ast.ObjectValue {
			parts[i] = jsonText(child.Name) + ":" + parts[i]
		}
	}
	switch v.Kind {
	case ast.ListValue:
		return "[" + strings.Join(parts, ",") + "]"
	case ast.ObjectValue:
		return "{" + strings.Join(parts, ",") + "}"
	case ast.StringValue, ast.BlockValue:
		return jsonText(v.Raw)
	case ast.NullValue:
		return "null"
	}
	return v.Raw
}

// jsonText returns a text as JSON.
func jsonText(s string) string {
	text, _ := json.Marshal(s) // no string fails
	return string(text)
}
