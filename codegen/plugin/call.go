package plugin

import (
	"fmt"
	"go/types"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"

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
	for _, p := range parts[1:] {
		if p.Value == nil {
			w.steps[0] += fmt.Sprintf(".Literal(%q)", p.Literal)
			continue
		}
		w.steps[0] += fmt.Sprintf(".Segment(%s)", w.value(p.Value))
	}
}

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
		return fmt.Sprintf("key[%d]", slices.Index(thisFields(w.binding), v.Path[0]))
	}
	arg := w.argument(v.Path[0])
	if len(v.Path) == 1 {
		return w.wire(w.g.wireValue(w.f, argName(arg), arg.TypeReference))
	}
	expr := argName(arg)
	if _, pointer := arg.TypeReference.GO.(*types.Pointer); !pointer {
		expr = "&" + expr
	}
	return w.inside(expr, arg.TypeReference.Definition.Name, v.Path[1:])
}

// inside writes a value that lies in an input object.
func (w *callWriter) inside(expr, input string, path []string) string {
	field := w.g.field(input, path[0])
	goType := w.f.typ(w.g.data.Inputs.ByName(input).Type)
	inner := "in." + field.GoFieldName
	if omittable(field) {
		inner += ".Value()"
	}
	var value string
	if len(path) > 1 {
		if _, pointer := field.TypeReference.GO.(*types.Pointer); !pointer {
			inner = "&" + inner
		}
		value = w.inside(inner, field.TypeReference.Definition.Name, path[1:])
	} else {
		value = w.wire(w.g.wireValue(w.f, inner, field.TypeReference))
	}
	return fmt.Sprintf("%sIn(%s, func(in *%s) any { return %s })", w.f.use(encodePkg), expr, goType, value)
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
