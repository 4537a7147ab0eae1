package selection

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// format writes an expression with all its parts, for the tables of the tests.
func format(e *Expr) string {
	var b strings.Builder
	switch e.Root {
	case Current:
		b.WriteString("$")
	case Variable:
		b.WriteString("$" + e.Name)
	case Literal:
		text, _ := json.Marshal(e.Value)
		b.Write(text)
	case List:
		b.WriteString("[" + formatAll(e.Items) + "]")
	}
	for _, s := range e.Steps {
		if s.Method == "" {
			fmt.Fprintf(&b, ".%q", s.Name)
		} else {
			fmt.Fprintf(&b, "->%s(%s)", s.Method, formatAll(s.Args))
		}
		if s.Optional {
			b.WriteString("?")
		}
	}
	if e.HasBraces {
		b.WriteString("{")
		for _, f := range e.Fields {
			fmt.Fprintf(&b, " %s: %s", f.Name, format(f.Expr))
		}
		b.WriteString(" }")
	}
	return b.String()
}

func formatAll(list []*Expr) string {
	all := make([]string, len(list))
	for i, e := range list {
		all[i] = format(e)
	}
	return strings.Join(all, ", ")
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"$":                              `$`,
		"@":                              `$`,
		"$.items":                        `$."items"`,
		" $ . items . 'a b' ":            `$."items"."a b"`,
		"$.items { id name }":            `$."items"{ id: $."id" name: $."name" }`,
		"id, name":                       `${ id: $."id" name: $."name" }`,
		"id\nname # of a person\n":       `${ id: $."id" name: $."name" }`,
		"{}":                             `${ }`,
		"createdBy: created-by":          `${ createdBy: $."created-by" }`,
		`createdBy: "created-by"`:        `${ createdBy: $."created-by" }`,
		"a: b.c->first.d":                `${ a: $."b"."c"->first()."d" }`,
		"address { street city: town }":  `${ address: $."address"{ street: $."street" city: $."town" } }`,
		"address: { street: addr_line }": `${ address: ${ street: $."addr_line" } }`,
		"id meta.more { a b: c.d }":      `${ id: $."id" a: $."meta"."more"."a" b: $."meta"."more"."c"."d" }`,
		"data.items":                     `$."data"."items"`,
		"data.items { id }":              `$."data"."items"{ id: $."id" }`,
		"kind: $('card')":                `${ kind: "card" }`,
		`n: $(-1.5e3) t: $(true) z: $(null) l: $([1, "a"])`: `${ n: -1.5e3 t: true z: null l: [1, "a"] }`,
		`s->match(["a", "A"], [@, "other"])`:                `$."s"->match(["a", "A"], [$, "other"])`,
		`x: tags->map(@.name)->joinNotNull(", ")`:           `${ x: $."tags"->map($."name")->joinNotNull(", ") }`,
		"a: b?.c?":                  `${ a: $."b"?."c"? }`,
		"id m.n { a: l->map($.x) }": `${ id: $."id" a: $."m"."n"."l"->map($."m"."n"."x") }`,
		"$args.input { name }":      `$args."input"{ name: $."name" }`,
		"ids: $batch.id":            `${ ids: $batch."id" }`,
		`$status->eq(200)`:          `$status->eq(200)`,
		`q: "say \"hi\" \u00e9\/"`:  "${ q: $.\"say \\\"hi\\\" é/\" }",
		"$request.headers.x-tenant": `$request."headers"."x-tenant"`,
		"$request.headers.'x-tenant'->match(['a', 1], [@, 2])": `$request."headers"."x-tenant"->match(["a", 1], [$, 2])`,
	} {
		e, err := Parse(text)
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := format(e); got != want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestArguments(t *testing.T) {
	const text = `pay(id: $args.id, limit: 100, body: { source: $args.card { number } kind: $("x") }) and more`
	fields, end, err := ParseArguments(text, len("pay("))
	if err != nil || text[end:] != " and more" {
		t.Fatal(end, err)
	}
	var got []string
	for _, f := range fields {
		got = append(got, f.Name+": "+format(f.Expr))
	}
	want := `id: $args."id", limit: 100, body: ${ source: $args."card"{ number: $."number" } kind: "x" }`
	if strings.Join(got, ", ") != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	placed, _, err := ParseArguments("(path.id: 1, 'query.id': 2, header . 'x y': 3)", 1)
	if err == nil {
		t.Errorf("a space before a dot is read: %v", placed)
	}
	placed, _, err = ParseArguments("(path.id: 1, 'query.id': 2, header.'x y': 3)", 1)
	if err != nil || placed[0].In != "path" || placed[0].Name != "id" || placed[1].In != "" || placed[1].Name != "query.id" || placed[2].In != "header" || placed[2].Name != "x y" {
		t.Errorf("got %+v, %v", placed, err)
	}
	if _, _, err := ParseArguments("a(b: { c", 2); err == nil {
		t.Error("a { without its } is read")
	}
}

func TestSyntaxErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                       "0: nothing is selected; write $ for the whole value, or name fields",
		"  # nothing\n":          "12: nothing is selected; write $ for the whole value, or name fields",
		"{ id":                   "4: a { without its }",
		"id }":                   `3: a name is expected here, not "}"`,
		"id id":                  `3: "id" is selected twice; keep one, or give one another name`,
		"id a.b":                 "3: a path among fields needs a name; write name: a.b",
		"n: 12":                  "3: a literal is written $(12)",
		"n: $(12":                `7: a ")" is missing before the end`,
		"$.":                     "2: a name is expected here, not the end",
		"$.a->":                  "5: a name is expected here, not the end",
		"$.a->first(1 2)":        `13: a comma or ")" is missing before "2"`,
		`a: "b`:                  "3: the string has no end",
		`a: "\q"`:                "4: the string has an escape that JSON does not know",
		"a: $(1.)":               `5: "1." is not a number`,
		"$?":                     "1: a ? stands behind what may be missing",
		"$.a b":                  `4: unexpected "b"`,
		"$.a[0]":                 `3: unexpected "["; the first of a list is ->first, the last ->last`,
		"$status == 200":         `8: unexpected "="; values are compared by ->eq(12)`,
		"{$args.in}":             "1: a path in braces needs a name; write name: $args.in, or the path without braces",
		strings.Repeat("a{", 99): "129: the expression nests deeper than 64",
	} {
		_, err := Parse(text)
		broken, ok := errors.AsType[*Error](err)
		if !ok {
			t.Errorf("%q: got %v", text, err)
			continue
		}
		if got := fmt.Sprintf("%d: %s", broken.Offset, broken.Message); got != want {
			t.Errorf("%q\n got %s\nwant %s", text, got, want)
		}
	}
}

// Parsing any text ends with an expression, or with an error inside of the text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"$.items { id name: a.b->first }", `x: $([1, {"a": null}])`, `s->match(["a", 'b'], [@, "c"])`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, err := Parse(text)
		if broken, ok := errors.AsType[*Error](err); err != nil && (!ok || broken.Offset < 0 || broken.Offset > len(text)) {
			t.Errorf("got %v", err)
		}
	})
}

// The offset of a value behind a colon is that of its first byte.
func TestOffsetBehindColon(t *testing.T) {
	e, err := Parse("id: full.id")
	if err != nil || e.Fields[0].Expr.Offset != 4 || e.Fields[0].Expr.Steps[0].Offset != 4 {
		t.Errorf("got %+v, %v", e, err)
	}
}
