package upstreams_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/health"
)

func TestMistakesInOptions(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	good := upstreams.URLs("http://localhost:4001")
	for _, test := range []struct {
		name   string
		source upstreams.Source
		want   string // after: source "users":
	}{
		{"no URLs", upstreams.Source{}, "urls is empty: list at least one"},
		{"no URL", upstreams.Source{URLs: upstreams.URLs("http://a b")}, "urls[0] is not a URL"},
		{"scheme", upstreams.Source{URLs: upstreams.URLs("http://a", "ftp://b")}, "urls[1] must begin with http://, https:// or unix://"},
		{"no scheme", upstreams.Source{URLs: upstreams.URLs("localhost:4001")}, "urls[0] must begin with http://, https:// or unix://"},
		{"no host", upstreams.Source{URLs: upstreams.URLs("http:///path")}, "urls[0] has no host"},
		{"port only", upstreams.Source{URLs: upstreams.URLs("http://:80")}, "urls[0] has no host"},
		{"user", upstreams.Source{URLs: upstreams.URLs("http://u:s3cret@a")}, "urls[0] has user information"},
		{"query", upstreams.Source{URLs: upstreams.URLs("http://a?key=s3cret")}, "urls[0] has a query or fragment"},
		{"fragment", upstreams.Source{URLs: upstreams.URLs("http://a#b")}, "urls[0] has a query or fragment"},
		{"twice", upstreams.Source{URLs: upstreams.URLs("http://a", "http://a")}, "urls[1] is listed twice"},
		{"balance", upstreams.Source{URLs: good, Balance: balance.Settings{Policy: "random"}}, `balance.policy "random" is unknown: write one of `},
		{"balance without key", upstreams.Source{URLs: good, Balance: balance.Settings{Policy: "ring_hash"}}, "balance.key is missing"},
		{"check", upstreams.Source{URLs: good, Health: upstreams.Health{Check: health.Check{Path: "x"}}}, "health.check.path is not a path"},
		{"eject", upstreams.Source{URLs: good, Health: upstreams.Health{Eject: balance.Eject{MaxShare: 200}}}, "health.eject.maxShare is not a percentage"},
		{"weight", upstreams.Source{URLs: []upstreams.URL{{URL: "http://a", Weight: -1}}}, "urls[0] has a negative weight"},
		{"timeout", upstreams.Source{URLs: good, Timeout: -1}, "timeout is negative"},
		{"size", upstreams.Source{URLs: good, MaxResponse: -1}, "maxResponse is negative"},
		{"idle", upstreams.Source{URLs: good, Pool: upstreams.Pool{MaxIdle: -1}}, "pool.maxIdle is negative"},
		{"header name", upstreams.Source{URLs: good, Headers: map[string]string{"A B": "s3cret"}}, `headers: "A B" is not a header name`},
		{"header value", upstreams.Source{URLs: good, Headers: map[string]string{"A": "s3cret\r\n"}}, "headers: the value of A has control characters"},
		{"header of the connection", upstreams.Source{URLs: good, Headers: map[string]string{"host": "x"}}, "headers: host belongs to the connection"},
		{"no vary, not forwarded", upstreams.Source{URLs: good, Forward: []string{"X-B"}, NoVary: []string{"X-A"}}, `noVary: "X-A" is not forwarded: list it under forward too`},
		{"no vary by a credential", upstreams.Source{URLs: good, Forward: []string{"X-Api-Key"}, NoVary: []string{"x-api-key"}}, `noVary: "x-api-key" may identify the caller`},
		{"no vary by a name", upstreams.Source{URLs: good, NoVary: []string{"A B"}}, `noVary: "A B" is not a header name`},
		{"deadline header", upstreams.Source{URLs: good, DeadlineHeader: upstreams.DeadlineHeader{Name: "A B"}}, `deadlineHeader.name: "A B" is not a header name`},
		{"deadline in a header of the connection", upstreams.Source{URLs: good, DeadlineHeader: upstreams.DeadlineHeader{Name: "keep-alive"}}, "deadlineHeader.name: keep-alive belongs to the connection"},
		{"deadline in a fixed header", upstreams.Source{URLs: good, Headers: map[string]string{"x-timeout": "s3cret"}, DeadlineHeader: upstreams.DeadlineHeader{Name: "X-Timeout"}}, "deadlineHeader.name: X-Timeout is listed under headers too"},
		{"format of the deadline", upstreams.Source{URLs: good, DeadlineHeader: upstreams.DeadlineHeader{Name: "A", Format: "unix"}}, `deadlineHeader.format: "unix" is not a format: write milliseconds, seconds or grpc`},
		{"deadline without a name", upstreams.Source{URLs: good, DeadlineHeader: upstreams.DeadlineHeader{Format: "grpc"}}, "deadlineHeader has a format and no name"},
		{"CA file missing", upstreams.Source{URLs: good, TLS: upstreams.TLS{CAFile: noPEM + ".no"}}, "tls.caFile: open "},
		{"CA file empty", upstreams.Source{URLs: good, TLS: upstreams.TLS{CAFile: noPEM}}, "tls.caFile: " + noPEM + " has no PEM certificate"},
	} {
		_, err := upstreams.New(upstreams.Options{"users": test.source}, nil)
		if err == nil || !strings.HasPrefix(err.Error(), `source "users": `+test.want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want: %s", test.name, err, test.want)
		}
	}
}

func TestHeadersThatAreNeverForwarded(t *testing.T) {
	for _, name := range []string{
		"Cookie", "cookie", "Proxy-Authorization", "Host", "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding",
		"Upgrade", "Expect", "Content-Type", "Content-Length", "Accept-Encoding", "Accept", "X-User-Id", "Bad Name", "",
	} {
		o := upstreams.Options{"users": {URLs: upstreams.URLs("http://localhost"), Forward: []string{"Authorization", name}}}
		if _, err := upstreams.New(o, nil); err == nil || !strings.Contains(err.Error(), `source "users": forward: "`+name+`" `) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// Clients receive no header of a service that would change what they do with the gateway's own response,
// with its connections, or with its origin.
func TestHeadersThatClientsNeverReceive(t *testing.T) {
	for _, name := range []string{
		"Connection", "keep-alive", "Transfer-Encoding", "TE", "Trailer", "Upgrade", "Proxy-Authenticate", "HTTP2-Settings", "Host",
		"Content-Length", "Content-Type", "Content-Encoding", "Content-Security-Policy", "Content-Range", "Content-Location", "Content-Disposition",
		"Access-Control-Allow-Origin", "access-control-expose-headers", "Timing-Allow-Origin", "Cross-Origin-Opener-Policy",
		"Location", "Refresh", "WWW-Authenticate", "Allow", "Accept-Ranges",
		"Cache-Control", "CDN-Cache-Control", "Surrogate-Control", "Expires", "Age", "Pragma", "ETag", "Last-Modified", "Vary", "Date",
		"Strict-Transport-Security", "Clear-Site-Data", "Alt-Svc", "NEL", "Report-To", "Service-Worker-Allowed", "Set-Cookie2", "Sec-WebSocket-Accept",
		"X-Request-ID", "Retry-After", "RateLimit", "RateLimit-Policy", "X-Content-Type-Options", "X-Frame-Options", "Bad Name", "Bad:Name", "Ünicode", "",
	} {
		check := func(h upstreams.ResponseHeader) error {
			_, err := upstreams.New(upstreams.Options{"users": {URLs: upstreams.URLs("http://localhost"), ResponseHeaders: []upstreams.ResponseHeader{h}}}, nil)
			return err
		}
		const prefix = `source "users": responseHeaders[0] `
		if err := check(upstreams.ResponseHeader{Name: name}); err == nil || !strings.HasPrefix(err.Error(), prefix) {
			t.Errorf("%q: %v", name, err)
		}
		if name == "" {
			continue
		}
		if err := check(upstreams.ResponseHeader{Name: "X-A", As: name}); err == nil || !strings.HasPrefix(err.Error(), prefix+"has as ") {
			t.Errorf("as %q: %v", name, err)
		}
	}
}

func TestMistakesInResponseHeaders(t *testing.T) {
	for _, test := range []struct {
		headers []upstreams.ResponseHeader
		want    string // "" for none
	}{
		{[]upstreams.ResponseHeader{{Name: "X-Total-Count"}, {Name: "set-cookie", Merge: "append"}, {Name: "ETag", As: "X-Users-ETag", Merge: "first"}, {Name: "Link"}, {Name: "Server-Timing"}}, ""},
		{[]upstreams.ResponseHeader{{Name: "X-A"}, {Name: "X-A", As: "X-B"}}, ""},
		{[]upstreams.ResponseHeader{{Name: "X-A"}, {Name: "x-a"}}, `responseHeaders[1] "X-A" is what clients receive of two headers`},
		{[]upstreams.ResponseHeader{{Name: "X-A"}, {Name: "X-B", As: "x-a"}}, `responseHeaders[1] "X-A" is what clients receive of two headers`},
		{[]upstreams.ResponseHeader{{Name: "X-A", Merge: "Last"}}, `responseHeaders[0] has the merge "Last": write first, last or append`},
		{[]upstreams.ResponseHeader{{Name: "Set-Cookie", Merge: "last"}}, `responseHeaders[0] has the merge "last" for Set-Cookie, which would lose cookies`},
		{[]upstreams.ResponseHeader{{Name: "Set-Cookie", As: "X-Cookie"}}, "responseHeaders[0] gives Set-Cookie another name"},
		{[]upstreams.ResponseHeader{{Name: "X-Cookie", As: "set-cookie"}}, "responseHeaders[0] has as Set-Cookie"},
		{[]upstreams.ResponseHeader{{As: "X-A"}}, "responseHeaders[0] has no name"},
		{[]upstreams.ResponseHeader{{Name: "etag"}}, `responseHeaders[0] "etag" describes the service's response and not the gateway's: remove it, or give it another name, such as {name: etag, as: X-Service-etag}`},
	} {
		services, err := upstreams.New(upstreams.Options{"users": {URLs: upstreams.URLs("http://localhost"), ResponseHeaders: test.headers}}, nil)
		if err == nil {
			services.Close()
		}
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.HasPrefix(err.Error(), `source "users": `+test.want)) {
			t.Errorf("%v: %v, want %s", test.headers, err, test.want)
		}
	}
}

func TestAllMistakesAreReported(t *testing.T) {
	_, err := upstreams.New(upstreams.Options{
		"users":  {URLs: upstreams.URLs("ftp://a", "b"), Timeout: -1},
		"orders": {},
	}, nil)
	if err == nil {
		t.Fatal("no error")
	}
	want := `source "orders": urls is empty: list at least one, like "http://localhost:4001"
source "users": urls[0] must begin with http://, https:// or unix://
source "users": urls[1] must begin with http://, https:// or unix://
source "users": timeout is negative: leave it out to get the default`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

func TestNoSources(t *testing.T) {
	services, err := upstreams.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	services.Close()
}

func TestOptionsInYAML(t *testing.T) {
	const text = `
users:
  urls: [{url: http://localhost:4001/api, weight: 2, zone: z}]
  balance: {policy: ring_hash, key: $claims.sub, slowStart: 10s, zone: z, panicThreshold: 30}
  health: {check: {path: /healthz}, eject: {maxShare: 30}}
  timeout: 2s
  connectTimeout: 500ms
  deadlineHeader: {name: Grpc-Timeout, format: grpc}
  maxResponse: 1048576
  headers: {X-API-Key: abc}
  forward: [Authorization, X-Correlation-Id]
  noVary: [X-Correlation-Id]
  config: {tenant: acme}
  pool: {maxIdle: 8, maxConns: 16, idleTimeout: 1m}
  tls: {caFile: ca.pem}
  proxyFromEnvironment: true
`
	var got upstreams.Options
	if err := yaml.UnmarshalWithOptions([]byte(text), &got, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	want := upstreams.Options{"users": {
		URLs:    []upstreams.URL{{URL: "http://localhost:4001/api", Weight: 2, Zone: "z"}},
		Balance: balance.Settings{Policy: "ring_hash", Key: "$claims.sub", SlowStart: 10 * time.Second, Zone: "z", PanicThreshold: 30},
		Health:  upstreams.Health{Check: health.Check{Path: "/healthz"}, Eject: balance.Eject{MaxShare: 30}},
		Timeout: 2 * time.Second, ConnectTimeout: 500 * time.Millisecond, MaxResponse: 1 << 20,
		DeadlineHeader: upstreams.DeadlineHeader{Name: "Grpc-Timeout", Format: "grpc"},
		Headers:        map[string]string{"X-API-Key": "abc"}, Forward: []string{"Authorization", "X-Correlation-Id"}, NoVary: []string{"X-Correlation-Id"}, Config: map[string]string{"tenant": "acme"},
		Pool: upstreams.Pool{MaxIdle: 8, MaxConns: 16, IdleTimeout: time.Minute},
		TLS:  upstreams.TLS{CAFile: "ca.pem"}, ProxyFromEnvironment: true,
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
