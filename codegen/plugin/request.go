package plugin

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// requestText is the request of a batch as a constant text, and the values that the text leaves
// open. Both are parts of the identity of the batch (engine.Identity), by which fields of an
// operation share what they fetch. So two bindings may have the same text only if they send the
// same request for the same keys and values:
//
//	GET /orders/history?limit={1}&userIds={keys}
//
// A placeholder is one of
//
//	{keys}         the keys of a call for many parents
//	{key}, {key0}  the key of a call for one parent, or a part of it
//	{1}            the first of the values
//	{$claims.sub}  a value that is the same in a whole operation
//
// The text shows the field that holds the key and the names of arguments nowhere: orders of
// an Account and of a User are the same calls. Path and query are written as a URL where they
// have their usual style. Everything else is the text of the generated code, with placeholders
// for the variables, so that what the code does differently is written differently: styles,
// headers, the body, and expressions that change a value.
type requestText struct {
	call   *callWriter // writes the wire values
	values []string    // expressions
}

// requestOf returns the text and the values of a binding's request.
func (g *generator) requestOf(f *goFile, b *binding.Field, field *codegen.Field) (text string, values []string, err error) {
	t := &requestText{call: &callWriter{g: g, f: f, binding: b, field: field}}
	w := &callWriter{g: g, f: f, binding: b, field: field, request: t}
	text = b.Call.Method + " " + w.pathText() + w.queryText()
	w.headersCookiesBody()
	w.timeout()
	for _, step := range w.steps {
		text += " " + strings.ReplaceAll(step, "\n", "")
	}
	return text, t.values, t.call.err
}

// pathText writes the path of a call for requestText.
func (w *callWriter) pathText() string {
	var b strings.Builder
	for _, p := range w.binding.Call.Path {
		if p.Value == nil {
			b.WriteString(pathEscaper.Replace(p.Literal))
			continue
		}
		value, step := w.value(p.Value), w.segment(p)
		if step == "Segment("+value+")" {
			step = value
		}
		b.WriteString(inBraces(step))
	}
	return b.String()
}

// pathEscaper escapes what would look like a placeholder or the end of the path. rest.Call
// escapes the same characters.
var pathEscaper = strings.NewReplacer("{", "%7B", "}", "%7D", " ", "%20", "?", "%3F")

// queryText writes the query of a call for requestText. The order of parameters with different
// names has no effect on a service. It is kept if a parameter is written in an unusual style,
// since such a parameter may add others, of any name.
func (w *callWriter) queryText() string {
	var params []string
	usual := true
	for _, p := range w.g.graph.FullCall(w.binding).Query {
		before := len(w.steps)
		w.query(p)
		param := w.steps[before]
		w.steps = w.steps[:before]
		if !p.JSON && (hasQueryText(p) || param == fmt.Sprintf("Query(%q, %s)", p.Name, w.parts(p.Parts))) {
			param = strings.ReplaceAll(rest.EscapeQueryText(p.Name), "=", "%3D") + "=" + w.partsText(p.Parts)
		} else {
			usual = false
		}
		params = append(params, param)
	}
	if len(params) == 0 {
		return ""
	}
	if usual {
		slices.SortStableFunc(params, func(a, b string) int {
			nameA, _, _ := strings.Cut(a, "=")
			nameB, _, _ := strings.Cut(b, "=")
			return strings.Compare(nameA, nameB)
		})
	}
	return "?" + strings.Join(params, "&")
}

// partsText writes the value of a query parameter for requestText.
func (w *callWriter) partsText(parts []binding.Part) string {
	var b strings.Builder
	for _, p := range parts {
		if p.Value == nil {
			b.WriteString(rest.EscapeQueryText(p.Literal))
			continue
		}
		b.WriteString(inBraces(w.value(p.Value)))
	}
	return b.String()
}

// inBraces writes an expression as a placeholder, unless it is one.
func inBraces(expr string) string {
	if strings.HasPrefix(expr, "{") {
		return expr
	}
	return "{" + expr + "}"
}

// variable writes a variable as a placeholder.
func (t *requestText) variable(w *callWriter, v *binding.Value) string {
	switch v.Scope {
	case binding.Args:
		if arg := t.call.argument(v.Path[0]); len(v.Path) == 1 && isBasicPointer(arg.TypeReference.GO) {
			return t.placeholder(arg.VarName) // whose JSON is the same as that of its wire value
		}
		return t.placeholder(t.call.variable(v))
	case binding.Keys, binding.This:
		return w.keyPlaceholder(v)
	}
	return "{" + v.String() + "}"
}

// member writes a variable as the value of a member, which may be absent. JSON has no text for
// that, so the value is held in an object, from which it is left out.
func (t *requestText) member(w *callWriter, v *binding.Value) string {
	if v.Scope != binding.Args {
		return t.variable(w, v)
	}
	return t.placeholder(fmt.Sprintf("%sObject{}.With(%q, %s)", w.f.use(encodePkg), "value", t.call.member(v)))
}

// placeholder stands for the value of an expression.
func (t *requestText) placeholder(expr string) string {
	i := slices.Index(t.values, expr)
	if i < 0 {
		i = len(t.values)
		t.values = append(t.values, expr)
	}
	return fmt.Sprintf("{%d}", i+1)
}

// isBasicPointer reports whether a type is a pointer to a type such as string or int.
func isBasicPointer(t types.Type) bool {
	p, ok := t.(*types.Pointer)
	if !ok {
		return false
	}
	_, ok = p.Elem().(*types.Basic)
	return ok
}
