package plan

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"weak"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	directive @odd on QUERY | FIELD
	type Query { a: A b: B thing: Thing many: Many }
	type Mutation { a: A }
	type Subscription { a: Int }
	interface A { o: O }
	interface B { o: O }
	type O { x: Int y: Int }
	type Thing implements A & B { o: O }
	interface Many { m: Many n: Int }
	type M1 implements Many { m: Many n: Int } type M2 implements Many { m: Many n: Int } type M3 implements Many { m: Many n: Int }
	type M4 implements Many { m: Many n: Int } type M5 implements Many { m: Many n: Int } type M6 implements Many { m: Many n: Int }
`})

var types = func() Types {
	all := Types{}
	for name, def := range schema.Types {
		if def.Kind == ast.Object {
			info := TypeInfo{ID: len(all), Fields: map[string]FieldInfo{}}
			for i, f := range def.Fields {
				info.Fields[f.Name] = FieldInfo{ID: i + 1}
			}
			all[name] = info
		}
	}
	return all
}()

func operationOf(t testing.TB, query string, variables map[string]any) *graphql.OperationContext {
	t.Helper()
	doc, errs := gqlparser.LoadQueryWithRules(schema, query, nil)
	if errs != nil {
		t.Fatal(errs)
	}
	return again(doc, variables)
}

func again(doc *ast.QueryDocument, variables map[string]any) *graphql.OperationContext {
	return &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: variables}
}

// planOf returns the plan of an operation that has one.
func planOf(t testing.TB, p *Planner, op *graphql.OperationContext) *Plan {
	t.Helper()
	plan, fallback, err := p.Plan(t.Context(), op)
	if plan == nil || fallback != "" || err != nil {
		t.Error("no plan", fallback, err)
	}
	return plan
}

// An operation that no plan can execute has the reason.
func TestFallbackReasons(t *testing.T) {
	var conditions, params strings.Builder
	for i := range 65 {
		fmt.Fprintf(&params, "$v%d: Boolean! ", i)
		fmt.Fprintf(&conditions, "f%d: __typename @skip(if: $v%d) ", i, i)
	}
	for query, want := range map[string]engine.FallbackReason{
		`{ a { o { x } } }`:                                            "",
		`mutation { a { o { x } } }`:                                   "",
		`{ __typename }`:                                               "",
		`subscription { a }`:                                           engine.FallbackSubscription,
		`query @odd { a { o { x } } }`:                                 engine.FallbackDirectives,
		`{ a { ...F } } fragment F on A { o { x @odd } }`:              engine.FallbackDirectives,
		`{ ... { __schema { queryType { name } } } }`:                  engine.FallbackIntrospection,
		`{ __type(name: "A") { name } }`:                               engine.FallbackIntrospection,
		`query(` + params.String() + `) {` + conditions.String() + `}`: engine.FallbackConditions,
		`{ many ` + strings.Repeat("{ m ", 7) + "{ __typename }" + strings.Repeat("}", 7) + `}`: engine.FallbackTooLarge,
		// Few fields, each selected often, of many types: the limit is time, not memory.
		`{ many { m { m { m { ` + strings.Repeat("n ", 1900) + `} } } } }`: engine.FallbackTooLarge,
		`{ many { m { m { m { n } } } } }`:                                 "",
	} {
		op := operationOf(t, query, nil)
		p := NewPlanner(schema, types)
		for range 2 {
			if plan, fallback, err := p.Plan(t.Context(), op); (plan == nil) != (want != "") || fallback != want || err != nil {
				t.Errorf("%.60s: fallback for %q, want %q; %v", query, fallback, want, err)
			}
		}
	}
}

// After the end of its context, an operation has neither a plan nor a reason for a fallback.
func TestNoPlanAfterTheEnd(t *testing.T) {
	p := NewPlanner(schema, types)
	op := operationOf(t, `{ __typename }`, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 { // the first call compiles the plan, the second one finds it in the cache
		if plan, fallback, err := p.Plan(ctx, op); plan != nil || fallback != "" || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, %q, %v", plan, fallback, err)
		}
	}
}

// The planner has one plan for each combination of the values of conditions, and no more than the limit.
func TestPlansAreCached(t *testing.T) {
	p := NewPlanner(schema, types)
	doc, _ := gqlparser.LoadQueryWithRules(schema, `query($p: Boolean!) { a @skip(if: $p) { o { x } } __typename }`, nil)
	plan := func(skip bool) *Plan {
		return planOf(t, p, again(doc, map[string]any{"p": skip}))
	}
	if first := plan(true); first != plan(true) || first == plan(false) || len(plan(true).Root().Fields) != 1 || len(plan(false).Root().Fields) != 2 {
		t.Error("the plans do not depend on the values of conditions alone")
	}
	for range maxPlans + 10 {
		planOf(t, p, operationOf(t, `{ __typename }`, nil))
	}
	if p.plans.Len() != maxPlans || p.operations.Len() != maxPlans {
		t.Errorf("%d plans and %d operations are cached", p.plans.Len(), p.operations.Len())
	}
}

// Concurrent first callers with the same operation share one compilation.
func TestFirstCallersShareOnePlan(t *testing.T) {
	for range 20 {
		p := NewPlanner(schema, types)
		doc, _ := gqlparser.LoadQueryWithRules(schema, `{`+strings.Repeat("a { o { x } } ", 200)+`}`, nil)
		var callers sync.WaitGroup
		var plans sync.Map
		begin := make(chan struct{})
		for range 100 {
			op := again(doc, nil)
			callers.Go(func() {
				<-begin
				plans.Store(planOf(t, p, op), true)
			})
		}
		close(begin)
		callers.Wait()
		count := 0
		plans.Range(func(plan, _ any) bool {
			if plan.(*Plan) == nil {
				t.Error("no plan")
			}
			count++
			return true
		})
		if count != 1 {
			t.Fatalf("%d plans were compiled", count)
		}
	}
}

// The weight of a plan includes that of its document, also if the plan is too large, and all plans
// together take no more memory than the limit.
func TestCacheIsBoundedInMemory(t *testing.T) {
	for name, query := range map[string]string{
		"a large document": `{ a { o { ` + strings.Repeat("x ", 1990) + `} } }`,
		"merged":           `{` + strings.Repeat("a { o { x } } ", 200) + `}`,
		"a large plan":     `{ many { m { m { m { __typename } } } } }`,
		"no plan":          `{ many ` + strings.Repeat("{ m ", 7) + "{ " + strings.Repeat("n ", 1900) + "}" + strings.Repeat("}", 7) + `}`,
		"conditions":       `query($p: Boolean = true) {` + strings.Repeat("a @include(if: $p) { o { x } } ", 100) + `}`,
		"values":           `{` + strings.Repeat("a @include(if: true) { o { x } } ", 100) + `}`,
	} {
		p := NewPlanner(schema, types)
		before := allocated()
		for i := 0; p.plans.Len() == i; i++ { // until one is evicted
			doc, errs := gqlparser.LoadQueryWithRules(schema, query, rules.NewRules(rules.KnownDirectivesRule)) // the other rules are slow
			if errs != nil {
				t.Fatal(errs)
			}
			_, _, _ = p.Plan(t.Context(), again(doc, map[string]any{"p": true})) // one of the queries has none
		}
		taken := allocated() - before
		if sum := p.plans.Weight(); sum > maxPlanBytes || taken > maxPlanBytes || taken > sum*11/10 {
			t.Errorf("%s: %d plans take %d bytes, estimated as %d, with a limit of %d", name, p.plans.Len(), taken, sum, maxPlanBytes)
		}
		runtime.KeepAlive(p)
	}
}

// allocated returns the size of the live heap in bytes.
func allocated() int {
	runtime.GC()
	runtime.GC() // what finalizers held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// The conditions are those of an operation and of the fragments that it spreads, each once.
func TestConditions(t *testing.T) {
	op := operationOf(t, `query($a: Boolean! $b: Boolean! $c: Boolean!) {
		a @skip(if: $b) { ...F } ... @include(if: $c) { __typename } 
	}
	fragment F on A { o @include(if: $a) { x @skip(if: $b) } }`, nil)
	if got := walkOperation(op).conditions; !slices.Equal(got, []string{"b", "a", "c"}) {
		t.Errorf("the conditions are %v", got)
	}
}

// Fields with the same response key are merged on whichever types they are selected (section 6.3.2 of the
// specification). gqlgen's executor does not merge them if the types are unrelated.
func TestFieldsAreMerged(t *testing.T) {
	op := operationOf(t, `{ thing { ... on A { o { x } } ... on B { o { y x } } } }`, nil)
	thing := planOf(t, NewPlanner(schema, types), op).Root().Fields[0].SelectionOf(types["Thing"].ID)
	if len(thing.Fields) != 1 {
		t.Fatalf("%d fields", len(thing.Fields))
	}
	o := thing.Fields[0].SelectionOf(types["O"].ID)
	if len(o.Fields) != 2 || string(o.Fields[0].Key) != `"x":` || string(o.Fields[1].Key) != `,"y":` {
		t.Errorf("got %v", o.Fields)
	}
}

// The projection of a type has the fields that are selected of it at any place, and its keys.
func TestProjection(t *testing.T) {
	keyed := maps.Clone(types)
	keyed["O"] = TypeInfo{ID: types["O"].ID, Fields: types["O"].Fields, Keys: []string{"key"}}
	for query, want := range map[string]string{
		`{ a { o { x } } }`:                            "key x",
		`{ a { o { __typename } } }`:                   "key",
		`{ thing { __typename } }`:                     "",
		`{ a { o { x } } again: a { o { more: y } } }`: "key x y",
		`{ a { ...F o @skip(if: true) { y } } } fragment F on Thing { o { x } }`:              "key x",
		`query($yes: Boolean! = true) { a { o { x @skip(if: $yes) y @include(if: $yes) } } }`: "key y",
		`query($yes: Boolean! = true) { a @skip(if: $yes) { o { x } } thing { o { y } } }`:    "key y",
	} {
		op := operationOf(t, query, map[string]any{"yes": true})
		c := newCompiler(schema, keyed, op)
		if plan := c.compile(); plan.projection == nil {
			t.Errorf("%s reads every field", query)
		}
		if got := strings.Join(slices.Sorted(maps.Keys(c.selected["O"])), " "); got != want {
			t.Errorf("%s reads %q of O, want %q", query, got, want)
		}
	}
}

// An operation with a field that generated code does not resolve has no projection.
func TestHandwrittenCodeReadsEveryField(t *testing.T) {
	for name, info := range map[string]FieldInfo{"handwritten": {ID: 2, Kind: Resolver, Handwritten: true}, "by gqlgen": {ID: 2, Kind: Fallback}} {
		changed := maps.Clone(types)
		changed["O"] = TypeInfo{ID: types["O"].ID, Fields: map[string]FieldInfo{"x": types["O"].Fields["x"], "y": info}}
		p := NewPlanner(schema, changed)
		for query, everyField := range map[string]bool{`{ a { o { x } } thing { o { y } } }`: true, `{ a { o { x } } }`: false} {
			op := operationOf(t, query, nil)
			if plan := planOf(t, p, op); (plan.projection == nil) != everyField {
				t.Errorf("%s: %s reads every field: %v", name, query, !everyField)
			}
		}
	}
}

// The Append functions write what gqlgen writes.
func TestAppend(t *testing.T) {
	written := func(m graphql.Marshaler) string {
		var b strings.Builder
		m.MarshalGQL(&b)
		return b.String()
	}
	for _, text := range []string{"", "a", "é\"\\/\b\f\n\r\t\x00\x1f\x7f<>& ", "\xff\xfe", strings.Repeat("long ", 100)} {
		if got, want := string(AppendString(nil, text)), written(graphql.MarshalString(text)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for c := range 256 { // at each position in a word, between other special bytes
		for at := range 20 {
			text := strings.Repeat("\xff ", 10)[:at] + string([]byte{byte(c)}) + "!\"é\\#\x1f~~~~~~~\x7f"
			if got, want := string(AppendString(nil, text)), written(graphql.MarshalString(text)); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
	for _, v := range []float64{0, 1, -1.5, 1e5, 1e6, 1e20, 1e21, 1e22, 1e-4, 1e-5, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		if got, want := string(AppendFloat(nil, v)), written(graphql.MarshalFloat(v)); got != want || !IsFinite(v) {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if IsFinite(math.Inf(-1)) || IsFinite(math.NaN()) {
		t.Error("infinity or NaN is finite")
	}
}

// The cache of operations does not keep their documents in memory.
func TestOperationsDoNotKeepDocuments(t *testing.T) {
	p := NewPlanner(schema, types)
	var doc operationKey
	func() {
		op := operationOf(t, `query($a: Boolean!) { __schema { description @skip(if: $a) } }`, map[string]any{"a": true})
		if plan, _, _ := p.Plan(t.Context(), op); plan != nil {
			t.Error("introspection has a plan")
		}
		doc = weak.Make(op.Operation)
	}()
	runtime.GC()
	if p.operations.Len() != 1 || doc.Value() != nil {
		t.Error("the document is still in memory")
	}
}

// An operation can be coalesced only if it is a query whose fields depend on nothing but the client's
// identity, the operation and its variables. Fields that are skipped do not count.
func TestCanCoalesce(t *testing.T) {
	with := func(change func(*FieldInfo)) Types {
		changed := maps.Clone(types)
		info := changed["O"]
		info.Fields = maps.Clone(info.Fields)
		x := info.Fields["x"]
		change(&x)
		info.Fields["x"] = x
		changed["O"] = info
		return changed
	}
	plain := with(func(*FieldInfo) {})
	requestScoped := with(func(f *FieldInfo) { f.RequestScoped = true })
	handwritten := with(func(f *FieldInfo) { f.Handwritten = true })
	fallback := with(func(f *FieldInfo) { f.Kind = Fallback })
	const conditional = `query($p: Boolean!) { a { o { y x @include(if: $p) } } }`
	for _, c := range []struct {
		types Types
		query string
		p     bool
		want  bool
	}{
		{plain, `{ a { o { x } } }`, false, true},
		{plain, `mutation { a { o { x } } }`, false, false},
		{plain, `subscription { a }`, false, false},
		{plain, `{ __schema { queryType { name } } }`, false, false},
		{plain, `query @odd { a { o { x } } }`, false, false},
		{requestScoped, `{ a { o { y } } }`, false, true},
		{requestScoped, `{ a { o { x } } }`, false, false},
		{requestScoped, conditional, false, true},
		{requestScoped, conditional, true, false},
		{handwritten, `{ b { ... on Thing { o { x } } } }`, false, false},
		{fallback, `{ thing { o { y } } a { o { x } } }`, false, false},
	} {
		doc, errs := gqlparser.LoadQueryWithRules(schema, c.query, nil)
		if errs != nil {
			t.Fatal(errs)
		}
		p := NewPlanner(schema, c.types)
		op := &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: map[string]any{"p": c.p}}
		for range 2 {
			if got := p.CanCoalesce(t.Context(), op); got != c.want {
				t.Errorf("%s with %t can be coalesced: %t", c.query, c.p, got)
			}
		}
	}
}

func BenchmarkKnownPlan(b *testing.B) {
	p := NewPlanner(schema, types)
	doc, _ := gqlparser.LoadQueryWithRules(schema, `{ a { o { x } } }`, nil)
	op := &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0], Variables: map[string]any{}}
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		if plan, _, _ := p.Plan(ctx, op); plan == nil {
			b.Fatal("no plan")
		}
	}
}

// The plans of a pinned operation are those that it would have, one for each combination of its
// conditions, and stay whatever else is planned.
func TestPin(t *testing.T) {
	for name, test := range map[string]struct {
		query string
		plans int
	}{
		"no condition":     {"{ a { o { x } } }", 1},
		"two conditions":   {"query ($x: Boolean!, $y: Boolean = true) { a { o { x @include(if: $x) y @skip(if: $y) } } }", 4},
		"many, by default": {"query ($a: Boolean = true, $b: Boolean!, $c: Boolean!, $d: Boolean!) { a { o { a: x @include(if: $a) b: x @include(if: $b) c: x @include(if: $c) d: x @include(if: $d) } } }", 1},
		"no plan":          {"{ __schema { description } }", 0},
	} {
		p := NewPlanner(schema, types)
		op := operationOf(t, test.query, nil)
		bytes, release := p.Pin(op)
		if got := p.plans.Len(); got != test.plans || (bytes > 0) != (test.plans > 0) || p.operations.Len() != 1 {
			t.Errorf("%s: %d plans of %d bytes", name, got, bytes)
		}
		for i := range 2 * maxPlans {
			planOf(t, p, operationOf(t, fmt.Sprintf("{ a { o { x%d: x } } }", i), nil))
		}
		before := p.plans.Len()
		for bits := range test.plans {
			values := map[string]any{"x": bits&1 != 0, "y": bits&2 != 0, "a": true, "b": false, "c": false, "d": false}
			got, want := planOf(t, p, again(op.Doc, values)), planOf(t, NewPlanner(schema, types), again(op.Doc, values))
			if len(got.Root().Fields) != len(want.Root().Fields) || fmt.Sprint(leaves(got)) != fmt.Sprint(leaves(want)) {
				t.Errorf("%s with %v: the plan has %v, want %v", name, values, leaves(got), leaves(want))
			}
		}
		if p.plans.Len() != before {
			t.Errorf("%s: a pinned plan was compiled again", name)
		}
		release()
		if p.plans.Len() != before-test.plans {
			t.Errorf("%s: %d plans stay", name, p.plans.Len()-before+test.plans)
		}
	}
}

// leaves returns the response names of the fields of Thing.o.
func leaves(p *Plan) (names []string) {
	for _, f := range p.Root().Fields[0].SelectionOf(types["Thing"].ID).Fields[0].SelectionOf(types["O"].ID).Fields {
		names = append(names, f.Field.Alias)
	}
	return names
}
