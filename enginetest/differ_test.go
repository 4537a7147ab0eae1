// Package enginetest holds the two executors against each other: over a graph and data
// made up by chance, gqlgen's own and the one by plans must give the same answers. That
// is, the same bytes of data; and the same errors, with message, path, locations and
// extensions, in any order. Only where a Float that JSON cannot write lies below a null may
// the one by plans have an error more.
package enginetest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/enginetest/graph"
	"github.com/gatehouse-graphql/gatehouse/enginetest/resolvers"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// worlds is how many operations are compared, each in a world of its own. The environment
// variable ENGINETEST_WORLDS has others compared, as in 50000-60000.
const worlds = 3000

func chosenWorlds(t *testing.T) (from, to uint64) {
	t.Helper()
	if chosen, ok := os.LookupEnv("ENGINETEST_WORLDS"); ok {
		if _, err := fmt.Sscanf(chosen, "%d-%d", &from, &to); err != nil {
			t.Fatalf("ENGINETEST_WORLDS is %q; write two numbers, as 50000-60000: %v", chosen, err)
		}
		return from, to
	}
	if testing.Short() {
		return 0, worlds / 10
	}
	return 0, worlds
}

func TestSame(t *testing.T) {
	s := serveAnswers(t)
	from, to := chosenWorlds(t)
	n := int(to - from)
	seen := tally{}
	for world := from; world < to; world++ {
		s.same(t, world, &seen)
		if t.Failed() {
			return
		}
	}
	t.Logf("%+v", seen)
	if seen.Valid < n*9/10 || seen.Failed < n/3 || seen.Null == 0 || seen.Refused == 0 || seen.Unfit == 0 || seen.Planned < n*9/10 {
		t.Errorf("too little happens: %+v", seen)
	}
}

func FuzzSame(f *testing.F) {
	s := serveAnswers(f)
	for world := range uint64(20) {
		f.Add(world)
	}
	f.Fuzz(func(t *testing.T, world uint64) { s.same(t, world, &tally{}) })
}

// tally counts what has happened, so that the test knows what it has looked at.
type tally struct {
	Valid, Planned, Failed, Null, Refused, Unfit, Many int
}

// answers serves what does not always fit. The world's number is the first part of the path.
type answers struct{ url string }

func serveAnswers(t testing.TB) *answers {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		world, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		number, _ := strconv.ParseUint(world, 10, 64)
		_, _ = w.Write(answer(number, rest, r.URL.Query()))
	}))
	t.Cleanup(server.Close)
	return &answers{server.URL}
}

// same asks both executors in one world.
func (s *answers) same(t *testing.T, world uint64, seen *tally) {
	t.Helper()
	services, err := upstreams.New(upstreams.Options{
		"answers": {URLs: []string{s.url + "/" + strconv.FormatUint(world, 10)}},
	}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer services.Close()
	var calls calls
	schema := graph.NewSchema(&resolvers.Resolver{Services: services, World: world, Called: calls.note})
	chance := rand.New(rand.NewPCG(world, 1))
	w := &writer{Rand: chance, schema: schema.Schema()}
	query, variables := w.operation()
	who := []*auth.Identity{nil, {Subject: "u"}, {Subject: "u", Scopes: []string{"a"}}, {Subject: "u", Scopes: []string{"a", "b", "c"}}}[chance.IntN(4)]
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		t.Fatal(err)
	}
	var got [2]response
	var called [2][]string
	for i, how := range []string{engine.EngineGqlgen, engine.EnginePlan} {
		f, log := serve(t, how, who, schema)
		calls.begin()
		got[i] = post(t, f, body)
		called[i] = slices.Sorted(maps.Keys(calls.nodes))
		if how == engine.EnginePlan && got[i].Data != nil && !strings.Contains(log.String(), `"fallback"`) {
			seen.Planned++
		}
	}
	if diff := gocmp.Diff(called[0], called[1]); diff != "" {
		t.Errorf("world %d: %s\nwith %v, as %+v\nresolvers called, -stock +plan:\n%s", world, query, variables, who, diff)
	}
	if twice := calls.twice(); len(twice) > 0 {
		t.Errorf("world %d: %s\nthese nodes of the plan are called more than once: %v", world, query, twice)
	}
	stock, plan := got[0], got[1]
	seen.count(stock)
	if len(stock.Errors) > 0 && strings.Contains(stock.Errors[len(stock.Errors)-1].Message, "not shown") {
		// Of many errors only the first are shown, whose order is by chance.
		seen.Many++
		stock.Errors, plan.Errors = stock.Errors[len(stock.Errors)-1:], plan.Errors[len(plan.Errors)-1:]
		stock.Errors[0].Extensions, plan.Errors[0].Extensions = nil, nil
	}
	plan.Errors = slices.DeleteFunc(plan.Errors, func(p problem) bool {
		return p.Message == "internal error" && hidden(plan.Data, p.Path) && !stock.has(p)
	})
	if diff := gocmp.Diff(stock.sorted(), plan.sorted()); diff != "" || !bytes.Equal(stock.Data, plan.Data) {
		t.Errorf("world %d: %s\nwith %v, as %+v\nstock: %s\nplan:  %s\nerrors, -stock +plan:\n%s", world, query, variables, who, stock.Data, plan.Data, diff)
	}
}

func (s *tally) count(r response) {
	if r.Data == nil {
		return
	}
	s.Valid++
	if len(r.Errors) > 0 {
		s.Failed++
	}
	if string(r.Data) == "null" {
		s.Null++
	}
	for _, e := range r.Errors {
		switch e.Extensions["code"] {
		case "UNAUTHENTICATED", "FORBIDDEN":
			s.Refused++
		case "DOWNSTREAM_SERVICE_ERROR":
			s.Unfit++
		}
	}
}

// response is what a client gets.
type response struct {
	Data   json.RawMessage
	Errors []problem
}

type problem struct {
	Message    string
	Path       []any
	Locations  []any
	Extensions map[string]any
}

// sorted are the errors in an order of their own: theirs is by chance.
func (r response) sorted() []string {
	texts := make([]string, len(r.Errors))
	for i, e := range r.Errors {
		texts[i] = fmt.Sprint(e.Path, " ", e.Message, " ", e.Locations, " ", e.Extensions)
	}
	slices.SortFunc(texts, cmp.Compare)
	return texts
}

func (r response) has(p problem) bool {
	return slices.ContainsFunc(r.Errors, func(e problem) bool { return gocmp.Equal(e, p) })
}

// hidden tells whether a path leads through a null. An infinite Float is an error when it
// is written, which gqlgen does not do below a null.
func hidden(data []byte, path []any) bool {
	var v any
	_ = json.Unmarshal(data, &v)
	for _, to := range path {
		switch at := v.(type) {
		case nil:
			return true
		case map[string]any:
			v = at[to.(string)]
		case []any:
			v = at[int(to.(float64))]
		}
	}
	return false
}

// serve is a front door with no limits but those that change sets.
func serve(t testing.TB, how string, who *auth.Identity, schema graphql.ExecutableSchema, change ...func(*front.Options)) (*front.Front, *bytes.Buffer) {
	t.Helper()
	log := &bytes.Buffer{}
	none := -1
	o := front.Options{
		Limits:    limit.Options{Tokens: none, Depth: none, Aliases: none, RootFields: none, Directives: none, Selections: none},
		Execution: engine.Options{Engine: how},
		Cursors:   page.Options{Secret: strings.Repeat("c", page.MinSecret)},
	}
	for _, c := range change {
		c(&o)
	}
	f, err := front.New(o, front.Deps{
		Schema: schema,
		Verify: func(context.Context, string) (*auth.Identity, error) { return who, nil },
		Log:    slog.New(slog.NewJSONHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f, log
}

func post(t *testing.T, f *front.Front, body []byte) (r response) {
	t.Helper()
	w := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	f.Handler().ServeHTTP(w, request)
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return r
}
