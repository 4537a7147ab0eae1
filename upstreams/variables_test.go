package upstreams_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

func TestRequestHeader(t *testing.T) {
	ctx := upstreams.WithClientHeaders(t.Context(), http.Header{
		"Accept-Language": {"de"}, "Authorization": {"Bearer x"}, "X-Twice": {"1", "2"}, "X-Empty": {""}, "X-Broken": {"a\r\nb"},
		"Cookie": {"session=1"}, "Proxy-Authorization": {"Basic x"}, "X-User-Id": {"admin"}, "Content-Type": {"text/plain"}, "X-None": {}, "X-Request-Id": {"client's"},
	}, "r1")
	for header, want := range map[string]any{
		"Accept-Language": "de", "accept-language": "de", "Authorization": "Bearer x", "x-twice": "1, 2", "X-Empty": "",
		"X-Request-Id": "r1", "X-Broken": nil, "X-Absent": nil, "X-None": nil, "Cookie": nil, "cookie": nil, "Proxy-Authorization": nil,
		"X-User-Id": nil, "Content-Type": nil, "": nil, "a b": nil,
	} {
		if got := upstreams.RequestHeader(ctx, header); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
	twice := upstreams.WithClientHeaders(t.Context(), http.Header{"Authorization": {"Bearer a", "Bearer b"}}, "")
	for name, ctx := range map[string]any{
		"two credentials": upstreams.RequestHeader(twice, "Authorization"),
		"no client":       upstreams.RequestHeader(t.Context(), "Authorization"),
	} {
		if ctx != nil {
			t.Errorf("%s: %v", name, ctx)
		}
	}
}

func TestEnv(t *testing.T) {
	t.Setenv("GATEHOUSE_TEST_TENANT", "acme")
	t.Setenv("GATEHOUSE_TEST_EMPTY", "")
	for name, want := range map[string]any{"GATEHOUSE_TEST_TENANT": "acme", "GATEHOUSE_TEST_EMPTY": nil, "GATEHOUSE_TEST_UNSET": nil} {
		if got := upstreams.Env(name); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(unreachable)})
	err := services.CheckRequirements(upstreams.Requirements{Environment: []string{"GATEHOUSE_TEST_EMPTY", "GATEHOUSE_TEST_TENANT", "GATEHOUSE_TEST_UNSET"}})
	const want = `the graph uses $env.GATEHOUSE_TEST_EMPTY, but the environment variable GATEHOUSE_TEST_EMPTY is not set; set it
the graph uses $env.GATEHOUSE_TEST_UNSET, but the environment variable GATEHOUSE_TEST_UNSET is not set; set it`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if err := services.CheckRequirements(upstreams.Requirements{Environment: []string{"GATEHOUSE_TEST_TENANT"}}); err != nil {
		t.Error(err)
	}
}

func TestConfig(t *testing.T) {
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(unreachable), Config: map[string]string{"tenant": "acme", "empty": ""}})
	for _, test := range []struct {
		source, key string
		want        any
	}{
		{"users", "tenant", "acme"},
		{"users", "empty", nil},
		{"users", "absent", nil},
		{"orders", "tenant", nil},
	} {
		if got := services.Config(t.Context(), test.source, test.key); got != test.want {
			t.Errorf("%s.%s: %v, want %v", test.source, test.key, got, test.want)
		}
	}
	err := services.CheckRequirements(upstreams.Requirements{Config: map[string][]string{"users": {"tenant", "empty"}, "orders": {"tenant"}}})
	const want = `the graph uses $config.tenant, but the settings have no sources.orders.config.tenant; add it
the graph uses $config.empty, but the settings have no sources.users.config.empty; add it`
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
	if err := services.CheckRequirements(upstreams.Requirements{Config: map[string][]string{"users": {"tenant"}}}); err != nil {
		t.Error(err)
	}
}

func TestNamesInConfig(t *testing.T) {
	for name, good := range map[string]bool{"tenant": true, "_a1": true, "API_KEY": true, "": false, "1a": false, "a-b": false, "a.b": false, "ä": false} {
		_, err := upstreams.New(upstreams.Options{"users": {URLs: upstreams.URLs(unreachable), Config: map[string]string{name: "s3cret"}}}, nil)
		if (err == nil) != good || err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", name, err)
		}
	}
}
