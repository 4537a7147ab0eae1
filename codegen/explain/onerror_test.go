package explain_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/explain"
)

// A plan says what a field has when its service fails. Fields with older values share no calls with
// others, since their loaders keep the responses.
func TestOnError(t *testing.T) {
	schema := []*ast.Source{{Name: "s.graphqls", Input: `
extend schema @source(name: "s")
type Query {
  all: [Thing] @listSize(assumedSize: 3) @connect(source: "s", http: {GET: "/all"}, onError: NULL)
  one: Thing @connect(source: "s", http: {GET: "/one"}, onError: FAIL)
}
type Thing {
  id: ID!
  partId: ID!
  part: Part @connect(source: "s", http: {GET: "/parts?ids={$batch.partId}"}, batch: {key: "id"})
  stale: Part @connect(source: "s", http: {GET: "/parts?ids={$batch.partId}"}, batch: {key: "id"}, onError: STALE, staleFor: "90s")
  other: Part @connect(source: "s", http: {GET: "/parts?ids={$batch.partId}"}, batch: {key: "id"}, onError: DEFAULT, default: {id: 0})
}
type Part { id: ID! }`}}
	found, err := plans(t, schema, &ast.Source{Input: `{all {part {id} stale {id} other {id}} one {id}}`}, explain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := explain.Text(&text, found); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string][2]string{
		"Query.all":   {"1 call", "on error: NULL"},
		"Query.one":   {"1 call", ""},
		"Thing.part":  {"1 call for up to 3 keys", ""},
		"Thing.stale": {"1 call for up to 3 keys", "on error: STALE for 1m30s"},
		"Thing.other": {"by the calls of Thing.part", "on error: DEFAULT"},
	} {
		line := ""
		for l := range strings.Lines(text.String()) {
			if strings.HasPrefix(strings.TrimSpace(l), field+" ") {
				line = l
			}
		}
		if !strings.Contains(line, want[0]) || !strings.Contains(line, want[1]) || strings.Contains(line, "on error") != (want[1] != "") {
			t.Errorf("%s: got %q, want %q", field, line, want)
		}
	}
	encoded, _ := json.Marshal(found)
	if !bytes.Contains(encoded, []byte(`"onError":"STALE","staleFor":"1m30s"`)) || bytes.Contains(encoded, []byte("FAIL")) {
		t.Errorf("got %s", encoded)
	}
}
