package binding

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// compileResult compiles how the field's value is read from the response.
func (b *bindingCompiler) compileResult(d *ast.Directive) {
	text, t := argument(d, "selection"), b.field.Definition.Type
	if text == nil && b.isRootField && b.field.Call.Method != "GET" && t.NamedType == "Boolean" && b.reportsSuccess() {
		return
	}
	if b.field.Batch != nil && isList(t) && isList(t.Elem) {
		b.faults.Add(BatchedListOfLists, b.field.Position, "%s is a list of lists, which a batch cannot return; resolve it by hand in resolvers/", b.name())
		return
	}
	b.field.Extraction = b.compileSelection(text, d)
	if page := b.field.Page; page != nil && page.Items != nil && b.field.Extraction != nil {
		setItemExtraction(page.Items, b.field.Extraction)
	}
	b.checkSelected(b.field.Extraction)
}

// reportsSuccess reports whether the field's value is that the call succeeded, and marks the field
// accordingly. It is so if the document describes no response, or if isSuccess examines a response
// that is not a Boolean. If no document describes the response, the value is read from a response
// that has a body, and is true for one that has none.
func (b *bindingCompiler) reportsSuccess() bool {
	op, hasRule := b.graph.Operation(b.field), b.field.Rules.Success != nil
	answer := openapi.UnknownBody
	if op != nil {
		answer = op.SuccessBody()
	}
	switch {
	case answer == openapi.NoBody:
	case hasRule && !(answer == openapi.JSONBody && op.Success().JSON().Schema.AllowsType("boolean")):
	case answer == openapi.UnknownBody:
		b.field.UndocumentedResponse = true
	default:
		return false
	}
	b.field.ReportsSuccess = true
	return true
}

// compileSelection compiles a selection. Without one, the whole response is read by name.
func (b *bindingCompiler) compileSelection(text *ast.Value, d *ast.Directive) *Extraction {
	if text == nil {
		text = impliedText("$", d.Position)
	}
	e, ok := b.parseExpression(text)
	if !ok {
		return nil
	}
	r := &extractionCompiler{bindingCompiler: b, text: text}
	t := b.field.Definition.Type
	switch {
	case b.field.Page != nil:
		return r.compileExpression(e, b.field.Page.Node.Type)
	case b.field.Batch == nil:
		return r.compileExpression(e, t)
	case b.field.Batch.ParentKey.Type.Elem != nil && !isList(t):
		return nil // already reported as KeyListForOneValue
	case b.field.Batch.ParentKey.Type.Elem != nil:
		t = t.Elem
	}
	if b.field.Batch.ItemKey == "" {
		r.expectsKeys = true
		return r.compileExpression(e, t)
	}
	item := t
	if isList(t) {
		item = t.Elem
	}
	return r.compileExpression(e, ast.NonNullListType(ast.NonNullNamedType(item.NamedType, item.Position), t.Position))
}

// checkSelected refuses a selection that leaves out a non-null field, or the key by which a batch's
// items are matched. Types with a binding may leave out fields, which that binding completes.
func (b *bindingCompiler) checkSelected(r *Extraction) {
	if r == nil {
		return
	}
	if r.Op == Object {
		b.checkSelectedFields(r)
	}
	b.checkSelected(r.Inner)
	for _, f := range r.Fields {
		b.checkSelected(f.Extraction)
	}
}

func (b *bindingCompiler) checkSelectedFields(r *Extraction) {
	def, batch := b.schema.Types[r.Type.NamedType], b.field.Batch
	lacks := func(name string) bool {
		return !slices.ContainsFunc(r.Fields, func(f SelectedField) bool { return f.Field.Name == name })
	}
	key := ""
	if batch != nil && batch.ItemKey != "" && def.Name == b.field.Definition.Type.Name() && lacks(batch.ItemKey) {
		key = batch.ItemKey
		b.faults.addInText(NotSelected, r.text, r.offset, "the items are matched by %s.%s, which is not selected here; add %s", def.Name, key, key)
	}
	if b.isEntity(def) {
		return
	}
	var missing []string
	for _, f := range def.Fields {
		if IsProperty(f) && f.Type.NonNull && lacks(f.Name) && f.Name != key {
			missing = append(missing, f.Name)
		}
	}
	switch len(missing) {
	case 0:
	case 1:
		b.faults.addInText(NotSelected, r.text, r.offset, "%s.%s is never null, but is not selected here; add it, or declare it without its !", def.Name, missing[0])
	default:
		b.faults.addInText(NotSelected, r.text, r.offset, "%s of %s are never null, but are not selected here; add them, or declare them without their !", joinNames(missing), def.Name)
	}
}
