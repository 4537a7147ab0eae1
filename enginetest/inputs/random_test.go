package inputs

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// writer makes up an operation, with values that fit their places most of the time.
type writer struct {
	*rand.Rand
	schema    *ast.Schema
	variables []string // definitions
	inOneOf   bool
	values    map[string]string // of variables, as JSON
}

// value is one that can be written as a literal and, without variables, as JSON.
type value struct{ literal, json string }

// operation makes up one of a single field.
func (w *writer) operation() (query, variables string) {
	w.values = map[string]string{}
	names := []string{"echo", "scalars", "lists", "must", "preset"}
	field := w.schema.Query.Fields.ForName(names[w.IntN(len(names))])
	var arguments []string
	for _, def := range field.Arguments {
		if w.IntN(3) == 0 || def.Type.NonNull && def.DefaultValue == nil && w.IntN(20) > 0 {
			arguments = append(arguments, def.Name+": "+w.place(def.Type, 3, true).literal)
		}
	}
	query = field.Name
	if len(arguments) > 0 {
		query += "(" + strings.Join(arguments, ", ") + ")"
	}
	query = "{ " + query + " }"
	if len(w.variables) > 0 {
		query = "query(" + strings.Join(w.variables, ", ") + ") " + query
	}
	return query, w.object(w.values, strconv.Quote)
}

// object writes members in the order of their names.
func (w *writer) object(members map[string]string, name func(string) string) string {
	var list []string
	for i := range len(w.variables) {
		if v, ok := members[fmt.Sprint("v", i)]; ok {
			list = append(list, name(fmt.Sprint("v", i))+": "+v)
		}
	}
	return "{" + strings.Join(list, ", ") + "}"
}

// place is a value for a place of a type: perhaps a variable.
func (w *writer) place(t *ast.Type, depth int, variables bool) value {
	if variables && w.IntN(4) == 0 {
		return w.variable(t, depth)
	}
	if w.IntN(30) == 0 { // something else
		return w.any(2)
	}
	if !t.NonNull && w.IntN(8) == 0 {
		return value{"null", "null"}
	}
	if t.Elem == nil {
		return w.named(w.schema.Types[t.NamedType], depth, variables)
	}
	if w.IntN(6) == 0 {
		return w.place(t.Elem, depth, variables)
	}
	var items []value
	for range w.IntN(4) {
		items = append(items, w.place(t.Elem, depth-1, variables))
	}
	return listOf(items)
}

func listOf(items []value) value {
	var literals, texts []string
	for _, item := range items {
		literals, texts = append(literals, item.literal), append(texts, item.json)
	}
	return value{"[" + strings.Join(literals, ", ") + "]", "[" + strings.Join(texts, ", ") + "]"}
}

// variable defines one for a place, of its type or of one close to it.
func (w *writer) variable(t *ast.Type, depth int) value {
	name := fmt.Sprint("v", len(w.variables))
	own := *t
	switch {
	case w.inOneOf: // in lists, graphql-js forgets that it may not be null
	case w.IntN(4) == 0:
		own.NonNull = !own.NonNull
	case w.IntN(6) == 0:
		own = ast.Type{NamedType: t.Name()}
	}
	definition := "$" + name + ": " + own.String()
	w.variables = append(w.variables, definition)
	at := len(w.variables) - 1
	if w.IntN(4) == 0 {
		w.variables[at] += " = " + w.place(&own, depth-1, false).literal
	}
	switch w.IntN(6) {
	case 0: // absent
	case 1:
		w.values[name] = "null"
	default:
		w.values[name] = w.place(&own, depth-1, false).json
	}
	return value{"$" + name, "null"}
}

func (w *writer) named(def *ast.Definition, depth int, variables bool) value {
	switch {
	case def.Kind == ast.InputObject:
		return w.input(def, depth, variables)
	case def.Kind == ast.Enum:
		name := def.EnumValues[w.IntN(len(def.EnumValues))].Name
		return value{name, strconv.Quote(name)}
	case def.Name == "JSON":
		if variables && !w.inOneOf {
			return w.json(2, "JSON", "Int", "String", "Must")
		}
		return w.json(2)
	}
	samples := fitting[def.Name]
	if len(samples) == 0 {
		return text(def.Name)
	}
	return samples[w.IntN(len(samples))]
}

func (w *writer) input(def *ast.Definition, depth int, variables bool) value {
	oneOf := def.Directives.ForName("oneOf") != nil
	only := w.IntN(len(def.Fields))
	var literals, texts []string
	for i, field := range def.Fields {
		wanted := w.IntN(5) == 0 && depth > 0 || field.Type.NonNull && field.DefaultValue == nil && w.IntN(20) > 0
		if oneOf {
			wanted = i == only || w.IntN(30) == 0
		}
		if !wanted || depth < -3 {
			continue
		}
		t := field.Type
		if oneOf {
			t = new(*t)
			t.NonNull = true
		}
		outer := w.inOneOf
		w.inOneOf = oneOf
		v := w.place(t, depth-1, variables)
		w.inOneOf = outer
		literals, texts = append(literals, field.Name+": "+v.literal), append(texts, strconv.Quote(field.Name)+": "+v.json)
	}
	if w.IntN(40) == 0 {
		literals, texts = append(literals, "nope: 1"), append(texts, `"nope": 1`)
	}
	return value{"{" + strings.Join(literals, ", ") + "}", "{" + strings.Join(texts, ", ") + "}"}
}

// json is any value for the scalar JSON. Variables inside are of the types, where graphql-js
// says of a list in JSON that its elements are JSON, and of an object nothing.
func (w *writer) json(depth int, variables ...string) value {
	if len(variables) > 0 && w.IntN(6) == 0 {
		return w.variable(ast.NamedType(variables[w.IntN(len(variables))], nil), 1)
	}
	switch kind := w.IntN(8); {
	case kind == 0 && depth > 0:
		var items []value
		for range w.IntN(3) {
			items = append(items, w.json(depth-1, variables[:min(len(variables), 1)]...))
		}
		return listOf(items)
	case kind == 1 && depth > 0:
		a, b := w.json(depth-1, variables...), w.json(depth-1, variables...)
		return value{"{a: " + a.literal + ", b: " + b.literal + "}", `{"a": ` + a.json + `, "b": ` + b.json + "}"}
	case kind == 2:
		return value{"{}", "{}"}
	}
	return w.any(0)
}

// any is a value of any kind.
func (w *writer) any(depth int) value {
	if depth > 0 && w.IntN(4) == 0 {
		return listOf([]value{w.any(depth - 1)})
	}
	return odd[w.IntN(len(odd))]
}

func text(s string) value { return value{strconv.Quote(s), strconv.Quote(s)} }

func number(s string) value { return value{s, s} }

// odd are values that fit somewhere, and mostly not where they are put. Numbers are such that
// JavaScript, too, holds them exactly.
var odd = []value{
	number("0"), number("1"), number("-7"), number("2147483647"), number("2147483648"), number("-2147483649"), number("9007199254740991"),
	number("1.0"), number("1.5"), number("-2.50"), number("3e2"), number("12e-1"), number("1e-7"),
	text(""), text("a"), text("7"), text("1.5"), text("NaN"), text("true"), text("LARGE"), text("large"), text("2026-01-31"), text("2026-02-30"),
	{"true", "true"},
	{"false", "false"},
	{"LARGE", `"LARGE"`},
	{"NOPE", `"NOPE"`},
	{"[]", "[]"},
	{"{}", "{}"},
	{"{int: 1}", `{"int": 1}`},
	{"null", "null"},
}

// fitting are values of the scalars.
var fitting = map[string][]value{
	"Int":      {number("0"), number("-7"), number("2147483647"), number("-2147483648"), number("12")},
	"Float":    {number("0"), number("1.5"), number("-7"), number("3e2"), number("9007199254740991"), number("1e-7")},
	"String":   {text(""), text("a"), text("é \" \\")},
	"Boolean":  {{"true", "true"}, {"false", "false"}},
	"ID":       {text("u1"), text(""), number("7"), number("-3"), number("9007199254740991")},
	"DateTime": {text("2026-01-31T12:00:00Z"), text("2024-02-29T23:59:59.5+02:00")},
	"Date":     {text("2026-01-31"), text("2024-02-29")},
	"Decimal":  {text("12.50"), text("12345678901234567890.123456789"), number("1.5"), number("12"), number("3e2")},
	"Int64":    {number("7"), text("-9007199254740991"), number("9007199254740991"), text("12")},
	"UUID":     {text("018f4b6e-7c3a-7000-8000-2f1e5d3c9a10")},
	"URL":      {text("https://example.com/a?b=c")},
}
