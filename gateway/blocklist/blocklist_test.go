package blocklist

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/document"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
)

var schema = gqlparser.MustLoadSchema(&ast.Source{Input: `
	type Query { user: User node: Node named: Named any: Any }
	type Mutation { createOrder(input: In): Order cancelOrder: Order }
	interface Node { id: ID! }
	interface Named { name: String }
	type User implements Node & Named { id: ID! name: String email: String order: Order }
	type Order implements Node { id: ID! total: Int user: User }
	type Shop implements Named { name: String }
	union Any = User | Order
	input In { a: Int }
`})

// operation returns an operation as execute.Executor.Prepare does.
func operation(t testing.TB, query string) *execute.Operation {
	t.Helper()
	doc, err := gqlparser.LoadQueryWithRules(schema, query, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &execute.Operation{
		OperationContext: graphql.OperationContext{Doc: doc, Operation: doc.Operations[0]},
		Document:         &document.Document{ID: fmt.Sprintf("%064x", len(query))},
		Caller:           &caller.Caller{Class: caller.Anonymous},
	}
}

func newList(t testing.TB, entries ...Entry) *List {
	t.Helper()
	list, err := New(entries, schema)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A field is found wherever an operation selects it, and under the interfaces by which clients may reach
// it.
func TestFields(t *testing.T) {
	for _, test := range []struct {
		field, query string
		blocked      bool
	}{
		{"Query.user", "{ user { id } }", true},
		{"Query.user", "{ alias: user { id } }", true},
		{"Query.user", "{ node { id } }", false},
		{"Query.user", "{ any { ... on Order { user { id } } } }", false}, // that is Order.user
		{"Order.user", "{ any { ... on Order { user { id } } } }", true},
		{"User.name", "{ user { ...A } } fragment A on User { ...B } fragment B on User { name }", true},
		{"User.name", "query A { user { id } } query Other { user { name } }", false},
		{"User.name", "{ user { id @skip(if: true) name @include(if: false) } }", true},
		{"User.name", "{ named { name } }", true},
		{"User.name", "{ named { ... on Shop { name } } }", false},
		{"User.id", "{ node { id } }", true},
		{"User.email", "{ node { id } }", false},
		{"Node.id", "{ user { id } }", true},
		{"Node.id", "{ user { order { id } } }", true},
		{"Named.name", "{ user { name } }", true},
		{"Named.name", "{ named { ... on Shop { name } } }", true},
		{"Mutation.createOrder", "mutation { cancelOrder { id } }", false},
		{"Mutation.createOrder", "mutation { cancelOrder { id } createOrder { id } }", true},
		{"Query.__schema", "{ __schema { queryType { name } } }", true},
	} {
		err := newList(t, Entry{Fields: []string{test.field}}).Check(t.Context(), operation(t, test.query))
		if (err != nil) != test.blocked {
			t.Errorf("%s in %s: %v, want blocked: %t", test.field, test.query, err, test.blocked)
		}
	}
}

// A mistake is an error with the place of its setting, and with a suggestion where there is one.
func TestMistakes(t *testing.T) {
	for _, test := range []struct {
		entry Entry
		want  string // "" for none
	}{
		{Entry{Operation: "A"}, ""},
		{Entry{Operation: "*"}, ""},
		{Entry{Fields: []string{"Query.user", "Node.id"}, Until: "2126-01-01"}, ""},
		{Entry{DocumentID: "sha256:" + strings.Repeat("aB", 32)}, ""},
		{Entry{DocumentID: "c4ca4238a0b923820dcc509a6f75849b"}, ""},
		{Entry{}, "blocked[1]: has no condition"},
		{Entry{Name: "n", Message: "m", Until: "2126-01-01"}, "blocked[1]: has no condition"},
		{Entry{Operation: "*A"}, `blocked[1]: operation: "*A" has a * that is not at its end`},
		{Entry{Client: "a*b*"}, `blocked[1]: client: "a*b*" has a *`},
		{Entry{ClientVersion: "**"}, `blocked[1]: clientVersion: "**" has a *`},
		{Entry{DocumentID: "sha256:"}, `blocked[1]: documentId: "sha256:" is not an id`},
		{Entry{DocumentID: "sha256:xyz"}, `blocked[1]: documentId: "sha256:xyz" is not the SHA-256`},
		{Entry{Kind: "Mutation"}, `blocked[1]: kind: unknown kind "Mutation": write query, mutation or subscription`},
		{Entry{Operation: "A", Until: "2026-13-01"}, `blocked[1]: until: "2026-13-01" is not a time`},
		{Entry{Operation: "A", Until: "2026-12-31 08:00"}, `blocked[1]: until: "2026-12-31 08:00" is not a time`},
		{Entry{Fields: []string{"user"}}, `blocked[1]: fields[0]: "user" is not a field`},
		{Entry{Fields: []string{"Query.user(id:)"}}, `blocked[1]: fields[0]: "Query.user(id:)" is not a field`},
		{Entry{Fields: []string{"Query.user", "Query.usr"}}, `blocked[1].fields[1]: the schema has no field "Query.usr"; did you mean "Query.user"?`},
		{Entry{Fields: []string{"Querry.user"}}, `blocked[1].fields[0]: the schema has no type "Querry"; did you mean "Query"?`},
		{Entry{Fields: []string{"In.a"}}, `blocked[1].fields[0]: the schema has no field "In.a"`},
		{Entry{Fields: []string{"Query.usr"}, Until: "1999-01-01"}, `blocked[1].fields[0]: the schema has no field "Query.usr"`},
	} {
		_, err := New([]Entry{{Operation: "first"}, test.entry}, schema)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), test.want)) {
			t.Errorf("%+v: %v, want %s", test.entry, err, test.want)
		}
	}
}

// An entry blocks until its time, and not from then on. A list of entries that have all ended is none.
func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins on 2000-01-01
		op := operation(t, "query A { user { id } }")
		list := newList(t, Entry{Operation: "A", Until: "2000-01-01T01:00:00+00:30"}, Entry{Operation: "A", Until: "2000-01-02", Message: "the second"})
		check := func() string {
			if err := list.Check(t.Context(), op); err != nil {
				return err.Error()
			}
			return ""
		}
		time.Sleep(30*time.Minute - 1)
		if got := check(); got != defaultMessage {
			t.Errorf("before the first time: %q", got)
		}
		time.Sleep(time.Nanosecond)
		if got := check(); got != "the second" {
			t.Errorf("from the first time on: %q", got)
		}
		time.Sleep(23*time.Hour + 30*time.Minute)
		if got := check(); got != "" {
			t.Errorf("from the second time on: %q", got)
		}
		if list := newList(t, list.entries[0].Entry, list.entries[1].Entry); list != nil {
			t.Errorf("a list of what has ended: %+v", list)
		}
	})
}

// Each fragment is gone through once, however often it is spread, and so is the operation, however many
// entries have fields.
func TestFieldsAreCollectedOnce(t *testing.T) {
	var query strings.Builder
	query.WriteString("{ user { ...F0 ...F0 } }")
	const depth = 200
	for i := range depth {
		fmt.Fprintf(&query, " fragment F%d on User { ...F%d ...F%d order { user { ...F%d } } }", i, i+1, i+1, i+1)
	}
	fmt.Fprintf(&query, " fragment F%d on User { id }", depth)
	op := operation(t, query.String())
	var entries []Entry
	for range 100 {
		entries = append(entries, Entry{Fields: []string{"User.email"}})
	}
	list := newList(t, entries...)
	begun := time.Now()
	if err := list.Check(t.Context(), op); err != nil {
		t.Error(err)
	}
	if took := time.Since(begun); took > time.Second { // 100 µs; each spread by itself would take years
		t.Errorf("it takes %s", took)
	}
}

// Entries that do not match cost no memory.
func TestCheckAllocatesNothing(t *testing.T) {
	op := operation(t, "query A { user { id name } }")
	list := newList(t, Entry{Operation: "B*"}, Entry{Kind: "mutation"}, Entry{Operation: "A", Client: "shop", Fields: []string{"User.name"}}, Entry{Operation: "C", Until: "2126-01-01"})
	if n := testing.AllocsPerRun(100, func() {
		if err := list.Check(t.Context(), op); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// All conditions of an entry must hold. Each of them alone, and all together.
func TestConditions(t *testing.T) {
	op := operation(t, "mutation CreateOrder { createOrder { id } }")
	op.Caller, op.DocumentID = &caller.Caller{Client: "shop-ios", ClientVersion: "2.1", Class: "partner"}, "feed"
	matching := map[string]Entry{
		"operation":              {Operation: "CreateOrder"},
		"operations":             {Operation: "Create*"},
		"all operations":         {Operation: "*"},
		"document":               {DocumentID: op.Document.ID},
		"document with its hash": {DocumentID: "sha256:" + strings.ToUpper(op.Document.ID)},
		"id of a request":        {DocumentID: "feed"},
		"kind":                   {Kind: "mutation"},
		"client":                 {Client: "shop-ios"},
		"clients":                {Client: "shop-*"},
		"version":                {ClientVersion: "2.1"},
		"versions":               {ClientVersion: "2.*"},
		"class":                  {Class: "partner"},
		"fields":                 {Fields: []string{"Query.user", "Mutation.createOrder"}},
		"all of them":            {Operation: "CreateOrder", DocumentID: op.Document.ID, Kind: "mutation", Client: "shop-ios", ClientVersion: "2.1", Class: "partner", Fields: []string{"Mutation.createOrder"}},
	}
	other := map[string]func(*Entry){
		"operation":        func(e *Entry) { e.Operation = "createOrder" },
		"operations":       func(e *Entry) { e.Operation = "CreateOrders*" },
		"part of a name":   func(e *Entry) { e.Operation = "Create" },
		"document":         func(e *Entry) { e.DocumentID = strings.Repeat("0", 64) },
		"kind":             func(e *Entry) { e.Kind = "query" },
		"client":           func(e *Entry) { e.Client = "shop-android" },
		"version":          func(e *Entry) { e.ClientVersion = "2" },
		"class":            func(e *Entry) { e.Class = "anonymous" },
		"fields":           func(e *Entry) { e.Fields = []string{"Mutation.cancelOrder"} },
		"end of the entry": func(e *Entry) { e.Until = "1999-01-01" },
	}
	for _, name := range slices.Sorted(maps.Keys(matching)) {
		if newList(t, matching[name]).Check(t.Context(), op) == nil {
			t.Errorf("%s: not blocked", name)
		}
		for _, changed := range slices.Sorted(maps.Keys(other)) {
			e := matching[name]
			other[changed](&e)
			if list := newList(t, e); list != nil && list.Check(t.Context(), op) != nil {
				t.Errorf("%s, but another %s: blocked", name, changed)
			}
		}
	}
}

// Whatever the settings say, an entry is refused or it blocks what it says.
func FuzzEntries(f *testing.F) {
	f.Add("Create*", "sha256:00", "mutation", "shop", "2.*", "anonymous", "Mutation.createOrder", "2126-01-01T00:00:00Z")
	f.Add("*", "", "", "", "", "", "Query.", "2126-1-1")
	f.Add("", "id", "query", "*", "", "", "Node.id", "")
	op := operation(f, "mutation CreateOrder { createOrder { id } }")
	op.Caller = &caller.Caller{Client: "shop", ClientVersion: "2.1", Class: caller.Anonymous}
	f.Fuzz(func(t *testing.T, operation, id, kind, client, version, class, field, until string) {
		e := Entry{Operation: operation, DocumentID: id, Kind: kind, Client: client, ClientVersion: version, Class: class, Until: until}
		if field != "" {
			e.Fields = []string{field}
		}
		list, err := New([]Entry{e}, schema)
		if err != nil || list == nil {
			return
		}
		blocked := list.Check(t.Context(), op) != nil
		hasField := field == "" || slices.Contains([]string{"Mutation.createOrder", "Node.id", "Order.id"}, field)
		want := matchesPattern(operation, "CreateOrder") && (id == "" || trimHash(id) == op.Document.ID) && (kind == "" || kind == "mutation") &&
			matchesPattern(client, "shop") && matchesPattern(version, "2.1") && (class == "" || class == "anonymous") && hasField && !e.Ended(time.Now())
		if blocked != want {
			t.Errorf("%+v: blocked %t, want %t", e, blocked, want)
		}
	})
}

func BenchmarkCheck(b *testing.B) {
	op := operation(b, "query A { user { id name order { id total } } named { name } }")
	for name, e := range map[string]Entry{"operation": {Operation: "B*"}, "fields": {Fields: []string{"User.email"}}} {
		list := newList(b, slices.Repeat([]Entry{e}, 10)...)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := list.Check(b.Context(), op); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
