package bindingtest

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// response is what a client gets.
type response struct {
	text   string
	Data   any
	Errors []shownError
}

// shownError is an error of a response.
type shownError struct {
	Message    string
	Path       any
	Extensions map[string]any
}

func (e shownError) code() string {
	code, _ := e.Extensions["code"].(string)
	return code
}

// check compares the answer with what is expected.
func (t *test) check(schema *ast.Schema, operation *ast.OperationDefinition, got *response) []string {
	lines := t.checkErrors(got)
	if t.response != nil {
		f := t.finder(schema)
		f.search(operation.SelectionSet, []any{got.Data}, false)
		for _, line := range differences(t.response.value, f.value()) {
			lines = append(lines, "connectorResponse: "+line)
		}
	}
	if t.data != nil {
		for _, line := range differences(t.data.value, got.Data) {
			lines = append(lines, "data: "+line)
		}
	}
	return lines
}

// checkErrors compares the errors, whose order is that of luck where fields run side by
// side: each is held against the one that is as expected, and the rest in turn.
func (t *test) checkErrors(got *response) []string {
	var lines []string
	rest := slices.Clone(got.Errors)
	var open []wantError
	for _, w := range t.errors {
		at := slices.IndexFunc(rest, func(e shownError) bool { return len(w.differences(e)) == 0 })
		if at < 0 {
			open = append(open, w)
			continue
		}
		rest = slices.Delete(rest, at, at+1)
	}
	for i, w := range open {
		if i >= len(rest) {
			lines = append(lines, fmt.Sprintf("errors: the error of line %d did not come", w.line))
			continue
		}
		for _, line := range w.differences(rest[i]) {
			lines = append(lines, fmt.Sprintf("errors: line %d: %s", w.line, line))
		}
	}
	for _, e := range rest[min(len(open), len(rest)):] {
		lines = append(lines, fmt.Sprintf("errors: not expected, got %s at %s: %s%s", e.code(), short(e.Path), e.Message, hint(e.code())))
	}
	return lines
}

// hint helps with the guards, which run in tests too.
func hint(code string) string {
	if code != string(fault.Unauthenticated) && code != string(fault.Forbidden) {
		return ""
	}
	return ` (say who asks, as claims: {sub: u1, scope: "users:read"})`
}

// differences compares what is said of an error; of its extensions those that are named.
func (w wantError) differences(got shownError) []string {
	want, have := map[string]any{}, map[string]any{}
	compare := func(said bool, name string, wanted, value any) {
		if said {
			want[name], have[name] = wanted, value
		}
	}
	compare(w.code != "", "code", w.code, got.code())
	compare(w.message != "", "message", w.message, got.Message)
	if w.path != nil {
		compare(true, "path", w.path.value, got.Path)
	}
	if w.extensions != nil {
		compare(true, "extensions", w.extensions.value, got.named(w.extensions))
	}
	return differences(want, have)
}

// named are the extensions with the names that an object has.
func (e shownError) named(object *expected) map[string]any {
	some := map[string]any{}
	members, _ := object.value.(map[string]any)
	for name := range members {
		if value, there := e.Extensions[name]; there {
			some[name] = value
		}
	}
	return some
}
