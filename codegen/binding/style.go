package binding

import (
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// followDocument sets the style of a query parameter by http that is one list or object, if the
// service's document describes the parameter in a style that the template cannot show. The star of
// {$args.x*} stands for the document's explode; checks of documents refuse a template that differs.
func (b *bindingCompiler) followDocument(t template, param *Param) {
	if len(param.Parts) != 1 || param.Parts[0].Value == nil || param.Parts[0].Value.Type == nil {
		return
	}
	v, explode := param.Parts[0].Value, t[0].explode
	op := b.graph.Operation(b.field)
	if op == nil {
		return
	}
	p := op.Parameter("query", param.PlainName())
	if p == nil || v.Scope == Keys && p.IsText() {
		return
	}
	list, object := isList(v.Type) || v.Scope == Keys, b.isObject(v.Type)
	switch {
	case p.Media != "" && (list || object), p.Style == "deepObject" && (list || object) && !explode:
	case isDelimited(p.Style) && list && !p.Explode && !explode:
	case p.Style == "form" && object && !list && p.Explode == explode:
	default:
		return
	}
	param.Style = p
}

// isDelimited reports whether a style joins the elements of a list with another character than a
// comma.
func isDelimited(style string) bool {
	return style == "spaceDelimited" || style == "pipeDelimited" || style == "tabDelimited"
}

// isObject reports whether a type, or the elements of a list, are objects or any JSON.
func (b *bindingCompiler) isObject(t *ast.Type) bool {
	def := b.schema.Types[t.Name()]
	return def.Kind == ast.InputObject || b.graph.scalarName(def.Name) == "JSON"
}

// spread is a parameter by http that is written {$args.x*} for an object.
var spread = &openapi.Parameter{In: "query", Style: "form", Explode: true}

// checkStyle refuses a value that a parameter's style cannot write. Every call would fail otherwise.
func (b *bindingCompiler) checkStyle(v *Value, p *openapi.Parameter) {
	if v == nil || v.Type == nil || p.Media != "" || p.Style == "deepObject" {
		return
	}
	t := v.Type
	if isList(t) && (isList(t.Elem) || b.isInput(t.Elem)) {
		b.faults.AddAtValue(MisplacedList, v, "%s is %s, but %s has no place for such elements; send them in a body, or one field of them with ->map(@.field)", v, t, styleText(p))
		return
	}
	if isList(t) || !b.isInput(t) {
		return
	}
	def := b.schema.Types[t.Name()]
	for _, f := range def.Fields {
		repeats := isList(f.Type) && !isList(f.Type.Elem) && !b.isInput(f.Type.Elem) && p.Style == "form" && p.Explode
		if (isList(f.Type) || b.isInput(f.Type)) && !repeats {
			b.faults.AddAtValue(MisplacedObject, v, "%s is %s, whose field %s is %s, but %s has no place for that; remove the field, or send it in another parameter", v, t, f.Name, f.Type, styleText(p))
		}
	}
}

func (b *bindingCompiler) isInput(t *ast.Type) bool {
	def := b.schema.Types[t.Name()]
	return def != nil && def.Kind == ast.InputObject
}

// styleText returns the name of a parameter's style, with its place in the document.
func styleText(p *openapi.Parameter) string {
	explode := ""
	if p.Explode {
		explode = " with explode"
	}
	if p == spread {
		return "a query"
	}
	return "the style " + p.Style + explode + " (" + p.Place.String() + ")"
}
