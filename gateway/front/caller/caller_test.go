package caller

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/auth"
)

func TestNetworkKey(t *testing.T) {
	for ip, want := range map[string]string{
		"192.0.2.1":          "192.0.2.1/32",
		"2001:db8:1:2:3::4":  "2001:db8:1:2::/64",
		"2001:db8:1:2:ff::4": "2001:db8:1:2::/64",
		"2001:db8:1:3::4":    "2001:db8:1:3::/64",
		"64:ff9b::192.0.2.1": "64:ff9b::c000:201/128",
		"::1":                "::/64",
		"::ffff:192.0.2.1":   "192.0.2.1/32",
		"fe80::1%eth0":       "fe80::/64",
	} {
		c := Caller{IP: netip.MustParseAddr(ip)}
		if got := c.NetworkKey().String(); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
	if c := (Caller{}); c.NetworkKey() != (netip.Prefix{}) {
		t.Errorf("a caller without an address has the key %s", c.NetworkKey())
	}
}

func TestClient(t *testing.T) {
	defaults := Options{}
	own := Options{ClientNameHeaders: []string{"x-app", "X-APP-2"}, ClientVersionHeaders: []string{"X-App-Version"}}
	for name, c := range map[string]struct {
		options       Options
		header        http.Header
		name, version string
	}{
		"none":              {defaults, nil, "", ""},
		"of most clients":   {defaults, http.Header{"Graphql-Client-Name": {"web"}, "Graphql-Client-Version": {"1.2.0 (beta)"}}, "web", "1.2.0 (beta)"},
		"of Apollo's":       {defaults, http.Header{"Apollographql-Client-Name": {"com.example.shop-ios"}, "Apollographql-Client-Version": {"7"}}, "com.example.shop-ios", "7"},
		"both":              {defaults, http.Header{"Graphql-Client-Name": {"web"}, "Apollographql-Client-Name": {"other"}}, "web", ""},
		"own headers":       {own, http.Header{"X-App": {"a"}, "X-App-2": {"b"}, "X-App-Version": {"1"}, "Graphql-Client-Name": {"web"}}, "a", "1"},
		"the second header": {own, http.Header{"X-App-2": {"b"}}, "b", ""},
		"twice":             {defaults, http.Header{"Graphql-Client-Name": {"web", "ios"}}, "", ""},
		"empty":             {defaults, http.Header{"Graphql-Client-Name": {""}}, "", ""},
		"long":              {defaults, http.Header{"Graphql-Client-Name": {strings.Repeat("x", 101)}, "Graphql-Client-Version": {strings.Repeat("x", 100)}}, "", strings.Repeat("x", 100)},
		"not ASCII":         {defaults, http.Header{"Graphql-Client-Name": {"läden"}, "Graphql-Client-Version": {"\x7f"}}, "", ""},
		"a line break":      {defaults, http.Header{"Graphql-Client-Name": {"a\nb"}}, "", ""},
	} {
		rules, err := NewRules(Proxies{}, c.options)
		if err != nil {
			t.Fatal(err)
		}
		if got := rules.Identify(c.header, netip.Addr{}, nil); got.Client != c.name || got.ClientVersion != c.version {
			t.Errorf("%s: %q %q", name, got.Client, got.ClientVersion)
		}
	}
}

func identity(t testing.TB, claims string) *auth.Identity {
	t.Helper()
	if claims == "" {
		return nil
	}
	var decoded map[string]any
	d := json.NewDecoder(strings.NewReader(claims))
	d.UseNumber() // as auth decodes tokens
	if err := d.Decode(&decoded); err != nil {
		t.Fatal(err)
	}
	return auth.NewIdentity(decoded, "")
}

func TestClasses(t *testing.T) {
	yes, no := true, false
	o := Options{Classes: []Class{
		{Name: "staff", Roles: []string{"admin", "support"}, Networks: []string{"10.0.0.0/8", "2001:db8::/32"}},
		{Name: "partner", Claims: map[string][]string{"tier": {"gold", "platinum"}, "org.active": {"true"}}},
		{Name: "partner", Scopes: []string{"partner:read", "partner:write"}},
		{Name: "level-3", Claims: map[string][]string{"level": {"3"}}},
		{Name: "crawler", Authenticated: &no, Clients: []string{"bot"}},
		{Name: "app", Authenticated: &yes, Clients: []string{"ios", "android"}},
		{Name: "office", Networks: []string{"192.0.2.0/24"}},
	}}
	rules := newRules(t, "", o)
	for _, c := range []struct {
		claims, client, ip, want string
	}{
		{"", "", "203.0.113.1", "anonymous"},
		{`{"sub": "u"}`, "", "203.0.113.1", "authenticated"},
		{`{"roles": ["support"]}`, "", "10.1.1.1", "staff"},
		{`{"roles": ["support"]}`, "", "2001:db8::1", "staff"},
		{`{"roles": ["support"]}`, "", "203.0.113.1", "authenticated"},
		{`{"roles": ["other"]}`, "", "10.1.1.1", "authenticated"},
		{"", "", "10.1.1.1", "anonymous"},
		{`{"tier": "gold", "org": {"active": true}}`, "", "", "partner"},
		{`{"tier": ["silver", "platinum"], "org": {"active": "true"}}`, "", "", "partner"},
		{`{"tier": "gold", "org": {"active": false}}`, "", "", "authenticated"},
		{`{"tier": "gold"}`, "", "", "authenticated"},
		{`{"tier": "Gold", "org": {"active": true}}`, "", "", "authenticated"},
		{`{"tier": null, "org": {"active": true}}`, "", "", "authenticated"},
		{`{"tier": {"gold": true}, "org": {"active": true}}`, "", "", "authenticated"},
		{`{"scope": "a partner:write"}`, "", "", "partner"},
		{`{"scope": "partner:writes"}`, "", "", "authenticated"},
		{`{"level": 3}`, "", "", "level-3"},
		{`{"level": 3.0}`, "", "", "authenticated"},
		{"", "bot", "", "crawler"},
		{`{"sub": "u"}`, "bot", "", "authenticated"},
		{`{"sub": "u"}`, "ios", "", "app"},
		{"", "ios", "", "anonymous"},
		{`{"sub": "u"}`, "iOS", "", "authenticated"},
		{"", "", "192.0.2.9", "office"},
		{`{"scope": "partner:read"}`, "ios", "192.0.2.9", "partner"}, // the first one
		{"", "bot", "192.0.2.9", "crawler"},
		{"", "", "", "anonymous"},
	} {
		ip, _ := netip.ParseAddr(c.ip)
		got := rules.Identify(http.Header{"Graphql-Client-Name": {c.client}}, ip, identity(t, c.claims))
		if got.Class != c.want || got.IP != ip || (got.Identity == nil) != (c.claims == "") {
			t.Errorf("%+v: %+v", c, got)
		}
	}
	if got := strings.Join(o.ClassNames(), " "); got != "staff partner level-3 crawler app office authenticated anonymous" {
		t.Error(got)
	}
}

func TestValidateClass(t *testing.T) {
	no := false
	for want, c := range map[string]Class{
		"":                                       {Name: "a-B_1", Clients: []string{"x"}},
		"name is missing":                        {Clients: []string{"x"}},
		`name "anonymous" has a meaning`:         {Name: "anonymous", Clients: []string{"x"}},
		`name "authenticated" has a`:             {Name: "authenticated", Clients: []string{"x"}},
		`name "other" has a meaning`:             {Name: "other", Clients: []string{"x"}},
		"name must have 1 to 64 letters":         {Name: "a b", Clients: []string{"x"}},
		"name must have 1 to 64 letters, digits": {Name: strings.Repeat("x", 65), Clients: []string{"x"}},
		"the class has no condition":             {Name: "a"},
		`networks[0] "x" is not a network`:       {Name: "a", Networks: []string{"x"}},
		"authenticated is false":                 {Name: "a", Authenticated: &no, Scopes: []string{"x"}},
		"claims.tier has no value":               {Name: "a", Claims: map[string][]string{"tier": {}}},
	} {
		if err := c.Validate(); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
	_, err := NewRules(Proxies{Header: "x"}, Options{ClientNameHeaders: []string{"A", "a b"}, Classes: []Class{{Name: "a"}}})
	for _, want := range []string{"header must be", `clientNameHeaders[1] "a b" is not the name of a header`, "classes[0]: the class has no condition"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A caller takes no allocation, whatever is configured.
func TestNoAllocations(t *testing.T) {
	none, err := NewRules(Proxies{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, rules := range map[string]*Rules{"no settings": none, "X-Forwarded-For": newRules(t, XForwardedFor, benchmarkOptions), "Forwarded": newRules(t, Forwarded, benchmarkOptions)} {
		r, token := benchmarkRequest(t)
		if n := testing.AllocsPerRun(100, func() {
			c := rules.Identify(r.Header, rules.Address(r), token)
			_ = c.NetworkKey()
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

var benchmarkOptions = Options{Classes: []Class{
	{Name: "staff", Roles: []string{"admin"}, Networks: []string{"10.0.0.0/8"}},
	{Name: "partner", Claims: map[string][]string{"tier": {"gold", "platinum"}}},
	{Name: "app", Scopes: []string{"a", "b"}, Clients: []string{"ios", "android"}},
}}

func benchmarkRequest(t testing.TB) (*http.Request, *auth.Identity) {
	return &http.Request{RemoteAddr: "10.0.0.1:4711", Header: http.Header{
		"X-Forwarded-For":     {"198.51.100.1, 203.0.113.9, 10.0.0.2"},
		"Forwarded":           {`for=198.51.100.1, for=203.0.113.9;proto=https, for="10.0.0.2:80"`},
		"Graphql-Client-Name": {"ios"},
	}}, identity(t, `{"sub": "u1", "tier": "silver", "scope": "b", "roles": ["customer"]}`)
}

func BenchmarkIdentify(b *testing.B) {
	none, err := NewRules(Proxies{}, Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		rules *Rules
	}{
		{"no settings", none},
		{"X-Forwarded-For", newRules(b, XForwardedFor, Options{})},
		{"Forwarded", newRules(b, Forwarded, Options{})},
		{"classes", newRules(b, XForwardedFor, benchmarkOptions)},
	} {
		b.Run(c.name, func(b *testing.B) {
			r, token := benchmarkRequest(b)
			b.ReportAllocs()
			for b.Loop() {
				c.rules.Identify(r.Header, c.rules.Address(r), token)
			}
		})
	}
}
