package inputs

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/enginetest/inputs/graph"
)

var operations = flag.Int("operations", 2000, "how many random operations are compared with graphql-js")

// Both executors accept and refuse what graphql-js accepts and refuses, and read the same values:
// over random operations with literals, with variables, and with variables inside literals.
func TestAgreesWithGraphQLJS(t *testing.T) {
	n := *operations
	if testing.Short() {
		n /= 10
	}
	cases := make([]operation, n)
	for i := range cases {
		w := &writer{Rand: rand.New(rand.NewPCG(uint64(i), 1)), schema: graph.NewSchema(nil).Schema()}
		query, variables := w.operation()
		cases[i] = operation{query, json.RawMessage(variables)}
	}
	expected := reference(t, cases)
	seen := map[string]int{}
	for _, how := range engines {
		g := newGateway(t, how)
		for i, c := range cases {
			got, want := g.post(t, c.Query, string(c.Variables)), expected[i]
			seen[want.outcome()]++
			if diff := want.difference(got); diff != "" {
				t.Fatalf("%s: operation %d: %s\nwith %s\n%s\ngraphql-js: %s %v\ngatehouse: %s", how, i, c.Query, c.Variables, diff, want.Data, want.Errors, got.text)
			}
		}
	}
	t.Logf("%v", seen)
	for _, outcome := range []string{"answered", "refused", "a field failed"} {
		if !testing.Short() && seen[outcome] < n/200 {
			t.Errorf("too few operations of a kind: %v", seen)
		}
	}
}

type operation struct {
	Query     string          `json:"query"`
	Variables json.RawMessage `json:"variables"`
}

// expectation is the response of graphql-js.
type expectation struct {
	Data   json.RawMessage
	Errors []string
}

func (e *expectation) outcome() string {
	switch {
	case e.Data == nil:
		return "refused"
	case len(e.Errors) > 0:
		return "a field failed"
	}
	return "answered"
}

// difference returns how a response differs from the expected one, "" if it does not.
func (e *expectation) difference(got *answer) string {
	if (e.Data == nil) != (got.Data == nil) || (len(e.Errors) > 0) != (len(got.Errors) > 0) {
		return "want it to be " + e.outcome()
	}
	if e.Data == nil {
		return ""
	}
	if want, got := normal(e.Data), normal(got.Data); !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("want %v, got %v", want, got)
	}
	return ""
}

// normal returns a JSON value in which strings that are numbers, such as Decimals, have one form:
// JavaScript does not keep how a number was written.
func normal(text []byte) any {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	return normalValue(v)
}

func normalValue(v any) any {
	switch v := v.(type) {
	case string:
		if r, ok := new(big.Rat).SetString(v); ok {
			return r.RatString()
		}
	case []any:
		for i := range v {
			v[i] = normalValue(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = normalValue(v[name])
		}
	}
	return v
}

// reference runs the operations in graphql-js.
func reference(t *testing.T, cases []operation) []expectation {
	t.Helper()
	var all []expectation
	for _, line := range graphQLJS(t, cases, "inputs.js", filepath.Join("schema", "inputs.graphqls")) {
		var e expectation
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("graphql-js printed %s: %v", line, err)
		}
		if string(e.Data) == "null" { // a directive's condition is null; that refuses the request here
			e.Data = nil
		}
		all = append(all, e)
	}
	return all
}

// graphQLJS runs a script of testdata/graphqljs, which answers each question, in JSON, with a line.
// Where Node or the package is not installed it skips the test; with CI=true the test fails.
func graphQLJS[T any](t *testing.T, questions []T, script string, args ...string) [][]byte {
	t.Helper()
	script = filepath.Join("testdata", "graphqljs", script)
	node, noNode := exec.LookPath("node")
	_, noPackage := os.Stat(filepath.Join(filepath.Dir(script), "node_modules", "graphql"))
	if missing := errors.Join(noNode, noPackage); missing != nil {
		const what = "the comparison needs Node, and `npm ci` in enginetest/inputs/testdata/graphqljs: %v"
		if os.Getenv("CI") == "true" {
			t.Fatalf(what, missing)
		}
		t.Skipf(what, missing)
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, q := range questions {
		if err := encoder.Encode(q); err != nil {
			t.Fatalf("%v: %v", q, err)
		}
	}
	cmd := exec.CommandContext(t.Context(), node, append([]string{script}, args...)...)
	cmd.Stdin, cmd.Stderr = &lines, os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	answers := bytes.SplitAfter(bytes.TrimSuffix(out, []byte("\n")), []byte("\n"))
	if len(answers) != len(questions) {
		t.Fatalf("%s answered %d of %d questions", script, len(answers), len(questions))
	}
	return answers
}
