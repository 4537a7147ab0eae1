package plan

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// Calls are shared if an operation selects two fields that may make equal ones, each place of a
// fragment and each possible type counted. An operation without such fields shares nothing.
func TestSharedCalls(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
type Query { one(id: ID): T other: T all: [T] hand: T node: Node pages: [T] subscribed: T }
type Mutation { write: T byHand: T }
type Subscription { on: T }
interface Node { id: ID join: T }
type T implements Node { id: ID one: T join: T same: T page: T }
type U implements Node { id: ID join: T }`})
	calls := func(info ...CallInfo) FieldInfo { return FieldInfo{Calls: info} }
	types := Types{
		"Query": {Fields: map[string]FieldInfo{
			"one": calls(CallInfo{Group: "one"}), "other": calls(CallInfo{Group: "one"}), "all": calls(CallInfo{Group: "all"}, CallInfo{Group: "join", Loader: 1}),
			"hand": {Handwritten: true},
		}},
		"Mutation": {Fields: map[string]FieldInfo{"byHand": {Handwritten: true}}},
		"T": {Fields: map[string]FieldInfo{
			"one": calls(CallInfo{Group: "one", Loader: 1}), "join": calls(CallInfo{Group: "join", Loader: 1}), "same": calls(CallInfo{Group: "join", Loader: 1}),
			"page": calls(CallInfo{Group: "page", Each: true}),
		}},
		"U": {Fields: map[string]FieldInfo{"join": calls(CallInfo{Group: "join", Loader: 2})}},
	}
	for query, want := range map[string]string{
		`{ one { id } }`:                                   "",
		`{ one { id } all { id } }`:                        "",
		`{ a: one { id } b: one(id: 1) { id } }`:           "one",
		`{ one { id } other { id } }`:                      "one",
		`{ one { one { id } } }`:                           "one",
		`{ all { one { one { id } } } }`:                   "",
		`{ all { join { id } same { id } } }`:              "",
		`{ all { page { id } } }`:                          "page",
		`{ node { join { id } } }`:                         "join",
		`{ node { ... on T { join { id } } } }`:            "",
		`{ ...f ...f } fragment f on Query { one { id } }`: "one",
		`{ ...f all { one { ...g } } } fragment f on Query { all { ...g } } fragment g on T { id }`: "all",
		`{ hand { id } }`:                                               "",
		`{ hand { id } one { id } }`:                                    "one",
		`{ hand { id } more: hand { id } }`:                             "everything",
		`mutation { write { page { id } } }`:                            "page",
		`mutation { write { page { id } } byHand { id } }`:              "",
		`subscription { on { page { id } } }`:                           "",
		`{ __typename one { __typename } __schema { types { name } } }`: "",
	} {
		doc, errs := gqlparser.LoadQueryWithRules(schema, query, nil)
		if errs != nil {
			t.Fatal(query, errs)
		}
		got := ""
		if shared := sharedCalls(schema, types, &graphql.OperationContext{Doc: doc, Operation: doc.Operations[0]}); shared != nil {
			if got = strings.Join(slices.Sorted(maps.Keys(shared.Groups)), " "); shared.All {
				got = "everything"
			}
		}
		if got != want {
			t.Errorf("%s shares %q, want %q", query, got, want)
		}
	}
}
