package openapi

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAccept(t *testing.T) {
	for _, c := range []struct {
		responses string // of one operation
		json, all string // what is asked for, as a header; "" for the default
	}{
		{`{"200": {content: {application/json: {}}}}`, "", ""},
		{`{"200": {content: {application/json; charset=utf-8: {}}}}`, "", ""},
		{`{"200": {content: {APPLICATION/JSON: {}}}}`, "", ""},
		{`{"200": {content: {"*/*": {}}}}`, "", ""},
		{`{"200": {content: {"application/*": {}}}}`, "", ""},
		{`{"200": {description: none}}`, "", ""},
		{`{"404": {content: {application/problem+json: {}}}}`, "", ""},
		{`{}`, "", ""},
		{`{"200": {content: {application/vnd.api+json: {}}}}`, "application/vnd.api+json", "application/vnd.api+json"},
		{`{"200": {content: {Application/Vnd.API+JSON: {}}}}`, "application/vnd.api+json", "application/vnd.api+json"},
		{`{"200": {content: {application/hal+json: {}, application/json: {}}}}`, "application/hal+json, application/json", "application/hal+json, application/json"},
		{`{"200": {content: {application/json: {}, application/hal+json: {}}}}`, "application/json, application/hal+json", "application/json, application/hal+json"},
		{`{"200": {content: {application/xml: {}, application/json: {}}}}`, "", "application/xml, application/json"},
		{`{"200": {content: {application/vnd.x+json; version=2; q=0.5: {}}}}`, "application/vnd.x+json; version=2", "application/vnd.x+json; version=2"},
		{`{"200": {content: {text/json: {}}}}`, "text/json", "text/json"},
		{`{"200": {content: {text/plain: {}}}}`, "", "text/plain"},
		{`{"200": {content: {a/b+json: {}}}, "201": {content: {application/c+json: {}}}, "2XX": {content: {application/c+json: {}}}}`, "application/c+json", "a/b+json, application/c+json"},
		{`{"201": {content: {application/a+json: {}}}, default: {content: {application/b+json: {}}}}`, "application/a+json", "application/a+json"},
		{`{default: {content: {application/b+json: {}}}}`, "application/b+json", "application/b+json"},
		{`{"200": {content: {nonsense: {}, application/a+json: {}}}}`, "application/a+json", "application/a+json"},
	} {
		d := mustParse(t, "3.1.0", fmt.Sprintf("paths: {/a: {get: {responses: %s}}}", c.responses))
		op := d.Load(d.Operations[0])
		if got := strings.Join(op.Accept(false), ", "); got != c.json {
			t.Errorf("%s: %q, want %q", c.responses, got, c.json)
		}
		if got := strings.Join(op.Accept(true), ", "); got != c.all {
			t.Errorf("%s without a body that is read: %q, want %q", c.responses, got, c.all)
		}
	}
}

// alternatives writes an operation's security as text.
func alternatives(op *Operation) string {
	var all []string
	for _, schemes := range op.Security {
		var names []string
		for _, s := range schemes {
			names = append(names, fmt.Sprintf("%s %s", s.In, s.Name))
		}
		all = append(all, strings.Join(names, " and "))
	}
	return strings.Join(all, " | ")
}

func TestSecurity(t *testing.T) {
	const schemes = `
components: {securitySchemes: {
  key: {type: apiKey, in: query, name: api_key}, cookie: {type: apiKey, in: cookie, name: sid}, head: {type: apiKey, in: header, name: X-Key},
  basic: {type: http, scheme: Basic}, bearer: {type: http, scheme: bearer}, oauth: {type: oauth2, flows: {}}, oidc: {type: openIdConnect, openIdConnectUrl: "https://x"},
  tls: {type: mutualTLS}, ref: {$ref: "#/components/securitySchemes/key"}, broken: {type: apiKey, in: body, name: k}}}
`
	for _, c := range []struct{ root, operation, want string }{
		{"", "", ""},
		{"[{key: []}]", "", "query api_key"},
		{"[{key: []}]", "[]", ""},
		{"[{key: []}]", "[{}]", ""},
		{"[{key: []}]", "[{basic: []}, {cookie: [], head: []}]", "header Authorization | cookie sid and header X-Key"},
		{"", "[{bearer: []}, {}]", "header Authorization | "},
		{"[{oauth: [read]}, {oidc: []}]", "", "header Authorization | header Authorization"},
		{"[{tls: []}]", "", " "},
		{"[{ref: []}]", "", "query api_key"},
		{"[{broken: []}]", "", " k"},
		{"[{unknown: []}, {key: []}]", "", "query api_key"},
		{"[{unknown: []}]", "", ""},
	} {
		text := "paths: {/a: {get: {responses: {}"
		if c.operation != "" {
			text += ", security: " + c.operation
		}
		text += "}}}" + schemes
		if c.root != "" {
			text += "security: " + c.root + "\n"
		}
		d := mustParse(t, "3.1.0", text)
		if got := alternatives(d.Load(d.Operations[0])); got != c.want {
			t.Errorf("root %s, operation %s: %q, want %q", c.root, c.operation, got, c.want)
		}
		if unknown := strings.Contains(c.root, "unknown"); unknown != strings.Contains(fmt.Sprint(d.Warnings()), `no security scheme "unknown"`) {
			t.Errorf("root %s: warnings %q", c.root, d.Warnings())
		}
		if s := d.Scheme("header", "x-key"); s == nil || s.ID != "head" || d.Scheme("query", "API_KEY") != nil || d.Scheme("", "k") != nil {
			t.Errorf("schemes by place: %v", s)
		}
	}
}

// Swagger 2.0 calls schemes securityDefinitions, and has basic as a type of its own.
func TestSwaggerSecurity(t *testing.T) {
	d, err := Parse("api.json", []byte(`{"swagger": "2.0", "info": {"title": "t", "version": "1"}, "host": "h", "security": [{"k": []}],
"securityDefinitions": {"k": {"type": "apiKey", "in": "query", "name": "key"}, "b": {"type": "basic"}},
"paths": {"/a": {"get": {"responses": {"200": {"description": "x"}}}, "put": {"security": [{"b": []}], "responses": {"200": {"description": "x"}}}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, op := range d.Operations {
		op = d.Load(op)
		got = append(got, op.Method+" "+alternatives(op))
	}
	if diff := cmp.Diff([]string{"GET query key", "PUT header Authorization"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestServers(t *testing.T) {
	d := mustParse(t, "3.1.0", `servers: [{url: "https://{region}.x/v1/", variables: {region: {default: eu}}}, {url: /v1}]
paths:
  /a: {get: {responses: {}}, put: {servers: [{url: /own}], responses: {}}}
  /b: {servers: [{url: /path}], get: {responses: {}}, put: {servers: [{url: /own}], responses: {}}}
`)
	got := map[string][]string{"document": d.Servers}
	for _, op := range d.Operations {
		op = d.Load(op)
		got[op.Method+" "+op.Path] = op.Servers
	}
	want := map[string][]string{
		"document": {"https://eu.x/v1", "/v1"},
		"GET /a":   nil, "PUT /a": {"/own"}, "GET /b": {"/path"}, "PUT /b": {"/own"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
