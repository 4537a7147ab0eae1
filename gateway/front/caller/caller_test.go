package caller

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/auth"
)

func TestOf(t *testing.T) {
	token := &auth.Identity{Subject: "u1"}
	for name, c := range map[string]struct {
		peer     string
		header   http.Header
		identity *auth.Identity
		want     Caller
	}{
		"anonymous":    {"192.0.2.1:4711", nil, nil, Caller{IP: netip.MustParseAddr("192.0.2.1"), Class: Anonymous}},
		"with a token": {"[::ffff:192.0.2.1]:4711", nil, token, Caller{IP: netip.MustParseAddr("192.0.2.1"), Identity: token, Class: Authenticated}},
		"a zone":       {"[fe80::1%eth0]:4711", nil, nil, Caller{IP: netip.MustParseAddr("fe80::1"), Class: Anonymous}},
		"no address":   {"@", nil, nil, Caller{Class: Anonymous}},
		"a client": {
			"192.0.2.1:1", http.Header{"Graphql-Client-Name": {"web"}, "Apollographql-Client-Name": {"other"}, "Apollographql-Client-Version": {"1.2"}}, nil,
			Caller{IP: netip.MustParseAddr("192.0.2.1"), Client: "web", ClientVersion: "1.2", Class: Anonymous},
		},
	} {
		if got := Of(&http.Request{RemoteAddr: c.peer, Header: c.header}, c.identity); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
