package upstreams

import (
	"strings"
	"testing"
)

func TestParseSocket(t *testing.T) {
	for text, want := range map[string]string{ // socket and path
		"unix:///run/x.sock":          "/run/x.sock ",
		"unix:/run/x.sock":            "/run/x.sock ",
		"unix:///run/x.sock:/":        "/run/x.sock /",
		"unix:///run/x.sock:/a/b":     "/run/x.sock /a/b",
		"unix:///run/x:1.sock:/a:/b":  "/run/x:1.sock /a:/b",
		"unix:///run/x y.sock:/a%2Fb": "/run/x y.sock /a%2Fb",
	} {
		origin, err := parseOrigin(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got := origin.Socket + " " + origin.URL.EscapedPath(); got != want || origin.URL.Host != "localhost" {
			t.Errorf("%s: %q at %s, want %q", text, got, origin.URL.Host, want)
		}
	}
}

// A URL that is accepted has a host or a socket, and nothing that would be sent to a wrong place.
func FuzzParseOrigin(f *testing.F) {
	for _, text := range []string{"http://a:1/b", "unix:///run/x.sock:/a", "unix:/x:/%", "https://[::1]:1", "unix://x"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		origin, err := parseOrigin(text)
		if err != nil {
			return
		}
		u := origin.URL
		if u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("%q: %+v", text, u)
		}
		if origin.Socket != "" && (!strings.HasPrefix(origin.Socket, "/") || u.Host != "localhost" || u.Scheme != "http") {
			t.Errorf("%q: socket %q with %s", text, origin.Socket, u)
		}
	})
}
