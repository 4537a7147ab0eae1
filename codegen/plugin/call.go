package plugin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// call writes the expression that builds a binding's call.
func (g *generator) call(f *goFile, b *binding.Field, field *codegen.Field) (string, error) {
	w := &callWriter{g: g, f: f, binding: b, field: field}
	w.path()
	for _, p := range b.Call.Query {
		method := "Query"
		if p.Each {
			method = "QueryEach"
		}
		w.step("%s(%q, %s)", method, p.Name, w.parts(p.Parts))
	}
	for _, p := range b.Call.Headers {
		w.step("Header(%q, %s)", p.Name, w.parts(p.Parts))
	}
	if b.Call.Body != nil {
		w.body()
	}
	if b.Call.Idempotent {
		w.step("Idempotent()")
	}
	return strings.Join(w.steps, ".\n"), w.err
}

// callWriter writes the steps of one call. Its first error sticks.
type callWriter struct {
	g       *generator
	f       *goFile
	binding *binding.Field
	field   *codegen.Field
	steps   []string
	err     error
}

func (w *callWriter) step(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

func (w *callWriter) path() {
	method := w.binding.Call.Method
	verb := w.f.use("net/http") + "Method" + method[:1] + strings.ToLower(method[1:])
	parts := w.binding.Call.Path
	w.step("%sNew(%s, %q)", w.f.use(restPkg), verb, parts[0].Literal)
	many := len(parts) > maxOnLine
	for _, p := range parts[1:] {
		last := &w.steps[len(w.steps)-1]
		switch {
		case p.Value == nil:
			*last += fmt.Sprintf(".Literal(%q)", p.Literal)
		case many:
			w.step("Segment(%s)", w.value(p.Value))
		default:
			*last += fmt.Sprintf(".Segment(%s)", w.value(p.Value))
		}
	}
}

// maxOnLine is how many pieces of a path stand on one line.
const maxOnLine = 5

// parts writes the value of a parameter or header.
func (w *callWriter) parts(parts []binding.Part) string {
	written := make([]string, len(parts))
	for i, p := range parts {
		if p.Value == nil {
			written[i] = fmt.Sprintf("%q", p.Literal)
			continue
		}
		written[i] = w.value(p.Value)
	}
	switch len(written) {
	case 0:
		return `""`
	case 1:
		return written[0]
	}
	return fmt.Sprintf("%sConcat(%s)", w.f.use(encodePkg), strings.Join(written, ", "))
}

// value writes a variable as a wire value.
func (w *callWriter) value(v *binding.Value) string {
	switch v.Scope {
	case binding.Claims:
		return fmt.Sprintf("%sClaim(ctx, %q)", w.f.use(authPkg), strings.Join(v.Path, "."))
	case binding.Keys:
		return "keys"
	case binding.This:
		return w.own(v)
	}
	arg := w.argument(v.Path[0])
	if len(v.Path) == 1 {
		return w.wire(w.g.wireValue(w.f, arg.VarName, arg.TypeReference))
	}
	return w.inside(arg.VarName, arg.TypeReference, v.Path[1:])
}

// own writes a value that the call takes from its parent, which lies in the key.
func (w *callWriter) own(v *binding.Value) string {
	all := thisFields(w.binding)
	if len(all) == 1 && isText(all[0].Type.NamedType) {
		return "key"
	}
	return fmt.Sprintf("key[%d]", slices.IndexFunc(all, func(o *binding.Value) bool { return o.Path[0] == v.Path[0] }))
}

// inside writes a value that lies in an input object, nil when the object is.
func (w *callWriter) inside(holder string, tr *config.TypeReference, path []string) string {
	if tr.GQL.NonNull {
		return w.member(holder, tr, path)
	}
	goType := w.f.typ(w.g.data.Inputs.ByName(tr.Definition.Name).Type)
	return fmt.Sprintf("%sIn(%s, func(in *%s) any { return %s })", w.f.use(encodePkg), holder, goType, w.member("in", tr, path))
}

// member writes a value in an input object that is not nil.
func (w *callWriter) member(holder string, tr *config.TypeReference, path []string) string {
	field := w.g.field(tr.Definition.Name, path[0])
	expr := holder + "." + field.GoFieldName
	if omittable(field) {
		expr += ".Value()"
	}
	if len(path) > 1 {
		return w.inside(expr, field.TypeReference, path[1:])
	}
	return w.wire(w.g.wireValue(w.f, expr, field.TypeReference))
}

func (w *callWriter) wire(expr string, err error) string {
	if err != nil && w.err == nil {
		w.err = err
	}
	return expr
}

func (w *callWriter) argument(name string) *codegen.FieldArgument {
	for _, a := range w.field.Args {
		if a.Name == name {
			return a
		}
	}
	return nil
}

func (w *callWriter) body() {
	value := w.value(w.binding.Call.Body)
	if w.binding.Call.Form {
		w.step("Form(%sFields(%s))", w.f.use(encodePkg), value)
		return
	}
	w.step("JSON(%s)", value)
}
