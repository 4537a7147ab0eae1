package network

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func newRules(t testing.TB, o Options) *Rules {
	t.Helper()
	r, err := NewRules(o, "/healthz", "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestPermit(t *testing.T) {
	const office, partner, bad, badPartner, other = "10.1.2.3", "192.0.2.7", "10.66.0.1", "192.0.2.66", "203.0.113.1"
	o := Options{
		Lists: Lists{Allow: []string{"10.0.0.0/8"}, Deny: []string{"10.66.0.0/16", "192.0.2.66"}},
		Routes: map[string]Lists{
			"/graphql":  {Allow: []string{"192.0.2.0/24", "10.66.0.0/16"}},
			"/metrics":  {Deny: []string{"10.1.0.0/16"}},
			"/services": {},
			"/readyz":   {Allow: []string{"10.0.0.0/8"}},
		},
	}
	for _, c := range []struct {
		path     string
		accepted []string
	}{
		{"/", []string{office}},
		{"/nothing", []string{office}},
		{"/graphqls", []string{office}},
		{"/graphql", []string{partner}},
		{"/graphql/", []string{partner}},
		{"/graphql/abc", []string{partner}},
		{"/metrics", nil},
		{"/services", []string{office}},
		{"/services/page.js", []string{office}},
		{"/healthz", []string{office, partner, bad, badPartner, other, ""}},
		{"/readyz", []string{office, bad}},
		{"/healthz/", []string{office, partner, bad, badPartner, other, ""}}, // not a route of anything
		{"/healthzz", []string{office}},
		{"", []string{office}},
		{"*", []string{office}},
	} {
		var accepted []string
		for _, ip := range []string{office, partner, bad, badPartner, other, ""} {
			at, _ := netip.ParseAddr(ip)
			if newRules(t, o).Permit(c.path, at) {
				accepted = append(accepted, ip)
			}
		}
		if fmt.Sprintf("%q", accepted) != fmt.Sprintf("%q", c.accepted) {
			t.Errorf("%s accepts %q, want %q", c.path, accepted, c.accepted)
		}
	}
}

// "/" is what no longer path has.
func TestPermitOfTheRoot(t *testing.T) {
	r := newRules(t, Options{Routes: map[string]Lists{"/": {Allow: []string{"10.0.0.0/8"}}, "/graphql": {Deny: []string{"192.0.2.0/24"}}}})
	ip := netip.MustParseAddr("203.0.113.1")
	for path, want := range map[string]bool{"/": false, "/playground/x.js": false, "/metrics": false, "/graphql": true, "/healthz": true} {
		if got := r.Permit(path, ip); got != want {
			t.Errorf("%s: %t", path, got)
		}
	}
}

// Without lists there are no rules, which front recognizes by nil.
func TestNoRules(t *testing.T) {
	if r := newRules(t, Options{}); r != nil || !r.Permit("/", netip.Addr{}) {
		t.Errorf("%+v", r)
	}
}

func TestFiles(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "deny.txt")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# scanners\n192.0.2.0/24 # seen on Monday\r\n\n\t2001:db8::/32\n203.0.113.9")
	r := newRules(t, Options{Lists: Lists{Deny: []string{"10.0.0.0/8"}, DenyFile: file}})
	for ip, want := range map[string]bool{"192.0.2.1": false, "2001:db8::5": false, "203.0.113.9": false, "10.0.0.1": false, "203.0.113.8": true} {
		if got := r.Permit("/", netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %t", ip, got)
		}
	}
	for text, want := range map[string]string{
		"10.0.0.0/8\n\nx\n": `denyFile ` + file + `:3: "x" is not a network`,
		"# none\n":          `denyFile ` + file + ` has no network; write one, or remove this setting`,
	} {
		write(text)
		if err := (Lists{DenyFile: file}).Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := (Lists{AllowFile: folder + "/no.txt"}).Validate(); err == nil || !strings.Contains(err.Error(), "allowFile "+folder+"/no.txt cannot be read: no such file") {
		t.Error(err)
	}
	_, err := NewRules(Options{Lists: Lists{Allow: []string{"a"}}, Routes: map[string]Lists{"/graphql": {Deny: []string{"b"}}}})
	if err == nil || !strings.Contains(err.Error(), `allow[0] "a"`) || !strings.Contains(err.Error(), `routes /graphql: deny[0] "b"`) {
		t.Error(err)
	}
}

func BenchmarkPermit(b *testing.B) {
	var texts []string
	for _, p := range manyPrefixes(100_000) {
		texts = append(texts, p.String())
	}
	r := newRules(b, Options{Lists: Lists{Deny: texts}, Routes: map[string]Lists{"/graphql": {Deny: []string{"192.0.2.0/24"}}}})
	ip := netip.MustParseAddr("172.16.0.1")
	b.ReportAllocs()
	for b.Loop() {
		r.Permit("/graphql", ip)
	}
}
