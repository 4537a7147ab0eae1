package plugin

import (
	_ "embed"
	"fmt"
	"go/types"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// The generated executor works in two phases, with the code of package engine/plan:
//
//   - collect calls each resolver of a plan once with all of its parents, and groups the
//     objects of the results by type, for the resolvers below;
//   - encode writes the response in one depth-first pass, from the objects and the results.
//
// Both phases must take the same way through the data, since encode finds a result by the place
// of its object. So a field has one kind (engineWriter.kind), from which both are generated, and
// a type that no resolver is called for or below (engineWriter.calls) has no collect method.
//
// Everything that is unusual is left to gqlgen's executor, field by field: its methods for
// single fields are in the same package and may be called. What they expect in a context (a
// field context with its parents) is made by plan.Run.

//go:embed engine.gotpl
var engineText string

var engineTemplate = newTemplate("engine", engineText, guardsText)

// engineLocals are the names of variables in the generated executor.
var engineLocals = setOf("x", "s", "f", "v", "w", "b", "g", "i", "j", "k", "ok", "fieldOK", "elementOK", "obj", "objs", "child", "list", "group",
	"ctx", "fc", "err", "found", "values", "hooks", "start", "ordinal", "faulty", "p", "op", "buf", "fallback")

// enginePackages are the names of packages in the generated executor, each with its dot.
type enginePackages struct{ Plan, Engine, Graphql, Context, Ast, Auth, Introspect, Facts string }

// engineView is the data of engine.gotpl.
type engineView struct {
	*enginePackages
	Directives              []guardDirective // the guards that the schema uses
	Types                   []*planType
	QueryRoot, MutationRoot *planType // MutationRoot is nil for a schema without mutations
	Values                  []*planValue
	Inputs                  []string // input objects that have an unmarshal function
	Scalars                 []scalarView
	Guards                  []guardView
	Statements              []binding.Statement // what directives state of parts of the schema
}

// planType is an object type. Its strings are Go text, except Name.
type planType struct {
	*enginePackages
	Name     string // in the graph
	Ident    string // the name as a part of identifiers, unique among types
	ID       string // the constant with the type's ID
	Go       string // the type of a reference to an object; "struct{}" for a root type
	Root     bool
	Serial   bool     // its fields are executed one after another
	Calls    bool     // resolvers are called for its objects, or below them
	Keys     []string // the fields that generated code reads besides the selected ones, as in the graph
	Fields   []*planField
	Encode   string // the method that encodes an object
	Collect  string // the method that collects below objects
	Fallback string // the method that resolves a property with gqlgen's executor
}

// Ordinal reports whether encoding needs the ordinal of an object: for the results of its
// resolvers, and to find the objects in it by their place.
func (t *planType) Ordinal() bool {
	return slices.ContainsFunc(t.Fields, func(f *planField) bool { return !f.Property || f.Composite() })
}

// Properties reports whether there are fields that are not resolved by calls.
func (t *planType) Properties() bool {
	return slices.ContainsFunc(t.Fields, func(f *planField) bool { return f.Property })
}

// LeafProperties returns the properties without selections below. When such a value does not fit
// the graph, gqlgen's executor resolves the field, so that the error is the same.
func (t *planType) LeafProperties() []*planField {
	return t.fields(func(f *planField) bool { return f.Property && !f.Composite() })
}

// GatheredFields returns the properties with objects below which resolvers are called.
func (t *planType) GatheredFields() []*planField {
	return t.fields(func(f *planField) bool { return f.Property && len(f.Groups) > 0 })
}

// CalledFields returns the fields that are resolved by calls.
func (t *planType) CalledFields() []*planField {
	return t.fields(func(f *planField) bool { return !f.Property })
}

func (t *planType) fields(keep func(*planField) bool) []*planField {
	return slices.DeleteFunc(slices.Clone(t.Fields), func(f *planField) bool { return !keep(f) })
}

// planField is a field of an object type. Its strings are Go text unless said.
type planField struct {
	*enginePackages
	Parent             *planType
	ID                 int
	Type, Name         string         // in the graph
	Property, Fallback bool           // neither: its resolver is called
	Batch              bool           // the resolver takes all parents at once
	Facts              []binding.Fact // further members of its plan.FieldInfo
	Guard              string         // the function that checks the guards; "" for none
	NonNull            bool
	GoType             string
	Expr               string      // the value of a property
	Leaf               string      // statements that encode a leaf
	Value              string      // the method that encodes a composite value or a list of leaves
	LeafList           bool        // the value is a list of leaves
	AddressOf          bool        // the value is a struct, and Value takes its address
	Abstract           bool        // the value is an interface or a union
	Args               string      // the function that decodes the arguments; "" for none
	Resolve            string      // the call of the resolver
	Method             string      // the method that gathers below a property, or calls the resolver
	Groups             []planGroup // by type, the objects that the field leads to and below which resolvers are called
	Loop               string      // statements that add the objects of the i-th value to Groups
}

// Composite reports whether the field has selections below.
func (f *planField) Composite() bool { return f.Value != "" && !f.LeafList }

// Kind is the constant of package plan for how the field is resolved.
func (f *planField) Kind() string {
	switch {
	case f.Fallback:
		return kindFallback
	case f.Property:
		return kindProperty
	}
	return kindResolver
}

// The kinds of fields, by their names in package plan.
const (
	kindProperty = "Property" // a member of the parent's struct
	kindResolver = "Resolver" // the result of a resolver
	kindFallback = "Fallback" // resolved by gqlgen's executor, with everything below
)

// planGroup is a variable that holds the objects of one type.
type planGroup struct{ Plan, Type, Go, Variable, TypeID, Collect string }

// planValue is a method that encodes values of one type. Its strings are Go text, except
// GraphQL.
type planValue struct {
	*enginePackages
	Name, GoType, GraphQL string
	NonNull               bool
	List                  bool       // a list of lists or of composite values
	Leaves                bool       // a list of leaves
	Element               string     // the method of List, or the statements for a leaf v of Leaves
	AddressOf             bool       // elements are structs, and Element takes their addresses
	Rewinds               bool       // the statements may encode the list again, from start
	Marshal               string     // gqlgen's function that marshals Leaves
	Object                *planType  // of an object
	Types                 []planCase // of an interface or a union
}

// planCase is one type that a value of an interface or a union may have.
type planCase struct {
	Object    *planType
	Go        string
	AddressOf bool // the interface holds the struct itself
}

// engineWriter writes graph/engine.gen.go.
type engineWriter struct {
	*generator
	f       *goFile
	view    *engineView
	types   map[string]*planType  // by name
	values  map[string]*planValue // by type, in the graph and in Go
	calls   map[string]bool       // the types for which, or below which, resolvers are called
	keys    keyFields
	methods names // of planRun
}

func engineFile(cfg *config.Config) string {
	return filepath.Join(filepath.Dir(cfg.Exec.Filename), "engine.gen.go")
}

// engine writes the plan executor.
func (g *generator) engine() ([]byte, error) {
	f := g.newFile(g.graphPkg(), engineLocals)
	w := &engineWriter{
		generator: g, f: f, types: map[string]*planType{}, values: map[string]*planValue{}, calls: map[string]bool{}, keys: g.keyFields(),
		methods: names{"ec": "the field of planRun"},
	}
	w.reserve()
	w.view = &engineView{enginePackages: &enginePackages{
		Plan: f.use(planPkg), Engine: f.use(enginePkg), Graphql: f.use(graphqlPkg), Context: f.use("context"), Ast: f.useNamed("github.com/vektah/gqlparser/v2/ast", "ast"), Auth: f.use(authPkg), Introspect: f.use(introspectPkg), Facts: f.use(factsPkg),
	}, Directives: g.guardDirectives(f), Statements: g.graph.Statements}
	for _, in := range g.data.Inputs {
		if !in.HasUnmarshal() {
			w.view.Inputs = append(w.view.Inputs, in.Name)
		}
	}
	w.view.Scalars = g.scalars()
	w.findCalls()
	objects := w.objects()
	for _, o := range objects { // before fields, which refer to types
		w.declareType(o)
	}
	for _, o := range objects {
		w.object(o)
	}
	slices.SortFunc(w.view.Values, func(a, b *planValue) int { return strings.Compare(a.Name, b.Name) })
	return f.render(g.data.Config.Exec.Package, engineTemplate, w.view)
}

// reserve keeps declarations from the names that gqlgen's executor declares in the package for
// types of any name.
func (w *engineWriter) reserve() {
	for name := range w.data.Config.Schema.Types {
		w.f.avoid[templates.LcFirst(name)+"Implementors"] = true
	}
}

// objects returns the object types that responses of plans consist of.
func (w *engineWriter) objects() []*codegen.Object {
	var list []*codegen.Object
	for _, o := range w.data.Objects {
		if !o.IsReserved() && !o.Stream {
			list = append(list, o)
		}
	}
	return list
}

// findCalls finds the types for which, or below which, resolvers are called. Types may refer to
// each other in circles, so it repeats until nothing changes.
func (w *engineWriter) findCalls() {
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
	return w.kind(f) != kindProperty || slices.ContainsFunc(w.possibleTypes(f.TypeReference.Definition), func(d *ast.Definition) bool { return w.calls[d.Name] })
}

// possibleTypes returns the object types of a composite type.
func (w *engineWriter) possibleTypes(d *ast.Definition) []*ast.Definition {
	if !d.IsCompositeType() {
		return nil
	}
	return w.data.Schema.GetPossibleTypes(d)
}

// kind decides how a field is resolved.
func (w *engineWriter) kind(f *codegen.Field) string {
	switch {
	case !w.isPlannable(f):
		return kindFallback
	case f.IsResolver:
		return kindResolver
	}
	return kindProperty
}

// isPlannable reports whether the generated code can do for a field what gqlgen's executor does.
// It cannot for directives of the project, for what federation and gqlgen's own directives add
// to a field, for methods and maps, and for types that it does not know how to encode.
func (w *engineWriter) isPlannable(f *codegen.Field) bool {
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
		return false // a copy in the list of results, which faults could not be found by
	}
	return w.isEncodable(tr)
}

// isEncodable reports whether the Go type of a value is one that the generated code encodes:
// leaves, which gqlgen marshals if need be, objects by the type that all their references
// have, interfaces of Go for abstract types, and slices of all these.
func (w *engineWriter) isEncodable(tr *config.TypeReference) bool {
	switch {
	case tr.GQL.Elem != nil:
		return tr.IsSlice() && w.isEncodable(tr.Elem())
	case tr.Definition.IsLeafType():
		return true
	case tr.Definition.Kind == ast.Object:
		return types.Identical(w.reference(tr), w.objectNamed(tr.Definition.Name).Reference())
	}
	named, ok := types.Unalias(tr.GO).(*types.Named)
	return ok && types.IsInterface(named) && w.data.Interfaces[tr.Definition.Name] != nil
}

// reference is the type by which generated code refers to an object: a pointer for a struct.
func (w *engineWriter) reference(tr *config.TypeReference) types.Type {
	if config.IsNilable(tr.GO) {
		return tr.GO
	}
	return types.NewPointer(tr.GO)
}

// declareType adds a type to the view, with all of its names.
//
// Names of GraphQL become names of Go by leaving out underscores, so that A_b and AB would be
// the same. What is declared has an identity besides its name, and a name that another identity
// has gets a checksum of its own identity behind it: see names.
func (w *engineWriter) declareType(o *codegen.Object) {
	ident := strings.TrimPrefix(w.methods.name("type"+templates.ToGo(o.Name), "type "+o.Name, isFree), "type")
	t := &planType{
		enginePackages: w.view.enginePackages,
		Name:           o.Name, Ident: ident, ID: w.f.declare("of"+ident, "ID of "+o.Name),
		Root: o.Root, Serial: o == w.data.MutationRoot, Calls: w.calls[o.Name] || o.Root, Go: "struct{}", Keys: w.keys[o.Name],
		Encode: w.method("encode"+ident, o.Name), Collect: w.method("collect"+ident, o.Name), Fallback: w.method("fallback"+ident, o.Name),
	}
	if !o.Root {
		t.Go = w.f.typ(o.Reference())
	}
	switch o {
	case w.data.QueryRoot:
		w.view.QueryRoot = t
	case w.data.MutationRoot:
		w.view.MutationRoot = t
	}
	w.types[o.Name] = t
	w.view.Types = append(w.view.Types, t)
}

// method declares a method of planRun. The identity tells it from other methods that want the
// same name.
func (w *engineWriter) method(want, identity string) string {
	return w.methods.name(want, "method "+want+" for "+identity, isFree)
}

// isFree reserves no names.
func isFree(string) bool { return false }

// object adds the fields of a type.
func (w *engineWriter) object(o *codegen.Object) {
	t := w.types[o.Name]
	for _, f := range o.Fields {
		if !f.IsReserved() {
			t.Fields = append(t.Fields, w.field(o, f, len(t.Fields)+1))
		}
	}
}

// field returns the view of a field. Its ID counts from 1 within the type; 0 is __typename.
func (w *engineWriter) field(o *codegen.Object, f *codegen.Field, id int) *planField {
	kind, tr := w.kind(f), f.TypeReference
	v := &planField{
		enginePackages: w.view.enginePackages, Parent: w.types[o.Name],
		ID: id, Type: o.Name, Name: f.Name, Property: kind == kindProperty, Fallback: kind == kindFallback, Batch: f.IsBatch() && !o.Root,
		NonNull: tr.GQL.NonNull, GoType: w.f.typ(tr.GO), Facts: w.facts(o, f),
	}
	verb := map[string]string{kindProperty: "gather", kindResolver: "resolve", kindFallback: "delegate"}[kind]
	v.Method = w.method(verb+v.Parent.Ident+templates.UcFirst(f.GoFieldName), o.Name+"."+f.Name)
	if v.Fallback {
		return v
	}
	v.Guard = w.guard(f)
	expr := "v"
	if v.Property {
		v.Expr = "obj." + f.GoFieldName
		expr = v.Expr
	} else {
		w.call(o, f, v)
	}
	w.value(tr, expr, v)
	return v
}

// facts returns what the planner has to know of a field: the facts that its directives state, and
// those that follow from how it is resolved.
func (w *engineWriter) facts(o *codegen.Object, f *codegen.Field) []binding.Fact {
	facts := slices.Clone(w.graph.Facts(o.Name, f.Name))
	if w.isHandwritten(o, f) {
		facts = append(facts, binding.Fact{Name: "Handwritten", Value: "true"})
	}
	if w.isRequestScoped(o, f) {
		facts = append(facts, binding.Fact{Name: "RequestScoped", Value: "true"})
	}
	if calls := w.callInfos(o, f); calls != "" {
		facts = append(facts, binding.Fact{Name: "Calls", Value: calls})
	}
	return facts
}

// guard returns the name of the function that checks a field's guards, "" when it has none.
// Fields with the same guards have the same function.
func (w *engineWriter) guard(f *codegen.Field) string {
	v := w.guardOf(w.f, f.FieldDefinition)
	if len(v.Calls) == 0 {
		return ""
	}
	v.Name = w.f.declare(guardName(f.FieldDefinition), "guard "+strings.Join(v.Calls, " "))
	if !slices.ContainsFunc(w.view.Guards, func(o guardView) bool { return o.Name == v.Name }) {
		w.view.Guards = append(w.view.Guards, v)
		slices.SortFunc(w.view.Guards, func(a, b guardView) int { return strings.Compare(a.Name, b.Name) })
	}
	return v.Name
}

// call writes the call of a field's resolver, whose arguments are in the field context fc.
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

// value writes how the value expr of a field is encoded, and how the objects in it are grouped.
func (w *engineWriter) value(tr *config.TypeReference, expr string, v *planField) {
	if tr.Definition.IsLeafType() && tr.GQL.Elem == nil {
		v.Leaf = w.leaf(tr, expr)
		return
	}
	v.Value = w.valueMethod(tr).Name
	v.LeafList = tr.Definition.IsLeafType()
	v.AddressOf = tr.Definition.IsCompositeType() && tr.GQL.Elem == nil && !config.IsNilable(tr.GO)
	v.Abstract = tr.GQL.Elem == nil && tr.Definition.IsAbstractType()
	if !v.LeafList {
		v.Groups = w.groups(tr)
		v.Loop = w.groupLoop(tr, v.Groups, expr)
	}
}

// groups returns a group for each possible type for which, or below which, resolvers are called.
func (w *engineWriter) groups(tr *config.TypeReference) []planGroup {
	var groups []planGroup
	for _, d := range w.possibleTypes(tr.Definition) {
		if w.calls[d.Name] {
			t := w.types[d.Name]
			groups = append(groups, planGroup{w.view.Plan, d.Name, t.Go, "group" + t.Ident, t.ID, t.Collect})
		}
	}
	if len(groups) == 1 {
		groups[0].Variable = "group"
	}
	return groups
}

// groupLoop writes the loops over the lists of the value expr, and adds each object to the group
// of its type with its place: the index i of its parent and its indices in the lists. The order
// is that in which encode visits the objects, by which it finds them again.
//
// Lists are counted before they are visited (Visit, or Room for the innermost): many parents
// may hold the same long list.
func (w *engineWriter) groupLoop(tr *config.TypeReference, groups []planGroup, expr string) string {
	if len(groups) == 0 {
		return ""
	}
	var b strings.Builder
	indices, end := "i", ""
	for n := 1; tr.GQL.Elem != nil; tr, n = tr.Elem(), n+1 {
		i := loopIndex(n)
		innermost := tr.GQL.Elem.Elem == nil
		if innermost && len(groups) == 1 {
			fmt.Fprintf(&b, "%s.Grow(len(%s), %d)\n", groups[0].Variable, expr, n)
		} else {
			fmt.Fprintf(&b, "%s.CountElements(len(%s))\n", groups[0].Variable, expr)
		}
		if innermost && config.IsNilable(tr.Elem().GO) {
			fmt.Fprintf(&b, "for %s, child := range %s {\n", i, expr)
			expr = "child"
		} else {
			fmt.Fprintf(&b, "for %s := range %s {\n", i, expr)
			expr += "[" + i + "]"
		}
		indices, end = indices+", "+i, end+"}\n"
	}
	b.WriteString(w.addToGroup(tr, groups, expr, indices))
	return strings.TrimSpace(b.String() + end)
}

// loopIndex names the index of the n-th loop below the one over the parents.
func loopIndex(n int) string {
	if n < 3 {
		return []string{"i", "j", "k"}[n]
	}
	return "k" + strconv.Itoa(n)
}

// addToGroup writes the statements that add one object to the group of its type. Null is not
// added.
func (w *engineWriter) addToGroup(tr *config.TypeReference, groups []planGroup, expr, indices string) string {
	if tr.Definition.Kind == ast.Object {
		if !config.IsNilable(tr.GO) {
			return fmt.Sprintf("%s.Add(&%s, %s)\n", groups[0].Variable, expr, indices)
		}
		return fmt.Sprintf("if %s != nil {\n%s.Add(%s, %s)\n}\n", expr, groups[0].Variable, expr, indices)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "switch child := %s.(type) {\n", expr)
	for _, im := range w.data.Interfaces[tr.Definition.Name].Implementors {
		i := slices.IndexFunc(groups, func(g planGroup) bool { return g.Type == im.Name })
		if i < 0 {
			continue
		}
		fmt.Fprintf(&b, "case %s:\n", w.f.typ(im.Type))
		switch {
		case im.CanBeNil():
			fmt.Fprintf(&b, "if child != nil {\n%s.Add(child, %s)\n}\n", groups[i].Variable, indices)
		default:
			fmt.Fprintf(&b, "%s.Add(&child, %s)\n", groups[i].Variable, indices)
		}
	}
	return b.String() + "}\n"
}

// valueMethod returns the method that encodes values of a type, and adds it on first use.
func (w *engineWriter) valueMethod(tr *config.TypeReference) *planValue {
	key := tr.GQL.String() + " " + tr.GO.String()
	if known := w.values[key]; known != nil {
		return known
	}
	v := &planValue{
		enginePackages: w.view.enginePackages, Name: w.method("write"+typeWords(tr.GQL), key),
		GraphQL: tr.GQL.String(), GoType: w.f.typ(tr.GO), NonNull: tr.GQL.NonNull,
	}
	w.values[key] = v
	w.view.Values = append(w.view.Values, v)
	switch {
	case tr.GQL.Elem != nil && tr.Definition.IsLeafType():
		w.leaves(tr, v)
	case tr.GQL.Elem != nil:
		v.List = true
		v.Element = w.valueMethod(tr.Elem()).Name
		v.AddressOf = tr.Elem().GQL.Elem == nil && !config.IsNilable(tr.Elem().GO)
	case tr.Definition.Kind == ast.Object:
		v.Object, v.GoType = w.types[tr.Definition.Name], w.f.typ(w.reference(tr))
	default:
		for _, im := range w.data.Interfaces[tr.Definition.Name].Implementors {
			v.Types = append(v.Types, planCase{Object: w.types[im.Name], Go: w.f.typ(im.Type), AddressOf: !im.CanBeNil()})
		}
	}
	return v
}

// typeWords writes a GraphQL type as words: NonNullListOfOrder for [Order]!.
func typeWords(t *ast.Type) string {
	words := ""
	for ; t != nil; t = t.Elem {
		if t.NonNull {
			words += "NonNull"
		}
		if t.Elem == nil {
			return words + templates.ToGo(t.NamedType)
		}
		words += "ListOf"
	}
	return words
}
