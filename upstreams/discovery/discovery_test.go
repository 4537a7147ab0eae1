package discovery

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"
)

func parseURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestTypeOf(t *testing.T) {
	for _, test := range []struct{ url, typ, want string }{
		{"http://127.0.0.1:1", "", Static},
		{"http://[::1]:1", DNS, Static},
		{"http://[fe80::1%25eth0]:1", DNS, Static},
		{"http://localhost:1", "", Static},
		{"http://LOCALHOST.:1", DNS, Static},
		{"http://users.localhost:1", "", Static},
		{"http://bücher.example", "", Static},
		{"http://users:1", "", DNS},
		{"http://users.example.com", "", DNS},
		{"http://users.example.com", Static, Static},
		{"http://_http._tcp.users", SRV, SRV},
		{"http://notlocalhost", "", DNS},
	} {
		if got := (Options{Type: test.typ}).typeOf(Origin{URL: parseURL(t, test.url)}); got != test.want {
			t.Errorf("type %q of %s is %s, want %s", test.typ, test.url, got, test.want)
		}
	}
	if got := (Options{Type: DNS}).typeOf(Origin{URL: parseURL(t, "http://users"), Socket: "/run/x.sock"}); got != Static {
		t.Errorf("a socket is %s", got)
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		options Options
		want    string // in the error; empty for none
	}{
		{Options{}, ""},
		{Options{Type: SRV, MinTTL: time.Second, MaxTTL: time.Second, Drain: time.Second, Nameserver: "10.0.0.1:8600"}, ""},
		{Options{Nameserver: "10.0.0.1"}, ""},
		{Options{Nameserver: "[::1]"}, ""},
		{Options{Nameserver: "::1"}, ""},
		{Options{Type: "consul"}, `type: unknown type "consul": write static, dns or srv`},
		{Options{MinTTL: -1}, "minTTL is negative"},
		{Options{MaxTTL: -1}, "maxTTL is negative"},
		{Options{Drain: -1}, "drain is negative"},
		{Options{MinTTL: 3 * time.Second, MaxTTL: time.Second}, "minTTL is longer than maxTTL: write at most 1s"},
		{Options{Nameserver: "dns.example.com"}, `nameserver: "dns.example.com" is not an IP address`},
	} {
		err := test.options.Validate()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: %v, want %q", test.options, err, test.want)
		}
	}
}

func TestDefaultsKeepTheOrderOfTheBounds(t *testing.T) {
	for _, o := range []Options{{}, {MinTTL: time.Hour}, {MaxTTL: time.Second}} {
		if d := o.WithDefaults(); d.MinTTL > d.MaxTTL || d.MinTTL <= 0 || d.Drain <= 0 {
			t.Errorf("%+v has the defaults %+v", o, d)
		}
	}
}

func TestValidateOrigin(t *testing.T) {
	for _, test := range []struct{ typ, url, want string }{
		{SRV, "http://_http._tcp.users.example.com/api", ""},
		{SRV, "http://users.service.consul", ""}, // Consul answers SRV queries for plain names
		{SRV, "http://127.0.0.1", "is not the name of SRV records"},
		{SRV, "http://_http._tcp.users:80", "has a port"},
		{SRV, "http://_http._tcp", "has no host"},
		{DNS, "http://users:80", ""},
		{"", "http://127.0.0.1:80", ""},
	} {
		err := (Options{Type: test.typ}).ValidateOrigin(Origin{URL: parseURL(t, test.url)})
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s of type %q: %v, want %q", test.url, test.typ, err, test.want)
		}
	}
}

// With addresses of both families, a name has as many targets as it has addresses of the
// family that the system prefers.
func TestTargetsOfBothFamilies(t *testing.T) {
	for _, test := range []struct {
		addrs string
		want  string // address|fallback
	}{
		{"10.0.0.2 10.0.0.1", "10.0.0.1:80| 10.0.0.2:80|"},
		{"2001:db8::1 10.0.0.1", "[2001:db8::1]:80|10.0.0.1:80"},
		{"10.0.0.1 2001:db8::1", "10.0.0.1:80|[2001:db8::1]:80"},
		{"2001:db8::2 2001:db8::1 10.0.0.1", "[2001:db8::1]:80|10.0.0.1:80 [2001:db8::2]:80|10.0.0.1:80"},
		{"2001:db8::1 10.0.0.1 10.0.0.2", "[2001:db8::1]:80|10.0.0.1:80"},
		{"::ffff:10.0.0.1 10.0.0.2", "10.0.0.1:80| 10.0.0.2:80|"},
	} {
		var addrs []netip.Addr
		for _, text := range strings.Fields(test.addrs) {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		var got []string
		for _, target := range targetsOf(Origin{URL: parseURL(t, "http://users")}, addrs, "80") {
			got = append(got, target.Address+"|"+target.Fallback)
		}
		if text := strings.Join(got, " "); text != test.want {
			t.Errorf("%s: %s, want %s", test.addrs, text, test.want)
		}
	}
}
