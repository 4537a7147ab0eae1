package binding

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Objects that come with their keys alone are completed everywhere: in pages, and in lists made of
// an object's members.
func TestCompletions(t *testing.T) {
	const schema = `
		extend schema @source(name: "s")
		type Query { %s }
		type Connection { edges: [Edge!]! nodes: [A!]! }
		type Edge { node: A! cursor: String! }
		type Item { left: Int a: A }
		type A @connect(source: "s", http: {GET: "/a?ids={$batch.id}"}, selection: "$.items", batch: {}) { id: ID! name: String }`
	for name, c := range map[string]struct{ field, want string }{
		"one":       {`x: A @connect(source: "s", http: {GET: "/x"}, selection: "{ id }")`, "Query.x"},
		"a whole":   {`x: A @connect(source: "s", http: {GET: "/x"}, selection: "{ id name }")`, ""},
		"by name":   {`x: A @connect(source: "s", http: {GET: "/x"})`, ""},
		"a member":  {`x: Item @connect(source: "s", http: {GET: "/x"}, selection: "{ left a: { id: key } }")`, "Item.a"},
		"elements":  {`x: [Item] @connect(source: "s", http: {GET: "/x"}, selection: "$.all->map(@ { left a { id } })")`, "Item.a"},
		"entries":   {`x: [Item] @connect(source: "s", http: {GET: "/x"}, selection: "$->entries { left: value a: { id: key } }")`, "Item.a"},
		"pages":     {`x(first: Int, after: String): Connection @connect(source: "s", http: {GET: "/x?n={$args.first}&o={$args.after}"}, selection: "{ id }", pagination: {type: OFFSET, items: "all"})`, "Connection.nodes Edge.node"},
		"all pages": {`x(first: Int, after: String): Connection @connect(source: "s", http: {GET: "/x?n={$args.first}&o={$args.after}"}, pagination: {type: OFFSET, items: "all"})`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := compile(t, "entity.graphqls", strings.Replace(schema, "%s", c.field, 1))
			if unused, ok := err.(Faults); err != nil && (!ok || g == nil) {
				t.Fatal(unused, err)
			}
			var got []string
			for _, f := range g.Fields {
				if f.Completion != nil {
					got = append(got, f.Name())
				}
			}
			for _, c := range g.Completions {
				got = append(got, c.Object.Name+"."+c.Definition.Name)
			}
			if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// In the arguments of a method, @ is the value that the method works on, and $ the value outside of
// the method.
func TestDollarStays(t *testing.T) {
	for text, want := range map[string]string{
		`$status->match([409, $.detail], [@, @])`: `$status match[409:$.detail :@]`,
		`errors->map(@ { a: $.code b: @.code })`:  `@.errors each[{a:@.code b:@.code}]`,
		`errors->map($.code)`:                     `@.errors each[$.code]`,
		`$.detail`:                                `@.detail`,
		`{ a: b->match([1, $.c]) }`:               `{a:@.b match[1:$.c]}`,
	} {
		g, err := compile(t, "rules.graphqls", `
			extend schema @source(name: "s", errors: {extensions: "x: `+strings.ReplaceAll(text, `"`, `\"`)+`"})
			type Query { a: Int @connect(source: "s", http: {GET: "/"}) }`)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := made(g.Sources[0].Rules.Extensions.Transforms[0].Fields[0].Value); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// made returns a value with its transforms, in short.
func made(v *Value) string {
	text := string(v.Scope)
	switch v.Scope {
	case Constant:
		text = v.Literal
	case Status:
		text = "$status"
	}
	for _, c := range v.Transforms {
		switch c.Op {
		case Member:
			text += "." + c.Name
		case Map:
			text += " each[" + made(c.Inner) + "]"
		case Match:
			var cases []string
			for _, one := range c.Cases {
				cases = append(cases, one.When+":"+made(one.Then))
			}
			text += " match[" + strings.Join(cases, " ") + "]"
		case Object:
			var fields []string
			for _, f := range c.Fields {
				fields = append(fields, f.Name+":"+made(f.Value))
			}
			text = "{" + strings.Join(fields, " ") + "}"
		}
	}
	return text
}
