package inputs

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// writer writes random operations, with values that fit their places most of the time.
type writer struct {
	*rand.Rand
	schema    *ast.Schema
	variables []string // definitions
	types     []*ast.Type
	inOneOf   bool
	values    map[string]string // of variables, as JSON
}

// value is a value as a literal and, unless it contains variables, as JSON.
type value struct{ literal, json string }

// operation returns an operation with one field: in the operation itself, or in a fragment that a
// second operation uses, too, with the same variables and other defaults.
func (w *writer) operation() (query, variables string) {
	w.values = map[string]string{}
	field := w.field()
	if w.IntN(6) == 0 {
		field += " " + w.conditional()
	}
	definitions := list(w.variables)
	if w.IntN(6) == 0 {
		query = "query A" + definitions + " { ...f } query B" + list(w.otherDefaults()) + " { ...f } fragment f on Query { " + field + " }"
	} else {
		query = "query" + definitions + " { " + field + " }"
	}
	return query, w.object(w.values, strconv.Quote)
}

func (w *writer) field() string {
	names := []string{"echo", "scalars", "lists", "must", "preset"}
	field := w.schema.Query.Fields.ForName(names[w.IntN(len(names))])
	var arguments []string
	for _, def := range field.Arguments {
		if w.IntN(3) == 0 || def.Type.NonNull && def.DefaultValue == nil && w.IntN(20) > 0 {
			arguments = append(arguments, def.Name+": "+w.place(def.Type, 3, true).literal)
		}
	}
	return field.Name + list(arguments)
}

// conditional writes a field with @skip or @include.
func (w *writer) conditional() string {
	directive := []string{"@skip", "@include"}[w.IntN(2)]
	return "__typename " + directive + "(if: " + w.place(ast.NonNullNamedType("Boolean", nil), 0, true).literal + ")"
}

// otherDefaults returns the variables of the operation, each with a new random default or none.
func (w *writer) otherDefaults() (definitions []string) {
	for i, definition := range w.variables {
		definition, _, _ = strings.Cut(definition, " = ")
		if w.IntN(2) == 0 {
			definition += " = " + w.place(w.types[i], 1, false).literal
		}
		definitions = append(definitions, definition)
	}
	return definitions
}

// list writes a list in parentheses, nothing for an empty one.
func list(items []string) string {
	if len(items) == 0 {
		return ""
	}
	return "(" + strings.Join(items, ", ") + ")"
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

// place returns a value for a place of a type, perhaps a variable.
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

// variable defines a variable for a place, of the place's type or of a similar one.
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
	w.variables, w.types = append(w.variables, definition), append(w.types, &own)
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

// json returns a value for the scalar JSON. variables are the types of the variables inside:
// graphql-js takes those in a list in JSON for JSON, and says nothing about those in an object.
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

// any returns a value of any type.
func (w *writer) any(depth int) value {
	if depth > 0 && w.IntN(4) == 0 {
		return listOf([]value{w.any(depth - 1)})
	}
	return unfitting[w.IntN(len(unfitting))]
}

func text(s string) value { return value{strconv.Quote(s), strconv.Quote(s)} }

func number(s string) value { return value{s, s} }

// unfitting has values that fit some types, and mostly not the one of their place. JavaScript holds the
// numbers exactly.
var unfitting = []value{
	number("0"), number("1"), number("-7"), number("2147483647"), number("2147483648"), number("-2147483649"), number("9007199254740991"),
	number("1.0"), number("1.5"), number("-2.50"), number("3e2"), number("12e-1"), number("1e-7"),
	text(""), text("a"), text("7"), text("1.5"), text("NaN"), text("true"), text("LARGE"), text("large"), text("2026-01-31"), text("2026-02-30"),
	text("2026-01-31T1:00:00Z"), text("2026-01-31T12:00:00,5Z"), text("2026-01-31T12:00:00+24:00"), text("2026-01-31T12:00:00+05:60"), text("2026-01-31T23:59:60Z"),
	number("0.0000000000000000000000000000012e31"), number("12000000000000000000000000000000.0e-30"), text("-0.0"), text("+1"), text("1e3"),
	{"true", "true"},
	{"false", "false"},
	{"LARGE", `"LARGE"`},
	{"NOPE", `"NOPE"`},
	{"[]", "[]"},
	{"{}", "{}"},
	{"{int: 1}", `{"int": 1}`},
	{"null", "null"},
}

// fitting has values that fit, by the name of the scalar.
var fitting = map[string][]value{
	"Int":   {number("0"), number("-7"), number("2147483647"), number("-2147483648"), number("12")},
	"Float": {number("0"), number("1.5"), number("-7"), number("3e2"), number("9007199254740991"), number("1e-7")},
	"String": {
		text(""), text("a"), text("é \" \\"),
		{`"""` + "\n  a\n    \\\"\"\" b\n" + `"""`, `"a\n  \"\"\" b"`},
		{`"""\uD83D"""`, `"\\uD83D"`},
		{`"\u{1F600}\uD83D\uDE00\u{0041}\/\b"`, `"\ud83d\ude00\uD83D\uDE00A\/\b"`},
		{`"\uD83D"`, `"\uD83D\uDE00"`},
		{`"\u{DE00}"`, `"\u0000"`},
	},
	"Boolean":  {{"true", "true"}, {"false", "false"}},
	"ID":       {text("u1"), text(""), number("7"), number("-3"), number("9007199254740991")},
	"DateTime": {text("2026-01-31T12:00:00Z"), text("2024-02-29T23:59:59.5+02:00"), text("0000-01-01T00:00:00-23:59")},
	"Date":     {text("2026-01-31"), text("2024-02-29")},
	"Decimal":  {text("12.50"), text("12345678901234567890.123456789"), number("1.5"), number("12"), number("3e2")},
	"Int64":    {number("7"), text("-9007199254740991"), number("9007199254740991"), text("12")},
	"UUID":     {text("018f4b6e-7c3a-7000-8000-2f1e5d3c9a10")},
	"URL":      {text("https://example.com/a?b=c")},
}
