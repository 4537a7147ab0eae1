package bindingtest

import (
	"fmt"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// response is the GraphQL response that a client gets.
type response struct {
	body   string
	Data   any
	Errors []responseError

	Extensions struct{ Degraded []degradedField }
}

// degradedField is a field that a response lists as degraded.
type degradedField struct {
	Mode, Code, Service string
	Path                any
}

// responseError is an error of a response.
type responseError struct {
	Message    string
	Path       any
	Extensions map[string]any
}

func (e responseError) code() string {
	code, _ := e.Extensions["code"].(string)
	return code
}

// compare returns the differences between the response and the expectations of the test.
func (t *test) compare(schema *ast.Schema, operation *ast.OperationDefinition, got *response) []string {
	lines := append(t.compareErrors(got), t.compareDegraded(got)...)
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

// compareErrors compares the errors, whose order is undefined where fields run concurrently.
func (t *test) compareErrors(got *response) []string {
	unmatched, rest := match(t.errors, got.Errors, expectedError.differences)
	var lines []string
	for i, w := range unmatched {
		if i >= len(rest) {
			lines = append(lines, fmt.Sprintf("errors: the error of line %d is missing", w.line))
			continue
		}
		for _, line := range w.differences(rest[i]) {
			lines = append(lines, fmt.Sprintf("errors: line %d: %s", w.line, line))
		}
	}
	for _, e := range rest[min(len(unmatched), len(rest)):] {
		lines = append(lines, fmt.Sprintf("errors: not expected, got %s at %s: %s%s", e.code(), formatJSON(e.Path), e.Message, guardHint(e.code())))
	}
	return lines
}

// compareDegraded compares the degraded fields.
func (t *test) compareDegraded(got *response) []string {
	unmatched, rest := match(t.degraded, got.Extensions.Degraded, expectedDegraded.differences)
	var lines []string
	for i, w := range unmatched {
		if i >= len(rest) {
			lines = append(lines, fmt.Sprintf("degraded: the field of line %d is missing", w.line))
			continue
		}
		for _, line := range w.differences(rest[i]) {
			lines = append(lines, fmt.Sprintf("degraded: line %d: %s", w.line, line))
		}
	}
	for _, d := range rest[min(len(unmatched), len(rest)):] {
		lines = append(lines, fmt.Sprintf("degraded: not expected, got %s at %s: %s of %s", d.Mode, formatJSON(d.Path), d.Code, d.Service))
	}
	return lines
}

// match compares two lists as multisets: an expected element takes the first element that has no
// differences. It returns those that are left over on both sides, to be compared in their order, so
// that each difference is reported once.
func match[W, G any](want []W, got []G, differences func(W, G) []string) (unmatched []W, rest []G) {
	rest = slices.Clone(got)
	for _, w := range want {
		at := slices.IndexFunc(rest, func(g G) bool { return len(differences(w, g)) == 0 })
		if at < 0 {
			unmatched = append(unmatched, w)
			continue
		}
		rest = slices.Delete(rest, at, at+1)
	}
	return unmatched, rest
}

// guardHint returns a hint for errors of guards, which run in tests as in the gateway.
func guardHint(code string) string {
	if code != string(fault.Unauthenticated) && code != string(fault.Forbidden) {
		return ""
	}
	return ` (give the caller, as claims: {sub: u1, scope: "users:read"})`
}

// differences compares the fields that are set, and the extensions that the expected error names.
func (w expectedError) differences(got responseError) []string {
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
		compare(true, "extensions", w.extensions.value, got.selectExtensions(w.extensions))
	}
	return differences(want, have)
}

// selectExtensions returns the extensions whose names an expected object has.
func (e responseError) selectExtensions(object *expected) map[string]any {
	some := map[string]any{}
	members, _ := object.value.(map[string]any)
	for name := range members {
		if value, there := e.Extensions[name]; there {
			some[name] = value
		}
	}
	return some
}

// differences compares the fields that are set.
func (w expectedDegraded) differences(got degradedField) []string {
	want, have := map[string]any{}, map[string]any{}
	for name, pair := range map[string][2]string{"mode": {w.mode, got.Mode}, "code": {w.code, got.Code}, "service": {w.service, got.Service}} {
		if pair[0] != "" {
			want[name], have[name] = pair[0], pair[1]
		}
	}
	if w.path != nil {
		want["path"], have["path"] = w.path.value, got.Path
	}
	return differences(want, have)
}
