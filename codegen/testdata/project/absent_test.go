package everything

import (
	"regexp"
	"strings"
	"testing"
)

// boundary is what separates the parts of a multipart body.
var boundary = regexp.MustCompile(`\b[0-9a-f]{64}\b`)

// An input field that a client leaves out is absent from the call, in any place and at any depth.
// Null is sent as null in formats that have it.
func TestAbsent(t *testing.T) {
	for _, a := range []struct{ operation, variables, want string }{
		{`mutation {absentJSON(input: {name: "n"})}`, ``, `{"name":"n","level":3}`},
		{`mutation {absentJSON(input: {name: "n", email: null})}`, ``, `{"name":"n","email":null,"level":3}`},
		{`mutation {absentJSON(input: {email: "", level: null})}`, ``, `{"email":"","level":null}`},
		{`mutation {absentJSON(input: {})}`, ``, `{"level":3}`},
		{`mutation {absentJSON}`, ``, ``},
		{`mutation {absentJSON(input: null)}`, ``, ``},
		{`mutation {absentJSON(input: {level: 1, inner: {a: "x"}})}`, ``, `{"level":1,"inner":{"a":"x"}}`},
		{`mutation {absentJSON(input: {level: 1, inner: {b: null}, tags: [null]})}`, ``, `{"level":1,"inner":{"b":null},"tags":[null]}`},
		{`mutation {absentJSON(input: {level: 1, inner: null, tags: null})}`, ``, `{"level":1,"inner":null,"tags":null}`},
		{`mutation {absentJSON(input: {level: 1, inners: [{}, {a: null}, {b: "x"}]})}`, ``, `{"level":1,"inners":[{},{"a":null},{"b":"x"}]}`},
		{`mutation($n: String, $e: String) {absentJSON(input: {level: 1, name: $n, email: $e})}`, `{"n": "x"}`, `{"name":"x","level":1}`},
		{`mutation($n: String, $e: String) {absentJSON(input: {level: 1, name: $n, email: $e})}`, `{"n": "x", "e": null}`, `{"name":"x","email":null,"level":1}`},
		{`mutation($b: String) {absentJSON(input: {level: 1, inner: {a: "x", b: $b}})}`, `{}`, `{"level":1,"inner":{"a":"x"}}`},
		{`mutation($l: Int) {absentJSON(input: {level: $l})}`, `{}`, `{"level":3}`},
		{`mutation($i: AbsentInner) {absentJSON(input: {level: 1, inner: $i})}`, `{"i": {"a": null}}`, `{"level":1,"inner":{"a":null}}`},
		{`mutation($i: Absent) {absentJSON(input: $i)}`, `{"i": {"name": "n"}}`, `{"name":"n","level":3}`},
		{`mutation($i: Absent) {absentJSON(input: $i)}`, `{"i": {"email": null, "inners": [{"b": null}]}}`, `{"email":null,"level":3,"inners":[{"b":null}]}`},
		{`mutation($i: Absent) {absentJSON(input: $i)}`, `{}`, ``},
		{`mutation {absentList(list: [{name: "n"}, {level: null, email: null}, {inner: {}}])}`, ``, `[{"name":"n","level":3},{"email":null,"level":null},{"level":3,"inner":{}}]`},

		{`mutation {absentForm(input: {name: "n"})}`, ``, `name=n&level=3`},
		{`mutation {absentForm(input: {name: null, email: "", level: null})}`, ``, `email=`},
		{`mutation($e: String) {absentForm(input: {name: "n", email: $e})}`, `{}`, `name=n&level=3`},
		{`mutation {absentParts(input: {name: "n", email: null, inner: {a: null}})}`, ``, `name=n level=3 inner={"a":null}`},
		{`mutation {absentParts(input: {level: null, inner: {}, inners: [{b: "x"}]})}`, ``, `inner={} inners=[{"b":"x"}]`},

		{`mutation {absentMade}`, ``, `{"deep":{}}`},
		{`mutation {absentMade(a: "x")}`, ``, `{"a":"x","deep":{}}`},
		{`mutation {absentMade(a: null, b: null, input: null, list: null)}`, ``, `{"a":null,"b":null,"deep":{},"list":null}`},
		{`mutation {absentMade(input: {}, list: [{}, null, {name: null}])}`, ``, `{"deep":{},"list":[{},null,{"name":null}]}`},
		{`mutation {absentMade(input: {name: null, inner: {}})}`, ``, `{"name":null,"inner":{},"deep":{}}`},
		{`mutation {absentMade(input: {inner: null})}`, ``, `{"inner":null,"deep":{}}`},
		{`mutation {absentMade(input: {inner: {a: null, b: null}})}`, ``, `{"inner":{"a":null},"deep":{"b":null}}`},
		{`mutation($a: String, $b: Int, $i: Absent) {absentMade(a: $a, b: $b, input: $i)}`, `{"b": null}`, `{"b":null,"deep":{}}`},
		{`mutation {absentMadeForm(a: null, input: {name: "n"})}`, ``, `name=n`},
		{`mutation {absentMadeForm(b: 1)}`, ``, `b=1`},
		{`mutation {absentMadeParts(a: null, inner: {a: "x"}, input: {})}`, ``, `inner={"a":"x"}`},
		{`mutation {absentMadeParts(a: "x", inner: null, input: {name: null})}`, ``, `a=x`},
		{`mutation {absentQuery}`, ``, `POST /query`},
		{`mutation {absentQuery(a: null, input: {name: null, email: null, inner: null})}`, ``, `POST /query`},
		{`mutation {absentQuery(a: "", input: {name: "n", email: "e", inner: {b: "x"}})}`, ``, "POST /query?a=&name=n&b=x\nX-Tag: e"},
	} {
		s := &service{}
		answer := runOperation(t, s, caller, a.operation, a.variables)
		if len(s.requests) != 1 || strings.Contains(answer, "errors") {
			t.Errorf("%s with %s sends %v and answers %s", a.operation, a.variables, s.requests, answer)
			continue
		}
		if got := bodyOf(s.requests[0]); got != a.want {
			t.Errorf("%s with %s\nsends %s\nwant  %s", a.operation, a.variables, got, a.want)
		}
	}
}

// bodyOf returns the body of a call: the parts of a multipart body as name=value, and the whole
// call if the test is about its head.
func bodyOf(call string) string {
	head, body, _ := strings.Cut(call, "\n")
	if strings.Contains(head, "/query") {
		return call
	}
	if kind, rest, ok := strings.Cut(body, "\n"); ok && strings.HasPrefix(kind, "Content-Type: ") {
		body = rest
	}
	if !strings.Contains(head, "arts") {
		return body
	}
	var parts []string
	for _, part := range strings.Split(boundary.ReplaceAllString(body, "|"), "--|") {
		if _, named, ok := strings.Cut(part, `name="`); ok {
			name, rest, _ := strings.Cut(named, `"`)
			_, value, _ := strings.Cut(rest, "\r\n\r\n")
			parts = append(parts, name+"="+strings.TrimSuffix(value, "\r\n"))
		}
	}
	return strings.Join(parts, " ")
}
