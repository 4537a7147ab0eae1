package cost_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/gatehouse-graphql/gatehouse/engine/cost"
	"github.com/gatehouse-graphql/gatehouse/engine/facts"
)

// declarations are the directives as the specification declares them (sections 7 and 8).
const declarations = `
directive @cost(weight: String!) on ARGUMENT_DEFINITION | ENUM | FIELD_DEFINITION | INPUT_FIELD_DEFINITION | OBJECT | SCALAR
directive @listSize(assumedSize: Int, slicingArguments: [String!], sizedFields: [String!], requireOneSlicingArgument: Boolean = true) on FIELD_DEFINITION
`

func loadSchema(t testing.TB, text string) *ast.Schema {
	t.Helper()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphqls", Input: declarations + text})
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// tableOf reads what the directives of a schema state.
func tableOf(schema *ast.Schema) facts.Table {
	table := facts.Table{}
	add := func(coordinate string, list ast.DirectiveList) {
		var stated facts.Facts
		if d := list.ForName("cost"); d != nil {
			weight, _ := strconv.ParseFloat(d.Arguments.ForName("weight").Value.Raw, 64)
			stated.Weight = &weight
		}
		if d := list.ForName("listSize"); d != nil {
			texts := func(name string) (all []string) {
				if a := d.Arguments.ForName(name); a != nil {
					for _, child := range a.Value.Children {
						all = append(all, child.Value.Raw)
					}
				}
				return all
			}
			stated.ListSize = &facts.ListSize{Arguments: texts("slicingArguments"), Fields: texts("sizedFields"), RequireOne: true}
			if a := d.Arguments.ForName("requireOneSlicingArgument"); a != nil {
				stated.ListSize.RequireOne = a.Value.Raw == "true"
			}
			if a := d.Arguments.ForName("assumedSize"); a != nil {
				n, _ := strconv.Atoi(a.Value.Raw)
				stated.ListSize.Assumed = &n
			}
		}
		if stated.Weight != nil || stated.ListSize != nil {
			table[coordinate] = stated
		}
	}
	for _, def := range schema.Types {
		add(def.Name, def.Directives)
		for _, field := range def.Fields {
			add(def.Name+"."+field.Name, field.Directives)
			for _, a := range field.Arguments {
				add(def.Name+"."+field.Name+"("+a.Name+":)", a.Directives)
			}
		}
	}
	for _, d := range schema.Directives {
		for _, a := range d.Arguments {
			add("@"+d.Name+"("+a.Name+":)", a.Directives)
		}
	}
	return table
}

func parseQuery(t testing.TB, schema *ast.Schema, query string) *ast.OperationDefinition {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if errs := validator.ValidateWithRules(schema, doc, rules.NewDefaultRules()); len(errs) > 0 {
		t.Fatalf("%s: %v", query, errs)
	}
	return doc.Operations[0]
}

func variablesOf(t testing.TB, text string) map[string]any {
	t.Helper()
	if text == "" {
		return nil
	}
	var variables map[string]any
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&variables); err != nil {
		t.Fatal(err)
	}
	return variables
}

func number(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// The examples of the specification that have a number, with the section that has it.
func TestExamplesOfTheSpecification(t *testing.T) {
	for section, c := range map[string]struct {
		schema, query string
		field         float64
	}{
		"3 Example, static analysis": {
			`type User { name: String age: Int @cost(weight: "2.0") } type Query { users(max: Int): [User] @listSize(slicingArguments: ["max"]) }`,
			`query Example { users (max: 5) { age } }`, 11,
		},
		"5.3.2.2 Example: Argument Weights, without the argument": {
			`input Filter { f: Int } type Query { topProducts(filter: Filter @cost(weight: "15.0")): [String] @cost(weight: "5.0") @listSize(assumedSize: 10) }`,
			`{ topProducts }`, 5,
		},
		"5.3.2.2 Example: Argument Weights, with the argument": {
			`input Filter { f: Int } type Query { topProducts(filter: Filter @cost(weight: "15.0")): [String] @cost(weight: "5.0") @listSize(assumedSize: 10) }`,
			`{ topProducts(filter: {f: 1}) }`, 20,
		},
		"5.3.2.2 Example: Negative Weights, without the argument": {
			`enum Approximate { YES } type Product { name: String } type Query { mostPopularProduct(approx: Approximate @cost(weight: "-3.0")): Product @cost(weight: "5.0") }`,
			`{ mostPopularProduct { name } }`, 5,
		},
		"5.3.2.2 Example: Negative Weights, with the argument": {
			`enum Approximate { YES } type Product { name: String } type Query { mostPopularProduct(approx: Approximate @cost(weight: "-3.0")): Product @cost(weight: "5.0") }`,
			`{ mostPopularProduct(approx: YES) { name } }`, 2,
		},
		"5.3.2.2 Example: Input Field Weights": {
			`enum Approximate { YES } input Filter { approx: Approximate @cost(weight: "-12.0") }
			type Query { topProducts(filter: Filter @cost(weight: "15.0")): [String] @cost(weight: "5.0") @listSize(assumedSize: 10) }`,
			`{ topProducts(filter: {approx: YES}) }`, 8,
		},
		"5.3.2.2 Example: Directive Arguments": {
			`directive @approx(tolerance: Float! @cost(weight: "-1.0")) on FIELD type Query { a: Int @cost(weight: "3") b: Int }`,
			`{ a @approx(tolerance: 0.1) b @approx(tolerance: 0.1) }`, 2, // and b costs 0, not -1
		},
	} {
		schema := loadSchema(t, c.schema)
		model := cost.New(schema, tableOf(schema), cost.Options{})
		total, err := model.Compile(parseQuery(t, schema, c.query)).Estimate(nil)
		if err != nil || total.Field.Float() != c.field {
			t.Errorf("%s: a field cost of %v (%v), want %v", section, total.Field, err, c.field)
		}
		if total.Cost() != total.Field {
			t.Errorf("%s: the cost is %v, want the field cost %v", section, total.Cost(), total.Field)
		}
	}
}

// The example of section 3 continues: three users are returned of the five that were asked for.
func TestExampleOfDynamicAnalysis(t *testing.T) {
	schema := loadSchema(t, `type User { name: String age: Int @cost(weight: "2.0") } type Query { users(max: Int): [User] @listSize(slicingArguments: ["max"]) }`)
	op := parseQuery(t, schema, `query Example { users (max: 5) { age } }`)
	users := op.SelectionSet[0].(*ast.Field)
	counter := cost.New(schema, tableOf(schema), cost.Options{}).NewCounter(nil)
	counter.AddValues("Query", 1)
	counter.AddField("Query", users, 1)
	counter.AddValues("User", 3)
	counter.AddField("User", users.SelectionSet[0].(*ast.Field), 3)
	if got, want := counter.Total(), (cost.Total{Field: 7 * cost.One, Type: 4 * cost.One}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

const shop = `
type Query {
  me: User
  users(first: Int = 10, last: Int): [User!] @listSize(slicingArguments: ["first", "last"], requireOneSlicingArgument: false)
  strict(first: Int, last: Int): [User!] @listSize(slicingArguments: ["first", "last"])
  backup(first: Int): [User!] @listSize(slicingArguments: ["first"], assumedSize: 7)
  nested(page: Page = {size: 4}, ids: [ID!]): [User!] @listSize(slicingArguments: ["page.size", "ids"], requireOneSlicingArgument: false)
  films(first: Int, last: Int, where: Where): Films @cost(weight: "3") @listSize(slicingArguments: ["first", "last"], sizedFields: ["edges", "nodes"], requireOneSlicingArgument: false)
  node: Node
  media: [Media!] @listSize(assumedSize: 10)
  create(input: [NewUser!], dry: Boolean @cost(weight: "-4")): User @cost(weight: "5")
  matrix: [[Int!]!]
  codes: [Code!] @listSize(assumedSize: 3)
  unknown: [User!]
  huge: User @cost(weight: "999999999999")
}
type Mutation { create(input: [NewUser!]): User @cost(weight: "10") }
type Subscription { ticks: User }
scalar Code @cost(weight: "0.5")
input Page { size: Int = 6 }
input Where { name: String @cost(weight: "2") and: [Where!] range: Range }
input Range { from: Int to: Int }
input NewUser { name: String @cost(weight: "0.1") tags: [Tag!] rank: Int = 1 @cost(weight: "1") }
input Tag { text: String }
interface Node { id: ID friends(n: Int): [User!] }
type User implements Node @cost(weight: "2") { id: ID name: String age: Int @cost(weight: "2") best: User friends(n: Int): [User!] @cost(weight: "4") @listSize(slicingArguments: ["n"], assumedSize: 3) }
type Film implements Node { id: ID title: String @cost(weight: "1") friends(n: Int): [User!] @cost(weight: "1") @listSize(assumedSize: 8) director: User }
type Films { nodes: [Film!] edges: [Edge!] count: Int related: [Film!] @listSize(assumedSize: 2) }
type Edge { cursor: ID node: Film }
union Media = User | Film
`

func TestEstimates(t *testing.T) {
	schema := loadSchema(t, shop)
	model := cost.New(schema, tableOf(schema), cost.Options{ListSize: 50})
	for _, c := range []struct {
		name, query, variables string
		field, typ             float64
	}{
		{"leaves cost nothing", `{ me { id name } }`, ``, 1, 3},
		{"__typename costs nothing", `{ __typename me { __typename } }`, ``, 1, 3},
		{"a default is given", `{ users { id } }`, ``, 1, 21},
		{"a number", `{ users(first: 3) { age } }`, ``, 1 + 3*2, 1 + 3*2},
		{"a variable", `query ($n: Int) { users(first: $n) { age } }`, `{"n": 4}`, 1 + 4*2, 1 + 4*2},
		{"a variable without a value has the default of the argument", `query ($n: Int) { users(first: $n) { age } }`, ``, 1 + 10*2, 1 + 10*2},
		{"a variable that is null limits nothing", `query ($n: Int) { users(first: $n) { age } }`, `{"n": null}`, 1 + 50*2, 1 + 50*2},
		{"the largest of several counts", `{ users(first: 3, last: 20) { id } }`, ``, 1, 1 + 20*2},
		{"the default is one of several", `{ users(last: 4) { id } }`, ``, 1, 1 + 10*2},
		{"a negative number limits nothing", `{ users(first: -3) { id } }`, ``, 1, 1 + 50*2},
		{"zero", `{ users(first: 0) { age } }`, ``, 1, 1},
		{"assumedSize is a backup", `{ a: backup { id } b: backup(first: 9) { id } }`, ``, 2, 1 + 7*2 + 9*2},
		{"a path has its default, which is an object", `{ nested { id } }`, ``, 2, 1 + 4*2},
		{"a path into an object", `{ nested(page: {size: 5}) { id } }`, ``, 2, 1 + 5*2},
		{"a path to the default of a field", `{ nested(page: {}) { id } }`, ``, 2, 1 + 6*2},
		{"a path into a variable", `query ($p: Page) { nested(page: $p) { id } }`, `{"p": {"size": 8}}`, 2, 1 + 8*2},
		{"a path to a variable", `query ($n: Int) { nested(page: {size: $n}) { id } }`, `{"n": 9}`, 2, 1 + 9*2},
		{"the length of a list", `{ nested(page: null, ids: ["1", "2", "3"]) { id } }`, ``, 1, 1 + 3*2},
		{"the length of a list in a variable", `query ($ids: [ID!]) { nested(page: null, ids: $ids) { id } }`, `{"ids": ["1", "2"]}`, 1, 1 + 2*2},
		{"a single value is a list of one", `{ nested(page: null, ids: "1") { id } }`, ``, 1, 1 + 2},
		{"a list of unknown size", `{ unknown { id } }`, ``, 1, 1 + 50*2},
		{"lists within lists", `{ matrix }`, ``, 0, 1},
		{"weights of scalars", `{ codes }`, ``, 0, 1 + 1.5},
		{"lists multiply", `{ users(first: 3) { friends(n: 4) { age } } }`, ``, 1 + 3*(4+4*2), 1 + 3*(2+4*2)},
		{"sized fields", `{ films(first: 5) { nodes { title } count } }`, ``, 3 + 1 + 5*1, 1 + 1 + 5},
		{"edges", `{ films(first: 5) { edges { node { title } } } }`, ``, 3 + 1 + 5*(1+1), 1 + 1 + 5*2},
		{"other lists of a connection have their own sizes", `{ films(first: 5) { related { title } } }`, ``, 3 + 1 + 2, 1 + 1 + 2},
		{"sized fields in fragments", `{ a: films(first: 5) { ...F } b: films(last: 2) { ...F } } fragment F on Films { ... { nodes { title } } }`, ``, 3 + 1 + 5 + 3 + 1 + 2, 1 + 1 + 5 + 1 + 2},
		{"sized fields by variables", `query ($n: Int) { films(first: $n) { ...F } } fragment F on Films { nodes { title } related { id } }`, `{"n": 6}`, 3 + 1 + 6 + 1, 1 + 1 + 6 + 2},
		{"sized fields of unknown size", `{ films { nodes { title } } }`, ``, 3 + 1 + 50, 1 + 1 + 50},
		{"arguments within lists of objects", `{ create(input: [{name: "a"}, {name: "b", rank: 2}, {}]) { id } }`, ``, 5 + 2*(1+0.1+1) + 1 + 1, 1 + 2},
		{"arguments in variables", `query ($in: [NewUser!]) { create(input: $in) { id } }`, `{"in": [{"name": "a", "tags": [{}, {}]}, {"rank": null}]}`, 5 + 1 + 0.1 + 1 + 2 + 1, 1 + 2},
		{"objects within objects", `{ films(first: 1, where: {and: [{name: "a"}, {range: {from: 1}}]}) { count } }`, ``, 3 + 1 + 1 + 2 + 1 + 1, 1 + 1},
		{"null arguments cost nothing", `{ create(input: null, dry: null) { id } }`, ``, 5, 1 + 2},
		{"negative weights", `{ create(dry: true) { id } }`, ``, 1, 1 + 2},
		{"conditions that are written", `{ me @skip(if: true) { age } a: me @include(if: true) { age } b: me @include(if: false) { age } }`, ``, 1 + 2, 1 + 2},
		{"conditions by variables", `query ($a: Boolean!, $b: Boolean!) { me @skip(if: $a) { age } x: me @include(if: $b) { age } ... @include(if: $b) { y: me { age } } }`, `{"a": true, "b": true}`, 6, 5},
		{"conditions that do not hold", `query ($a: Boolean!, $b: Boolean!) { me @skip(if: $a) { age } x: me @include(if: $b) { age } ...F @include(if: $b) } fragment F on Query { y: me { age } }`, `{"a": false, "b": false}`, 3, 3},
		{"fields of interfaces cost what the most expensive type does", `{ node { friends { id } } }`, ``, 1 + 4, 1 + 2 + 50*2},
		{"types of interfaces: the most expensive counts", `{ node { ... on User { age } ... on Film { title director { age } } } }`, ``, 1 + 1 + 1 + 2, 1 + 2 + 2},
		{"types of unions", `{ media { ... on User { age } ... on Film { title } __typename } }`, ``, 1 + 10*2, 1 + 10*2},
		{"fragments on interfaces within unions", `{ media { ... on Node { friends { id } } ... on User { age } } }`, ``, 1 + 10*(4+2), 1 + 10*(2+50*2)},
		{"types by variables", `query ($n: Int) { media { ... on User { friends(n: $n) { id } } ... on Film { title } } }`, `{"n": 20}`, 1 + 10*4, 1 + 10*(2+20*2)},
		{"mutations cost what their fields do", `mutation { create(input: [{}]) { id } }`, ``, 10 + 2, 1 + 2},
		{"subscriptions cost what an event does", `subscription { ticks { age } }`, ``, 1 + 2, 1 + 2},
		{"introspection costs a field", `{ __schema { types { fields { type { name } } } } __type(name: "User") { name } }`, ``, 2, 3},
	} {
		op := parseQuery(t, schema, c.query)
		total, err := model.Compile(op).Estimate(variablesOf(t, c.variables))
		if got, want := total.Field.String()+" "+total.Type.String(), number(c.field)+" "+number(c.typ); err != nil || got != want {
			t.Errorf("%s: %s %s\n got %s (%v)\nwant %s", c.name, c.query, c.variables, got, err, want)
		}
	}
}

// Without a request, a variable may have any value.
func TestUnknownVariables(t *testing.T) {
	schema := loadSchema(t, shop)
	model := cost.New(schema, tableOf(schema), cost.Options{ListSize: 50})
	any := map[string]any{"n": cost.Unknown{}, "b": cost.Unknown{}, "in": cost.Unknown{}, "p": cost.Unknown{}}
	for query, want := range map[string]float64{
		`query ($n: Int) { users(first: $n) { id } }`:                                    1 + 50*2,
		`query ($n: Int) { backup(first: $n) { id } }`:                                   1 + 7*2,
		`query ($p: Page) { nested(page: $p) { id } }`:                                   1 + 50*2,
		`query ($b: Boolean!) { me @include(if: $b) { id } x: me @skip(if: $b) { id } }`: 5,
		`query ($in: [NewUser!], $b: Boolean) { create(input: $in, dry: $b) { id } }`:    6,
	} {
		total, err := model.Compile(parseQuery(t, schema, query)).Estimate(any)
		if err != nil || total.Cost().Float() != want {
			t.Errorf("%s: %v (%v), want %v", query, total.Cost(), err, want)
		}
	}
}

func TestExactlyOneSlicingArgument(t *testing.T) {
	schema := loadSchema(t, shop)
	model := cost.New(schema, tableOf(schema), cost.Options{})
	for _, c := range []struct{ query, variables, want string }{
		{`{ strict { id } }`, ``, `Query.strict has 0 of its arguments first, last; give exactly one, which says how long its list is`},
		{`{ strict(first: 1, last: 2) { id } }`, ``, `Query.strict has 2 of its arguments first, last; give exactly one, which says how long its list is`},
		{`query ($n: Int) { strict(first: $n) { id } }`, `{"n": null}`, `Query.strict has 0 of its arguments first, last; give exactly one, which says how long its list is`},
		{`query ($n: Int) { ...F } fragment F on Query { strict(first: $n) { id } }`, `{"n": 3}`, ``},
		{`{ strict(first: 1) { id } backup { id } users { id } }`, ``, ``},
		{`query ($b: Boolean!) { strict @include(if: $b) { id } }`, `{"b": false}`, ``},
		{`query ($b: Boolean!) { strict @include(if: $b) { id } }`, `{"b": true}`, `Query.strict has 0 of its arguments first, last; give exactly one, which says how long its list is`},
	} {
		total, err := model.Compile(parseQuery(t, schema, c.query)).Estimate(variablesOf(t, c.variables))
		if fmt.Sprint(err) != c.want && (err != nil || c.want != "") {
			t.Errorf("%s %s: %v, want %s", c.query, c.variables, err, c.want)
		}
		var slicing *cost.SlicingError
		if err != nil && (!errors.As(err, &slicing) || total.Type < 2*cost.One) {
			t.Errorf("%s: %T, and a total of %v", c.query, err, total)
		}
	}
}

// Sums and products saturate: an estimate is finite, whatever is multiplied.
func TestSaturation(t *testing.T) {
	schema := loadSchema(t, shop)
	model := cost.New(schema, tableOf(schema), cost.Options{})
	query := `users(first: 2147483647) { friends(n: 2147483647) { friends(n: 2147483647) { age } } }`
	for _, query := range []string{`{ ` + query + ` }`, `{ a: ` + query + ` b: ` + query + ` c: huge { id } d: huge { id } e: huge { id } }`} {
		total, err := model.Compile(parseQuery(t, schema, query)).Estimate(nil)
		if err != nil || total.Field != cost.Max || total.Type != cost.Max {
			t.Errorf("%s: %+v (%v)", query, total, err)
		}
	}
	for weight, want := range map[float64]cost.Cost{math.Inf(1): cost.Max, math.Inf(-1): -cost.Max, math.NaN(): 0, 1e300: cost.Max, 0.1: 100_000, -2.5: -2_500_000} {
		if got := cost.Of(weight); got != want {
			t.Errorf("Of(%v) = %d, want %d", weight, got, want)
		}
	}
	for c, want := range map[cost.Cost]string{cost.Max: "1000000000000", 1: "0.000001", 2*cost.One + cost.One/2: "2.5", 0: "0"} {
		if got, _ := c.MarshalJSON(); string(got) != want || c.String() != want {
			t.Errorf("%d is %s, want %s", c, got, want)
		}
	}
}

// multiplying returns a query whose fragments multiply a field by 2 for each of n levels: the class of
// GHSA-mfj6-6p54-m98c, where the guard itself took exponential time.
func multiplying(n int, of string) string {
	var b strings.Builder
	b.WriteString("query ($n: Int) { ...f0 } ")
	for i := range n {
		fmt.Fprintf(&b, "fragment f%d on Query { ...f%d ...f%d } ", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "fragment f%d on Query { %s }", n, of)
	return b.String()
}

// parseFragments is parseQuery without the validation rules that take exponential time themselves.
func parseFragments(t testing.TB, schema *ast.Schema, query string) *ast.OperationDefinition {
	t.Helper()
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatal(err)
	}
	validator.Walk(schema, doc, &validator.Events{})
	return doc.Operations[0]
}

// The first way to get a limiter wrong: it takes exponential time (GHSA-mfj6-6p54-m98c, CVE-2025-32034).
func TestFragmentsThatMultiplyTakeLinearTime(t *testing.T) {
	schema := loadSchema(t, shop)
	model := cost.New(schema, tableOf(schema), cost.Options{})
	for _, of := range []string{`me { age }`, `users(first: $n) { age }`, `films(first: $n) { nodes { title } }`} {
		op := parseFragments(t, schema, multiplying(1000, of))
		start := time.Now()
		total, err := model.Compile(op).Estimate(map[string]any{"n": int64(5)})
		if err != nil || total.Cost() != cost.Max {
			t.Errorf("%s: %v (%v), want %v", of, total.Cost(), err, cost.Max)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: took %v", of, took)
		}
	}
}

// The second way: it does not look into named fragments.
func TestNamedFragmentsCost(t *testing.T) {
	schema := loadSchema(t, shop)
	model := cost.New(schema, tableOf(schema), cost.Options{})
	for _, query := range []string{
		`{ users(first: 9) { age } }`,
		`{ ...F } fragment F on Query { users(first: 9) { ...G } } fragment G on User { age }`,
		`{ ... on Query { users(first: 9) { ... { age } } } }`,
		`query ($n: Int) { ...F } fragment F on Query { users(first: $n) { ...G } } fragment G on User { age }`,
	} {
		total, err := model.Compile(parseQuery(t, schema, query)).Estimate(map[string]any{"n": int64(9)})
		if err != nil || total.Field.Float() != 1+9*2 {
			t.Errorf("%s: %v (%v), want 19", query, total.Field, err)
		}
	}
}

// The third way: it counts a fragment that is spread several times once.
func TestReusedFragmentsCostEachTime(t *testing.T) {
	schema := loadSchema(t, shop)
	model := cost.New(schema, tableOf(schema), cost.Options{})
	for _, of := range []string{`me { age }`, `users(first: $n) { age }`} {
		once, _ := model.Compile(parseFragments(t, schema, multiplying(0, of))).Estimate(map[string]any{"n": int64(1)})
		total, err := model.Compile(parseFragments(t, schema, multiplying(10, of))).Estimate(map[string]any{"n": int64(1)})
		if err != nil || once.Field == 0 || total.Field != 1024*once.Field {
			t.Errorf("%s: %v (%v), want 1024 times %v", of, total.Field, err, once.Field)
		}
	}
}

// Fields lists what Estimate adds up.
func TestFields(t *testing.T) {
	schema := loadSchema(t, shop)
	model := cost.New(schema, tableOf(schema), cost.Options{})
	op := parseQuery(t, schema, `query ($n: Int) { films(first: $n) { ...F edges { node { ...on Film { title } } } } x: me { name } me @include(if: false) { age } } fragment F on Films { edges { node { title } } }`)
	fields, total, err := model.Fields(op, map[string]any{"n": int64(3)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	sum := cost.Total{Type: cost.One} // the root
	for _, f := range fields {
		got = append(got, fmt.Sprintf("%s %s %d %d: %v %v", f.Path, f.Field, f.Runs, f.Values, f.Cost.Field, f.Cost.Type))
		sum.Field, sum.Type = sum.Field+f.Cost.Field, sum.Type+f.Cost.Type
	}
	want := []string{
		"films Query.films 1 1: 3 1",
		"films.edges Films.edges 2 6: 2 6",
		"films.edges.node Edge.node 6 6: 6 6",
		"films.edges.node.title Film.title 6 6: 6 0",
		"x Query.me 1 1: 1 2",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if sum != total {
		t.Errorf("the fields cost %+v, and the operation %+v", sum, total)
	}
}

// FuzzEstimate estimates documents of any text, valid or not: it never panics, takes no longer than their
// length allows, and returns a cost that is finite and not negative.
func FuzzEstimate(f *testing.F) {
	schema := loadSchema(f, shop)
	model := cost.New(schema, tableOf(schema), cost.Options{})
	for _, query := range []string{
		`{ users(first: 3, last: 20) { id } }`,
		`query ($n: Int, $b: Boolean!) { films(first: $n) { ...F @skip(if: $b) } } fragment F on Films { nodes { title } ...F }`,
		`query ($in: [NewUser!]) { create(input: $in, dry: true) { best { best { friends(n: 99999999999) { age } } } } media { ... on Node { id } ... on User { age } } }`,
		`{ create(input: [{name: "a", tags: [{}, null]}, null]) { id } nested(page: {size: -1}, ids: "a") { id } matrix codes __schema { types { name } } }`,
		multiplying(20, `users(first: $n) { age }`),
	} {
		f.Add(query, `{"n": 5, "b": true, "in": [{"tags": [{"text": "a"}]}]}`)
		f.Add(query, `{"n": {"size": [1]}, "b": null, "in": {"name": 1}}`)
	}
	f.Fuzz(func(t *testing.T, query, text string) {
		doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: query}, 2000)
		if err != nil {
			return
		}
		var variables map[string]any
		_ = json.Unmarshal([]byte(text), &variables)
		validator.Walk(schema, doc, &validator.Events{})
		for _, op := range doc.Operations {
			start := time.Now()
			total, _ := model.Compile(op).Estimate(variables)
			if total.Field < 0 || total.Field > cost.Max || total.Type < 0 || total.Type > cost.Max {
				t.Errorf("%q %s: %+v", query, text, total)
			}
			if took := time.Since(start); took > time.Second {
				t.Errorf("%q %s: took %v", query, text, took)
			}
		}
	})
}

func BenchmarkEstimate(b *testing.B) {
	schema := loadSchema(b, shop)
	model := cost.New(schema, tableOf(schema), cost.Options{})
	for name, query := range map[string]string{
		"constant":  `{ me { id name age best { friends(n: 3) { id name } } } users(first: 3) { id age } }`,
		"variables": `query ($n: Int) { films(first: $n) { nodes { title director { name friends(n: $n) { id name age } } } } users(first: $n) { ...F best { ...F } } } fragment F on User { id friends(n: $n) { name } }`,
	} {
		op := parseQuery(b, schema, query)
		variables := map[string]any{"n": int64(10)}
		b.Run("estimate/"+name, func(b *testing.B) {
			program := model.Compile(op)
			b.ReportAllocs()
			for b.Loop() {
				_, _ = program.Estimate(variables)
			}
		})
		b.Run("compile/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				model.Compile(op)
			}
		})
	}
	op := parseFragments(b, schema, multiplying(600, `users(first: $n) { age }`))
	b.Run("compile/attack", func(b *testing.B) {
		for b.Loop() {
			model.Compile(op)
		}
	})
}
