package plugin

import (
	_ "embed"
	"fmt"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

//go:embed engine.gotpl
var engineText string

var engineTemplate = template.Must(template.New("engine").Parse(engineText))

// engineLocals are the names of variables in the generated executor.
var engineLocals = setOf("x", "s", "f", "v", "w", "b", "g", "i", "j", "k", "ok", "fine", "obj", "objs", "op", "p", "buf", "fallback", "ctx", "fc", "err", "found", "start", "at", "faulty")

// engineView is what engine.gotpl shows.
type engineView struct {
	Plan, Engine, Graphql, Context, Errors, Ast string // package names with their dots
	Types                                       []*planType
	Values                                      []*planValue
	Inputs                                      []string // input objects that have an unmarshal function
	Scalars                                     []scalarView
	Mutation                                    bool
}

// planType is an object type. Its strings are Go text, but for Name.
type planType struct {
	Name   string
	Go     string // of a reference to an object; "struct{}" for a root type
	Root   bool
	Serial bool     // its fields are answered one after another
	Calls  bool     // resolvers are called for it or below it
	Keys   []string // the fields that generated code looks at, as they are
	Fields []*planField
}

// Obj is how an object is passed on to gqlgen's functions.
func (t *planType) Obj() string {
	if t.Root {
		return ""
	}
	return ", obj"
}

// Ordinal reports whether encoding needs an object's ordinal: for the answers of its
// resolvers, or as the parent of the objects in it.
func (t *planType) Ordinal() bool {
	return slices.ContainsFunc(t.Fields, func(f *planField) bool { return !f.Property || f.Composite() })
}

// planField is a field of an object type.
type planField struct {
	ID                 int
	Type, Name         string // in the graph
	Property, Fallback bool   // otherwise its resolver is called
	Batch              bool
	Facts              []binding.Fact // further members of its plan.FieldInfo
	Guards             []planGuard
	NonNull            bool
	GoType             string
	Expr               string // of a plain field's value
	Leaf               string // statements that write a leaf v
	Value              string // the method that writes a composite value, or a list of leaves
	Lists, Ref         bool   // a list of leaves; a value that is no reference
	Abstract           bool   // an interface or a union
	Args               string // the function that decodes the arguments
	Resolve            string // the call of the resolver
	Gather             []planGather
	Loop               string // statements that gather the objects of v
}

// Composite tells whether there are selections below.
func (f *planField) Composite() bool { return f.Value != "" && !f.Lists }

// Way is how the field is answered, of package plan.
func (f *planField) Way() string {
	switch {
	case f.Fallback:
		return "Fallback"
	case f.Property:
		return "Property"
	}
	return "Resolver"
}

// planGather is a type of objects that a field leads to, and below which resolvers are.
type planGather struct{ Type, Go, Group string }

// planGuard is one directive in a field's chain, the innermost first.
type planGuard struct {
	Name, Previous, Next string
	Function             string
	Values               []planArgument
	Args                 string
}

type planArgument struct{ Name, Value string }

// planValue is a method that writes values of one type.
type planValue struct {
	Name, GoType, GraphQL string
	NonNull               bool
	List, Leaves          bool
	Element               string // the method, or the statements for a leaf v
	ElementRef            string // "&" where elements are no references
	Rewinds               bool   // the statements may begin the list again
	Object                string // the type, or gqlgen's function for leaves
	Types                 []planCase
}

// planCase is one type that an interface or a union may stand for.
type planCase struct{ Name, Go, Ref string }

// engineWriter writes graph/engine.gen.go.
type engineWriter struct {
	*generator
	f      *goFile
	view   *engineView
	values map[string]*planValue // by the types in the graph and in Go
	calls  map[string]bool       // the types for which, or below which, resolvers are called
	keys   keyFields
}

func engineFile(cfg *config.Config) string {
	return filepath.Join(filepath.Dir(cfg.Exec.Filename), "engine.gen.go")
}

// engine writes the executor by plans.
func (g *generator) engine() ([]byte, error) {
	f := newGoFile(g.graphPkg(), engineLocals)
	w := &engineWriter{generator: g, f: f, values: map[string]*planValue{}, calls: map[string]bool{}, keys: g.keyFields()}
	w.view = &engineView{
		Plan: f.use(planPkg), Engine: f.use(enginePkg), Graphql: f.use(graphqlPkg), Context: f.use("context"), Errors: f.use("errors"),
		Ast: f.useNamed("github.com/vektah/gqlparser/v2/ast", "ast"), Mutation: g.data.MutationRoot != nil,
	}
	for _, in := range g.data.Inputs {
		if !in.HasUnmarshal() {
			w.view.Inputs = append(w.view.Inputs, in.Name)
		}
	}
	w.view.Scalars = g.scalars()
	w.reachCalls()
	for _, o := range w.objects() {
		w.view.Types = append(w.view.Types, w.object(o))
	}
	slices.SortFunc(w.view.Values, func(a, b *planValue) int { return strings.Compare(a.Name, b.Name) })
	return f.render(g.data.Config.Exec.Package, engineTemplate, w.view)
}

// objects are those that answers are made of.
func (w *engineWriter) objects() []*codegen.Object {
	var list []*codegen.Object
	for _, o := range w.data.Objects {
		if !o.IsReserved() && !o.Stream {
			list = append(list, o)
		}
	}
	return list
}

// reachCalls finds the types for which, or below which, resolvers are called.
func (w *engineWriter) reachCalls() {
	for changed := true; changed; {
		changed = false
		for _, o := range w.objects() {
			if !w.calls[o.Name] && slices.ContainsFunc(o.Fields, w.leadsToCalls) {
				w.calls[o.Name], changed = true, true
			}
		}
	}
}

func (w *engineWriter) leadsToCalls(f *codegen.Field) bool {
	if f.IsReserved() {
		return false
	}
	return w.way(f) != "Property" || slices.ContainsFunc(w.possible(f.TypeReference.Definition), func(d *ast.Definition) bool { return w.calls[d.Name] })
}

// possible are the object types of a composite type.
func (w *engineWriter) possible(d *ast.Definition) []*ast.Definition {
	if !d.IsCompositeType() {
		return nil
	}
	return w.data.Schema.GetPossibleTypes(d)
}

// way decides how a field is answered. What is unusual is left to gqlgen's executor.
func (w *engineWriter) way(f *codegen.Field) string {
	switch {
	case !w.plannable(f):
		return "Fallback"
	case f.IsResolver:
		return "Resolver"
	}
	return "Property"
}

func (w *engineWriter) plannable(f *codegen.Field) bool {
	for _, d := range f.ImplDirectives() {
		if !isGuard(d.Name) || d.IsBuiltIn() {
			return false
		}
	}
	if f.HasHaser || f.HasFederationRequiresArg() || codegen.GetInlineArgsMetadata(f.Object.Name, f.Name) != nil || f.TypeReference.IsRoot {
		return false
	}
	if !f.IsResolver && (!f.IsVariable() || len(f.Args) > 0 || f.Object.Root) {
		return false
	}
	tr := f.TypeReference
	if f.IsResolver && tr.IsStruct() && tr.Definition.IsCompositeType() {
		return false
	}
	return w.encodable(tr)
}

// encodable tells whether the generated code knows how a type lies in Go.
func (w *engineWriter) encodable(tr *config.TypeReference) bool {
	switch {
	case tr.GQL.Elem != nil:
		return tr.IsSlice() && w.encodable(tr.Elem())
	case tr.Definition.IsLeafType():
		return true
	case tr.Definition.Kind == ast.Object:
		return types.Identical(w.reference(tr), w.objectNamed(tr.Definition.Name).Reference())
	}
	named, ok := types.Unalias(tr.GO).(*types.Named)
	return ok && types.IsInterface(named) && w.data.Interfaces[tr.Definition.Name] != nil
}

// reference is how an object of a type is passed on.
func (w *engineWriter) reference(tr *config.TypeReference) types.Type {
	if config.IsNilable(tr.GO) {
		return tr.GO
	}
	return types.NewPointer(tr.GO)
}

func (w *engineWriter) object(o *codegen.Object) *planType {
	t := &planType{Name: o.Name, Root: o.Root, Serial: o == w.data.MutationRoot, Calls: w.calls[o.Name] || o.Root, Go: "struct{}", Keys: w.keys[o.Name]}
	if !o.Root {
		t.Go = w.f.typ(o.Reference())
	}
	for _, f := range o.Fields {
		if !f.IsReserved() {
			t.Fields = append(t.Fields, w.field(o, f, len(t.Fields)+1))
		}
	}
	return t
}

func (w *engineWriter) field(o *codegen.Object, f *codegen.Field, id int) *planField {
	way, tr := w.way(f), f.TypeReference
	v := &planField{
		ID: id, Type: o.Name, Name: f.Name, Property: way == "Property", Fallback: way == "Fallback", Batch: f.IsBatch() && !o.Root,
		NonNull: tr.GQL.NonNull, GoType: w.f.typ(tr.GO), Facts: w.facts(o, f),
	}
	if v.Fallback {
		return v
	}
	v.Guards = w.guardChain(f)
	if v.Property {
		v.Expr = "obj." + f.GoFieldName
	} else {
		w.call(o, f, v)
	}
	w.value(tr, v)
	return v
}

// facts returns what the planner knows of a field: what its directives say, and what follows from
// how the field is answered.
func (w *engineWriter) facts(o *codegen.Object, f *codegen.Field) []binding.Fact {
	facts := slices.Clone(w.graph.Facts(o.Name, f.Name))
	if w.byHand(o, f) {
		facts = append(facts, binding.Fact{Name: "Handwritten", Value: "true"})
	}
	if w.alone(o, f) {
		facts = append(facts, binding.Fact{Name: "RequestScoped", Value: "true"})
	}
	return facts
}

// call writes how a field's resolver is called.
func (w *engineWriter) call(o *codegen.Object, f *codegen.Field, v *planField) {
	v.Args = f.ArgsFunc()
	args := []string{"ctx"}
	if !o.Root {
		args = append(args, "objs")
		if !v.Batch {
			args[1] = "obj"
		}
	}
	for _, a := range f.Args {
		expr := fmt.Sprintf("fc.Args[%q]", a.Name)
		if in, ok := types.Unalias(a.TypeReference.GO).(*types.Interface); !ok || !in.Empty() {
			expr += ".(" + w.f.typ(a.TypeReference.GO) + ")"
		}
		args = append(args, expr)
	}
	v.Resolve = fmt.Sprintf("x.ec.Resolvers.%s().%s(%s)", templates.UcFirst(o.Name), f.GoFieldName, strings.Join(args, ", "))
}

// value writes how a field's value is encoded, and how the objects in it are gathered.
func (w *engineWriter) value(tr *config.TypeReference, v *planField) {
	if tr.Definition.IsLeafType() && tr.GQL.Elem == nil {
		v.Leaf = w.leaf(tr)
		return
	}
	v.Value = w.method(tr).Name
	v.Lists = tr.Definition.IsLeafType()
	v.Ref = tr.Definition.IsCompositeType() && tr.GQL.Elem == nil && !config.IsNilable(tr.GO)
	v.Abstract = tr.GQL.Elem == nil && tr.Definition.IsAbstractType()
	if !v.Lists {
		v.Gather, v.Loop = w.gather(tr)
	}
}

// gather writes the loops over a value's lists, which add its objects to a group for each
// of the types that resolvers are called for.
func (w *engineWriter) gather(tr *config.TypeReference) (groups []planGather, loop string) {
	for _, d := range w.possible(tr.Definition) {
		if w.calls[d.Name] {
			o := w.objectNamed(d.Name)
			groups = append(groups, planGather{d.Name, w.f.typ(o.Reference()), "group" + d.Name})
		}
	}
	var b strings.Builder
	expr, indices := "v", "i"
	end := ""
	for n := 1; tr.GQL.Elem != nil; tr, n = tr.Elem(), n+1 {
		i := "i" + strconv.Itoa(n)
		switch {
		case len(groups) == 1 && tr.GQL.Elem.Elem == nil:
			fmt.Fprintf(&b, "%s.Room(len(%s), %d)\n", groups[0].Group, expr, n)
		case len(groups) > 0:
			fmt.Fprintf(&b, "%s.Visit(len(%s))\n", groups[0].Group, expr)
		}
		fmt.Fprintf(&b, "for %s := range %s {\n", i, expr)
		expr, indices, end = expr+"["+i+"]", indices+", "+i, end+"}\n"
	}
	b.WriteString(w.gatherOne(tr, groups, expr, indices))
	return groups, strings.TrimSpace(b.String() + end)
}

func (w *engineWriter) gatherOne(tr *config.TypeReference, groups []planGather, expr, indices string) string {
	if len(groups) == 0 {
		return ""
	}
	if tr.Definition.Kind == ast.Object {
		if !config.IsNilable(tr.GO) {
			return fmt.Sprintf("%s.Add(&%s, %s)\n", groups[0].Group, expr, indices)
		}
		return fmt.Sprintf("if %s != nil {\n%s.Add(%s, %s)\n}\n", expr, groups[0].Group, expr, indices)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "switch obj := %s.(type) {\n", expr)
	for _, im := range w.data.Interfaces[tr.Definition.Name].Implementors {
		i := slices.IndexFunc(groups, func(g planGather) bool { return g.Type == im.Name })
		if i < 0 {
			continue
		}
		fmt.Fprintf(&b, "case %s:\n", w.f.typ(im.Type))
		switch {
		case im.CanBeNil():
			fmt.Fprintf(&b, "if obj != nil {\n%s.Add(obj, %s)\n}\n", groups[i].Group, indices)
		default:
			fmt.Fprintf(&b, "%s.Add(&obj, %s)\n", groups[i].Group, indices)
		}
	}
	return b.String() + "}\n"
}

// method is the one that writes values of a type; it is made when it is first asked for.
func (w *engineWriter) method(tr *config.TypeReference) *planValue {
	key := tr.GQL.String() + " " + tr.GO.String()
	if known := w.values[key]; known != nil {
		return known
	}
	v := &planValue{Name: w.methodName(tr.GQL), GraphQL: tr.GQL.String(), GoType: w.f.typ(tr.GO), NonNull: tr.GQL.NonNull}
	w.values[key] = v
	w.view.Values = append(w.view.Values, v)
	switch {
	case tr.GQL.Elem != nil && tr.Definition.IsLeafType():
		w.leaves(tr, v)
	case tr.GQL.Elem != nil:
		v.List = true
		v.Element = w.method(tr.Elem()).Name
		if tr.Elem().GQL.Elem == nil && !config.IsNilable(tr.Elem().GO) {
			v.ElementRef = "&"
		}
	case tr.Definition.Kind == ast.Object:
		v.Object, v.GoType = tr.Definition.Name, w.f.typ(w.reference(tr))
	default:
		for _, im := range w.data.Interfaces[tr.Definition.Name].Implementors {
			c := planCase{Name: im.Name, Go: w.f.typ(im.Type)}
			if !im.CanBeNil() {
				c.Ref = "&"
			}
			v.Types = append(v.Types, c)
		}
	}
	return v
}

// leaves writes a list of leaves: by a loop where the elements are usual ones, or as
// gqlgen does.
func (w *engineWriter) leaves(tr *config.TypeReference, v *planValue) {
	v.Leaves, v.Object = true, tr.MarshalFunc()
	if element := tr.Elem(); element.GQL.Elem == nil && w.append(element) != "" {
		v.Element = w.usual(element)
		if v.Rewinds = strings.Contains(v.Element, unusual); v.Rewinds {
			again := fmt.Sprintf("return x.Leaf(b[:start], f, %t, func(ctx %sContext) %sMarshaler { return x.ec.%s(ctx, f.Selections, all) })",
				tr.GQL.NonNull, w.view.Context, w.view.Graphql, v.Object)
			v.Element = strings.Replace(v.Element, unusual, again, 1)
		}
	}
}

func (w *engineWriter) methodName(t *ast.Type) string {
	name := "value"
	for ; t != nil; t = t.Elem {
		if t.NonNull {
			name += "Must"
		}
		if t.Elem != nil {
			name += "List"
			continue
		}
		name += "_" + t.NamedType
	}
	for n, candidate := 2, name; ; n++ {
		taken := func(v *planValue) bool { return v.Name == candidate }
		if !slices.ContainsFunc(w.view.Values, taken) {
			return candidate
		}
		candidate = name + "_" + strconv.Itoa(n)
	}
}

// leaf writes the statements that encode a leaf v of a field. gqlgen does it where v is
// unusual.
func (w *engineWriter) leaf(tr *config.TypeReference) string {
	other := fmt.Sprintf("b, fine = x.Leaf(b, f, %t, func(ctx %sContext) %sMarshaler { return x.ec.%s(ctx, f.Selections, v) })",
		tr.GQL.NonNull, w.view.Context, w.view.Graphql, tr.MarshalFunc())
	if w.append(tr) == "" {
		return other
	}
	usual := w.usual(tr)
	if !strings.Contains(usual, unusual) {
		return usual
	}
	return strings.Replace(usual, unusual, other, 1)
}

// unusual stands in the statements of usual for what is done about unusual values.
const unusual = "UNUSUAL"

// usual writes the statements for a leaf v whose type is a usual one.
func (w *engineWriter) usual(tr *config.TypeReference) string {
	value, null := "v", ""
	if config.IsNilable(tr.GO) {
		if tr.IsPtr() {
			value = "*v"
		}
		null = "if v == nil {\nb = append(b, \"null\"...)\n} else "
		if tr.GQL.NonNull {
			null = "if v == nil {\n" + unusual + "\n} else "
		}
	}
	write := "b = " + fmt.Sprintf(w.append(tr), w.view.Plan, value)
	if strings.Contains(write, "AppendFloat") {
		condition := fmt.Sprintf("%sFinite(%s)", w.view.Plan, value)
		if null == "" {
			return fmt.Sprintf("if %s {\n%s\n} else {\n%s\n}", condition, write, unusual)
		}
		if tr.GQL.NonNull {
			return fmt.Sprintf("if v != nil && %s {\n%s\n} else {\n%s\n}", condition, write, unusual)
		}
		return fmt.Sprintf("%sif %s {\n%s\n} else {\n%s\n}", null, condition, write, unusual)
	}
	if null == "" {
		return write
	}
	return fmt.Sprintf("%s{\n%s\n}", null, write)
}

// appends has the functions of package plan by the Go functions and types whose values they
// write: those of gqlgen, and those of our scalars, which are types or functions (see scalars.Scalar.Model).
var appends = func() map[string]string {
	functions := map[string]string{
		graphqlPkg + ".MarshalString":       "AppendString",
		graphqlPkg + ".MarshalInt":          "AppendInt",
		graphqlPkg + ".MarshalBoolean":      "AppendBool",
		graphqlPkg + ".MarshalFloat":        "AppendFloat",
		graphqlPkg + ".MarshalFloatContext": "AppendFloat",
	}
	for _, s := range scalars.Table {
		if s.Model != "" {
			functions[s.Model], functions[s.MarshalFunc()] = s.Append, s.Append
		}
	}
	for name, function := range functions {
		functions[name] = "%s" + function + "(b, %s)"
	}
	return functions
}()

// append is a format for how a leaf is written; "" for an unusual type.
func (w *engineWriter) append(tr *config.TypeReference) string {
	goType := types.Unalias(tr.GO)
	if p, ok := goType.(*types.Pointer); ok {
		goType = types.Unalias(p.Elem())
	}
	switch {
	case tr.HasEnumValues():
		return ""
	case tr.Marshaler != nil:
		return appends[tr.Marshaler.FullName()]
	case !tr.IsMarshaler || tr.IsContext:
		return ""
	case tr.Definition.Kind == ast.Enum && w.generated(goType):
		return "%sAppendQuoted(b, %s)"
	}
	if named, ok := goType.(*types.Named); ok && named.Obj().Pkg() != nil {
		return appends[named.Obj().Pkg().Path()+"."+named.Obj().Name()]
	}
	return ""
}

// generated tells whether gqlgen has written a type.
func (w *engineWriter) generated(t types.Type) bool {
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != w.modelPkg() {
		return false
	}
	pkg := w.data.Config.Packages.Load(w.modelPkg())
	if pkg == nil || pkg.Fset == nil {
		return false
	}
	return filepath.Base(pkg.Fset.Position(named.Obj().Pos()).Filename) == filepath.Base(w.data.Config.Model.Filename)
}

// guardChain writes a field's directives as gqlgen does.
func (w *engineWriter) guardChain(f *codegen.Field) []planGuard {
	var chain []planGuard
	for i, d := range f.ImplDirectives() {
		g := planGuard{
			Name: d.Name, Function: "x.ec.Directives." + d.CallName(), Next: fmt.Sprintf("guard%d", i+1), Previous: fmt.Sprintf("guard%d", i),
		}
		args := []string{"ctx", "nil", g.Previous}
		if i == 0 {
			args[2] = w.view.Plan + "Pass"
		}
		for _, a := range d.Args {
			value := a.Value
			if value == nil {
				value = a.Default
			}
			if value == nil {
				args = append(args, "nil")
				continue
			}
			g.Values = append(g.Values, planArgument{a.VarName, fmt.Sprintf("x.ec.%s(ctx, %s)", a.TypeReference.UnmarshalFunc(), templates.Dump(value))})
			args = append(args, a.VarName)
		}
		g.Args = strings.Join(args, ", ")
		chain = append(chain, g)
	}
	return chain
}
