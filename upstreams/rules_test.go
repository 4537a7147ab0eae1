package upstreams_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// answering returns services with one source, "users", that sends this response.
func answering(t *testing.T, status int, body string, headers ...string) *upstreams.Services {
	t.Helper()
	r := newReplica(t, func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Add(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	})
	return newServices(t, upstreams.Source{URLs: upstreams.URLs(r.URL)})
}

var user = decode.NewShape("User", decode.Field{Name: "name"})

func name(d *decode.Decoder) *string {
	return decode.Null(d, func(d *decode.Decoder) *string {
		o := d.Object(user)
		name := decode.New[string](&o)
		for o.Next() {
			*name = d.String()
		}
		return name
	})
}

func TestSuccessRule(t *testing.T) {
	ok := func(r *upstreams.Response) bool { return mapping.Truthy(mapping.Get(r.Body(), "ok")) }
	found := func(r *upstreams.Response) bool { return r.Status < 300 || r.Status == 404 }
	for _, test := range []struct {
		name    string
		success func(*upstreams.Response) bool
		status  int
		body    string
		kind    fault.Code // "" is success
		want    string
	}{
		{"a 200 without a rule", nil, 200, `{"ok":false,"name":"Ada"}`, "", "Ada"},
		{"a 404 without a rule", nil, 404, `{"ok":true,"name":"Ada"}`, fault.NotFound, ""},
		{"a 200 that says it is fine", ok, 200, `{"ok":true,"name":"Ada"}`, "", "Ada"},
		{"a 200 that says it is not", ok, 200, `{"ok":false}`, fault.DownstreamService, ""},
		{"a 200 that says nothing", ok, 200, ``, fault.DownstreamService, ""},
		{"a 200 of no JSON", ok, 200, `<ok>`, fault.DownstreamService, ""},
		{"a 500 that says it is fine", ok, 500, `{"ok":true,"name":"Ada"}`, "", "Ada"},
		{"a 400 that says it is not", ok, 400, `{"ok":false}`, fault.BadUserInput, ""},
		{"a 404 that is an answer", found, 404, `{"name":"unreachable"}`, "", "unreachable"},
		{"a 404 that is null", found, 404, ``, "", ""},
		{"a 409 that is none", found, 409, `{"name":"unreachable"}`, fault.Conflict, ""},
		{"a success without data", found, 404, `<html>`, fault.DownstreamService, ""},
	} {
		services := answering(t, test.status, test.body)
		rules := &upstreams.Rules{Success: test.success}
		got, err := upstreams.Fetch(t.Context(), services, "users", get(), name, rules)
		if kind := fault.CodeOf(err); kind != test.kind {
			t.Errorf("%s: %v, want %q", test.name, err, test.kind)
		}
		if err == nil && got != nil && *got != test.want || err == nil && got == nil && test.want != "" {
			t.Errorf("%s: %v, want %q", test.name, got, test.want)
		}
		if f, ok := errors.AsType[*fault.Error](err); ok && test.kind != fault.DownstreamService && (f.Service != "users" || f.Status != test.status || f.Extensions != nil) {
			t.Errorf("%s: %#v", test.name, f)
		}
		sent := upstreams.Send(t.Context(), services, "users", get(), rules)
		if test.name != "a success without data" && fault.CodeOf(sent) != test.kind {
			t.Errorf("%s: sent with %v, want %q", test.name, sent, test.kind)
		}
	}
}

func TestErrorRules(t *testing.T) {
	body := func(names ...string) func(*upstreams.Response) any {
		return func(r *upstreams.Response) any { return mapping.Get(r.Body(), names...) }
	}
	const usual = "the service refused the input"
	long := strings.Repeat("ä", 2000)
	for _, test := range []struct {
		name       string
		rules      *upstreams.Rules
		body       string
		text       string
		extensions string // as JSON; "null" is none
	}{
		{"no rules", nil, `{"message":"no"}`, usual, "null"},
		{"rules without a mapping", &upstreams.Rules{}, `{"message":"no"}`, usual, "null"},
		{"a message", &upstreams.Rules{Message: body("message")}, `{"message":"no such colour"}`, "no such colour", "null"},
		{"no message", &upstreams.Rules{Message: body("message")}, `{}`, usual, "null"},
		{"an empty one", &upstreams.Rules{Message: body("message")}, `{"message":" \n"}`, usual, "null"},
		{"one that is not a text", &upstreams.Rules{Message: body("message")}, `{"message":{"a":1}}`, usual, "null"},
		{"no JSON", &upstreams.Rules{Message: body("message"), Extensions: body()}, `<html>s3cret`, usual, "null"},
		{"a cut one", &upstreams.Rules{Message: body("message")}, `{"message":"x","more":"` + strings.Repeat("y", 70_000) + `"}`, usual, "null"},
		{"a long one", &upstreams.Rules{Message: body("message")}, `{"message":"` + long + `"}`, long[:2*1000], "null"},
		{
			"control characters", &upstreams.Rules{Message: body("message")},
			`{"message":"a\r\nb\u0000\u001b[31m\u0085c"}`, "a  b  [31m c", "null",
		},
		{
			"extensions", &upstreams.Rules{Extensions: body("error")},
			`{"error":{"code":"WEAK","fields":[{"name":"a\u0007","n":1.50}],"none":null}}`,
			usual, `{"code":"WEAK","fields":[{"name":"a ","n":1.50}]}`,
		},
		{"extensions that are no object", &upstreams.Rules{Extensions: body("error")}, `{"error":["a"]}`, usual, "null"},
		{"huge extensions", &upstreams.Rules{Extensions: body()}, `{"a":[` + strings.Repeat(`"x",`, 5000) + `1]}`, usual, "null"},
		{
			"long strings in them", &upstreams.Rules{Extensions: body()},
			`{"a":"` + long + `","b":{"` + long + `":1}}`, usual, `{"a":"` + long[:2000] + `","b":{"` + long[:2000] + `":1}}`,
		},
		{
			"status and headers", &upstreams.Rules{Extensions: func(r *upstreams.Response) any {
				return encode.Object{}.With("status", r.Status).With("retry", r.Header("retry-after")).With("none", r.Header("x")).With("bad", r.Header("X-Bad"))
			}},
			`{}`, usual, `{"bad":"a�","retry":"1, 2","status":400}`,
		},
		{
			"what is no JSON", &upstreams.Rules{
				Message:    func(*upstreams.Response) any { return make(chan int) },
				Extensions: func(*upstreams.Response) any { return encode.Object{{Name: "a", Value: func() {}}} },
			},
			`{}`, usual, "null",
		},
	} {
		services := answering(t, 400, test.body, "Retry-After", "1", "Retry-After", "2", "X-Bad", "a\xff")
		_, err := upstreams.Fetch(t.Context(), services, "users", get(), name, test.rules)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Code != fault.BadUserInput || f.Service != "users" || f.Status != 400 {
			t.Fatalf("%s: %#v", test.name, err)
		}
		shown, err := json.Marshal(f.Extensions)
		if f.Message != test.text || string(shown) != test.extensions || err != nil || !utf8.ValidString(f.Message) {
			t.Errorf("%s: %q, %s (%v), want %q, %s", test.name, f.Message, shown, err, test.text, test.extensions)
		}
		if _, ok := errors.AsType[*rest.StatusError](f.Cause); !ok {
			t.Errorf("%s: the log has no answer: %v", test.name, f.Cause)
		}
	}
}

// Rules are not applied when there was no response.
func TestRulesWithoutResponse(t *testing.T) {
	asked := func(*upstreams.Response) bool { t.Error("the rule was asked"); return true }
	rules := &upstreams.Rules{Success: asked}
	down := newServices(t, upstreams.Source{URLs: upstreams.URLs(unreachable)})
	if err := upstreams.Send(t.Context(), down, "users", get(), rules); fault.CodeOf(err) != fault.DownstreamService {
		t.Error(err)
	}
	large := newServices(t, upstreams.Source{URLs: upstreams.URLs(newReplica(t, nil).URL), MaxResponse: 1})
	if err := upstreams.Send(t.Context(), large, "users", get(), rules); fault.CodeOf(err) != fault.DownstreamService {
		t.Error(err)
	}
	if err := upstreams.Send(t.Context(), down, "users", get().Segment(""), rules); fault.CodeOf(err) != fault.BadUserInput {
		t.Error(err)
	}
}

func TestBodyIsParsedOnce(t *testing.T) {
	services := answering(t, 400, `{"a":[1]}`)
	var first, second any
	rules := &upstreams.Rules{
		Success: func(r *upstreams.Response) bool { first = r.Body(); return false },
		Message: func(r *upstreams.Response) any { second = r.Body(); return nil },
	}
	if err := upstreams.Send(t.Context(), services, "users", get(), rules); err == nil {
		t.Fatal("no error")
	}
	a, _ := first.(encode.Object)
	b, _ := second.(encode.Object)
	if diff := cmp.Diff(a, b); diff != "" || len(a) != 1 || &a[0] != &b[0] {
		t.Errorf("%v and %v", first, second)
	}
}
