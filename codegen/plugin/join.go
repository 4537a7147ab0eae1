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

// joinView is the part of a resolver below the root that loads values by keys (engine.LoadOne,
// LoadMany or LoadAll). Its strings are Go text unless said.
type joinView struct {
	Function    string // LoadOne, LoadMany or LoadAll
	Parent      string // the parents' type
	From        string // the names of the parent's fields that the key consists of
	KeyResult   string // what the function from parent to key returns
	KeyBody     string // its body
	KeyType     string
	Param       string // the parameter of the function that builds the call; "" when the call takes no keys
	Inline      bool   // the call is built in Fetch, since it does not use the context of the field
	Request     string // of the identity: see requestText
	Reading     string // of the identity: the selection, the type, and how items are matched with keys; not Go
	Value       string // the type of what one key stands for
	Missing     string // what a key stands for that the service leaves out; "" is the zero value
	KeepMissing bool   // the argument of LoadMany: a missing key has a null in the list
	MaxSize     int    // 0 is no limit
	Single      bool   // one call for each key
	Arguments   string // of the identity: the values that the request and the reading depend on; "" for none
}

// join fills in the joinView of a field below the root: how parents become keys, how keys are
// fetched, and the identity by which fields share what they fetch (decision 0025).
func (g *generator) join(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) error {
	j := &joinView{Function: "LoadOne", Parent: f.typ(field.Object.Type), Value: m.Result}
	j.Inline = !strings.Contains(m.Call, "ctx") && !keepsKeys(b)
	m.Join, m.Decode = j, f.use(decodePkg)
	join := g.joinBatch
	if b.Batch == nil {
		join = g.joinEach
	}
	read, err := join(f, b, field, m)
	m.Fetch = g.fetch(f, b, callWith(j, b), read, m.Rules)
	j.Reading = g.readingOf(b, j.Reading)
	if err != nil {
		return err
	}
	request, values, err := g.requestOf(f, b, field)
	j.Request = goLiteral(request)
	j.Arguments = strings.Join(append(values, m.reader.arguments()...), ", ")
	return err
}

// readingOf returns the Reading of an identity: the selection, the type that is decoded, and, if
// the selection uses fields of the parent, which part of the key each of them is.
func (g *generator) readingOf(b *binding.Field, as string) string {
	text := b.Extraction.String() + " as " + as
	if slices.ContainsFunc(requestValues(b.Extraction), isParentField) {
		text += " of " + strings.Join(fieldNames(parentFields(b)), ", ")
	}
	if b.OnError.Mode == binding.StaleOnError {
		text += ", stale for " + b.OnError.MaxAge.String()
	}
	return text
}

// keepsKeys reports whether the values of single keys are kept, so that the call is built for each key.
func keepsKeys(b *binding.Field) bool {
	return b.OnError.Mode == binding.StaleOnError && b.Batch != nil && hasKeys(&b.Call)
}

// callWith writes the call for the keys of a batch, or the keys and the function that builds the call.
func callWith(j *joinView, b *binding.Field) string {
	switch {
	case keepsKeys(b):
		return "keys, call"
	case j.Param == "" || j.Inline:
		return "call"
	case j.Single:
		return "call(key)"
	}
	return "call(keys)"
}

// joinBatch is join for a field with one call for many parents.
func (g *generator) joinBatch(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) (string, error) {
	j, value := m.Join, field.TypeReference
	keyField := g.field(b.Object.Name, b.Batch.ParentKey.Name)
	j.KeyType, j.KeyResult, j.KeyBody = "string", "*string", "return "+g.keyPointer(f, "parent", keyField)
	j.From, j.MaxSize = goStrings([]string{keyField.Name}), b.Batch.MaxSize
	m.Batching = "It makes one call for all parents"
	if hasKeys(&b.Call) {
		j.Param = "keys []string"
	}
	if j.MaxSize > 0 {
		m.Batching = fmt.Sprintf("It makes one call for up to %d keys", j.MaxSize)
	}
	if !hasKeys(&b.Call) {
		j.Function = "LoadAll"
	}
	if keyField.TypeReference.GQL.Elem != nil {
		j.Function, j.KeyResult, j.KeyBody = "LoadMany", "[]string", "return "+g.keyList(f, keyField)
		value = value.Elem()
		j.KeepMissing = !value.GQL.NonNull
	}
	j.Value = f.typ(value.GO)
	if value.GQL.Elem != nil {
		j.Missing = j.Value + "{}"
	}
	if b.Batch.ItemKey == "" {
		m.Batching += ". The response is an object with a member for each key."
		j.Reading = value.GQL.String()
		return m.reader.decoder(b.Extraction, value, "")
	}
	return g.match(f, b, value, m)
}

// match writes the decoder of a list of items that are matched with the keys by their own key.
// Each item belongs to one key (ByKey), or to a list of items of that key (GroupByKey). A null
// item has no key, so items are decoded as non-null.
func (g *generator) match(f *goFile, b *binding.Field, value *config.TypeReference, m *methodView) (string, error) {
	item, arrange := value, "ByKey"
	if value.GQL.Elem != nil {
		item, arrange = value.Elem(), "GroupByKey"
	}
	keyField := g.field(item.Definition.Name, b.Batch.ItemKey)
	m.Batching += fmt.Sprintf(". The response is a list of items, whose key is %q.", g.graph.WireName(item.Definition.Name, b.Batch.ItemKey))
	m.Join.Reading = fmt.Sprintf("%s by %s", g.listOf(nonNull(item, item.GO)).GQL, b.Batch.ItemKey) // an item is never null
	key := g.keyText(f, "item."+keyField.GoFieldName, keyField.TypeReference.GO)
	m.reader.writeList = func(read string, _ *config.TypeReference) (string, error) {
		return fmt.Sprintf("%s%s(%q, %s, func(item %s) string { return %s })",
			m.Decode, arrange, keyField.Name, read, f.typ(item.GO), key), nil
	}
	return m.reader.decoder(b.Extraction, g.listOf(item), "")
}

// listOf returns the type of a non-null list of items.
func (g *generator) listOf(item *config.TypeReference) *config.TypeReference {
	list := *item
	list.GQL = ast.NonNullListType(item.GQL, item.GQL.Position)
	list.GO = types.NewSlice(item.GO)
	return &list
}

// keyText writes a key of a Go type as a string.
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

// keyPointer writes the key in a field of an object as a *string, nil when the key is null.
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

// keyList writes the keys in a list field of a parent as a []string. Null elements are left out.
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

// joinEach is join for a field with a call for each parent. Its key consists of the fields that
// the call takes from the parent, so that parents with equal fields share one call.
func (g *generator) joinEach(f *goFile, b *binding.Field, field *codegen.Field, m *methodView) (string, error) {
	j, own := m.Join, parentFields(b)
	j.MaxSize, j.Single, j.Reading = 1, true, field.TypeReference.GQL.String()
	m.Batching = "It makes one call for each distinct key of the parents."
	read, err := m.reader.decoder(b.Extraction, field.TypeReference, "")
	if err != nil {
		return "", err
	}
	if len(own) == 0 {
		m.Batching = "It makes one call for all parents"
	}
	return read, g.parentKey(f, b, own, j)
}

// parentKey fills in how the key is built from the parent's fields: a string if there is one of a
// string type, else an array of wire values, which Go can compare.
func (g *generator) parentKey(f *goFile, b *binding.Field, own []*binding.Value, j *joinView) (err error) {
	switch {
	case len(own) == 0:
		j.KeyType, j.KeyBody = "struct{}", "return new(struct{})"
	case len(own) == 1 && isText(g.parentType(b, own[0]).NamedType):
		j.KeyType, j.Param = "string", "key string"
		j.KeyBody = "return " + g.keyPointer(f, "parent", g.field(b.Object.Name, own[0].Path[0]))
	default:
		j.KeyType = fmt.Sprintf("[%d]any", len(own))
		j.Param = "key " + j.KeyType
		j.KeyBody, err = g.compositeKey(f, b, own)
	}
	j.KeyResult, j.From = "*"+j.KeyType, goStrings(fieldNames(own))
	return err
}

// fieldNames returns the names of the parent's fields that values begin with.
func fieldNames(own []*binding.Value) []string {
	names := make([]string, len(own))
	for i, v := range own {
		names[i] = v.Path[0]
	}
	return names
}

// compositeKey writes the body of a function that returns the key of several values, nil when one
// of them is null.
func (g *generator) compositeKey(f *goFile, b *binding.Field, own []*binding.Value) (string, error) {
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
		parts = append(parts, keyPart(f, part, g.graph.Resolve(field.TypeReference.GQL)))
	}
	key := fmt.Sprintf("return &[%d]any{%s}", len(parts), strings.Join(parts, ", "))
	if len(nulls) > 0 {
		key = fmt.Sprintf("if %s {\nreturn nil\n}\n%s", strings.Join(nulls, " || "), key)
	}
	return key, nil
}

// keyPart writes a wire value as a part of a key, which Go must be able to compare. JSON becomes
// its text. A list has no comparable form; the binding compiler refuses it. Where the call takes
// the part, partValue converts it back.
func keyPart(f *goFile, value string, t *ast.Type) string {
	if t.NamedType != "JSON" {
		return value
	}
	return fmt.Sprintf("%sJSONText(%s)", f.use(encodePkg), value)
}

// partValue writes the wire value of a part of a key. It is the inverse of keyPart.
func partValue(f *goFile, part string, t *ast.Type) string {
	if t.NamedType != "JSON" {
		return part
	}
	return fmt.Sprintf("%sParseJSONText(%s)", f.use(encodePkg), part)
}

// parentType returns the type of the parent's field that a value begins with.
func (g *generator) parentType(b *binding.Field, v *binding.Value) *ast.Type {
	return g.graph.Resolve(g.field(b.Object.Name, v.Path[0]).TypeReference.GQL)
}

// isText reports whether the values of a scalar are texts in the key of a call.
func isText(scalar string) bool { return scalar == "ID" || scalar == "String" }

// parentFields returns the parent's fields that a binding uses, in the call or to read the
// response, each once, in order. The order is that of the parts of the key.
func parentFields(b *binding.Field) []*binding.Value {
	var own []*binding.Value
	for _, v := range slices.Concat(b.Call.Variables(), b.SelectionVariables) {
		seen := slices.ContainsFunc(own, func(o *binding.Value) bool { return o.Path[0] == v.Path[0] })
		if isParentField(v) && !seen {
			own = append(own, v)
		}
	}
	return own
}

// isParentField reports whether a value begins with a field of the parent.
func isParentField(v *binding.Value) bool { return v.Scope == binding.This }

// hasKeys reports whether a call contains the keys of its batch.
func hasKeys(c *binding.Call) bool {
	return slices.ContainsFunc(c.Variables(), func(v *binding.Value) bool { return v.Scope == binding.Keys })
}
