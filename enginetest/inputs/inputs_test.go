package inputs

import (
	"regexp"
	"strings"
	"testing"
)

const (
	badLiteral  = "GRAPHQL_VALIDATION_FAILED"
	badVariable = "BAD_USER_INPUT"
)

// goTypes are names that no client has any use for.
var goTypes = regexp.MustCompile(`json\.Number|interface *\{|map\[|\[\]|float64|int64|strconv|<nil>|customscalar\.|scalar\.|\bint\b is`)

// What does not fit refuses the request as a whole: in a mutation, the field before the one
// with the mistake has made no call either.
func TestNothingRuns(t *testing.T) {
	for code, tests := range map[string][]struct {
		field     string // of the mutation, with its arguments
		variables string // definitions
		values    string
		want      string // part of the message
	}{badVariable: {
		{"put(int: $v)", "$v: Int!", `{"v": 3000000000}`, `variable $v: Int cannot represent non 32-bit signed integer value: 3000000000`},
		{"put(int: $v)", "$v: Int!", `{"v": "7"}`, `variable $v: Int cannot represent non 32-bit signed integer value: "7"`},
		{"put(int: $v)", "$v: Int!", `{"v": 1.5}`, `value: 1.5`},
		{"put(int: $v)", "$v: Int!", `{"v": 1e10}`, `value: 1e10`},
		{"put(int: $v)", "$v: Int!", `{"v": {}}`, `value: {}`},
		{"put(int: $v)", "$v: Int!", `{"v": [1]}`, `value: [1]`},
		{"put(int: $v)", "$v: Int!", `{"v": null}`, `variable $v: cannot be null`},
		{"put(int: $v)", "$v: Int!", `{}`, `variable $v: must be defined`},
		{"put(id: $v)", "$v: ID", `{"v": 1.5}`, `variable $v: ID cannot represent a non-string and non-integer value: 1.5`},
		{"put(id: $v)", "$v: ID", `{"v": true}`, `value: true`},
		{"put(id: $v)", "$v: ID", `{"v": {}}`, `value: {}`},
		{"put(at: $v)", "$v: DateTime", `{"v": "yesterday"}`, `variable $v: "yesterday" is not a DateTime such as 2026-01-31T12:00:00Z`},
		{"put(at: $v)", "$v: DateTime", `{"v": {}}`, `variable $v: {} is not a DateTime`},
		{"put(kinds: $v)", "$v: [Kind!]", `{"v": "large"}`, `variable $v: Value "large" does not exist in "Kind" enum. Did you mean the enum value "LARGE"?`},
		{"put(kinds: $v)", "$v: [Kind!]", `{"v": ["SMALL", "odd-one"]}`, `variable $v[1]: Value "odd-one" does not exist`},
		{"put(kinds: $v)", "$v: [Kind!]", `{"v": [1]}`, `variable $v[0]: Enum "Kind" cannot represent non-string value: 1.`},
		{"put(kinds: $v)", "$v: [Kind!]", `{"v": [null]}`, `variable $v[0]: cannot be null`},
		{"put(choice: $v)", "$v: Choice", `{"v": {}}`, `variable $v: must have exactly one field`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"int": 1, "string": "a"}}`, `variable $v: must have exactly one field`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"int": 1, "string": null}}`, `variable $v: must have exactly one field`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"int": null}}`, `variable $v.int: cannot be null`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"it": 1}}`, `variable $v.it: unknown field. Did you mean "int"?`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"int": 1, "__typename": "Choice"}}`, `variable $v.__typename: unknown field`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"choice": {}}}}`, `variable $v.all.choice: must have exactly one field`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"choices": [{"int": 1}, {"int": null}]}}}`, `variable $v.all.choices[1].int: cannot be null`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"must": {"int": 1}}}}`, `variable $v.all.must.list: must be defined`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"grid": [[1], [2, null]]}}}`, `variable $v.all.grid[1][1]: cannot be null`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"float": "9.75"}}}`, `variable $v.all.float: Float cannot represent non numeric value: "9.75"`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"float": "NaN"}}}`, `value: "NaN"`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"float": 1e400}}}`, `value: 1e400`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"string": 1}}}`, `variable $v.all.string: String cannot represent a non string value: 1`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"boolean": "true"}}}`, `variable $v.all.boolean: Boolean cannot represent a non boolean value: "true"`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"boolean": 1}}}`, `value: 1`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"price": "1,5"}}}`, `variable $v.all.price: "1,5" is not a decimal number`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"big": 9223372036854775808}}}`, `variable $v.all.big: 9223372036854775808 is not a whole number of 64 bits`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"day": "2026-02-30"}}}`, `variable $v.all.day: "2026-02-30" is not a Date`},
		{"put(choice: $v)", "$v: Choice", `{"v": {"all": {"uuid": {"a": [1]}}}}`, `variable $v.all.uuid: {"a":[1]} is not a UUID`},
		{"put(choice: $v)", "$v: Choice", `{"v": [{"int": 1}]}`, `variable $v: must be a Choice, not [{"int":1}]`},
		{"put(int: $v)", `$v: Int`, `{"v": "` + strings.Repeat("x", 10_000) + `"}`, `xxx…`},
		{"own(money: $v)", "$v: Money", `{"v": "much"}`, `variable $v: Expected value of type "Money", found "much".`},
		{"own(money: $v)", "$v: Money", `{"v": {}}`, `variable $v: Expected value of type "Money", found {}.`},
		{"own(level: $v)", "$v: Level", `{"v": 5}`, `variable $v: a Level begins with an L`},
		{"own(slug: $v)", "$v: Slug", `{"v": {}}`, `variable $v: Expected value of type "Slug", found {}.`},
		{"own(slug: $v)", "$v: Slug", `{"v": ["a"]}`, `found ["a"].`},
		{`own(slug: {a: $v})`, "$v: Int", `{"v": 1}`, `Expected value of type "Slug", found {"a":1}.`},
		{`own(level: {a: $v})`, "$v: Int", `{"v": 1}`, `a Level begins with an L`},
	}, badLiteral: {
		{"put(int: 3000000000)", "", "", `Int cannot represent non 32-bit signed integer value: 3000000000`},
		{"put(int: 99999999999999999999)", "", "", `value: 99999999999999999999`},
		{`put(int: "7")`, "", "", `value: "7"`},
		{`put(int: 1.0)`, "", "", `value: 1.0`},
		{`put(int: {})`, "", "", `value: {}`},
		{`put(int: [1])`, "", "", `value: [1]`},
		{`put(int: LARGE)`, "", "", `value: LARGE`},
		{`put(int: {a: $v})`, "$v: Int", `{"v": 1}`, `value: {a:$v}`},
		{`put(id: 1.5)`, "", "", `ID cannot represent a non-string and non-integer value: 1.5`},
		{`put(id: {})`, "", "", `value: {}`},
		{`put(id: true)`, "", "", `value: true`},
		{`put(at: "yesterday")`, "", "", `"yesterday" is not a DateTime`},
		{`put(at: 5)`, "", "", `5 is not a DateTime`},
		{`put(at: {})`, "", "", `{} is not a DateTime`},
		{`put(kinds: "LARGE")`, "", "", `Enum "Kind" cannot represent non-enum value: "LARGE". Did you mean the enum value "LARGE"?`},
		{`put(kinds: large)`, "", "", `Value "large" does not exist in "Kind" enum.`},
		{`put(kinds: [LARGE, null])`, "", "", `Expected value of type "Kind!", found null.`},
		{`put(choice: {})`, "", "", `OneOf Input Object "Choice" must specify exactly one key.`},
		{`put(choice: {int: 1, string: "a"})`, "", "", `OneOf Input Object "Choice" must specify exactly one key.`},
		{`put(choice: {string: null})`, "", "", `Field "Choice.string" must be non-null.`},
		{`put(choice: {int: $v})`, "$v: Int", `{"v": 1}`, `must be non-nullable to be used for OneOf Input Object "Choice"`},
		{`put(choice: {all: {choices: [{int: 1}, {}]}})`, "", "", `OneOf Input Object "Choice" must specify exactly one key.`},
		{`put(choice: {all: {float: "9.75"}})`, "", "", `Float cannot represent non numeric value: "9.75"`},
		{`put(choice: {all: {float: 1e400}})`, "", "", `Float cannot represent non numeric value: 1e400`},
		{`put(choice: {all: {big: 9223372036854775808}})`, "", "", `9223372036854775808 is not a whole number of 64 bits`},
		{`put(choice: {all: {must: {int: 1}}})`, "", "", `Field "Must.list" of required type "[Int!]!" was not provided.`},
		{`put(choice: {all: 5})`, "", "", `Expected value of type "All", found 5.`},
		{`put(choice: {all: {nope: 5}})`, "", "", `Field "nope" is not defined by type "All".`},
		{`put(int: $v)`, `$v: Int = "7"`, "", `value: "7"`},
		{`put(choice: $v)`, `$v: Choice = {}`, "", `must specify exactly one key`},
		{`own(money: "much")`, "", "", `Expected value of type "Money", found "much".`},
		{`own(level: 5)`, "", "", `a Level begins with an L`},
		{`own(slug: {a: 1})`, "", "", `Expected value of type "Slug", found {"a":1}.`},
		{`own(slug: ["a"])`, "", "", `Expected value of type "Slug", found ["a"].`},
	}} {
		for _, test := range tests {
			query := "mutation"
			if test.variables != "" {
				query += "(" + test.variables + ")"
			}
			query += " { a: put(int: 1) b: " + test.field + " }"
			for _, how := range engines {
				g := newGateway(t, how)
				got := g.post(t, query, test.values)
				if len(got.Errors) == 0 || got.Data != nil || g.calls.Load() != 0 {
					t.Errorf("%s: %s with %s: %d calls, got %s", how, query, test.values, g.calls.Load(), got.text)
					continue
				}
				first := got.Errors[0]
				if !strings.Contains(first.Message, test.want) || first.Extensions.Code != code || len(first.Locations) == 0 || first.Path != nil {
					t.Errorf("%s: %s with %s: got %s, want %s %q", how, query, test.values, got.text, code, test.want)
				}
				if goTypes.MatchString(first.Message) {
					t.Errorf("%s: %s: the message names a Go type: %s", how, query, first.Message)
				}
			}
		}
	}
}

// What fits reaches the service as it was said.
func TestValues(t *testing.T) {
	for _, test := range []struct{ query, variables, want string }{
		// The value of a number, however it is written.
		{"query($v: Int) { scalars(int: $v) }", `{"v": 1.0}`, `{"int":1}`},
		{"query($v: Int) { scalars(int: $v) }", `{"v": -12e2}`, `{"int":-1200}`},
		{"query($v: ID) { scalars(id: $v) }", `{"v": 12345678901234567890}`, `{"id":"12345678901234567890"}`},
		{"query($v: ID) { scalars(id: $v) }", `{"v": 7.0}`, `{"id":"7"}`},
		{"{ scalars(id: 12345678901234567890) }", ``, `{"id":"12345678901234567890"}`},
		{"{ scalars(id: -7) }", ``, `{"id":"-7"}`},
		{"{ scalars(float: 12345678901234567890) }", ``, `{"float":12345678901234567000}`},
		{"query($v: Float) { scalars(float: $v) }", `{"v": 12345678901234567890}`, `{"float":12345678901234567000}`},
		{"{ scalars(price: 12345678901234567890.123456789) }", ``, `{"price":"12345678901234567890.123456789"}`},
		{"{ scalars(price: 12345678901234567890) }", ``, `{"price":"12345678901234567890"}`},
		{"query($v: Decimal) { scalars(price: $v) }", `{"v": 12345678901234567890.123456789}`, `{"price":"12345678901234567890.123456789"}`},
		{"query($v: Decimal = 1.10) { scalars(price: $v) }", ``, `{"price":"1.10"}`},
		{"{ scalars(big: 9223372036854775807) }", ``, `{"big":9223372036854775807}`},
		{"{ scalars(json: 12345678901234567890) }", ``, `{"json":12345678901234567890}`},
		{"{ scalars(json: {a: [], b: [1.50, [], 12345678901234567890], c: {}}) }", ``, `{"json":{"a":[],"b":[1.50,[],12345678901234567890],"c":{}}}`},
		{"{ scalars(json: []) }", ``, `{"json":[]}`},
		{"{ scalars(json: null) }", ``, `{"json":null}`},
		{"query($v: Int, $n: JSON) { scalars(json: {a: $v, b: [$v], c: $n, d: 1.50}) }", `{"n": []}`, `{"json":{"b":[null],"c":[],"d":1.50}}`},
		{"query($v: Decimal = 1.10) { scalars(json: {a: $v}) }", ``, `{"json":{"a":1.10}}`},
		// Lists.
		{"{ lists(ints: 5, grid: 5, kinds: LARGE, ids: 5, choices: {int: 1}) }", ``, `{"ints":[5],"grid":[[5]],"kinds":["LARGE"],"ids":["5"],"choices":[{"int":1}]}`},
		{"query($i: [Int], $g: [[Int]], $k: [Kind!], $c: [Choice!]) { lists(ints: $i, grid: $g, kinds: $k, choices: $c) }", `{"i": 5, "g": [1, [2, null]], "k": "ODD", "c": {"int": 1}}`, `{"ints":[5],"grid":[[1],[2,null]],"kinds":["odd-one"],"choices":[{"int":1}]}`},
		{"query($v: Int) { lists(ints: [1, $v]) }", ``, `{"ints":[1,null]}`},
		{"{ lists(ints: [], prices: [1.10, 12345678901234567890]) }", ``, `{"ints":[],"prices":["1.10","12345678901234567890"]}`},
		// Absent is not null.
		{"query($v: Int) { scalars(int: $v, string: null) }", ``, `{"string":null}`},
		{"query($v: Int) { echo(all: {int: $v, string: null}) }", ``, `{"all":{"string":null}}`},
		{"query($v: Int) { echo(all: {int: $v}) }", `{"v": null}`, `{"all":{"int":null}}`},
		// Defaults.
		{"{ preset }", ``, `{"price":"12345678901234567890.123456789","json":{"a":[1.50,[]]},"float":3,"defaults":` + presets + `}`},
		{"query($p: Decimal, $j: JSON, $d: Defaults) { preset(price: $p, json: $j, defaults: $d) }", ``, `{"price":"12345678901234567890.123456789","json":{"a":[1.50,[]]},"float":3,"defaults":` + presets + `}`},
		{"{ echo(defaults: {}) }", ``, `{"defaults":` + presets + `}`},
		{"query($v: Defaults) { echo(defaults: $v) }", `{"v": {}}`, `{"defaults":` + presets + `}`},
		{"query($v: Defaults = {}) { echo(defaults: $v) }", ``, `{"defaults":` + presets + `}`},
		{"query($p: Decimal, $j: JSON, $i: Int) { echo(defaults: {price: $p, json: $j}) scalars(int: $i) }", ``, `{"defaults":` + presets + `}`},
		{"query($v: Int! = 5) { must(int: $v) }", ``, `{"int":5,"id":"12345678901234567890","ints":[5]}`},
		// A fragment's variable has the default of the operation that runs, which is A.
		{"query A($v: Int) { ...f } query B($v: Int = 5) { ...f } fragment f on Query { echo(all: {int: $v}) }", ``, `{"all":{}}`},
		// The project's own scalars.
		{"{ own(money: 12, level: \"Low\") }", ``, `"money 1200 level Low "`},
		{`{ own(slug: "a-b") }`, ``, `"slug a-b "`},
		{"query($m: Money, $l: [Level!]) { own(money: $m, levels: $l) }", `{"m": 1.25, "l": "Lo"}`, `"money 125 levels [Lo] "`},
	} {
		for _, how := range engines {
			for way, ask := range map[string]func(*gateway) *answer{
				"POST": func(g *gateway) *answer { return g.post(t, test.query, test.variables) },
				"GET":  func(g *gateway) *answer { return g.get(t, test.query, test.variables) },
			} {
				g := newGateway(t, how)
				got := ask(g)
				_, value, _ := strings.Cut(string(got.Data), ":")
				value = strings.TrimSuffix(value, "}")
				if len(got.Errors) > 0 || !strings.HasPrefix(value, test.want) {
					t.Errorf("%s, %s: %s with %s: got %s, want %s", how, way, test.query, test.variables, got.text, test.want)
				}
			}
		}
	}
}

// presets are the defaults of the input Defaults.
const presets = `{"int":1,"list":[5],"grid":[[1],[2,null]],"kind":"LARGE","kinds":["odd-one"],"float":3,` +
	`"price":"12345678901234567890.123456789","json":{"a":[1.50,[]],"b":12345678901234567890},"id":"123","none":null,"must":{"int":1,"list":[2],"id":"7"}}`

// A null for a variable that may be null, where the argument may not, is an error of the field
// (section 6.4.1): there is no call, and the other fields are answered.
func TestNullArguments(t *testing.T) {
	for _, test := range []struct{ query, variables string }{
		{`mutation($v: ID = "u5") { a: put(int: 1) b: mustPut(id: $v) }`, `{"v": null}`},
		{`mutation($v: All = {}) { a: put(int: 1) b: mustPut(id: 1, all: $v) }`, `{"v": null}`},
		{`mutation($v: All) { a: put(int: 1) b: mustPut(id: 1, all: $v) }`, `{"v": null}`},
		{`mutation($v: [Int!]) { a: put(int: 1) b: mustPut(id: 1, ints: $v) }`, `{"v": null}`},
		{`mutation($v: Int = 5) { a: put(int: 1) b: mustPut(id: 1, ints: [1, $v]) }`, `{"v": null}`},
		{`mutation($v: Int = 5) { a: put(int: 1) b: mustPut(id: 1, all: {must: {int: $v, list: 1}}) }`, `{"v": null}`},
		{`mutation($v: ID) { a: put(int: 1) b: mustPut(id: 1, all: {must: {int: 1, list: 1, id: $v}}) }`, `{"v": null}`},
		{`mutation($v: Kind = LARGE) { a: put(int: 1) b: put(kinds: [$v]) }`, `{"v": null}`},
		{`mutation($v: ID = "u5") { ...f } fragment f on Mutation { a: put(int: 1) b: mustPut(id: $v) }`, `{"v": null}`},
	} {
		for _, how := range engines {
			g := newGateway(t, how)
			got := g.post(t, test.query, test.variables)
			if string(got.Data) != `{"a":{"int":1},"b":null}` || len(got.Errors) != 1 || g.calls.Load() != 1 {
				t.Errorf("%s: %s: %d calls, got %s", how, test.query, g.calls.Load(), got.text)
				continue
			}
			e := got.Errors[0]
			if len(e.Path) != 1 || e.Path[0] != "b" || e.Extensions.Code != badVariable || !strings.HasSuffix(e.Message, ": variable $v must not be null here") {
				t.Errorf("%s: %s: got %s", how, test.query, got.text)
			}
		}
	}
	// What has a value is called, and what is absent has its default.
	for variables, want := range map[string]string{`{}`: `"/u5?int=1"`, `{"v": "u6"}`: `"/u6?int=1"`} {
		for _, how := range engines {
			if got := newGateway(t, how).post(t, `mutation($v: ID = "u5") { mustPut(id: $v) }`, variables); string(got.Data) != `{"mustPut":`+want+`}` {
				t.Errorf("%s: %s: got %s", how, variables, got.text)
			}
		}
	}
}

// A null where a directive needs a value refuses the request.
func TestNullConditions(t *testing.T) {
	for _, how := range engines {
		g := newGateway(t, how)
		got := g.post(t, `mutation($v: Boolean = true) { a: put(int: 1) ...f } fragment f on Mutation { b: put(int: 2) @include(if: $v) }`, `{"v": null}`)
		if got.Data != nil || len(got.Errors) != 1 || got.Errors[0].Extensions.Code != badVariable || g.calls.Load() != 0 {
			t.Errorf("%s: got %s", how, got.text)
		}
	}
}

// A scalar whose function needs a field's context is read when the field runs. What it says
// goes to the log.
func TestLateScalar(t *testing.T) {
	for _, how := range engines {
		for _, query := range []string{`{ own(late: 5) }`, `query($v: Late = 5) { own(late: $v) }`} {
			g := newGateway(t, how)
			got := g.post(t, query, "")
			if string(got.Data) != `{"own":null}` || len(got.Errors) != 1 || got.Errors[0].Extensions.Code != badVariable || g.calls.Load() != 0 ||
				goTypes.MatchString(got.Errors[0].Message) || !strings.Contains(g.log.String(), "is not Late in own") {
				t.Errorf("%s: %s: got %s, logged %s", how, query, got.text, g.log.String())
			}
			if got := g.post(t, `{ own(late: "x") }`, ""); string(got.Data) != `{"own":"late x "}` {
				t.Errorf("%s: got %s", how, got.text)
			}
		}
	}
}
