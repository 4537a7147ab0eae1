package plugin

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// joinView is how a field below the root joins the calls of its parents. Its strings are
// Go text unless said.
type joinView struct {
	Function  string // One, Each or Whole
	Parent    string // the parents' type
	From      string // the names of the fields that the key is made of
	KeyResult string // what the function from parent to key returns
	KeyBody   string // its body
	KeyType   string
	Param     string // the parameter of the function that builds the call; "" when the call takes no keys
	AnyKey    string // an argument for it, in the identity of the batch
	Changed   string // how keys are changed on their way into the call, where they are; as it is
	Reading   string // what is read of the response, and how it is matched with the keys; as it is
	Value     string // the type of what one key stands for
	Missing   string // what a key stands for that the service leaves out; "" is the zero value
	Keep      bool   // Each keeps the place of a missing key
	MaxSize   int    // 0 is no limit
	Single    bool   // one call for each key
	Given     string // the arguments by which answers are read
}

// join fills in what a field below the root needs.
func (g *generator) join(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) error {
	j := &joinView{Function: "LoadOne", Parent: f.typ(field.Object.Type), Value: m.Result, Given: m.reader.arguments()}
	m.Join, m.Decode = j, f.use(decodePkg)
	join := g.joinBatch
	if b.Batch == nil {
		join = g.joinSingly
	}
	read, err := join(f, b, field, m)
	m.Send = g.fetch(f, b, callWith(j), read, m.Rules)
	j.Reading = g.readingOf(b, j.Reading)
	j.Changed = strings.Join(b.Call.Changed(), "\n")
	return err
}

// readingOf says in an identity what is read of a response: the selection, the type, and
// where parents' fields are among it, which part of the key each of them is.
func (g *generator) readingOf(b *binding.Field, as string) string {
	text := b.Reading.String() + " as " + as
	if slices.ContainsFunc(taken(b.Reading), ofParent) {
		text += " of " + strings.Join(fieldNames(thisFields(b)), ", ")
	}
	return text
}

// callWith writes the call for the keys of a batch.
func callWith(j *joinView) string {
	switch {
	case j.Param == "":
		return "call"
	case j.Single:
		return "call(key)"
	}
	return "call(keys)"
}

// joinBatch is for a field with one call for many parents.
func (g *generator) joinBatch(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) (string, error) {
	j, value := m.Join, field.TypeReference
	keyField := g.field(b.Object.Name, b.Batch.Parent.Name)
	j.KeyType, j.KeyResult, j.KeyBody = "string", "*string", "return "+g.keyPointer(f, "parent", keyField)
	j.From, j.MaxSize = goStrings([]string{keyField.Name}), b.Batch.MaxSize
	m.Matched = "one call for all parents"
	if hasKeys(&b.Call) {
		j.Param, j.AnyKey = "keys []string", f.use(enginePkg)+"AnyKeys()"
	}
	if j.MaxSize > 0 {
		m.Matched += fmt.Sprintf(", %d keys at a time", j.MaxSize)
	}
	if !hasKeys(&b.Call) {
		j.Function = "LoadAll"
	}
	if keyField.TypeReference.GQL.Elem != nil {
		j.Function, j.KeyResult, j.KeyBody = "LoadMany", "[]string", "return "+g.keyList(f, keyField)
		value = value.Elem()
		j.Keep = !value.GQL.NonNull
	}
	j.Value = f.typ(value.GO)
	if value.GQL.Elem != nil {
		j.Missing = j.Value + "{}"
	}
	if b.Batch.Item == "" {
		m.Matched += "; the answer is a member for each key"
		j.Reading = value.GQL.String()
		return m.reader.decoder(b.Reading, value, "")
	}
	return g.match(f, b, value, m)
}

// match finds the values of a batch among the items of a list, by their keys.
func (g *generator) match(f *goFile, b *binding.Field, value *config.TypeReference, m *methodView) (string, error) {
	item, arrange := value, "ByKey"
	if value.GQL.Elem != nil {
		item, arrange = value.Elem(), "GroupByKey"
	}
	keyField := g.field(item.Definition.Name, b.Batch.Item)
	m.Matched += fmt.Sprintf("; the answer is a list, matched by %q", g.graph.WireName(item.Definition.Name, b.Batch.Item))
	m.Join.Reading = fmt.Sprintf("%s by %s", g.listOf(nonNull(item, item.GO)).GQL, b.Batch.Item) // an item is never null
	key := g.keyText(f, "item."+keyField.GoFieldName, keyField.TypeReference.GO)
	m.reader.list = func(read string, _ *config.TypeReference) (string, error) {
		return fmt.Sprintf("%s%s(%q, %s, func(item %s) string { return %s })",
			m.Decode, arrange, keyField.Name, read, f.typ(item.GO), key), nil
	}
	return m.reader.decoder(b.Reading, g.listOf(item), "")
}

// listOf is the type of a list of items.
func (g *generator) listOf(item *config.TypeReference) *config.TypeReference {
	list := *item
	list.GQL = ast.NonNullListType(item.GQL, item.GQL.Position)
	list.GO = types.NewSlice(item.GO)
	return &list
}

// keyText writes a key as text.
func (g *generator) keyText(f *goFile, expr string, goType types.Type) string {
	switch basic, _ := goType.Underlying().(*types.Basic); {
	case basic.Kind() == types.Int:
		return f.use("strconv") + "Itoa(" + expr + ")"
	case basic.Kind() == types.Int64:
		return f.use("strconv") + "FormatInt(" + expr + ", 10)"
	case types.Identical(goType, types.Typ[types.String]):
		return expr
	}
	return "string(" + expr + ")"
}

// keyPointer writes the key in an object as a *string.
func (g *generator) keyPointer(f *goFile, object string, field *codegen.Field) string {
	expr, goType := object+"."+field.GoFieldName, field.TypeReference.GO
	if p, ok := goType.(*types.Pointer); ok {
		goType = p.Elem()
	} else {
		expr = "&" + expr
	}
	if types.Identical(goType, types.Typ[types.String]) {
		return expr
	}
	return fmt.Sprintf("%sKey(%s)", f.use(encodePkg), expr)
}

// keyList writes the list of keys in a parent as a []string.
func (g *generator) keyList(f *goFile, field *codegen.Field) string {
	expr, element := "parent."+field.GoFieldName, field.TypeReference.Elem().GO
	if p, ok := element.(*types.Pointer); ok {
		expr, element = fmt.Sprintf("%sNonNil(%s)", f.use(encodePkg), expr), p.Elem()
	}
	if types.Identical(element, types.Typ[types.String]) {
		return expr
	}
	return fmt.Sprintf("%sKeys(%s)", f.use(encodePkg), expr)
}

// joinSingly is for a field with a call for each parent: its key is what the call takes
// from the parent, so that parents which ask for the same share one call.
func (g *generator) joinSingly(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) (string, error) {
	j, own := m.Join, thisFields(b)
	j.MaxSize, j.Single, j.Reading = 1, true, field.TypeReference.GQL.String()
	m.Matched = "one call for each parent, or for several that ask for the same"
	read, err := m.reader.decoder(b.Reading, field.TypeReference, "")
	if err != nil {
		return "", err
	}
	if len(own) == 0 {
		m.Matched = "one call for all parents"
	}
	return read, g.ownKey(f, b, own, j)
}

// ownKey makes the key of what a call takes from its parent.
func (g *generator) ownKey(f *goFile, b *binding.Field, own []*binding.Value, j *joinView) (err error) {
	switch {
	case len(own) == 0:
		j.KeyType, j.KeyBody = "struct{}", "return new(struct{})"
	case len(own) == 1 && isText(g.parentType(b, own[0]).NamedType):
		j.KeyType, j.Param, j.AnyKey = "string", "key string", f.use(enginePkg)+"AnyKey(0)"
		j.KeyBody = "return " + g.keyPointer(f, "parent", g.field(b.Object.Name, own[0].Path[0]))
	default:
		j.KeyType = fmt.Sprintf("[%d]any", len(own))
		j.Param, j.AnyKey = "key "+j.KeyType, j.KeyType+"{"+anyKeys(f, len(own))+"}"
		j.KeyBody, err = g.keyOfSeveral(f, b, own)
	}
	j.KeyResult, j.From = "*"+j.KeyType, goStrings(fieldNames(own))
	return err
}

// anyKeys writes a placeholder for each part of a key.
func anyKeys(f *goFile, parts int) string {
	all := make([]string, parts)
	for i := range all {
		all[i] = fmt.Sprintf("%sAnyKey(%d)", f.use(enginePkg), i)
	}
	return strings.Join(all, ", ")
}

// fieldNames are the names of the parent's fields that values are.
func fieldNames(own []*binding.Value) []string {
	names := make([]string, len(own))
	for i, v := range own {
		names[i] = v.Path[0]
	}
	return names
}

// keyOfSeveral writes a key of several values, nil when one of them is null.
func (g *generator) keyOfSeveral(f *goFile, b *binding.Field, own []*binding.Value) (string, error) {
	var nulls, parts []string
	for _, v := range own {
		field := g.field(b.Object.Name, v.Path[0])
		expr, tr := "parent."+field.GoFieldName, field.TypeReference
		if p, ok := tr.GO.(*types.Pointer); ok {
			nulls = append(nulls, expr+" == nil")
			expr, tr = "*"+expr, nonNull(tr, p.Elem())
		}
		part, err := g.wireValue(f, expr, tr)
		if err != nil {
			return "", err
		}
		parts = append(parts, keyPart(f, part, field.TypeReference.GQL))
	}
	key := fmt.Sprintf("return &[%d]any{%s}", len(parts), strings.Join(parts, ", "))
	if len(nulls) > 0 {
		key = fmt.Sprintf("if %s {\nreturn nil\n}\n%s", strings.Join(nulls, " || "), key)
	}
	return key, nil
}

// keyPart writes a wire value as a part of a key, which Go must be able to compare: JSON is one
// as a text. A list is none; the binding compiler refuses it. Where the call takes the part,
// partValue makes a value of it again.
func keyPart(f *goFile, value string, t *ast.Type) string {
	if t.NamedType != "JSON" {
		return value
	}
	return fmt.Sprintf("%sJSONText(%s)", f.use(encodePkg), value)
}

// partValue writes the wire value of a part of a key.
func partValue(f *goFile, part string, t *ast.Type) string {
	if t.NamedType != "JSON" {
		return part
	}
	return fmt.Sprintf("%sJSONOfText(%s)", f.use(encodePkg), part)
}

// parentType is the type of the parent's field that a value begins with.
func (g *generator) parentType(b *binding.Field, v *binding.Value) *ast.Type {
	return g.field(b.Object.Name, v.Path[0]).TypeReference.GQL
}

// isText tells whether a type's Go type is string.
func isText(scalar string) bool { return scalar == "ID" || scalar == "String" }

// thisFields are the parent's fields that a binding takes, each once, in order.
func thisFields(b *binding.Field) []*binding.Value {
	var own []*binding.Value
	for _, v := range slices.Concat(b.Call.Variables(), b.Given) {
		seen := slices.ContainsFunc(own, func(o *binding.Value) bool { return o.Path[0] == v.Path[0] })
		if ofParent(v) && !seen {
			own = append(own, v)
		}
	}
	return own
}

func ofParent(v *binding.Value) bool { return v.Scope == binding.This }

// hasKeys tells whether a call carries the keys of its batch.
func hasKeys(c *binding.Call) bool {
	return slices.ContainsFunc(c.Variables(), func(v *binding.Value) bool { return v.Scope == binding.Keys })
}
