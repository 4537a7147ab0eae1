package everything

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// ruleService responds with a status, headers and a body by path, and records the headers that it
// receives.
type ruleService struct {
	status int
	header map[string]string
	bodies map[string]string
	got    http.Header
}

func (j *ruleService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	j.got = r.Header
	for name, value := range j.header {
		w.Header().Set(name, value)
	}
	if j.status != 0 {
		w.WriteHeader(j.status)
	}
	body, ok := j.bodies[r.URL.Path]
	if !ok {
		body = j.bodies[""]
	}
	io.WriteString(w, body)
}

// The rules of a source, and of a binding over them, decide what a response means.
func TestRules(t *testing.T) {
	t.Setenv("EVERYTHING_MODE", "test")
	const mapped = `"kind":%s,"mode":"test","service":"rules","tenant":"of rules"`
	of := func(status, more string) string {
		return `{` + more + strings.ReplaceAll(mapped, "%s", status) + `,"http":{"status":` + status + `}}`
	}
	again := map[string]string{"X-Again": "3"}
	for _, r := range []struct {
		field   string
		status  int
		body    string
		want    string // the value, or the error's text
		details string // of an error
	}{
		{"ruled", 200, `{"ok": true, "v": "x"}`, `"x"`, ""},
		{"ruled", 500, `{"ok": 1, "v": "x"}`, `"x"`, ""},
		{"ruled", 200, `{"ok": false, "error": {"message": "no", "code": "NO_MORE", "list": [{"m": "a"}, {}, {"m": "b"}]}}`, "no", of("200", `"again":"3","all":"a; b","code":"NO_MORE",`)},
		{"ruled", 200, `{"v": "x"}`, "", of("200", `"again":"3","code":"DOWNSTREAM_SERVICE_ERROR",`)},
		{"ruled", 404, `not JSON`, "", of("404", `"again":"3","code":"NOT_FOUND",`)},
		{"lost", 404, `{"v": "x"}`, `"x"`, ""},
		{"lost", 500, `{"ok": true, "error": {"message": "m"}}`, "m", of("500", `"again":"3","code":"DOWNSTREAM_SERVICE_ERROR",`)},
		{"ownErrors", 422, `{"problems": [{"text": "own"}], "error": {"message": "not this", "code": "C"}}`, "own", of("422", `"again":"3","code":"C",`)},
		{"ownHeader", 200, `{"ok": true, "v": 5}`, "the service's answer does not fit the graph", `{"code":"DOWNSTREAM_SERVICE_ERROR","service":"rules"}`},
		{"plainErrors", 418, `{"text": "short"}`, "short", `{"code":"TEAPOT","http":{"status":418},"service":"answers","what":{"body":{"text":"short"},"status":418}}`},
		{"plainErrors", 200, `"fine"`, `"fine"`, ""},
	} {
		j := &ruleService{status: r.status, header: again, bodies: map[string]string{"": r.body}}
		var got struct {
			Data   map[string]json.RawMessage
			Errors []struct {
				Message    string
				Path       []any
				Extensions map[string]any
			}
		}
		text := post(t, startGateway(t, j, caller), map[string]any{"query": `{` + r.field + `}`})
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if r.details == "" {
			if string(got.Data[r.field]) != r.want || got.Errors != nil {
				t.Errorf("%s over %d %s: %s", r.field, r.status, r.body, text)
			}
			continue
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(r.details), &want); err != nil {
			t.Fatal(err)
		}
		details, _ := json.Marshal(want)
		if len(got.Errors) != 1 || r.want != "" && got.Errors[0].Message != r.want || string(got.Data[r.field]) != "null" {
			t.Errorf("%s over %d %s: %s", r.field, r.status, r.body, text)
			continue
		}
		if shown, _ := json.Marshal(got.Errors[0].Extensions); string(shown) != string(details) {
			t.Errorf("%s over %d %s\n got %s\nwant %s", r.field, r.status, r.body, shown, details)
		}
	}
}

// A rule applies to each call of a batch, and its error is at the parents of that call.
func TestRulesOfBatches(t *testing.T) {
	j := &ruleService{bodies: map[string]string{
		"/ruledParents": `{"ok": true, "v": [{"id": "a"}, {"id": "b"}]}`,
		"/names":        `{"ok": false, "error": {"message": "down", "code": "DOWN"}}`,
	}}
	text := string(post(t, startGateway(t, j, caller), map[string]any{"query": `{ruledParents {id name}}`}))
	for _, want := range []string{`{"id":"a","name":null}`, `{"id":"b","name":null}`, `"path":["ruledParents",0,"name"]`, `"path":["ruledParents",1,"name"]`, `"message":"down"`, `"code":"DOWN"`} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

// Every call has the headers of its source. A header of the binding with the same name overrides
// it, and a null value leaves it out.
func TestHeadersOfSources(t *testing.T) {
	t.Setenv("EVERYTHING_MODE", "")
	for _, h := range []struct {
		field, client string
		want          map[string][]string
	}{
		{"ruled", "X-Tag: sent", map[string][]string{"X-Tenant": {"of rules"}, "X-Mode": {"source"}, "X-One": nil, "X-Tag": {"sent"}}},
		{"ruled", "X-Other: sent", map[string][]string{"X-Tenant": {"of rules"}, "X-Tag": nil}},
		{`ownHeader(tag: "arg")`, "X-Tag: sent", map[string][]string{"X-Tenant": {"of rules"}, "X-Mode": {"own"}, "X-Tag": {"arg"}}},
		{`ownHeader`, "X-Tag: sent", map[string][]string{"X-Mode": {"own"}, "X-Tag": nil}},
		{`plainErrors`, "X-Tag: sent", map[string][]string{"X-Mode": nil, "X-Tenant": nil, "X-Tag": nil}},
	} {
		j := &ruleService{bodies: map[string]string{"": `{"ok": true}`}}
		post(t, startGateway(t, j, caller), map[string]any{"query": `{` + h.field + `}`}, h.client)
		for name, want := range h.want {
			if got := j.got[name]; strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("%s with %q sends %s: %q, want %q", h.field, h.client, name, got, want)
			}
		}
	}
}
