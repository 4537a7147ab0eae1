package binding

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// bindingCompiler compiles the @connect of one field.
type bindingCompiler struct {
	*compiler
	field *Field
	root  bool // a field of Query or Mutation, which has no parent
}

var verbs = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

func (b *bindingCompiler) call(d *ast.Directive) {
	http := d.Arguments.ForName("http").Value
	call := &b.field.Call
	var written *ast.Value
	for _, verb := range verbs {
		v := child(http, verb)
		if v == nil {
			continue
		}
		if written != nil {
			b.fault(v.Position, "a call has one verb, but there are %s and %s; remove one", call.Method, verb)
		}
		call.Method, written = verb, v
	}
	if written == nil {
		b.fault(http.Position, "the call has no verb; write http: {GET: \"/path\"}, or %s", quoteAll(verbs[1:]))
		return
	}
	call.Template = written.Raw
	call.Idempotent = child(http, "idempotent") != nil && child(http, "idempotent").Raw == "true"
	b.target(written)
	b.headers(http)
	b.body(http)
	b.keysUsed(written)
}

// target compiles path and query.
func (b *bindingCompiler) target(v *ast.Value) {
	t, ok := b.template(v)
	if !ok {
		return
	}
	path, query, hasQuery := t.cutFirst("?")
	if len(path) == 0 || !strings.HasPrefix(path[0].literal, "/") {
		b.fault(v.Position, "a path begins with \"/\"; the host is said in gateway.yaml under sources.%s.urls", b.field.Source)
		return
	}
	b.field.Call.Path = b.path(v, path)
	if hasQuery {
		for _, part := range query.cut("&") {
			b.query(v, part)
		}
	}
}

func (b *bindingCompiler) path(v *ast.Value, t template) []Part {
	for _, p := range t {
		if p.scope == "" && hostilePath(p.literal) {
			b.at(v, p, "the path %q holds an empty, \".\" or \"..\" segment, a # or a white space; write it without", p.literal)
		}
	}
	parts := b.parts(v, t)
	for i, part := range parts {
		if part.Value == nil || part.Value.Type == nil {
			continue
		}
		switch {
		case part.Value.Scope == Keys:
			b.at(v, t[i], "%s stands in the path, where one call can carry one key only; put the keys into the query, or write $this and leave out batch", t[i].variable())
		case isList(part.Value.Type):
			b.at(v, t[i], "%s is a list, which a path cannot hold", t[i].variable())
		case part.Value.Scope == Args && !part.Value.Type.NonNull:
			b.at(v, t[i], "%s may be null, and a path has no place for null; make the argument %s!", t[i].variable(), part.Value.Type)
		}
		b.scalar(v, t[i], part.Value)
	}
	return parts
}

func hostilePath(literal string) bool {
	if strings.ContainsAny(literal, "# \t\r\n\\") || strings.Contains(literal, "//") {
		return true
	}
	segments := strings.Split(literal, "/")
	return slices.Contains(segments, ".") || slices.Contains(segments, "..")
}

func (b *bindingCompiler) query(v *ast.Value, t template) {
	if len(t) == 0 {
		return
	}
	name, value, found := t.cutFirst("=")
	if !found || len(name) != 1 || name[0].scope != "" {
		b.at(v, t[0], "a query parameter is written name=value")
		return
	}
	param := Param{Name: name[0].literal, Parts: b.parts(v, value)}
	b.list(v, value, &param)
	b.field.Call.Query = append(b.field.Call.Query, param)
}

// list checks lists in a parameter: alone, and with a star to repeat the parameter.
func (b *bindingCompiler) list(v *ast.Value, t template, param *Param) {
	for i, part := range param.Parts {
		if part.Value == nil || part.Value.Type == nil {
			continue
		}
		list := isList(part.Value.Type) || part.Value.Scope == Keys
		if list && len(param.Parts) > 1 {
			b.at(v, t[i], "%s is a list, which stands alone in its parameter", t[i].variable())
		}
		if t[i].each && !list {
			b.at(v, t[i], "%s is no list, so there is nothing to repeat; leave out the *", t[i].variable())
		}
		param.Each = param.Each || t[i].each
		b.scalar(v, t[i], part.Value)
	}
}

// scalar refuses values that are objects, which have no one text.
func (b *bindingCompiler) scalar(v *ast.Value, p piece, value *Value) {
	def := b.schema.Types[value.Type.Name()]
	if def != nil && def.IsCompositeType() || def != nil && def.Kind == ast.InputObject {
		b.at(v, p, "%s is an object (%s); name one of its fields, such as %s.%s", p.variable(), def.Name, p.variable(), firstField(def))
	}
}

func firstField(def *ast.Definition) string {
	if len(def.Fields) == 0 {
		return "field"
	}
	return def.Fields[0].Name
}

func (b *bindingCompiler) headers(http *ast.Value) {
	list := child(http, "headers")
	if list == nil {
		return
	}
	for _, h := range list.Children {
		name, value := child(h.Value, "name"), child(h.Value, "value")
		if !token(name.Raw) {
			b.fault(name.Position, "%q is no name of a header", name.Raw)
		}
		t, ok := b.template(value)
		if !ok {
			continue
		}
		param := Param{Name: name.Raw, Parts: b.parts(value, t)}
		for i, part := range param.Parts {
			if part.Value != nil && part.Value.Type != nil && isList(part.Value.Type) {
				b.at(value, t[i], "%s is a list, which a header cannot hold", t[i].variable())
			}
		}
		b.field.Call.Headers = append(b.field.Call.Headers, param)
	}
}

// token tells whether s is a token as RFC 9110 section 5.6.2 has it.
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"(),/:;<=>?@[\\]{}", r)
	})
}

func (b *bindingCompiler) body(http *ast.Value) {
	call := &b.field.Call
	encoding := child(http, "encoding")
	call.Form = encoding != nil && encoding.Raw == "FORM"
	v := child(http, "body")
	if v == nil {
		if call.Form {
			b.fault(encoding.Position, "encoding says how a body is written, but there is no body; add body: \"$args.input\"")
		}
		return
	}
	if call.Method == "GET" || call.Method == "DELETE" {
		b.fault(v.Position, "a %s call has no body; use POST, PUT or PATCH, or leave out body", call.Method)
		return
	}
	p, err := parseExpression(v.Raw)
	if err != nil || p.each || p.scope != string(Args) {
		b.fault(v.Position, "the body is one of the field's arguments, such as \"$args.input\"")
		return
	}
	call.Body = b.value(v, p)
	if call.Body != nil && call.Form {
		b.formBody(v, call.Body)
	}
}

// formBody checks that a form has flat fields.
func (b *bindingCompiler) formBody(v *ast.Value, body *Value) {
	def := b.schema.Types[body.Type.Name()]
	if isList(body.Type) || def == nil || def.Kind != ast.InputObject {
		b.fault(v.Position, "a form is made of an input object's fields, but %s is %s", v.Raw, body.Type)
		return
	}
	for _, f := range def.Fields {
		if inner := b.schema.Types[f.Type.Name()]; inner != nil && inner.Kind == ast.InputObject {
			b.fault(v.Position, "a form has flat fields, but %s.%s is an object; use encoding: JSON", def.Name, f.Name)
		}
	}
}

func (b *bindingCompiler) selection(d *ast.Directive) {
	arg := d.Arguments.ForName("selection")
	if arg == nil || arg.Value.Kind == ast.NullValue || arg.Value.Raw == "$" {
		return
	}
	names := strings.Split(arg.Value.Raw, ".")
	bad := slices.ContainsFunc(names[1:], func(n string) bool { return n == "" || strings.ContainsAny(n, " {}()[]>$\"'") })
	if names[0] != "$" || bad {
		b.fault(arg.Value.Position, "%q is no selection; write $ for the whole answer, or a path into it such as $.items", arg.Value.Raw)
		return
	}
	b.field.Root = names[1:]
}

// template parses a value's text and reports a mistake at its place.
func (b *bindingCompiler) template(v *ast.Value) (template, bool) {
	t, offset, err := parseTemplate(v.Raw)
	if err != nil {
		b.faults = append(b.faults, faultAt(v.Position, offset+1, "%v", err))
	}
	return t, err == nil
}

// at reports a fault at a piece of a value's text.
func (b *bindingCompiler) at(v *ast.Value, p piece, format string, args ...any) {
	offset := p.offset + 1 // behind the opening quote
	if v.Kind == ast.BlockValue {
		offset = 0
	}
	b.faults = append(b.faults, faultAt(v.Position, offset, format, args...))
}
