package everything

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// vendorService records requests, and responds with a status and a body by path.
type vendorService struct {
	answers map[string]string // "status body" or a body; 404 with text that is not JSON for others

	mu       sync.Mutex
	requests []string
}

func (s *vendorService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	line := r.Method + " " + r.RequestURI
	for _, name := range []string{"Accept", "User-Agent", "X-Region", "Content-Type"} {
		line += "\n" + name + ": " + strings.Join(r.Header[name], "|")
	}
	s.mu.Lock()
	s.requests = append(s.requests, strings.TrimSuffix(line+"\n"+string(body), "\n"))
	s.mu.Unlock()
	answer, ok := s.answers[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		answer = "<html>nothing here"
	}
	io.WriteString(w, answer)
}

// request writes what vendorService records.
func vendorRequest(line, accept, agent, region, mime, body string) string {
	return strings.TrimSuffix(line+"\nAccept: "+accept+"\nUser-Agent: "+agent+"\nX-Region: "+region+"\nContent-Type: "+mime+"\n"+body, "\n")
}

// A call asks for the media types of the document, carries the parameters of its source, and has the
// headers of its binding rather than those of its source.
func TestVendorRequests(t *testing.T) {
	const api, plain = "application/vnd.api+json, application/json, application/problem+json", "application/json, application/problem+json"
	for _, c := range []struct{ query, want string }{
		{`{vendored {level}}`, vendorRequest("GET /vendored?api_key=of%20vendor&tag=a%26b", api, "everything/1", "north", "", "")},
		{`{vendoredByHTTP {level}}`, vendorRequest("GET /vendored?api_key=of%20vendor&tag=a%26b", api, "everything/1", "north", "", "")},
		{`{vendoredOwn(accept: "a/b") {level}}`, vendorRequest("GET /vendored?tag=own&api_key=of%20vendor", "a/b", "own/2", "north", "", "")},
		{`{vendoredOwn {level}}`, vendorRequest("GET /vendored?tag=own&api_key=of%20vendor", api, "own/2", "north", "", "")},
		{`mutation {removeVendored}`, vendorRequest("DELETE /vendored?api_key=of%20vendor&tag=a%26b", "text/plain, application/problem+json", "everything/1", "north", "", "")},
		{
			`mutation {setLevel(input: {level: HIGH, mode: RATIO, all: [LOW, BELOW]}) {level}}`,
			vendorRequest("POST /levels?api_key=of%20vendor&tag=a%26b", "application/vnd.api+json, application/problem+json", "everything/1", "north", "application/vnd.api+json", `{"level":20,"mode":1.5,"all":[1,-1]}`),
		},
		{
			`mutation {setLevel(input: {level: LOW, mode: OFF}) {level}}`,
			vendorRequest("POST /levels?api_key=of%20vendor&tag=a%26b", "application/vnd.api+json, application/problem+json", "everything/1", "north", "application/vnd.api+json", `{"level":1,"mode":false}`),
		},
		{`{byLevel(level: BELOW, levels: [LOW, HIGH], mode: FAST) {level}}`, vendorRequest("GET /levels?level=-1&levels=1,20&mode=fast-mode&api_key=of%20vendor&tag=a%26b", plain, "everything/1", "north", "", "")},
		{`{byLevel(mode: ON) {level}}`, vendorRequest("GET /levels?mode=true&api_key=of%20vendor&tag=a%26b", plain, "everything/1", "north", "", "")},
	} {
		s := &vendorService{answers: map[string]string{"/vendored": `{}`, "/levels": `null`}}
		text := post(t, startGateway(t, s, caller), map[string]any{"query": c.query}, "X-Tag: a&b")
		if diff := cmp.Diff([]string{c.want}, s.requests); diff != "" {
			t.Errorf("%s: %s\n%s", c.query, text, diff)
		}
	}
}

// Values of enums that are numbers and Booleans at the service are read from those alone.
func TestEnumsOfOtherKinds(t *testing.T) {
	for body, want := range map[string]string{
		`{"level": 1, "levels": [20, -1, 1.0, 2e1], "mode": "AUTO"}`: `{"data":{"vendored":{"level":"LOW","levels":["HIGH","BELOW","LOW","HIGH"],"mode":"AUTO"}}}`,
		`{"level": 20, "levels": [null], "mode": 1.50}`:              `{"data":{"vendored":{"level":"HIGH","levels":[null],"mode":"RATIO"}}}`,
		`{"level": null, "mode": false}`:                             `{"data":{"vendored":{"level":null,"levels":null,"mode":"OFF"}}}`,
		`{"mode": "fast-mode"}`:                                      `{"data":{"vendored":{"level":null,"levels":null,"mode":"FAST"}}}`,
	} {
		s := &vendorService{answers: map[string]string{"/vendored": body}}
		if got := string(post(t, startGateway(t, s, caller), map[string]any{"query": `{vendored {level levels mode}}`})); strings.TrimSpace(got) != want {
			t.Errorf("%s:\n got %s\nwant %s", body, got, want)
		}
	}
	// What is not one of the values is null, with an error at its path.
	for _, wrong := range []string{`{"level": "1"}`, `{"level": 2}`, `{"level": "LOW"}`, `{"level": true}`, `{"level": 1.5}`, `{"level": {}}`, `{"level": 10000000000000000000000}`} {
		s := &vendorService{answers: map[string]string{"/vendored": wrong}}
		got := string(post(t, startGateway(t, s, caller), map[string]any{"query": `{vendored {level}}`}))
		if !strings.Contains(got, `"level":null`) || !strings.Contains(got, `"path":["vendored","level"]`) {
			t.Errorf("%s: %s", wrong, got)
		}
	}
	s := &vendorService{answers: map[string]string{"/matched": `{"v": "low"}`}}
	if got := string(post(t, startGateway(t, s, caller), map[string]any{"query": `{matchedLevel {level mode}}`})); !strings.Contains(got, `{"level":"LOW","mode":"FAST"}`) {
		t.Errorf("a match: %s", got)
	}
}

// A status that means null is no error, for every kind of field. Other statuses are errors as before.
func TestNullOn(t *testing.T) {
	parents := map[string]string{"/parents": `[{"id": "a"}, {"id": "b"}, {"id": "c"}]`}
	for query, want := range map[string]string{
		`{gone(id: "x") {id}}`: `{"gone":null}`,
		`{goneText}`:           `{"goneText":null}`,
		`{goneList {id}}`:      `{"goneList":null}`,
		`{gonePage {nodes {id} pageInfo {hasNextPage}}}`:            `{"gonePage":{"nodes":[],"pageInfo":{"hasNextPage":false}}}`,
		`{absentParents {id one {id} batch {id} lists {id} table}}`: `{"absentParents":[{"id":"a","one":null,"batch":null,"lists":[],"table":null},{"id":"b","one":null,"batch":null,"lists":[],"table":null},{"id":"c","one":null,"batch":null,"lists":[],"table":null}]}`,
		`{vendored {level} byLevel {level}}`:                        `{"vendored":null,"byLevel":null}`,
	} {
		s := &vendorService{answers: parents}
		if got := strings.TrimSpace(string(post(t, startGateway(t, s, caller), map[string]any{"query": query}))); got != `{"data":`+want+`}` {
			t.Errorf("%s:\n got %s\nwant %s", query, got, want)
		}
	}
	// A field that cannot be null, and a call that reports success, have the error.
	for query, want := range map[string]string{
		`{vendoredMust {level}}`:    `"path":["vendoredMust"]`,
		`mutation {removeVendored}`: `"path":["removeVendored"]`,
	} {
		got := string(post(t, startGateway(t, &vendorService{}, caller), map[string]any{"query": query}))
		if !strings.Contains(got, want) || !strings.Contains(got, `"code":"NOT_FOUND"`) {
			t.Errorf("%s: %s", query, got)
		}
	}
	// Other statuses are errors.
	var errors struct{ Errors []any }
	teapot := &ruleService{status: http.StatusTeapot, bodies: map[string]string{"": "{}"}}
	text := post(t, startGateway(t, teapot, caller), map[string]any{"query": `{gone(id: "x") {id} goneList {id} vendored {level}}`})
	if err := json.Unmarshal(text, &errors); err != nil || len(errors.Errors) != 3 {
		t.Errorf("418: %s", text)
	}
}

// A scalar that is the same as another is read and sent as that one, also as a key.
func TestScalarsOfOtherNames(t *testing.T) {
	const item = `{"email": "a@b.c", "long": 9007199254740993}`
	s := &vendorService{answers: map[string]string{
		"/aliased": `{"email": "a@b.c", "long": "9007199254740993", "at": "2026-01-31T12:00:00Z", "ratio": 1.5, "flag": true, "small": 3, "key": 7, "any": {"a": [1]}}`,
		"/byEmail": `[` + item + `]`, "/byLong": `[` + item + `]`, "/byKey/7": item,
	}}
	got := strings.TrimSpace(string(post(t, startGateway(t, s, caller), map[string]any{"query": `query($m: [Email!]) {
		aliased(email: "x&y", long: "9007199254740993", at: "2026-01-31T12:00:00Z", mails: $m) {
			email long at ratio flag small key any byEmail {long} byLong {email} byKey {long}
		}
	}`, "variables": map[string]any{"m": []string{"m"}}})))
	want := `{"data":{"aliased":{"email":"a@b.c","long":"9007199254740993","at":"2026-01-31T12:00:00Z","ratio":1.5,"flag":true,"small":3,"key":"7","any":{"a": [1]},` +
		`"byEmail":{"long":"9007199254740993"},"byLong":{"email":"a@b.c"},"byKey":{"long":"9007199254740993"}}}}`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	sent := strings.Join(s.requests, "\n")
	for _, want := range []string{
		"POST /aliased?email=x%26y&long=9007199254740993&at=2026-01-31T12%3A00%3A00Z\n", `{"long":9007199254740993,"email":"x\u0026y","mails":["m"]}`,
		"GET /byEmail?emails=a%40b.c\n", `{"longs":[9007199254740993]}`, "GET /byKey/7\n",
	} {
		if !strings.Contains(sent, want) {
			t.Errorf("no %q in\n%s", want, sent)
		}
	}
}

// A client may write the same values for a scalar of another name as for the one that it is, in the text
// of an operation and as variables. What does not fit is refused before anything is called.
func TestValuesOfScalarsOfOtherNames(t *testing.T) {
	for argument, values := range map[string]struct {
		typ         string
		fit, refuse []string
	}{
		"email": {"Email", []string{`"a"`, `""`}, []string{`5`, `1.5`, `true`, `["a"]`, `{}`}},
		"long":  {"Long", []string{`5`, `"5"`}, []string{`"x"`, `1.5`, `true`}},
		"at":    {"Moment", []string{`"2026-01-31T12:00:00Z"`}, []string{`"today"`, `5`}},
		"ratio": {"Ratio", []string{`5`, `1.5`, `-1e3`}, []string{`"1.5"`, `true`, `1e999`}},
		"flag":  {"Flag", []string{`true`, `false`}, []string{`"true"`, `1`, `0`}},
		"small": {"Small", []string{`5`}, []string{`"5"`, `1.5`, `3000000000`, `false`}},
		"key":   {"Key", []string{`"k"`, `5`, `12345678901234567890`}, []string{`1.5`, `true`, `[["k"]]`}},
	} {
		for i, value := range append(slices.Clone(values.fit), values.refuse...) {
			fits := i < len(values.fit)
			for _, request := range []map[string]any{
				{"query": fmt.Sprintf("{aliased(%s: %s) {key}}", argument, value)},
				{"query": fmt.Sprintf("query($v: %s) {aliased(%s: $v) {key}}", values.typ, argument), "variables": map[string]any{"v": json.RawMessage(value)}},
			} {
				s := &vendorService{answers: map[string]string{"/aliased": `{"email": "e", "long": 1}`}}
				got := string(post(t, startGateway(t, s, caller), request))
				refused := strings.Contains(got, "BAD_USER_INPUT") || strings.Contains(got, "GRAPHQL_VALIDATION_FAILED")
				if refused == fits || fits && len(s.requests) != 1 || !fits && s.requests != nil {
					t.Errorf("%s: %s, %q", request, got, s.requests)
				}
			}
		}
	}
}
