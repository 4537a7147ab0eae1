package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
	"github.com/gatehouse-graphql/gatehouse/gateway/blocklist"
	"github.com/gatehouse-graphql/gatehouse/gateway/costlimit"
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
	"github.com/gatehouse-graphql/gatehouse/gateway/network"
	"github.com/gatehouse-graphql/gatehouse/gateway/ratelimit"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

const key = "a-secret-of-thirty-two-bytes-or-more"

func write(t *testing.T, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func load(t *testing.T, text string, env ...string) *Config {
	t.Helper()
	c, err := Load(LoadOptions{Path: write(t, text), Explicit: true, Env: env})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := Load(LoadOptions{HasDemo: true})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != ":8080" || c.Log != (Log{Level: slog.LevelInfo, Format: LogAuto}) || c.Shutdown != (Shutdown{Grace: 30 * time.Second}) {
		t.Errorf("%v", c)
	}
	if len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "--demo") {
		t.Errorf("nothing is said of the missing sources: %q", c.Warnings)
	}
}

func TestExplicitFileMustExist(t *testing.T) {
	_, err := Load(LoadOptions{Path: "no-such.yaml", Explicit: true})
	if err == nil || !strings.Contains(err.Error(), "no-such.yaml does not exist") {
		t.Error(err)
	}
	if _, err := Load(LoadOptions{Path: t.TempDir()}); err == nil {
		t.Error("a folder was read")
	}
}

func TestDecode(t *testing.T) {
	c := load(t, `
listen: localhost:9000
log: {level: warn, format: json}
shutdown: {delay: 5s, grace: 1m30s}
playground: true
cors: {origins: ["https://shop.example.com", "http://localhost:*"], maxAge: 1h}
limits: {body: 2MiB, depth: 3, rootFields: -1}
execution: {deadline: 250ms, maxCalls: 7}
auth:
  leeway: 10s
  issuers:
    - {issuer: me, audiences: [a, b], algorithms: [HS256], secret: `+key+`}
sources:
  orders: &base
    urls: [http://localhost:9201, "http://localhost:9202"]
    maxResponse: 5000
    headers: {X-Api-Key: abc}
    pool: {maxIdle: 3}
  users: {<<: *base, urls: [http://localhost:9101, http://localhost:9102/v1], forward: [Authorization], timeout: 2s}
`)
	want := defaults()
	want.Listen, want.Playground = "localhost:9000", true
	want.Log = Log{Level: slog.LevelWarn, Format: LogJSON}
	want.Shutdown = Shutdown{Delay: 5 * time.Second, Grace: 90 * time.Second}
	want.CORS = middleware.CORS{Origins: []string{"https://shop.example.com", "http://localhost:*"}, MaxAge: time.Hour}
	want.Limits.Body, want.Limits.Depth, want.Limits.RootFields = 2<<20, 3, -1
	want.Execution.Deadline, want.Execution.MaxCalls = 250*time.Millisecond, 7
	want.Auth = Auth{Leeway: 10 * time.Second, Issuers: []auth.Issuer{
		{Issuer: "me", Audiences: []string{"a", "b"}, Algorithms: []string{"HS256"}, Secret: key},
	}}
	orders := upstreams.Source{
		URLs: upstreams.URLs("http://localhost:9201", "http://localhost:9202"), MaxResponse: 5000,
		Headers: map[string]string{"X-Api-Key": "abc"}, Pool: upstreams.Pool{MaxIdle: 3},
	}
	users := orders
	users.URLs = upstreams.URLs("http://localhost:9101", "http://localhost:9102/v1")
	users.Forward, users.Timeout = []string{"Authorization"}, 2*time.Second
	want.Sources = Sources{"orders": orders, "users": users}
	if diff := cmp.Diff(plain(want), plain(c)); diff != "" {
		t.Error(diff)
	}
}

// plain takes the methods off, which would print without secrets.
func plain(c *Config) any {
	type bare struct {
		C       any
		Cursors page.Options
		Auth    auth.Options
		Sources upstreams.Options
	}
	return bare{
		C:       []any{c.Listen, c.Log, c.Shutdown, c.Playground, c.Introspection, c.Limits, c.Execution, c.CORS},
		Cursors: page.Options(c.Cursors), Auth: auth.Options(c.Auth), Sources: upstreams.Options(c.Sources),
	}
}

// The file's blocks are cut for those who write them; the front is told all the same.
func TestFrontHasEverySetting(t *testing.T) {
	manifest := filepath.Join(t.TempDir(), "web.json")
	if err := os.WriteFile(manifest, []byte(`{"1": "{n}"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	c := load(t, `
store: {redis: {urls: ["redis://localhost:1"]}}
documents: {mode: enforce, requireId: true, manifests: [{client: web, files: [`+manifest+`]}], apq: {enabled: true, maxDocuments: 15, maxBytes: 16KB, ttl: 17s, store: redis}}
playground: true
introspection: true
compression: none
http: {headerTimeout: 15s, readTimeout: 16s, writeTimeout: 17s, idleTimeout: 18s, maxHeaderBytes: 19KB, maxConnections: 20, http2: {maxConcurrentStreams: 21, maxResets: 22}}
cors: {origins: ["https://shop.example.com"], headers: [X-Tenant], credentials: true, maxAge: 1m}
csrf: {mode: log, trustedOrigins: ["https://proxied.example.com"], headers: [X-Shop-Client]}
hsts: {maxAge: 8760h, includeSubdomains: true, preload: true}
limits: {body: 1KB, variables: 18, variablesBytes: 19KB, jsonDepth: 20, tokens: 2, depth: 3, aliases: 4, rootFields: 5, directives: 6, selections: 7}
execution: {deadline: 8s, maxCalls: 9, documentCache: 10}
cursors: {secret: `+key+`}
cost: {max: 15, defaultListSize: 16, classes: {partner: 17}, expose: [partner], mode: log}
admission:
  {maxOperations: 11, maxQueued: 12, maxWait: 13s, maxBytes: 14KB, maxWaiting: 15, maxOperationsPerCaller: 16,
   classes: {anonymous: {weight: 2, minOperations: 3, maxOperations: 4, maxOperationsPerCaller: 5}}, watermarks: {cpuPercent: 17, memoryPercent: 18, cheapCost: 19}}
log: {clientAddress: true}
proxies: {trusted: [10.0.0.0/8], header: Forwarded}
callers: {classes: [{name: partner, claims: {tier: [gold]}, authenticated: true}, {name: crawler, authenticated: false}]}
networks: {allow: [10.0.0.0/8], routes: {/graphql: {deny: [10.1.0.0/16]}}}
blocked:
  - {operation: A, documentId: b, kind: query, client: c, clientVersion: 2.*, class: partner, fields: [Query.e], message: f, until: 2126-12-31T08:00:00Z, name: g}
  - {kind: mutation, until: 2126-12-31}
rateLimits: {maxKeys: 15, rules: [{name: a, limits: [100/s, 1000/day burst 16], tiers: {partner: [unlimited]}}]}
`)
	yes, no := true, false
	want := front.Options{
		Limits:    limit.Options{Tokens: 2, Depth: 3, Aliases: 4, RootFields: 5, Directives: 6, Selections: 7},
		Request:   request.Limits{Variables: 18, VariablesBytes: 19_000, JSONDepth: 20},
		BodyBytes: 1000, Deadline: 8 * time.Second, DocumentCache: 10,
		CORS: middleware.CORS{Origins: []string{"https://shop.example.com"}, Headers: []string{"X-Tenant"}, Credentials: true, MaxAge: time.Minute},
		CSRF: middleware.CSRF{Mode: "log", TrustedOrigins: []string{"https://proxied.example.com"}, Headers: []string{"X-Shop-Client"}},
		HSTS: middleware.HSTS{MaxAge: 365 * 24 * time.Hour, IncludeSubdomains: true, Preload: true},
		HTTP: front.HTTP{
			HeaderTimeout: 15 * time.Second, ReadTimeout: 16 * time.Second, WriteTimeout: 17 * time.Second, IdleTimeout: 18 * time.Second,
			MaxHeaderBytes: 19_000, MaxConnections: 20, HTTP2: front.HTTP2{MaxConcurrentStreams: 21, MaxResets: 22},
		},
		Compression:   front.CompressionNone,
		Introspection: true, Playground: true, Execution: engine.Options{MaxCalls: 9},
		Documents: documents.Options{
			Mode: documents.Enforce, RequireID: true,
			Manifests: []documents.Manifest{{Client: "web", Files: []string{manifest}}},
			APQ:       documents.APQ{Enabled: true, MaxDocuments: 15, MaxBytes: 16_000, TTL: 17 * time.Second, Store: documents.StoreRedis},
		},
		Manifests: c.Manifests,
		Cursors:   page.Options{Secret: key},
		Cost:      costlimit.Options{Max: 15, DefaultListSize: 16, Classes: map[string]int{"partner": 17}, Expose: []string{"partner"}, Mode: costlimit.ModeLog},
		Admission: admission.Options{
			MaxOperations: 11, MaxQueued: 12, MaxWait: 13 * time.Second, MaxBytes: 14_000, MaxWaiting: 15, MaxOperationsPerCaller: 16,
			Classes:    map[string]admission.Class{"anonymous": {Weight: 2, MinOperations: 3, MaxOperations: 4, MaxOperationsPerCaller: 5}},
			Watermarks: admission.Watermarks{CPUPercent: 17, MemoryPercent: 18, CheapCost: 19},
		},
		Proxies: caller.Proxies{Trusted: []string{"10.0.0.0/8"}, Header: "Forwarded"},
		Callers: caller.Options{Classes: []caller.Class{
			{Name: "partner", Claims: map[string][]string{"tier": {"gold"}}, Authenticated: &yes}, {Name: "crawler", Authenticated: &no},
		}},
		Networks: network.Options{
			Lists: network.Lists{Allow: []string{"10.0.0.0/8"}}, Routes: map[string]network.Lists{"/graphql": {Deny: []string{"10.1.0.0/16"}}},
		},
		LogClientAddress: true,
		Blocked: []blocklist.Entry{
			{Operation: "A", DocumentID: "b", Kind: "query", Client: "c", ClientVersion: "2.*", Class: "partner", Fields: []string{"Query.e"}, Message: "f", Until: "2126-12-31T08:00:00Z", Name: "g"},
			{Kind: "mutation", Until: "2126-12-31"},
		},
		RateLimits: ratelimit.Options{MaxKeys: 15, Rules: []ratelimit.Rule{
			{Name: "a", Limits: []string{"100/s", "1000/day burst 16"}, Tiers: map[string][]string{"partner": {"unlimited"}}},
		}},
	}
	got := c.Front()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b *documents.Set) bool { return a == b })); diff != "" {
		t.Error(diff)
	}
	for i := range reflect.TypeOf(got).NumField() {
		if field := reflect.ValueOf(got).Field(i); field.IsZero() {
			t.Errorf("%s cannot be set", reflect.TypeOf(got).Field(i).Name)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "17": 17, "17B": 17, "1KB": 1000, "1kb": 1000, "3 MB": 3_000_000, "1KiB": 1024, "10MiB": 10 << 20, "2GiB": 2 << 30, "1GB": 1e9,
		"": -1, "MB": -1, "1.5MB": -1, "1M": -1, "1TB": -1, "MB1": -1, "9999999999GB": -1, "99999999999999999999": -1,
	} {
		var got int64 = -1
		decodeSize(&got, &node{text: text})
		if got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

func TestPrecedence(t *testing.T) {
	file := "listen: :1\nlog: {level: error}\nlimits: {depth: 1}\n"
	flag := []Override{{Setting: "listen", Value: ":5", Flag: "--listen"}}
	for _, c := range []struct {
		name  string
		env   []string
		flags []Override
		want  string // listen, level, depth
	}{
		{"the file", nil, nil, ":1 ERROR 1"},
		{"what platforms set", []string{"PORT=2", "LOG_LEVEL=warn"}, nil, ":2 WARN 1"},
		{"our variables", []string{"GATEWAY_LISTEN=:3", "GATEWAY_LIMITS_DEPTH=3"}, nil, ":3 ERROR 3"},
		{"ours over theirs", []string{"GATEWAY_LISTEN=:3", "PORT=2", "LOG_LEVEL=warn", "GATEWAY_LOG_LEVEL=debug"}, nil, ":3 DEBUG 1"},
		{"flags over all", []string{"GATEWAY_LISTEN=:3", "PORT=2"}, flag, ":5 ERROR 1"},
		{"an empty variable is none", []string{"GATEWAY_LISTEN=", "PORT="}, nil, ":1 ERROR 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Load(LoadOptions{Path: write(t, file), Explicit: true, Env: c.env, Overrides: c.flags})
			if err != nil {
				t.Fatal(err)
			}
			if text := fmt.Sprint(got.Listen, got.Log.Level, got.Limits.Depth); strings.ReplaceAll(text, " ", "") != strings.ReplaceAll(c.want, " ", "") {
				t.Errorf("%s, want %s", text, c.want)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	file := "auth: {issuers: [{issuer: me, audiences: [a], algorithms: [HS256], secret: " + key + "}]}\n" +
		"sources: {user-api: {urls: [http://localhost], headers: {X-Api-Key: old}}}\n"
	c := load(t, file,
		"GATEWAY_PLAYGROUND=true",
		"GATEWAY_LIMITS_ROOT_FIELDS=4",
		"GATEWAY_LIMITS_BODY=2MB",
		"GATEWAY_EXECUTION_MAX_CALLS=9",
		"GATEWAY_SHUTDOWN_GRACE=3s",
		"GATEWAY_CURSORS_SECRET=a-cursor-secret-of-thirty-two-bytes",
		"GATEWAY_AUTH_ROLES_CLAIM=realm.roles",
		"GATEWAY_AUTH_ISSUERS_0_SECRET=another-secret-of-thirty-two-bytes",
		"GATEWAY_AUTH_ISSUERS_0_AUDIENCES=x, y",
		"GATEWAY_AUTH_ISSUERS_1_JWKS=https://login.example/keys",
		"GATEWAY_AUTH_ISSUERS_1_ISSUER=them",
		"GATEWAY_AUTH_ISSUERS_1_AUDIENCES=x",
		"GATEWAY_AUTH_ISSUERS_1_ALGORITHMS=RS256,ES256",
		"GATEWAY_SOURCES_USER_API_URLS=http://a:1,http://b:2",
		"GATEWAY_SOURCES_USER_API_HEADERS_X_API_KEY=new",
		"GATEWAY_SOURCES_USER_API_POOL_MAX_IDLE=5",
		"GATEWAY_SOURCES_ORDERS_URLS=http://c",
		"GATEWAY_SOURCES_BIG_SHOP_TIMEOUT=4s",
		"GATEWAY_SOURCES_BIG_SHOP_URLS=http://d",
	)
	want := defaults()
	want.Playground, want.Shutdown.Grace = true, 3*time.Second
	want.Limits.RootFields, want.Limits.Body, want.Execution.MaxCalls = 4, 2_000_000, 9
	want.Cursors.Secret = "a-cursor-secret-of-thirty-two-bytes"
	want.Auth = Auth{RolesClaim: "realm.roles", Issuers: []auth.Issuer{
		{Issuer: "me", Audiences: []string{"x", "y"}, Algorithms: []string{"HS256"}, Secret: "another-secret-of-thirty-two-bytes"},
		{Issuer: "them", Audiences: []string{"x"}, Algorithms: []string{"RS256", "ES256"}, JWKS: "https://login.example/keys"},
	}}
	want.Sources = Sources{
		"user-api": {URLs: upstreams.URLs("http://a:1", "http://b:2"), Headers: map[string]string{"X-Api-Key": "new"}, Pool: upstreams.Pool{MaxIdle: 5}},
		"orders":   {URLs: upstreams.URLs("http://c")},
		"big-shop": {URLs: upstreams.URLs("http://d"), Timeout: 4 * time.Second},
	}
	if diff := cmp.Diff(plain(want), plain(c)); diff != "" {
		t.Error(diff)
	}
	if len(c.Warnings) > 0 {
		t.Error(c.Warnings)
	}
}

func TestVariableNamesResolve(t *testing.T) {
	c := load(t, "sources: {users: {urls: [http://localhost]}}")
	root := &node{kind: mapping}
	root.set(parsePath("sources.users"), &node{kind: mapping})
	names := variableNames(typeOf(c), root, nil)
	if len(names) < 30 {
		t.Fatalf("only %d variables", len(names))
	}
	for _, name := range names {
		p, typ := findSetting(typeOf(c), root, strings.TrimPrefix(name, "GATEWAY_"), nil)
		if typ == nil || environmentName(p) != name {
			t.Errorf("%s is found to be %s", name, p)
		}
	}
}

func TestWrongVariables(t *testing.T) {
	for _, c := range []struct {
		env  string
		want string
	}{
		{"GATEWAY_LIMITS_DEPTH=deep", `GATEWAY_LIMITS_DEPTH: limits.depth: must be a whole number, not "deep"`},
		{"GATEWAY_EXECUTION_ENGINE=stock", `GATEWAY_EXECUTION_ENGINE: execution.engine: must be plan or gqlgen, not "stock"; did you mean "gqlgen"? That is its name now`},
		{"LOG_LEVEL=loud", `LOG_LEVEL: log.level: must be debug, info, warn or error, not "loud"`},
		{"PORT=tcp", `PORT: listen: has the port "tcp"`},
		{"GATEWAY_AUTH_ISSUERS_3_SECRET=" + key, "GATEWAY_AUTH_ISSUERS_3_SECRET: auth.issuers[3].secret: there is no place for it"},
		{"GATEWAY_AUTH_ISSUERS_0_SECRET=swordfish", "GATEWAY_AUTH_ISSUERS_0_SECRET: auth.issuers[0]: set issuer"},
	} {
		_, err := Load(LoadOptions{Path: write(t, ""), Explicit: true, Env: []string{c.env}})
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "swordfish") {
			t.Errorf("%s: %v\nwant: %s", c.env, err, c.want)
		}
	}
}

func TestUnknownVariablesAreWarnings(t *testing.T) {
	c := load(t, "sources: {users: {urls: [http://localhost]}}",
		"GATEWAY_EXECUTION_COLLAPSE=true", "GATEWAY_LIMTS_DEPTH=5", "GATEWAY_SOURCES_USERS_TIMOUT=3s", "GATEWAY_WHATEVER_THIS_IS=1",
		"GATEWAY_CONFIG=x", "GATEWAY_DEMO_SECRET="+key,
		"GATEWAY_SERVICE_HOST=10.0.0.1", "GATEWAY_SERVICE_PORT_HTTP=80", "GATEWAY_PORT=tcp://10.0.0.1:80", "GATEWAY_PORT_80_TCP_ADDR=10.0.0.1")
	want := []string{
		"GATEWAY_EXECUTION_COLLAPSE sets nothing; did you mean GATEWAY_EXECUTION_COALESCE? That is its name now",
		"GATEWAY_LIMTS_DEPTH sets nothing; did you mean GATEWAY_LIMITS_DEPTH?",
		"GATEWAY_SOURCES_USERS_TIMOUT sets nothing; did you mean GATEWAY_SOURCES_USERS_TIMEOUT?",
		"GATEWAY_WHATEVER_THIS_IS sets nothing",
	}
	if diff := cmp.Diff(want, c.Warnings); diff != "" {
		t.Error(diff)
	}
}

func TestExpand(t *testing.T) {
	env := environment{"A": "x", "EMPTY": "", "YAML": "a: {b: [c]}\nd", "NEST": "${A}"}
	for text, want := range map[string]string{
		"plain": "plain", "$A": "$A", "$": "$", "a${A}b${A}": "axbx", "${A:-y}": "x", "${NO:-y}": "y", "${NO:-}": "",
		"${EMPTY:-y}": "y", "${EMPTY}": "", "$${A}": "${A}", "${NO:-a:-b}": "a:-b", "${YAML}": "a: {b: [c]}\nd",
		"${NEST}": "${A}", // what a variable holds is not looked into again
	} {
		if got, err := expand(text, env.lookup); err != nil || got.text != want {
			t.Errorf("%q is %q, %v; want %q", text, got.text, err, want)
		}
	}
	for _, text := range []string{"${NO}", "${", "${A", "${1A}", "${A-b}", "${}", "${A:b}"} {
		if got, err := expand(text, env.lookup); err == nil {
			t.Errorf("%q is %q", text, got.text)
		}
	}
}

func TestVariablesCannotBecomeStructure(t *testing.T) {
	hostile := "a}}}, limits: {depth: 1}, x: {"
	c := load(t, "auth: {rolesClaim: \"${CLAIM}\"}\nsources: {users: {urls: [http://localhost], headers: {X-Key: \"${CLAIM}\"}}}", "CLAIM="+hostile)
	if c.Auth.RolesClaim != hostile || c.Sources["users"].Headers["X-Key"] != hostile || c.Limits.Depth != 0 {
		t.Errorf("%q, %d", c.Auth.RolesClaim, c.Limits.Depth)
	}
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "gateway.yaml")
	text := "auth: {issuers: [{issuer: me, audiences: [a], algorithms: [RS256], keyFile: keys/public.pem}]}"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(LoadOptions{Path: file, Explicit: true})
	if err == nil || !strings.Contains(err.Error(), filepath.Join(folder, "keys/public.pem")) {
		t.Errorf("it looked elsewhere: %v", err)
	}
	_, err = Load(LoadOptions{Path: file, Explicit: true, Env: []string{"GATEWAY_AUTH_ISSUERS_0_KEY_FILE=mine.pem"}})
	if err == nil || strings.Contains(err.Error(), filepath.Join(folder, "mine.pem")) {
		t.Errorf("a variable's file is the process's own: %v", err)
	}
}

func TestPathsOfTLSFilesAreRelativeToTheFile(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "gateway.yaml")
	for _, tls := range []string{"caFile: x.pem", "certFile: x.pem, keyFile: /none", "certFile: gateway.yaml, keyFile: x.pem"} {
		text := "sources: {users: {urls: [https://localhost], tls: {" + tls + "}}}"
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(LoadOptions{Path: file, Explicit: true}); err == nil || !strings.Contains(err.Error(), filepath.Join(folder, "x.pem")) {
			t.Errorf("%s: it looked elsewhere: %v", tls, err)
		}
	}
}

// A file of networks is read when the settings are checked, and its name means the same everywhere.
func TestPathsOfNetworkFilesAreRelativeToTheFile(t *testing.T) {
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "deny.txt"), []byte("192.0.2.0/24\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "gateway.yaml")
	for text, want := range map[string]string{
		"networks: {denyFile: deny.txt, routes: {/graphql: {denyFile: deny.txt}}}": "",
		"networks: {allowFile: no.txt}":                                            "networks.allowFile: " + filepath.Join(folder, "no.txt") + " cannot be read",
		"networks: {routes: {/graphql: {denyFile: no.txt}}}":                       "networks.routes./graphql.denyFile: " + filepath.Join(folder, "no.txt") + " cannot be read",
		"networks: {routes: {/: {denyFile: gateway.yaml}}}":                        "networks.routes./.denyFile: " + file + `:1: "networks: {routes`,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(LoadOptions{Path: file, Explicit: true})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestDemoAcceptsIncompleteSettings(t *testing.T) {
	file := write(t, "auth: {issuers: [{issuer: me, audiences: [a], algorithms: [HS256], secret: \"${GATEWAY_DEMO_SECRET:-}\"}]}\nsources: {users: {}}")
	c, err := Load(LoadOptions{Path: file, Explicit: true, Demo: true})
	if err != nil || len(c.Warnings) > 0 {
		t.Fatal(err, c.Warnings)
	}
	_, err = Load(LoadOptions{Path: file, Explicit: true})
	mistakes, ok := errors.AsType[*Error](err)
	if !ok || len(mistakes.Mistakes) != 2 {
		t.Error(err)
	}
}

func TestSecretsDoNotPrint(t *testing.T) {
	c := load(t, "auth: {issuers: [{issuer: me, audiences: [a], algorithms: [HS256], secret: "+key+"}]}\n"+
		"sources: {users: {urls: [http://localhost], headers: {X-Api-Key: swordfish}, config: {tenant: mackerel}}}\ncursors: {secret: crimson-clover-over-and-over-again}")
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("settings", "pointer", c, "value", *c, "auth", c.Auth, "sources", c.Sources, "cursors", c.Cursors)
	}
	encoded, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	printed := log.String() + string(encoded)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
		printed += fmt.Sprintf(verb, c) + fmt.Sprintf(verb, *c) + fmt.Sprintf(verb, c.Auth) + fmt.Sprintf(verb, c.Sources) + fmt.Sprintf(verb, &c.Auth) + fmt.Sprintf(verb, c.Cursors)
	}
	for _, secret := range []string{key, "swordfish", "mackerel", "crimson-clover"} {
		if strings.Contains(printed, secret) || strings.Contains(printed, fmt.Sprintf("%x", secret)) {
			t.Errorf("%q shows", secret)
		}
	}
	for _, shown := range []string{`"issuer":"me"`, `"secret":"•••"`, `"cursors":{"secret":"•••"}`, `"X-Api-Key":"•••"`, `"tenant":"•••"`, `"grace":"30s"`} {
		if !strings.Contains(string(encoded), shown) {
			t.Errorf("no %s in %s", shown, encoded)
		}
	}
}

// Each former name stands for a setting, and each former word for a value, that there is.
func TestRenamedSettingsExist(t *testing.T) {
	for setting := range renamedSettings {
		if p := parsePath(setting); typeAt(typeOf(&Config{}), p) != nil {
			t.Errorf("%s is a setting still", setting)
		}
		if p := renamedSetting(parsePath(setting)); typeAt(typeOf(&Config{}), p) == nil {
			t.Errorf("%s is called %s now, which is not a setting", setting, p)
		}
	}
	if got := renamedVariable("GATEWAY_SOURCES_USERS_POOL_MAX_CALLS"); got != "GATEWAY_SOURCES_USERS_CONCURRENCY_MAX_CALLS" {
		t.Errorf("the variable is called %q now", got)
	}
	for setting, words := range renamedValues {
		for former, present := range words {
			if _, err := Load(LoadOptions{Path: write(t, ""), Overrides: []Override{{Setting: setting, Value: present}}}); err != nil {
				t.Errorf("%s is called %s now: %v", former, present, err)
			}
			_, err := Load(LoadOptions{Path: write(t, ""), Overrides: []Override{{Setting: setting, Value: former}}})
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("did you mean %q?", present)) {
				t.Errorf("%s is not said to be called %s now: %v", former, present, err)
			}
		}
	}
}

func FuzzLoad(f *testing.F) {
	wrong, err := filepath.Glob("testdata/wrong/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range wrong {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text), "3")
	}
	f.Add("auth: {issuers: [{issuer: me, secret: hunter2-hunter2}]}", ":80")
	file := filepath.Join(f.TempDir(), "gateway.yaml")
	f.Fuzz(func(t *testing.T, text, value string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		env := []string{"GATEWAY_LIMITS_DEPTH=" + value, "GATEWAY_LISTEN=" + value, "A=" + value, "PASSWORD=hunter2-hunter2"}
		c, err := Load(LoadOptions{Path: file, Explicit: true, Env: env})
		if (c == nil) == (err == nil) {
			t.Fatal("neither or both", c, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2-hunter2") && !strings.Contains(text+value, "hunter2-hunter2") {
			t.Errorf("the variable shows in:\n%s", err)
		}
	})
}

// However a secret is written, and whatever is wrong around it, no error shows it.
func TestNoErrorShowsASecret(t *testing.T) {
	const planted = "hunter2-hunter2"
	for _, line := range []string{
		"secret: S", "secret: 'S'", "secret: \"S\"", "secret: [S]", "secret: {S: 1}", "secret: |\n        S", "secret: &a S", "secret: !!str S",
		"secrt: S", "secret: S\n      secret: S", "secret: S # S", "issuer: 3, secret: S", "secret: ${X:-S}", "secret: ${X S", "secret: S ${X}",
		"secret: |S", "secret: >-\n  S", "secret:\tS", "secret: \"S", "secret: S]", "secret: {a: S, b", "secret: \"a\\\n  S\"",
		"é: 1, secret: S", "secret: \"é\\u00e9 S\"", "<<: S", "<<: {secret: S}", "secret: {S}", "{secret: S, x: y}", "[secret: S]", "secret: S: S",
		"secret: {a: [b:S]}", "keyFile: 1, secret: S", "algorithms: [S]", "jwks: https://me:S@host", "issuer:\n      secret: S",
	} {
		for _, around := range []string{
			"auth:\n  issuers:\n    - issuer: me\n      LINE", "auth: {issuers: [{LINE}]}", "auth: {isuers: [{LINE}]}", "auht:\n  LINE",
			"sources: {users: {headers: {LINE}}}", "sources: {users: {config: {LINE}}}", "sources: {users: {headers: [LINE]}}", "sources:\n  users:\n    headers:\n      LINE",
			"listen: 3\n---\nauth: {issuers: [{LINE}]}", "auth: !x {LINE}", "auth: &a {LINE}\nlimits: *a",
		} {
			if strings.Contains(line, "algorithms") {
				continue // a value that is not a secret may be quoted
			}
			text := strings.ReplaceAll(strings.ReplaceAll(around, "LINE", line), "S", planted)
			_, err := Load(LoadOptions{Path: write(t, text), Explicit: true})
			if err != nil && strings.Contains(err.Error(), planted) {
				t.Errorf("the secret shows in:\n%s\nof:\n%s", err, text)
			}
		}
	}
}

func TestManyMistakesAreTruncated(t *testing.T) {
	_, err := Load(LoadOptions{Path: write(t, strings.Repeat("x: 1\n", 100)), Explicit: true})
	if err == nil || strings.Count(err.Error(), "\n") > 100 || !strings.Contains(err.Error(), "and 80 more") {
		t.Error(err)
	}
}

func TestLargeFileIsRefused(t *testing.T) {
	_, err := Load(LoadOptions{Path: write(t, strings.Repeat("[", 1<<20)), Explicit: true})
	if err == nil || !strings.Contains(err.Error(), "1048576 bytes") {
		t.Error(err)
	}
}

func typeOf(c *Config) reflect.Type { return reflect.TypeOf(*c) }

// The names and patterns of manifests are relative to the settings file, and what is in them is read with
// the settings.
func TestManifests(t *testing.T) {
	file := write(t, "documents: {mode: log, manifests: [{files: [ios/*.json, web.json]}]}\nplayground: true")
	folder := filepath.Dir(file)
	for name, text := range map[string]string{"ios/1.json": `{"1": "{n}"}`, "ios/2.json": `{"2": "{m}"}`, "web.json": `{"3": "{s}"}`} {
		path := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	c, err := Load(LoadOptions{Path: file, Explicit: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "2", "3"} {
		if c.Manifests.Find("any", id) == nil {
			t.Errorf("%s is not found", id)
		}
	}
	if want := []string{filepath.Join(folder, "ios/*.json"), filepath.Join(folder, "web.json")}; !slices.Equal(c.DocumentFiles(), want) {
		t.Errorf("%q, want %q", c.DocumentFiles(), want)
	}
	if off := load(t, "documents: {mode: off, manifests: [{files: [none.json]}]}"); off.Manifests != nil || off.DocumentFiles() != nil || !strings.Contains(fmt.Sprint(off.Warnings), "documents.manifests are not used") {
		t.Errorf("with the mode off: %v, %q", off.DocumentFiles(), off.Warnings)
	}
	enforce, err := Load(LoadOptions{Path: file, Explicit: true, Env: []string{"GATEWAY_DOCUMENTS_MODE=enforce"}})
	if err != nil || !strings.Contains(fmt.Sprint(enforce.Warnings), "the playground's operations are refused") {
		t.Errorf("%v", err)
	}
	if got := Compare(c, enforce); !slices.Equal(got.Live, []string{"documents.mode"}) {
		t.Errorf("%v", got)
	}

	if err := os.WriteFile(filepath.Join(folder, "ios/2.json"), []byte(`{"2": "{k}"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	changed, err := Load(LoadOptions{Path: file, Explicit: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := Compare(c, changed); !slices.Equal(got.Live, []string{"documents.manifests"}) || got.Restart != nil {
		t.Errorf("another content is the change %v", got)
	}
	if err := os.WriteFile(filepath.Join(folder, "web.json"), []byte(`{"3": ""}`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Load(LoadOptions{Path: file, Explicit: true})
	wrong, ok := errors.AsType[*Error](err)
	if !ok || !strings.Contains(err.Error(), folder+`/web.json:1:2: the document "3" is empty`) || !slices.Equal(wrong.DocumentFiles, c.DocumentFiles()) {
		t.Errorf("%v", err)
	}
}
