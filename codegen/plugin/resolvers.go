package plugin

import (
	_ "embed"
	"fmt"
	"go/types"
	"slices"
	"strings"
	"text/template"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

//go:embed connect.gotpl
var connectText string

var connectTemplate = template.Must(template.New("connect").Parse(connectText))

// connectView is what connect.gotpl shows.
type connectView struct {
	Graph   string // package name with its dot
	Sources []string
	Types   []typeView
	Methods []methodView
}

type typeView struct{ Name, GoName, Resolver string }

type methodView struct {
	*goNames
	Receiver, Name string
	Field          string // Type.field
	At             string // file:line of the binding
	Source         string
	Template       string // verb, path and query as written
	Params, Result string
	Call           string // an expression that builds the call
	Root           string // the members that lead to the value, a Go expression
	Read           string // a decoder
	Kind           string // root, done, one, each

	Parent    string // the parents' Go type
	KeyFunc   string // body of the function from parent to key
	KeyType   string // string, or an array of them
	AnyKey    string // a key for the name of the batch, which no parent has
	ItemKey   string // body of the function from item to key, "" for maps
	Item      string // the Go type of an item
	Arrange   string // ByKey or GroupByKey
	Value     string // what one key stands for
	Missing   string // what a key stands for that the service leaves out
	KeepNull  bool
	MaxSize   int
	Matched   string // for people
	NonNull   bool
	OnlyInner bool
}

// goNames are the package names in generated code, each with its dot.
type goNames struct{ Context, HTTP, Rest, Upstreams, Engine, Decode string }

// resolvers writes resolvers/connect.gen.go: a method for each binding.
func (g *generator) resolvers() ([]byte, error) {
	f := newGoFile("resolvers")
	v := connectView{Graph: f.use(g.graphPkg())}
	for _, s := range g.graph.Sources {
		v.Sources = append(v.Sources, s.Name)
	}
	for _, o := range g.data.Objects {
		if o.HasResolvers() && !strings.HasPrefix(o.Name, "__") {
			name := strings.ToUpper(o.Name[:1]) + o.Name[1:]
			v.Types = append(v.Types, typeView{Name: o.Name, GoName: name, Resolver: lowerFirst(name) + "Resolver"})
		}
	}
	for _, b := range g.graph.Fields {
		m, err := g.method(f, b)
		if err != nil {
			return nil, err
		}
		v.Methods = append(v.Methods, m)
	}
	return f.render("resolvers", connectTemplate, v)
}

func (g *generator) method(f *goFile, b *binding.Field) (methodView, error) {
	field := g.field(b.Object.Name, b.Definition.Name)
	m := methodView{
		goNames:  &goNames{Context: f.use("context"), Rest: f.use(restPkg), Upstreams: f.use(upstreamsPkg)},
		Receiver: lowerFirst(b.Object.Name) + "Resolver",
		Name:     field.GoFieldName,
		Field:    b.Object.Name + "." + b.Definition.Name,
		At:       fmt.Sprintf("%s:%d", b.Position.Src.Name, b.Position.Line),
		Source:   b.Source,
		Template: b.Call.Method + " " + b.Call.Template,
		Params:   params(f, field),
		Result:   f.typ(field.TypeReference.GO),
		Root:     goStrings(b.Root),
		NonNull:  field.TypeReference.GQL.NonNull,
	}
	var err error
	if m.Call, err = g.call(f, b, field); err != nil {
		return m, err
	}
	switch {
	case g.done(b):
		m.Kind = "done"
	case field.Object.Root:
		m.Kind = "root"
		m.Decode = f.use(decodePkg)
		m.Read, err = g.decoderOf(f, field.TypeReference)
	default:
		m.Engine = f.use(enginePkg)
		err = g.join(f, b, field, &m)
	}
	return m, err
}

// done tells whether a binding's value is only whether the call went well.
func (g *generator) done(b *binding.Field) bool {
	return b.Call.Method != "GET" && b.Definition.Type.NamedType == "Boolean" && b.Root == nil &&
		g.data.Objects.ByName(b.Object.Name).Root
}

// params are the arguments of the method, each with a leading comma.
func params(f *goFile, field *codegen.Field) string {
	var b strings.Builder
	for _, a := range field.Args {
		fmt.Fprintf(&b, ", %s %s", argName(a), f.typ(a.TypeReference.GO))
	}
	return b.String()
}

// taken are the names that generated methods need for themselves.
var taken = []string{
	"ctx", "r", "parents", "parent", "keys", "key", "call", "err", "item", "items",
	"auth", "context", "decode", "encode", "engine", "graph", "http", "model", "rest", "upstreams", "strconv", "time", "scalar",
}

func argName(a *codegen.FieldArgument) string {
	if slices.Contains(taken, a.VarName) {
		return a.VarName + "Arg"
	}
	return a.VarName
}

// join fills in what a field below the root needs: the parents' keys, and how answers
// are matched with them.
func (g *generator) join(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) error {
	m.Parent = f.typ(field.Object.Type)
	if b.Batch == nil {
		return g.joinSingly(f, b, field, m)
	}
	keyField := g.field(b.Object.Name, b.Batch.Parent.Name)
	m.KeyType, m.KeyFunc, m.AnyKey = "string", "return "+g.key(f, keyField), `[]string{"_"}`
	m.MaxSize = b.Batch.MaxSize
	m.Kind = "one"
	value := field.TypeReference
	if keyField.TypeReference.GQL.Elem != nil {
		m.Kind = "each"
		value = field.TypeReference.Elem()
		m.KeepNull = !value.GQL.NonNull
	}
	return g.match(f, b, value, m)
}

// match says how the values of a batch's answer are found by their keys.
func (g *generator) match(f *goFile, b *binding.Field, value *config.TypeReference, m *methodView) error {
	m.Decode = f.use(decodePkg)
	m.Value = f.typ(value.GO)
	isList := value.GQL.Elem != nil
	if isList {
		m.Missing = m.Value + "{}"
	}
	if b.Batch.Item == "" {
		m.Matched = "a member for each key"
		decoder, err := g.decoderOf(f, value)
		m.Read = fmt.Sprintf("%sMapOf(%s)", m.Decode, decoder)
		return err
	}
	item, arrange := value, "ByKey"
	if isList {
		item, arrange = value.Elem(), "GroupByKey"
	}
	m.Matched = fmt.Sprintf("a list, matched by %q", g.graph.WireName(item.Definition.Name, b.Batch.Item))
	m.Arrange, m.Item = arrange, f.typ(item.GO)
	keyField := g.field(item.Definition.Name, b.Batch.Item)
	m.ItemKey = "item." + keyField.GoFieldName
	if basic, ok := keyField.TypeReference.GO.(*types.Basic); ok && basic.Kind() == types.Int {
		m.ItemKey = f.use("strconv") + "Itoa(" + m.ItemKey + ")"
	}
	decoder, err := g.nonNullDecoder(f, item)
	m.Read = fmt.Sprintf("%sListOf(%s)", m.Decode, decoder)
	return err
}

// key writes the key, or the list of keys, in a parent: a *string or a []string.
func (g *generator) key(f *goFile, field *codegen.Field) string {
	expr := "parent." + field.GoFieldName
	if tr := field.TypeReference; tr.GQL.Elem != nil {
		element := tr.Elem().GO
		if p, ok := element.(*types.Pointer); ok {
			expr, element = fmt.Sprintf("%sNonNil(%s)", f.use(encodePkg), expr), p.Elem()
		}
		if basic, ok := element.(*types.Basic); ok && basic.Kind() == types.Int {
			expr = fmt.Sprintf("%sIntKeys(%s)", f.use(encodePkg), expr)
		}
		return expr
	}
	base := field.TypeReference.GO
	if p, ok := base.(*types.Pointer); ok {
		base = p.Elem()
	} else {
		expr = "&" + expr
	}
	if basic, ok := base.(*types.Basic); ok && basic.Kind() == types.Int {
		return fmt.Sprintf("%sIntKey(%s)", f.use(encodePkg), expr)
	}
	return expr
}

// joinSingly is for a field with a call for each parent: its key is what the call takes
// from the parent, so that parents which ask for the same share one call.
func (g *generator) joinSingly(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) error {
	m.Kind, m.MaxSize, m.OnlyInner = "one", 1, true
	own := thisFields(b)
	m.KeyType = fmt.Sprintf("[%d]string", len(own))
	m.AnyKey = m.KeyType + "{" + strings.TrimSuffix(strings.Repeat(`"_", `, len(own)), ", ") + "}"
	var body strings.Builder
	fmt.Fprintf(&body, "key := %s{}\n", m.KeyType)
	for i, name := range own {
		fmt.Fprintf(&body, "if text := %s; text == nil {\nreturn nil\n} else {\nkey[%d] = *text\n}\n", g.key(f, g.field(b.Object.Name, name)), i)
	}
	body.WriteString("return &key")
	m.KeyFunc = body.String()
	m.Decode = f.use(decodePkg)
	m.Value = m.Result
	m.Matched = "one call for each parent"
	var err error
	m.Read, err = g.decoderOf(f, field.TypeReference)
	return err
}

// thisFields are the parent's fields that a call takes, each once, in order.
func thisFields(b *binding.Field) []string {
	var names []string
	for _, v := range values(&b.Call) {
		if v.Scope == binding.This && !slices.Contains(names, v.Path[0]) {
			names = append(names, v.Path[0])
		}
	}
	return names
}

func goStrings(names []string) string {
	if len(names) == 0 {
		return "nil"
	}
	quoted := make([]string, len(names))
	for i, n := range names {
		quoted[i] = fmt.Sprintf("%q", n)
	}
	return "[]string{" + strings.Join(quoted, ", ") + "}"
}
