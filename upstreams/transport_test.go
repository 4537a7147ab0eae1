package upstreams

import (
	"log/slog"
	"net/url"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/upstreams/discovery"
	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
)

func parsedURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// net/http reads the environment once in a process, so that no proxy can be started here.
func TestWhichTransportSends(t *testing.T) {
	for _, test := range []struct {
		name   string
		source Source
		target discovery.Target
		http1  bool
		proxy  bool
	}{
		{"http", Source{}, discovery.Target{URL: parsedURL(t, "http://a"), Address: "10.0.0.1:80"}, true, false},
		{"https", Source{}, discovery.Target{URL: parsedURL(t, "https://a"), Address: "10.0.0.1:443"}, false, false},
		{"http1", Source{Protocol: "http1"}, discovery.Target{URL: parsedURL(t, "http://a"), Address: "10.0.0.1:80"}, true, false},
		{"h2c", Source{Protocol: "h2c"}, discovery.Target{URL: parsedURL(t, "http://a"), Address: "10.0.0.1:80"}, false, false},
		{"proxy", Source{ProxyFromEnvironment: true}, discovery.Target{URL: parsedURL(t, "http://a"), Name: "a:80"}, false, true},
		{"socket", Source{ProxyFromEnvironment: true}, discovery.Target{URL: parsedURL(t, "http://localhost"), Address: "/run/a.sock"}, true, false},
	} {
		c, err := newConnector(test.source.withDefaults(), func() {}, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		opened := c.open(test.target)
		g := opened.standard.begin()
		if got := g.transport.Proxy != nil; (opened.plain != nil) != (http1.CanCheckIdle && test.http1) || got != test.proxy {
			t.Errorf("%s: http1 is used: %t, a proxy: %t", test.name, opened.plain != nil, got)
		}
		opened.close()
		c.tls.close()
	}
}
