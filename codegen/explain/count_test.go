package explain_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/explain"
)

const countedSchema = `extend schema @source(name: "s")
type Query {
  byIDs(ids: [ID!]): [Thing] @listSize(slicingArguments: ["ids"], assumedSize: 5) @connect(source: "s", http: {GET: "/t?ids={$args.ids}"})
  limited(limit: Int): [Thing] @listSize(slicingArguments: ["limit"], assumedSize: 5) @connect(source: "s", http: {GET: "/t?n={$args.limit}"})
  within(page: Page): [Thing] @listSize(slicingArguments: ["page.ids"], assumedSize: 5) @connect(source: "s", http: {GET: "/t?ids={$args.page.ids}"})
  paged(first: Int, after: String): Things @connect(source: "s", http: {GET: "/t?n={$args.first}&o={$args.after}"}, pagination: {type: OFFSET, maxSize: 2147483647})
}
input Page { ids: [ID!] }
type Things { nodes: [Thing!]! pageInfo: PageInfo! }
type PageInfo { hasNextPage: Boolean! endCursor: String }
type Thing {
  id: ID!
  one: Thing @connect(source: "s", http: {GET: "/one/{$this.id}"})
  many: Thing @connect(source: "s", http: {GET: "/many?ids={$batch.id}"}, batch: {key: "id", maxSize: 2147483647})
}
`

// The number of parents follows from the arguments, whatever values these have, and no number
// overflows.
func TestCountsOfOddValues(t *testing.T) {
	for query, want := range map[string]int64{
		`{ byIDs(ids: "0") { one { id } } }`:                                                                    2, // a single value is a list of one
		`{ byIDs(ids: 7) { one { id } } }`:                                                                      2,
		`{ byIDs(ids: ["0", "7", "8"]) { one { id } } }`:                                                        4,
		`{ byIDs(ids: []) { one { id } } }`:                                                                     1,
		`{ byIDs(ids: null) { one { id } } }`:                                                                   6,
		`{ byIDs { one { id } } }`:                                                                              6,
		`query ($ids: [ID!] = "0") { byIDs(ids: $ids) { one { id } } }`:                                         2,
		`{ within(page: {ids: "0"}) { one { id } } }`:                                                           2,
		`{ within(page: {ids: ["0", "1"]}) { one { id } } }`:                                                    3,
		`{ within(page: {}) { one { id } } }`:                                                                   6,
		`{ limited(limit: 0) { one { id } } }`:                                                                  1,
		`{ limited(limit: -3) { one { id } } }`:                                                                 6,
		`{ limited(limit: null) { one { id } } }`:                                                               6,
		`{ limited(limit: 2147483647) { one { id } } }`:                                                         2147483648,
		`{ limited(limit: 2147483647) { many { id } } }`:                                                        2,
		`{ paged(first: 0) { nodes { one { id } } } }`:                                                          1,
		`{ paged(first: 2147483647) { nodes { many { many { id } } } } }`:                                       4, // a page of the most items asks in a second call whether there are more
		`{ a: limited(limit: 2147483647) { one { id } } b: paged(first: 2147483647) { nodes { one { id } } } }`: 4294967297,
	} {
		plans, err := plans(t, []*ast.Source{{Name: "s.graphqls", Input: countedSchema}}, &ast.Source{Name: "q", Input: query}, explain.Options{ListSize: 1 << 62})
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if got, _ := json.Marshal(plans[0].Calls); string(got) != fmt.Sprint(want) {
			t.Errorf("%s: %s calls, want %d", query, got, want)
		}
	}
}
