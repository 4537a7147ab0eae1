package enginetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/resolvers"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// shelfOf returns a list with one list of n stories, which are equal.
func shelfOf(n int, story string) string {
	return "[[" + strings.TrimSuffix(strings.Repeat(story+",", n), ",") + "]]"
}

// executeBoth sends a query about shelves to both executors and returns the response, which must
// be the same.
func executeBoth(t *testing.T, query, shelves string, change ...func(*front.Options)) response {
	t.Helper()
	services := newLibrary(t, map[string]string{"/shelves": shelves})
	body, _ := json.Marshal(map[string]string{"query": query})
	var got [2]response
	for i, executor := range []string{engine.EngineGqlgen, engine.EnginePlan} {
		f, log := newGateway(t, executor, nil, graph.NewSchema(&resolvers.Resolver{Services: services}), change...)
		got[i] = post(t, f, body)
		if lines := strings.Count(log.String(), "\n"); lines > 30 {
			t.Errorf("%s by %s writes %d lines into the log", query, executor, lines)
		}
	}
	if !bytes.Equal(got[0].Data, got[1].Data) || len(got[0].Errors) != len(got[1].Errors) || lastMessage(got[0]) != lastMessage(got[1]) {
		t.Errorf("%s: gqlgen returns %.200s, %d errors, the last %q, and plan %.200s, %d errors, the last %q",
			query, got[0].Data, len(got[0].Errors), lastMessage(got[0]), got[1].Data, len(got[1].Errors), lastMessage(got[1]))
	}
	return got[1]
}

// lastMessage returns the message of the last error.
func lastMessage(r response) string {
	if len(r.Errors) == 0 {
		return ""
	}
	return r.Errors[len(r.Errors)-1].Message
}

// However many errors there are, the response lists the first ones and counts the others. A null
// that spreads is one error.
func TestManyErrors(t *testing.T) {
	for _, test := range []struct {
		name, query, story string
		n                  int
		data, last         string
	}{
		{"nulls where the schema has none", `{shelves {mustWriter {name}}}`, `{"id": "none"}`, 40_000, `{"shelves":[null]}`, "39900 more errors not shown"},
		{"one more than are listed", `{shelves {mustWriter {name}}}`, `{"id": "none"}`, 101, `{"shelves":[null]}`, "1 more error not shown"},
		{"as many as are listed", `{shelves {mustWriter {name}}}`, `{"id": "none"}`, 100, `{"shelves":[null]}`, "Cannot return null for non-nullable field Story.mustWriter."},
		{"faults of leaves", `{shelves {title}}`, `{"id": "s", "title": 5}`, 5_000, "", "4900 more errors not shown"},
		{"faults of objects", `{shelves {sequel {id}}}`, `{"id": "s", "sequel": 5}`, 5_000, "", "4900 more errors not shown"},
		{"unknown keys in places that may be null", `{shelves {mustWriter {name}}}`, `{"id": "w", "title": "t"}`, 1, `{"shelves":[[{"mustWriter":{"name":"writer of w"}}]]}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := executeBoth(t, test.query, shelfOf(test.n, test.story))
			if lastMessage(got) != test.last || test.data != "" && string(got.Data) != test.data {
				t.Errorf("got %.200s and at last %q, want %s and %q", got.Data, lastMessage(got), test.data, test.last)
			}
		})
	}
}

// A response that exceeds its budget is one error, with either executor.
func TestBudget(t *testing.T) {
	const story = `{"id": "w", "title": "12345678901234567890"}`
	values := func(n int) func(*front.Options) { return func(o *front.Options) { o.Execution.MaxValues = n } }
	bytes := func(n int64) func(*front.Options) { return func(o *front.Options) { o.Execution.MaxBytes = n } }
	for _, test := range []struct {
		query  string
		n      int
		change func(*front.Options)
		text   string // "" where the budget is enough
	}{
		{`{shelves {id title}}`, 1000, values(2000), "the response has more than 2000 values, which is the limit (execution.maxValues); ask for fewer fields or shorter lists"},
		{`{shelves {id title}}`, 1000, values(3100), ""},
		{`{shelves {writer {name}}}`, 1000, values(3000), "more than 3000 values"},
		{`{shelves {writer {name}}}`, 1000, values(4100), ""},
		{`{shelves {a: mustWriter {drafts {id}} b: writer {drafts {id}}}}`, 20_000, values(50_000), "more than 50000 values"},
		{`{shelves {id title}}`, 1000, bytes(35_000), "the response has more than 35000 bytes, which is the limit (execution.maxBytes); ask for fewer fields or shorter lists"},
		{`{shelves {id title}}`, 1000, bytes(60_000), ""},
	} {
		got := executeBoth(t, test.query, shelfOf(test.n, story), test.change)
		if over := string(got.Data) == "null"; over != (test.text != "") {
			t.Errorf("%s: got %.100s %v, want %q", test.query, got.Data, got.Errors, test.text)
			continue
		}
		if test.text != "" && (len(got.Errors) != 1 || !strings.Contains(got.Errors[0].Message, test.text) || got.Errors[0].Extensions["code"] != "MAX_RESPONSE_LIMIT" || got.Errors[0].Path != nil) {
			t.Errorf("%s: got %v, want %q alone", test.query, got.Errors, test.text)
		}
	}
}

// Bytes count also when they are discarded: each story writes its texts and then becomes null.
func TestDiscardedBytesCount(t *testing.T) {
	got := executeBoth(t, `{storyGrid {a: title b: title c: title mustWriter {name}}}`, shelfOf(1000, `{"id": "none", "title": "12345678901234567890"}`),
		func(o *front.Options) { o.Execution.MaxBytes = 50_000 })
	if string(got.Data) != "null" || len(got.Errors) != 1 || got.Errors[0].Extensions["code"] != "MAX_RESPONSE_LIMIT" {
		t.Errorf("got %.100s %v", got.Data, got.Errors)
	}
}

// Values are counted when they are collected, before resolvers are called for them.
func TestValuesAreCountedBeforeTheWork(t *testing.T) {
	services := newLibrary(t, map[string]string{"/shelves": shelfOf(20_000, `{"id": "w"}`)})
	for most, calls := range map[int]string{50_000: `"backend_calls":1`, 100_000: `"backend_calls":2`} {
		f, log := newGateway(t, engine.EnginePlan, nil, graph.NewSchema(&resolvers.Resolver{Services: services}), func(o *front.Options) { o.Execution.MaxValues = most })
		post(t, f, []byte(`{"query": "{shelves {a: writer {name} b: writer {name}}}"}`))
		if !strings.Contains(log.String(), calls) {
			t.Errorf("with %d values: want %s in %s", most, calls, log)
		}
	}
}

// The time for one error does not depend on the number of errors.
func BenchmarkErrors(b *testing.B) {
	for _, n := range []int{1000, 10_000, 40_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			services := newLibrary(b, map[string]string{"/shelves": shelfOf(n, `{"id": "none"}`)})
			f, _ := newGateway(b, engine.EnginePlan, nil, graph.NewSchema(&resolvers.Resolver{Services: services}))
			body, _ := json.Marshal(map[string]string{"query": `{shelves {mustWriter {name}}}`})
			b.ReportAllocs()
			for b.Loop() {
				request := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
				request.Header.Set("Content-Type", "application/json")
				f.Handler().ServeHTTP(httptest.NewRecorder(), request)
			}
		})
	}
}
