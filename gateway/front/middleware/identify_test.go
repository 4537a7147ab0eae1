package middleware

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
	"github.com/gatehouse-graphql/gatehouse/gateway/network"
)

// callersAndNetworks returns the middleware that knows callers and refuses networks, of n denied ones.
func callersAndNetworks(b testing.TB, p caller.Proxies, o caller.Options, n int) http.Handler {
	b.Helper()
	callers, err := caller.NewRules(p, o)
	if err != nil {
		b.Fatal(err)
	}
	var denied network.Options
	for i := range n {
		denied.Deny = append(denied.Deny, fmt.Sprintf("%d.%d.%d.0/24", 11+i>>16, i>>8&255, i&255))
	}
	networks, err := network.NewRules(denied)
	if err != nil {
		b.Fatal(err)
	}
	last := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	return Chain(last, ClientAddress(callers), PermitNetworks(networks, http.NotFoundHandler()), Identify(callers))
}

// proxiedRequest returns a request with a Context, as RequestID attaches it, that came through a proxy.
func proxiedRequest() *http.Request {
	r, _ := request.Attach(httptest.NewRequest("POST", "/graphql", nil)) // from 192.0.2.1
	r.Header.Set("X-Forwarded-For", "198.51.100.1, 203.0.113.9")
	r.Header.Set("Graphql-Client-Name", "ios")
	return r
}

var (
	proxies = caller.Proxies{Trusted: []string{"192.0.2.0/24", "10.0.0.0/8"}}
	classes = caller.Options{Classes: []caller.Class{
		{Name: "partner", Claims: map[string][]string{"tier": {"gold"}}}, {Name: "app", Clients: []string{"ios", "android"}},
	}}
)

// Who sends a request, and whether it may come, is found without an allocation.
func TestIdentifyDoesNotAllocate(t *testing.T) {
	for name, h := range map[string]http.Handler{
		"no settings":  callersAndNetworks(t, caller.Proxies{}, caller.Options{}, 0),
		"all settings": callersAndNetworks(t, proxies, classes, 1000),
	} {
		r := proxiedRequest()
		if n := testing.AllocsPerRun(100, func() { h.ServeHTTP(nil, r) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkCallersAndNetworks(b *testing.B) {
	for _, c := range []struct {
		name    string
		proxies caller.Proxies
		options caller.Options
		denied  int
	}{
		{"no settings", caller.Proxies{}, caller.Options{}, 0},
		{"proxies", proxies, caller.Options{}, 0},
		{"proxies, classes", proxies, classes, 0},
		{"proxies, classes, 100000 networks", proxies, classes, 100_000},
	} {
		b.Run(c.name, func(b *testing.B) {
			h, r := callersAndNetworks(b, c.proxies, c.options, c.denied), proxiedRequest()
			b.ReportAllocs()
			for b.Loop() {
				h.ServeHTTP(nil, r)
			}
		})
	}
}
