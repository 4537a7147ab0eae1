package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

const securedDocument = `openapi: 3.1.0
info: {title: t, version: "1"}
security: [{key: []}]
servers: [{url: "https://x/v1"}]
paths:
  /key: {get: {operationId: key, parameters: [{name: q, in: query}], responses: {"200": {content: {application/json: {schema: {type: string}}}}}}}
  /open: {get: {operationId: open, security: [], responses: {"200": {content: {application/json: {schema: {type: string}}}}}}}
  /optional: {get: {operationId: optional, security: [{}, {token: []}], responses: {"200": {content: {application/json: {schema: {type: string}}}}}}}
  /token: {get: {operationId: token, security: [{token: []}], responses: {"200": {content: {application/json: {schema: {type: string}}}}}}}
  /either: {get: {operationId: either, security: [{token: [], cookie: []}, {basic: []}], responses: {"200": {content: {application/json: {schema: {type: string}}}}}}}
  /cookie: {get: {operationId: cookie, security: [{cookie: []}], responses: {"200": {content: {application/json: {schema: {type: string}}}}}}}
  /header: {get: {operationId: header, security: [{header: []}], responses: {"200": {content: {application/json: {schema: {type: string}}}}}}}
  /tls: {get: {operationId: tls, security: [{tls: []}], responses: {"200": {content: {application/json: {schema: {type: string}}}}}}}
  /required:
    get:
      operationId: required
      security: []
      parameters:
        - {name: X-Tenant, in: header, required: true, schema: {type: string}}
        - {name: x-request-id, in: header, required: true, schema: {type: string}}
        - {name: Host, in: header, required: true, schema: {type: string}}
        - {name: region, in: query, required: true, schema: {type: string}}
      responses: {"200": {content: {application/json: {schema: {type: string}}}}}
  /upload: {get: {operationId: upload, security: [], servers: [{url: "https://upload.x/v1"}], responses: {"200": {content: {application/json: {schema: {type: string}}}}}}}
components:
  securitySchemes:
    key: {type: apiKey, in: query, name: api_key}
    token: {type: http, scheme: bearer}
    basic: {type: http, scheme: basic}
    cookie: {type: apiKey, in: cookie, name: sid}
    header: {type: apiKey, in: header, name: X-API-Key}
    tls: {type: mutualTLS}
`

// secured checks a schema whose source has securedDocument. Of the result, each line is a warning or a fault.
func secured(t *testing.T, arguments string, fields ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(securedDocument), 0o644); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("extend schema @source(name: \"s\", openapi: \"s.yaml\" %s)\ntype Query {\n", arguments)
	for i, field := range fields {
		name := fmt.Sprintf("f%d", i)
		if arguments, call, ok := strings.Cut(field, "): "); ok {
			name, field = name+arguments+")", call
		}
		text += fmt.Sprintf("  %s: String @connect(source: \"s\", %s)\n", name, field)
	}
	schema, err := binding.Load(&ast.Source{Name: filepath.Join(dir, "s.graphqls"), Input: text + "}"})
	if err != nil {
		t.Fatal(err)
	}
	graph, broken := binding.Compile(schema, binding.CompileOptions{})
	report, unfit := CompareDocuments(schema, graph)
	warnings := report.Warnings
	if err := binding.MergeFaults(broken, unfit); err != nil {
		warnings = append(warnings, err.Error())
	}
	return strings.ReplaceAll(strings.Join(warnings, "\n"), dir+"/", "")
}

// A call that lacks the credentials of every alternative is warned of, once for each scheme, with the
// line to write. Everything that sends them silences the warning, and so does the source's line.
func TestSecuritySchemesAreFilled(t *testing.T) {
	const (
		key     = `write @source(name: "s", http: { query: [{ name: "api_key", value: "{$config.apiKey}" }] })`
		token   = `write @source(name: "s", http: { headers: [{ name: "Authorization", value: "Bearer {$config.token}" }] })`
		basic   = `value: "Basic {$config.credentials}"`
		session = `headers: [{ name: "Cookie", value: "sid={$config.apiKey}" }]`
		head    = `headers: [{ name: "X-API-Key", value: "{$config.apiKey}" }]`
	)
	for _, c := range []struct{ source, field, want string }{
		{``, `operation: "key"`, key},
		{``, `http: {GET: "/key"}`, key},
		{``, `operation: "token"`, token},
		{``, `operation: "either"`, basic},
		{``, `operation: "cookie"`, session},
		{``, `operation: "header"`, head},
		{``, `operation: "open"`, ""},
		{``, `operation: "optional"`, ""},
		{``, `operation: "tls"`, ""},
		{`security: OUTSIDE`, `operation: "key"`, ""},
		{`security: SCHEMA`, `operation: "key"`, key},
		{`http: {query: [{name: "api_key", value: "{$config.key}"}]}`, `operation: "key"`, ""},
		{`http: {query: [{name: "API_KEY", value: "{$config.key}"}]}`, `operation: "key"`, key},
		{`http: {headers: [{name: "authorization", value: "Bearer {$env.TOKEN}"}]}`, `operation: "token"`, ""},
		{`http: {headers: [{name: "Authorization", value: "{$request.headers.authorization}"}]}`, `operation: "either"`, ""},
		{`http: {headers: [{name: "Cookie", value: "sid={$env.SID}"}]}`, `operation: "cookie"`, ""},
		{`http: {headers: [{name: "Cookie", value: "other={$env.SID}"}]}`, `operation: "cookie"`, session},
		{`http: {headers: [{name: "x-api-key", value: "k"}]}`, `http: {GET: "/header"}`, ""},
		{``, `http: {GET: "/key?api_key={$config.key}"}`, ""},
		{``, `operation: "key(api_key: $config.key)"`, ""},
		{``, `operation: "key(query.api_key: $config.key)"`, ""},
		{``, `operation: "cookie(sid: $env.SID)"`, ""},
		{``, `operation: "header(X-API-Key: $env.KEY)"`, ""},
		{``, `http: {GET: "/token", headers: [{name: "Authorization", value: "Bearer {$config.token}"}]}`, ""},
	} {
		got := secured(t, c.source, c.field)
		if c.want == "" && got != "" || !strings.Contains(got, c.want) || strings.Count(got, "\n") > 0 {
			t.Errorf("@source(%s), %s: %q, want %q", c.source, c.field, got, c.want)
		}
		if c.want != "" && !strings.HasPrefix(got, "s.graphqls:3: GET /") {
			t.Errorf("%s: the place is missing: %s", c.field, got)
		}
	}
	if got := secured(t, "", `operation: "key"`, `http: {GET: "/key"}`, `operation: "token"`); strings.Count(got, "\n") != 1 {
		t.Errorf("two schemes have two warnings: %s", got)
	}
	// An argument that is called like the key is not the key.
	if got := secured(t, "", `(api_key: String): operation: "key"`); !strings.Contains(got, key) || !strings.Contains(got, "GH049") {
		t.Errorf("an argument fills the key: %s", got)
	}
}

// Required parameters are filled by the source's headers and query, and by what every call has.
func TestSourcesFillRequiredParameters(t *testing.T) {
	const filled = `http: {headers: [{name: "x-tenant", value: "t"}], query: [{name: "region", value: "{$config.region}"}]}`
	for _, field := range []string{`operation: "required"`, `http: {GET: "/required"}`} {
		if got := secured(t, filled, field); got != "" {
			t.Errorf("%s: %s", field, got)
		}
		got := secured(t, "", field)
		for _, want := range []string{"header parameter X-Tenant", "query parameter region"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %s in %s", field, want, got)
			}
		}
		if strings.Contains(got, "Host") || strings.Contains(got, "x-request-id") {
			t.Errorf("%s: what every call has is missing: %s", field, got)
		}
	}
	if got := secured(t, filled, `operation: "required(Host: 'x')"`); !strings.Contains(got, "GH031") {
		t.Errorf("a reserved header: %s", got)
	}
}

// Calls of one source at different servers are warned of, and not calls of one source at one server.
func TestServersOfOperations(t *testing.T) {
	if got := secured(t, "security: OUTSIDE", `operation: "open"`, `operation: "upload"`, `http: {GET: "/upload"}`); strings.Count(got, "\n") != 0 ||
		!strings.Contains(got, "s.graphqls:4: the document has GET /upload (s.yaml:") || !strings.Contains(got, `@source(name: "sOther", openapi: "s.yaml")`) {
		t.Errorf("got %s", got)
	}
	for _, fields := range [][]string{{`operation: "open"`, `operation: "key"`}, {`operation: "upload"`}} {
		if got := secured(t, "security: OUTSIDE", fields...); got != "" {
			t.Errorf("%s: %s", fields, got)
		}
	}
}
