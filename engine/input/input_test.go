package input_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/gatehouse-graphql/gatehouse/engine/input"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

const sdl = `
	scalar Even
	scalar Any
	type Query { f(all: All, choice: Choice, int: Int, list: [[Int]], must: Int!, even: Even = 2): Int }
	input All { int: Int! = 1 float: Float = 0.1 id: ID string: String flag: Boolean kind: Kind even: Even any: Any all: All list: [All!] grid: [[Int!]] }
	input Choice @oneOf { int: Int all: All }
	enum Kind { A B }
`

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: sdl})

// even accepts even integers of one digit for the scalar Even.
func even(name string, v any) error {
	if name == "Even" && !strings.Contains("02468", fmt.Sprint(v)) {
		return fault.New(fault.BadUserInput, "not even")
	}
	return nil
}

func newReader(t testing.TB, o input.Options) *input.Coercer {
	t.Helper()
	r, err := input.NewCoercer(schema, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// prepared returns the operation of a validated and prepared document of one operation.
func prepared(t testing.TB, r *input.Coercer, query string) (*ast.OperationDefinition, *input.Document) {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatal(err)
	}
	known := rules.NewDefaultRules()
	known.ReplaceRule(rules.ValuesOfCorrectTypeRule.Name, r.Rule().RuleFunc)
	if errs := validator.ValidateWithRules(schema, doc, known); errs != nil {
		t.Fatal(errs)
	}
	return doc.Operations[0], r.Prepare(doc)
}

func ExampleCoercer_CoerceVariables() {
	reader, _ := input.NewCoercer(schema, input.Options{})
	doc, _ := parser.ParseQuery(&ast.Source{Input: "query($all: All) { f(all: $all, must: 1) }"})
	_, err := reader.CoerceVariables(doc.Operations[0], map[string]any{"all": map[string]any{"list": []any{map[string]any{"int": "7"}}}})
	fmt.Println(err)
	// Output: variable $all.list[0].int: Int cannot represent non 32-bit signed integer value: "7"
}

// NewReader rejects a default of the schema that does not fit its type or that contains itself.
func TestDefaults(t *testing.T) {
	for text, want := range map[string]string{
		`type Query { f(n: Int = "7"): Int }`:                                                        `schema.graphqls:1:26: Query.f(n:): the default value does not fit: Int cannot represent non 32-bit signed integer value: "7"`,
		`type Query { f(a: A): Int } input A { n: [Kind!] = [B, C] } enum Kind { B }`:                `A.n: the default value does not fit: Value "C" does not exist in "Kind" enum.`,
		`type Query { f(a: A): Int } input A { c: C = {} } input C @oneOf { n: Int }`:                `A.c: the default value does not fit: OneOf Input Object "C" must specify exactly one key.`,
		`type Query { f(e: Even = 3): Int } scalar Even`:                                             `Query.f(e:): the default value does not fit: not even`,
		`type Query { f: Int } directive @d(n: Int! = null) on FIELD`:                                `@d(n:): the default value does not fit: Expected value of type "Int!", found null.`,
		`type Query { f(a: A): Int } input A { b: B = {} } input B { a: A = {} }`:                    `the default value contains itself, by way of the defaults of its own fields`,
		`type Query { f(a: A): Int } input A { b: B = {} } input B { a: A = {b: {a: null}} n: Int }`: "",
	} {
		loaded, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: text})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		_, err = input.NewCoercer(loaded, input.Options{Scalar: even})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", text, err, want)
		}
	}
}

// Errors contain names of the schema only if suggestions are on.
func TestSuggestions(t *testing.T) {
	doc, _ := parser.ParseQuery(&ast.Source{Input: "query($v: All) { f(all: $v, must: 1) }"})
	for suggestions, want := range map[bool]string{true: `unknown field. Did you mean "float" or "flag"?`, false: "variable $v.flat: unknown field"} {
		r := newReader(t, input.Options{Suggestions: suggestions})
		_, err := r.CoerceVariables(doc.Operations[0], map[string]any{"v": map[string]any{"flat": 1}})
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// The estimated size of a prepared document covers at least the defaults that were added.
func TestBytes(t *testing.T) {
	r := newReader(t, input.Options{})
	_, plain := prepared(t, r, "{ f(must: 1) }")
	_, filled := prepared(t, r, "{ f(must: 1, all: {list: [{}, {}, {}]}) }")
	if plain.Bytes != 0 || filled.Bytes < 4*64 {
		t.Errorf("%d and %d bytes", plain.Bytes, filled.Bytes)
	}
}

// A value is either coerced or rejected, whatever was sent for whichever type, and coercing a coerced
// value does not change it.
func FuzzVariables(f *testing.F) {
	for _, seed := range []string{
		`{"int": 1.0, "float": 1e3, "id": 12345678901234567890, "list": {"kind": "A"}, "grid": [1, [2]]}`,
		`{"all": {"all": {}}, "even": "2", "any": [{"a": [null, 1e400]}]}`, `{"int": 1}`, `[[1, null], 2, []]`, `null`, `"A"`, `-0`, `1e-400`,
	} {
		f.Add(seed)
	}
	r := newReader(f, input.Options{Scalar: even, Suggestions: true})
	var operations []*ast.OperationDefinition
	for _, t := range []string{"All!", "Choice", "Int", "Float", "ID", "String", "Boolean", "Kind", "Even", "Any", "[[Int]]", "[All!]", "[Choice]", "[[Kind!]!]!"} {
		doc, err := parser.ParseQuery(&ast.Source{Input: "query($v: " + t + ") { f }"})
		if err != nil {
			f.Fatal(err)
		}
		operations = append(operations, doc.Operations[0])
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, op := range operations {
			decoder := json.NewDecoder(strings.NewReader(text))
			decoder.UseNumber()
			var v any
			if decoder.Decode(&v) != nil {
				return
			}
			first, err := r.CoerceVariables(op, map[string]any{"v": v})
			if err != nil {
				if message := err.Error(); strings.Contains(message, "map[") || strings.Contains(message, "json.Number") {
					t.Fatalf("%s: the message shows the Go syntax of a value: %s", text, message)
				}
				continue
			}
			before, _ := json.Marshal(first)
			second, err := r.CoerceVariables(op, first)
			after, _ := json.Marshal(second)
			if err != nil || !reflect.DeepEqual(first, second) || string(before) != string(after) {
				t.Fatalf("%s: coerced to %s, and then to %s, %v", text, before, after, err)
			}
		}
	})
}

// BenchmarkVariables compares the coercion of variables with that of gqlparser.
func BenchmarkVariables(b *testing.B) {
	for name, test := range map[string]struct{ query, variables string }{
		"none":   {"{ f(must: 1) }", `{}`},
		"scalar": {"query($v: Int!, $id: ID) { f(must: $v, all: {id: $id}) }", `{"v": 5, "id": "u1"}`},
		"object": {"query($v: All) { f(must: 1, all: $v) }", `{"v": {"int": 5, "float": 1.5, "string": "a", "kind": "A", "list": [{"int": 1}, {"int": 2}], "grid": [[1, 2], [3]]}}`},
	} {
		r := newReader(b, input.Options{Scalar: even})
		op, doc := prepared(b, r, test.query)
		sent := func() (v map[string]any) {
			decoder := json.NewDecoder(strings.NewReader(test.variables))
			decoder.UseNumber()
			if err := decoder.Decode(&v); err != nil {
				b.Fatal(err)
			}
			return v
		}
		coerce := map[string]func(map[string]any) (map[string]any, error){
			"input":     func(v map[string]any) (map[string]any, error) { return doc.CoerceVariables(op, v) },
			"gqlparser": func(v map[string]any) (map[string]any, error) { return validator.VariableValues(schema, op, v) },
		}
		for _, by := range []string{"gqlparser", "input"} {
			b.Run(name+"/"+by, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					b.StopTimer()
					v := sent()
					b.StartTimer()
					if _, err := coerce[by](v); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
