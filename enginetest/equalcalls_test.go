package enginetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph"
)

// calledFields are the fields of Query whose calls the random service receives, and by which path.
// Those without a path have arguments on which it depends.
var calledFields = map[string]string{
	"answer": "/answer", "mustAnswer": "/answer", "answers": "/answers", "mustAnswers": "/answers", "ints": "/ints",
	"media": "/media", "medias": "/medias", "mustMedias": "/medias", "shelf": "/shelf", "book": "",
	"writers": "/library/writers", "mustWriters": "/library/writers", "shelves": "/library/shelves", "storyGrid": "/library/shelves",
	"writer": "", "offsetPage": "", "numberPage": "", "cursorPage": "", "editorPage": "",
}

// Neither executor makes two equal reading calls in one query, and both respond alike, where most
// queries have several fields with equal calls. The random operations of TestExecutorsAgree have
// the same property, but few of these fields.
func TestEqualCallsAreMadeOnce(t *testing.T) {
	s := newRandomService(t)
	seen := outcomes{}
	n, repeating := 800, 0
	if testing.Short() {
		n = 100
	}
	for seed := range uint64(n) {
		op, repeats := callingOperation(seed)
		if s.compareExecutorsOf(t, op, &seen); t.Failed() {
			return
		}
		if repeats {
			repeating++
		}
	}
	t.Logf("%+v, %d queries with equal calls of Query", seen, repeating)
	if seen.Planned < n*9/10 || repeating < n/2 {
		t.Errorf("too few operations of a kind: %+v, %d with equal calls", seen, repeating)
	}
}

// callingOperation returns a random query of fields in calledFields, and whether two of them
// certainly have an equal call.
func callingOperation(seed uint64) (op *operation, repeats bool) {
	r := rand.New(rand.NewPCG(seed, 2))
	w := &operationWriter{Rand: r, schema: graph.NewSchema(nil).Schema(), fieldsLeft: 80}
	var fields ast.FieldList
	for _, f := range w.schema.Query.Fields {
		if _, ok := calledFields[f.Name]; ok {
			fields = append(fields, f)
		}
	}
	var body strings.Builder
	paths := map[string]bool{}
	for i := range 4 + r.IntN(6) {
		f := fields[r.IntN(len(fields))]
		text := w.field(&ast.Definition{Fields: ast.FieldList{f}}, 3)
		if text == "" {
			continue
		}
		if alias, rest, ok := strings.Cut(text, ": "); ok && !strings.ContainsAny(alias, " ({") {
			text = rest
		}
		fmt.Fprintf(&body, "r%d: %s", i, text)
		path := calledFields[f.Name]
		repeats = repeats || paths[path]
		paths[path] = path != ""
	}
	query, variables := w.declare("query", "{ "+body.String()+"}")
	return &operation{seed, query, variables, &auth.Identity{Subject: "u", Scopes: []string{"a"}}}, repeats
}
