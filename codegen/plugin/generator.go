package plugin

import (
	"fmt"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// The packages that generated code imports.
const (
	module        = "github.com/gatehouse-graphql/gatehouse/"
	graphqlPkg    = "github.com/99designs/gqlgen/graphql"
	authPkg       = module + "auth"
	planPkg       = module + "engine/plan"
	scalarPkg     = module + "engine/scalar"
	enginePkg     = module + "engine"
	factsPkg      = module + "engine/facts"
	introspectPkg = module + "engine/introspect"
	decodePkg     = module + "engine/decode"
	encodePkg     = module + "engine/encode"
	mappingPkg    = module + "engine/mapping"
	pagePkg       = module + "engine/page"
	upstreamsPkg  = module + "upstreams"
	restPkg       = module + "upstreams/rest"
	decoderMethod = "(*%sDecoder).%s"
)

// generator writes our files from the bindings and from gqlgen's data, which has the Go type for
// each type of the schema. The methods that begin a file (resolvers, codec, engine) have to run in
// this order: resolvers adds the decoders and the rules that the file shows.
type generator struct {
	data       *codegen.Data
	graph      *binding.Graph
	decoders   []decoderView // of the selections of bindings
	rules      []rulesView
	defaults   []defaultView
	methods    []Method                     // the handwritten resolvers
	codecNames map[string]string            // see codecName
	groups     map[*binding.Field]callGroup // see callGroups

	entityGuardFuncs []guardView       // guards of the fields whose calls complete objects
	fieldGuards      []fieldGuardsView // guards of the fields of these objects
}

// newFile begins a file of the package self. No import has one of the names in avoid.
func (g *generator) newFile(self string, avoid map[string]bool) *goFile {
	f := newGoFile(self, avoid)
	if pkg := g.data.Config.Packages.Load(g.modelPkg()); pkg != nil && pkg.Module != nil {
		f.module = pkg.Module.Path
	}
	return f
}

func (g *generator) graphPkg() string { return g.data.Config.Exec.ImportPath() }

func (g *generator) modelPkg() string { return g.data.Config.Model.ImportPath() }

// codecName returns the name of a type in the names of its decoder and encoder. It is that of its
// Go type, made unique: types of the same name may be in different packages.
func (g *generator) codecName(typeName string) string {
	if g.codecNames == nil {
		g.codecNames = map[string]string{}
		taken, interfaces := names{}, map[string]bool{} // gqlgen's interfaces of resolvers are in the same package
		for _, o := range g.data.Objects {
			interfaces[templates.UcFirst(o.Name)+"Resolver"] = true
		}
		isTaken := func(name string) bool { return interfaces["Decode"+name] || interfaces["Encode"+name] }
		for _, name := range slices.Sorted(maps.Keys(g.data.Config.Schema.Types)) {
			g.codecNames[name] = taken.name(g.goName(name), name, isTaken)
		}
	}
	return g.codecNames[typeName]
}

// objectNamed returns gqlgen's view of an object type or an input, nil when no type has the name.
// gqlgen's own search ignores case, and returns the first of two types whose names differ in case
// only.
func (g *generator) objectNamed(name string) *codegen.Object {
	for _, objects := range []codegen.Objects{g.data.Objects, g.data.Inputs} {
		if i := slices.IndexFunc(objects, func(o *codegen.Object) bool { return o.Name == name }); i >= 0 {
			return objects[i]
		}
	}
	return nil
}

// field returns gqlgen's view of a field, nil when the object has no such field.
func (g *generator) field(object, name string) *codegen.Field {
	for _, f := range g.objectNamed(object).Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// decoderOf writes the decoder of a type: an expression of type func(*decode.Decoder) T.
func (g *generator) decoderOf(f *goFile, tr *config.TypeReference) (string, error) {
	if tr.GQL.NonNull {
		return g.nonNullDecoder(f, tr)
	}
	maybe, inner := "NullOf", nonNull(tr, tr.GO)
	if pointer, ok := tr.GO.(*types.Pointer); ok && !isObject(tr) {
		maybe, inner.GO = "PtrOf", pointer.Elem()
	}
	decoder, err := g.nonNullDecoder(f, inner)
	return fmt.Sprintf("%s%s(%s)", f.use(decodePkg), maybe, decoder), err
}

// nonNull returns the non-null variant of a type, whose Go type is another one.
func nonNull(tr *config.TypeReference, goType types.Type) *config.TypeReference {
	inner, gql := *tr, *tr.GQL
	gql.NonNull = true
	inner.GQL, inner.GO = &gql, goType
	return &inner
}

// nonNullDecoder writes the decoder of a non-null type.
func (g *generator) nonNullDecoder(f *goFile, tr *config.TypeReference) (string, error) {
	if tr.GQL.Elem != nil {
		element, err := g.decoderOf(f, tr.Elem())
		list := "ListOf"
		if isObject(tr.Elem()) && g.graph.IsEntry(tr.Definition) {
			list = "EntriesOf"
		}
		return fmt.Sprintf("%s%s(%s)", f.use(decodePkg), list, element), err
	}
	switch tr.Definition.Kind {
	case ast.Object, ast.Enum, ast.Interface, ast.Union:
		return f.useNamed(g.graphPkg(), g.data.Config.Exec.Package) + "Decode" + g.codecName(tr.Definition.Name), nil
	case ast.Scalar:
		if s := g.graph.Scalar(tr.Definition.Name); s != nil {
			return fmt.Sprintf(decoderMethod, f.use(decodePkg), s.Name), nil
		}
	}
	return "", fmt.Errorf("no decoder for %s in responses of services, which is a bug of gatehouse", tr.Definition.Name)
}

// encoderOf writes the encoder of a type: an expression of type func(T) any, whose result is the
// wire value.
func (g *generator) encoderOf(f *goFile, tr *config.TypeReference) (string, error) {
	enc := f.use(encodePkg)
	if tr.GQL.Elem != nil {
		element, err := g.encoderOf(f, tr.Elem())
		return fmt.Sprintf("%sListOf(%s)", enc, element), err
	}
	if tr.Definition.Kind == ast.InputObject {
		return f.useNamed(g.graphPkg(), g.data.Config.Exec.Package) + "Encode" + g.codecName(tr.Definition.Name), nil // takes a pointer, nil for null
	}
	base, pointer := tr.GO, false
	if p, ok := tr.GO.(*types.Pointer); ok {
		base, pointer = p.Elem(), true
	}
	encoder, err := g.leafEncoder(f, tr.Definition, base)
	if pointer {
		encoder = fmt.Sprintf("%sPtrOf(%s)", enc, encoder)
	}
	return encoder, err
}

// leafEncoder writes the encoder of a scalar or an enum.
func (g *generator) leafEncoder(f *goFile, def *ast.Definition, goType types.Type) (string, error) {
	if def.Kind == ast.Enum {
		return f.useNamed(g.graphPkg(), g.data.Config.Exec.Package) + "Encode" + g.codecName(def.Name), nil
	}
	s := g.graph.Scalar(def.Name)
	if s == nil {
		return "", fmt.Errorf("no encoder for %s in requests to services, which is a bug of gatehouse", def.Name)
	}
	if function, generic := strings.CutSuffix(s.Encode, "[T]"); generic {
		return fmt.Sprintf("%s%s[%s]", f.use(encodePkg), function, f.typ(goType)), nil
	}
	return f.use(encodePkg) + s.Encode, nil
}

// wireValue writes the wire value of an expression of a type, in the shortest form.
func (g *generator) wireValue(f *goFile, expr string, tr *config.TypeReference) (string, error) {
	if tr.Definition.Kind == ast.InputObject && tr.GQL.Elem == nil {
		if _, pointer := tr.GO.(*types.Pointer); !pointer {
			expr = "&" + expr
		}
	}
	if _, basic := tr.GO.(*types.Basic); basic && tr.Definition.Kind == ast.Scalar {
		return expr, nil
	}
	encoder, err := g.encoderOf(f, tr)
	if err != nil {
		return "", err
	}
	enc := f.use(encodePkg)
	if inner, ok := unwrap(encoder, enc+"PtrOf("); ok {
		return fmt.Sprintf("%sPtr(%s, %s)", enc, expr, inner), nil
	}
	if inner, ok := unwrap(encoder, enc+"ListOf("); ok {
		return fmt.Sprintf("%sList(%s, %s)", enc, expr, inner), nil
	}
	function, _, _ := strings.Cut(encoder, "[") // its type argument follows from expr
	return fmt.Sprintf("%s(%s)", function, expr), nil
}

// unwrap removes prefix and the closing parenthesis from an expression. It reports whether the
// expression begins with prefix.
func unwrap(expr, prefix string) (string, bool) {
	if !strings.HasPrefix(expr, prefix) {
		return "", false
	}
	return expr[len(prefix) : len(expr)-1], true
}

func isObject(tr *config.TypeReference) bool {
	return tr.GQL.Elem == nil && tr.Definition.Kind == ast.Object
}

// typeName returns the name of a named type, or of the type that a pointer points to.
func typeName(t types.Type) string {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Obj().Name()
	}
	return t.String()
}
