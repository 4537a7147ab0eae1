package document

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"
	"pgregory.net/rapid"

	"github.com/gatehouse-graphql/gatehouse/engine/input"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	type Query { pet: Pet! pets(first: Int, filter: Filter): [Pet!] dog: Dog any: Any a: Query b: Query n: Int s: String }
	input Filter { name: String age: Int tags: [Int!] }
	interface Pet { name: String owner: Person weight(unit: Unit): Float }
	enum Unit { KG LB }
	type Dog implements Pet { name: String owner: Person weight(unit: Unit): Float barks: Boolean! age: Int friend: Pet }
	type Cat implements Pet { name: String owner: Person weight(unit: Unit): Float meows: Boolean age: String! friend: Cat }
	type Person { name: String! age: Int pets: [Pet] home: String }
	union Any = Dog | Cat | Person
`})

func codes(errs gqlerror.List) (all []string) {
	for _, err := range errs {
		code, _ := err.Extensions["code"].(string)
		if code == "" {
			code = string(fault.CodeOf(err))
		}
		if !slices.Contains(all, code) {
			all = append(all, code)
		}
	}
	return all
}

func TestGet(t *testing.T) {
	for name, test := range map[string]struct {
		query string
		want  string // the only code, or ""
	}{
		"valid":          {"{pet{name}}", ""},
		"no such field":  {"{pet{nam}}", "GRAPHQL_VALIDATION_FAILED"},
		"syntax":         {"{pet{", "GRAPHQL_PARSE_FAILED"},
		"empty":          {"", "GRAPHQL_PARSE_FAILED"},
		"a broken limit": {"{pet " + strings.Repeat("@x", 60) + "{name}}", "MAX_DIRECTIVES_LIMIT"},
		"a cycle":        {"{...f} fragment f on Query{...f}", "GRAPHQL_VALIDATION_FAILED"},
	} {
		t.Run(name, func(t *testing.T) {
			doc, errs := NewStore(schema, Options{}).Get(t.Context(), test.query)
			if got := strings.Join(codes(errs), " "); got != test.want || (doc == nil) != (len(errs) > 0) {
				t.Errorf("got %v", errs)
			}
		})
	}
}

func TestSuggestions(t *testing.T) {
	queries := []string{"{pet{nam}}", "{pets(firs:1){name}}", "{pet{weight(unit:KGG)}}", "{pet}"}
	for _, query := range queries {
		_, silent := NewStore(schema, Options{}).Get(t.Context(), query)
		_, helpful := NewStore(schema, Options{Suggestions: true}).Get(t.Context(), query)
		if len(silent) == 0 || strings.Contains(silent.Error(), "Did you mean") {
			t.Errorf("%s: %v shows names of the schema", query, silent)
		}
		if !strings.Contains(helpful.Error(), "Did you mean") {
			t.Errorf("%s: %v has no suggestion", query, helpful)
		}
	}
}

func TestValidationStopsAfterAFewErrors(t *testing.T) {
	_, errs := NewStore(schema, Options{}).Get(t.Context(), "{"+strings.Repeat("nope ", 1500)+"}")
	if len(errs) != maxErrors+1 || !strings.HasPrefix(errs[maxErrors].Message, "Too many") {
		t.Errorf("got %d errors, the last %v", len(errs), errs[len(errs)-1])
	}
}

func TestGetRemembers(t *testing.T) {
	store := NewStore(schema, Options{Size: 2})
	first, _ := store.Get(t.Context(), "{n}")
	if again, _ := store.Get(t.Context(), "{n}"); again != first {
		t.Error("the second time made a new document")
	}
	for i := range 100 {
		store.Get(t.Context(), fmt.Sprintf("{s%d:s}", i))
	}
	if again, _ := store.Get(t.Context(), "{n}"); again == first || store.cache.Len() > 2 {
		t.Errorf("a store of two remembers %d and what was asked for a hundred documents ago", store.cache.Len())
	}
	none := NewStore(schema, Options{Size: -1})
	first, _ = none.Get(t.Context(), "{n}")
	if again, _ := none.Get(t.Context(), "{n}"); again == first {
		t.Error("a store of none remembers one")
	}
}

func TestCacheIsBoundedInMemory(t *testing.T) {
	c := newCache(100)
	add := func(query string, tokens int) {
		made := outcome{doc: &Document{Document: &limit.Document{Tokens: tokens}, Inputs: &input.Document{}}}
		if _, err := c.Load(t.Context(), query, func() (outcome, int) { return made, made.weight(query) }); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 1000 {
		add(fmt.Sprint(i), 2000)
	}
	if got, most := c.Len(), 100*averageSize/(bytesPerDocument+2000*bytesPerToken); got > most || got == 0 || c.Weight() > 100*averageSize {
		t.Errorf("%d large documents are kept, at most %d fit", got, most)
	}
	kept := c.Len()
	add("more than all room", 1<<20)
	if c.Len() != kept {
		t.Errorf("%d documents of %d are left after one that does not fit", c.Len(), kept)
	}
}

// A query that a hundred clients send for the first time at the same time is validated once.
func TestConcurrentGetsPrepareOnce(t *testing.T) {
	for _, query := range []string{"{pet{name}}", "{nope}"} {
		synctest.Test(t, func(t *testing.T) { testFirstCallers(t, query) })
	}
}

func testFirstCallers(t *testing.T, query string) {
	store := NewStore(schema, Options{})
	validations, rule := atomic.Int32{}, store.rules[0]
	started, release := make(chan struct{}), make(chan struct{})
	store.rules = append(slices.Clone(store.rules), validator.Rule{Name: "counted", RuleFunc: func(events *validator.Events, report validator.AddErrFunc) {
		if validations.Add(1) == 1 {
			close(started)
		}
		<-release
		rule.RuleFunc(events, report)
	}})
	var callers sync.WaitGroup
	get := func() {
		doc, errs := store.Get(t.Context(), query)
		if (doc == nil) != (query == "{nope}") || (doc == nil) != (len(errs) > 0) {
			t.Errorf("%s: got %v, %v", query, doc, errs)
		}
		for _, err := range errs {
			err.Message = "changed" // its caller's alone
		}
	}
	callers.Go(get)
	<-started
	for range 99 {
		callers.Go(get)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, errs := store.Get(ctx, query); len(errs) != 1 || !errors.Is(errs[0], context.Canceled) {
		t.Errorf("a caller who has left got %v", errs)
	}
	synctest.Wait()
	close(release)
	callers.Wait()
	if n := validations.Load(); n != 1 {
		t.Errorf("%s was validated %d times", query, n)
	}
}

// A thousand documents in use stay in the cache, however many large ones come after them.
func TestLargeDocumentsDoNotEvictSmallOnes(t *testing.T) {
	store := NewStore(schema, Options{Limits: limit.Options{Selections: 5000}})
	small, hits := make([]*Document, 900), 0
	for i := range small {
		small[i], _ = store.Get(t.Context(), fmt.Sprintf("{a%d:n}", i))
	}
	for round := range 10 {
		for i := range 40 {
			if _, errs := store.Get(t.Context(), fmt.Sprintf("{b%d:n %s}", 100*round+i, strings.Repeat("n ", 1900))); errs != nil {
				t.Fatal(errs)
			}
		}
		for i, doc := range small {
			if again, _ := store.Get(t.Context(), fmt.Sprintf("{a%d:n}", i)); again == doc {
				hits++
			}
		}
		if store.cache.Weight() > defaultSize*averageSize {
			t.Fatalf("%d bytes are kept", store.cache.Weight())
		}
	}
	if hits != 10*len(small) {
		t.Errorf("%d of %d small documents were hits", hits, 10*len(small))
	}
}

func BenchmarkGet(b *testing.B) {
	store := NewStore(schema, Options{})
	b.ReportAllocs()
	for b.Loop() {
		if doc, _ := store.Get(b.Context(), "{pet{name}}"); doc == nil {
			b.Fatal("no document")
		}
	}
}

// No document takes more memory than its weight.
func TestWeight(t *testing.T) {
	const copies = 20
	store := NewStore(schema, Options{Size: -1})
	shapes := worst()
	shapes["one meta field often"] = "{" + strings.Repeat("__typename ", 1990) + "}"
	for name, query := range shapes {
		if _, errs := store.Get(t.Context(), query); errs != nil {
			continue
		}
		texts, kept := make([]string, copies), make([]*Document, copies)
		weighed, before := 0, allocated()
		for i := range copies {
			texts[i] = query + strings.Repeat(" ", i) // with room of its own
			kept[i], _ = store.Get(t.Context(), texts[i])
			weighed += outcome{doc: kept[i]}.weight(texts[i])
		}
		if taken := allocated() - before; taken > weighed {
			t.Errorf("%s: %d documents of %d tokens take %d bytes, thought to be %d", name, copies, kept[0].Tokens, taken, weighed)
		}
		runtime.KeepAlive(kept)
	}
}

// allocated returns the size of the live heap, in bytes.
func allocated() int {
	runtime.GC()
	runtime.GC() // what finalizers held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

func TestStoreIsSafeForConcurrentUse(t *testing.T) {
	store := NewStore(schema, Options{Size: 3})
	var callers sync.WaitGroup
	for range 8 {
		callers.Go(func() {
			for i := range 50 {
				if _, errs := store.Get(t.Context(), fmt.Sprintf("{a%d:n}", i%5)); errs != nil {
					t.Error(errs)
				}
			}
		})
	}
	callers.Wait()
}

func TestOverlappingFields(t *testing.T) {
	for query, valid := range map[string]bool{
		"{n n}":     true,
		"{x:n x:s}": false,
		"{n:s n}":   false,
		"{pets(first:1){name} pets(first:1){name}}":                                     true,
		"{pets(first:1){name} pets(first:2){name}}":                                     false,
		"{pets(first:1){name} pets{name}}":                                              false,
		"{pets(filter:{name:\"a\",age:1}){name} pets(filter:{age:1,name:\"a\"}){name}}": true,
		"{pets(filter:{name:\"a\"}){name} pets(filter:{name:\"b\"}){name}}":             false,
		"{pets(filter:{tags:[1]}){name} pets(filter:{tags:[2]}){name}}":                 false,
		"query($a:Int $b:Int){pets(first:$a){name} pets(first:$b){name}}":               false,
		"{a{x:n} a{x:s}}": false,
		"{a{x:n} b{x:s}}": true,
		"{a{a{x:n}} a{...f}} fragment f on Query{a{x:s}}":               false,
		"{...f x:n} fragment f on Query{x:s}":                           false,
		"{...f ...g} fragment f on Query{x:s} fragment g on Query{x:n}": false,
		// of different types, when the shape is one
		"{pet{...on Dog{x:name} ...on Cat{x:name}}}":                                 true,
		"{any{...on Dog{x:name} ...on Person{x:home}}}":                              true,
		"{any{...on Dog{x:name} ...on Person{x:name}}}":                              false, // String and String!
		"{pet{...on Dog{age} ...on Cat{age}}}":                                       false,
		"{pet{...on Dog{w:weight(unit:KG)} ...on Cat{w:weight(unit:LB)}}}":           true,
		"{pet{w:weight(unit:KG) ...on Cat{w:weight(unit:LB)}}}":                      false,
		"{pet{...on Dog{f:friend{x:name}} ...on Cat{f:friend{x:meows}}}}":            false,
		"{pet{...on Dog{f:friend{x:name}} ...on Cat{f:friend{x:name}}}}":             true,
		"{pet{...on Dog{f:owner{x:name}} ...on Cat{f:owner{x:age}}}}":                false,
		"{pet{...on Dog{f:owner{name}} ...on Cat{f:friend{name}}}}":                  false,
		"{pet{...on Dog{x:owner{name}} ...on Cat{x:name}}}":                          false, // an object and a string
		"{pet{owner{x:name} ...on Dog{owner{x:name}} ...on Cat{owner{x:name}}}}":     true,
		"{pet{owner{x:age} ...on Dog{owner{y:age}} ...on Cat{owner{x:age y:home}}}}": false,
	} {
		if _, errs := NewStore(schema, Options{}).Get(t.Context(), query); (len(errs) == 0) != valid {
			t.Errorf("%s: got %v", query, errs)
		}
	}
}

func TestOverlapMessage(t *testing.T) {
	_, errs := NewStore(schema, Options{}).Get(t.Context(), "{\n  x:n\n  x:s\n}")
	want := `Fields "x" conflict because "n" and "s" are different fields. Use different aliases on the fields to fetch both if this was intentional.`
	if len(errs) != 1 || errs[0].Message != want || len(errs[0].Locations) != 2 || errs[0].Locations[1].Line != 3 {
		t.Errorf("got %v", errs)
	}
}

// Our rule finds conflicts in the same random documents as the rule of gqlparser.
func TestOverlapAgreesWithGqlparser(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		query := randomDocument(t)
		if _, err := limit.Parse(query, limit.Options{}); err != nil {
			return // fragments in a cycle overflow the stack of gqlparser's rule
		}
		if got, want := conflicts(t, query, overlappingFields), conflicts(t, query, rules.OverlappingFieldsCanBeMergedRule); got != want {
			t.Fatalf("%s\nconflicts here: %v, in gqlparser: %v", query, got, want)
		}
	})
}

func conflicts(t *rapid.T, query string, rule validator.Rule) bool {
	doc, err := parser.ParseQuery(&ast.Source{Input: query})
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return len(validator.ValidateWithRules(schema, doc, rules.NewRules(rule))) > 0
}

// randomDocument uses few names, so that many fields have the same response name.
func randomDocument(t *rapid.T) string {
	var b strings.Builder
	b.WriteString("{" + randomSet(t, "Query", 3) + "}")
	for _, on := range []string{"Query", "Pet", "Dog", "Person"} {
		if !strings.Contains(b.String(), "..."+strings.ToLower(on)+" ") {
			continue // gqlparser compares an unused fragment within itself
		}
		fmt.Fprintf(&b, " fragment %s on %s{%s}", strings.ToLower(on), on, randomSet(t, on, 1))
	}
	return b.String()
}

var (
	leaves = map[string][]string{
		"Query": {"n", "s"}, "Pet": {"name", "weight", "weight(unit:KG)"}, "Dog": {"name", "barks", "age"},
		"Cat": {"name", "meows", "age"}, "Person": {"name", "age", "home"}, "Any": {"__typename"},
	}
	objects = map[string][][2]string{
		"Query": {{"pet", "Pet"}, {"dog", "Dog"}, {"any", "Any"}, {"a", "Query"}, {"b", "Query"}, {"pets(first:1)", "Pet"}},
		"Pet":   {{"owner", "Person"}}, "Dog": {{"owner", "Person"}, {"friend", "Pet"}},
		"Cat": {{"owner", "Person"}, {"friend", "Cat"}}, "Person": {{"pets", "Pet"}},
	}
	within = map[string][]string{
		"Query": {"Query"}, "Pet": {"Pet", "Dog", "Cat"}, "Dog": {"Dog", "Pet"},
		"Cat": {"Cat", "Pet"}, "Person": {"Person"}, "Any": {"Dog", "Cat", "Person"},
	}
	spreads = map[string][]string{
		"Query": {"query"}, "Pet": {"pet", "dog"}, "Dog": {"dog", "pet"}, "Cat": {"pet"},
		"Person": {"person"}, "Any": {"dog", "person"},
	}
)

func randomSet(t *rapid.T, on string, depth int) string {
	var b strings.Builder
	for range rapid.IntRange(1, 4).Draw(t, "fields") {
		leaf := rapid.SampledFrom([]string{"", "", "x:", "y:"}).Draw(t, "alias")
		object := strings.ToUpper(leaf) // an object never meets a leaf: gqlparser sees no conflict there
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		switch {
		case kind == 1 && depth > 0 && len(objects[on]) > 0:
			field := rapid.SampledFrom(objects[on]).Draw(t, "object")
			fmt.Fprintf(&b, "%s%s{%s} ", object, field[0], randomSet(t, field[1], depth-1))
		case kind == 2 && depth > 0:
			to := rapid.SampledFrom(within[on]).Draw(t, "on")
			fmt.Fprintf(&b, "...on %s{%s} ", to, randomSet(t, to, depth-1))
		case kind == 3 && depth > 0:
			fmt.Fprintf(&b, "...%s ", rapid.SampledFrom(spreads[on]).Draw(t, "spread"))
		default:
			fmt.Fprintf(&b, "%s%s ", leaf, rapid.SampledFrom(leaves[on]).Draw(t, "leaf"))
		}
	}
	return b.String()
}

// The id of a document is the hash of its text, as clients of persisted documents compute it.
func TestDocumentID(t *testing.T) {
	doc, errs := NewStore(schema, Options{}).Get(t.Context(), "{n}")
	if errs != nil || doc.ID != "51e8f92f46e3a74b8ebd6ce95ae65ee4109dc7d7969bd0b8222be342b7de2296" {
		t.Errorf("%v, %v", doc.ID, errs)
	}
}

// A pinned document stays whatever is requested, also in a store that remembers none; one with errors is
// not pinned.
func TestPin(t *testing.T) {
	for _, size := range []int{-1, 2} {
		store := NewStore(schema, Options{Size: size})
		pinned, bytes, errs := store.Pin("{n}")
		if pinned == nil || bytes < bytesPerDocument || errs != nil {
			t.Fatalf("%v, %d bytes, %v", pinned, bytes, errs)
		}
		for i := range 100 {
			store.Get(t.Context(), fmt.Sprintf("{s%d:s}", i))
		}
		if got, _ := store.Get(t.Context(), "{n}"); got != pinned {
			t.Errorf("size %d: the pinned document was evicted", size)
		}
		store.Unpin("{n}")
		if got, _ := store.Get(t.Context(), "{n}"); got == pinned {
			t.Errorf("size %d: the document stays after Unpin", size)
		}
		if doc, bytes, errs := store.Pin("{nope}"); doc != nil || bytes != 0 || len(errs) != 1 {
			t.Errorf("a wrong one: %v, %d bytes, %v", doc, bytes, errs)
		}
		if _, errs := store.Get(t.Context(), "{nope}"); len(errs) != 1 {
			t.Errorf("a wrong one by its text: %v", errs)
		}
	}
}
