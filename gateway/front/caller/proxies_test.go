package caller

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// newRules returns rules that trust 10.0.0.0/8 and 2001:db8:10::/48 by a header.
func newRules(t testing.TB, header string, o Options) *Rules {
	t.Helper()
	r, err := NewRules(Proxies{Trusted: []string{"10.0.0.0/8", "2001:db8:10::/48", "127.0.0.1"}, Header: header}, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// addressOf returns the address that rules find for a request from a peer with lines of both headers.
func addressOf(r *Rules, peer string, xff, forwarded []string) string {
	h := http.Header{"X-Forwarded-For": xff, "Forwarded": forwarded, "X-Real-Ip": {"198.51.100.99"}, "True-Client-Ip": {"198.51.100.99"}}
	ip := r.Address(&http.Request{RemoteAddr: peer, Header: h})
	if !ip.IsValid() {
		return ""
	}
	return ip.String()
}

// The peer is what net/http says of the connection.
func TestPeer(t *testing.T) {
	none, err := NewRules(Proxies{}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for peer, want := range map[string]string{
		"192.0.2.1:4711": "192.0.2.1", "[2001:db8::1]:4711": "2001:db8::1", "[::ffff:192.0.2.1]:4711": "192.0.2.1",
		"[fe80::1%eth0]:4711": "fe80::1", "10.0.0.1:1": "10.0.0.1", "@": "", "": "", "/run/gateway.sock": "", "192.0.2.1": "", "host:80": "",
	} {
		if got := addressOf(none, peer, []string{"198.51.100.1"}, []string{"for=198.51.100.1"}); got != want {
			t.Errorf("%q: %q, want %q", peer, got, want)
		}
	}
}

// What a client writes into a header never becomes its address, and a malformed element ends the search
// with the last address that a trusted proxy has vouched for.
func TestXForwardedFor(t *testing.T) {
	const proxy, far, client = "10.0.0.1:4711", "10.0.0.2", "203.0.113.9"
	rules := newRules(t, "", Options{})
	for name, c := range map[string]struct {
		peer  string
		lines []string
		want  string
	}{
		"no header":                          {proxy, nil, "10.0.0.1"},
		"one proxy":                          {proxy, []string{client}, client},
		"two proxies":                        {proxy, []string{client + ", " + far}, client},
		"an address that the client states":  {proxy, []string{"198.51.100.1, " + client}, client},
		"a trusted address that it states":   {proxy, []string{"10.9.9.9, " + client + ", " + far}, client},
		"a line of its own":                  {proxy, []string{"198.51.100.1", client}, client},
		"three lines":                        {proxy, []string{"198.51.100.1", client, far}, client},
		"the order of lines":                 {proxy, []string{client, "198.51.100.1"}, "198.51.100.1"},
		"an untrusted peer":                  {"192.0.2.1:1", []string{"198.51.100.1"}, "192.0.2.1"},
		"an untrusted peer, a trusted entry": {"192.0.2.1:1", []string{"10.0.0.1"}, "192.0.2.1"},
		"a peer without an address":          {"@", []string{"198.51.100.1"}, ""},
		"all are trusted":                    {proxy, []string{"10.0.0.3, " + far}, "10.0.0.3"},
		"a mapped peer":                      {"[::ffff:10.0.0.1]:1", []string{client}, client},
		"a mapped entry":                     {proxy, []string{client + ", ::ffff:10.0.0.2"}, client},
		"a mapped client":                    {proxy, []string{"::ffff:203.0.113.9"}, client},
		"IPv6":                               {"[2001:db8:10::1]:1", []string{"2001:db8:99::1, 2001:db8:10::2"}, "2001:db8:99::1"},
		"a zone":                             {proxy, []string{"fe80::1%eth0"}, "fe80::1"},
		"a zone of a trusted peer":           {"[2001:db8:10::1%eth0]:1", []string{client}, client},
		"a port":                             {proxy, []string{client + ":4711"}, client},
		"brackets":                           {proxy, []string{"[2001:db8:99::1]"}, "2001:db8:99::1"},
		"brackets and a port":                {proxy, []string{"[2001:db8:99::1]:443"}, "2001:db8:99::1"},
		"spaces":                             {proxy, []string{"\t 198.51.100.1 ,\t" + client + "  "}, client},
		"empty elements":                     {proxy, []string{client + ",, ,", "", ","}, client},

		"a word":                          {proxy, []string{"evil"}, "10.0.0.1"},
		"a word before":                   {proxy, []string{"evil, " + client}, client},
		"a word behind a proxy":           {proxy, []string{client + ", evil, " + far}, far},
		"unknown":                         {proxy, []string{client + ", unknown"}, "10.0.0.1"},
		"an identifier":                   {proxy, []string{client + ", _hidden"}, "10.0.0.1"},
		"a network":                       {proxy, []string{"203.0.113.0/24"}, "10.0.0.1"},
		"leading zeros":                   {proxy, []string{"010.0.0.1"}, "10.0.0.1"},
		"too few parts":                   {proxy, []string{"203.0.9"}, "10.0.0.1"},
		"a number":                        {proxy, []string{"3405803785"}, "10.0.0.1"},
		"a hexadecimal number":            {proxy, []string{"0xcb007109"}, "10.0.0.1"},
		"quotation marks":                 {proxy, []string{`"203.0.113.9"`}, "10.0.0.1"},
		"semicolons":                      {proxy, []string{client + ";" + far}, "10.0.0.1"},
		"spaces between":                  {proxy, []string{client + " " + far}, "10.0.0.1"},
		"a wrong port":                    {proxy, []string{client + ":x"}, "10.0.0.1"},
		"a long port":                     {proxy, []string{client + ":123456"}, "10.0.0.1"},
		"an empty port":                   {proxy, []string{client + ":"}, "10.0.0.1"},
		"IPv4 in brackets":                {proxy, []string{"[203.0.113.9]:1"}, "10.0.0.1"},
		"an open bracket":                 {proxy, []string{"[2001:db8:99::1"}, "10.0.0.1"},
		"behind a bracket":                {proxy, []string{"[2001:db8:99::1]x"}, "10.0.0.1"},
		"text behind an address":          {proxy, []string{client + "\x00"}, "10.0.0.1"},
		"Forwarded in X-Forwarded-For":    {proxy, []string{"for=" + client}, "10.0.0.1"},
		"a long zone":                     {proxy, []string{"fe80::1%" + strings.Repeat("x", 1000)}, "10.0.0.1"},
		"more proxies than there can be":  {proxy, []string{strings.Repeat("10.0.0.3,", 1000) + far}, "10.0.0.3"},
		"more elements than there can be": {proxy, []string{client + strings.Repeat(",", 1000) + far}, far},
	} {
		if got := addressOf(rules, c.peer, c.lines, []string{"for=198.51.100.7"}); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestForwarded(t *testing.T) {
	const proxy, client = "10.0.0.1:4711", "203.0.113.9"
	rules := newRules(t, "forwarded", Options{})
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"no header":                      {nil, "10.0.0.1"},
		"one":                            {[]string{"for=" + client}, client},
		"upper case":                     {[]string{"FOR=" + client}, client},
		"parameters":                     {[]string{`proto=https;by=10.0.0.1;for=203.0.113.9;host="a,b;c.example"`}, client},
		"spaces":                         {[]string{`proto=https ; for=203.0.113.9 ;host=x`}, client},
		"IPv6":                           {[]string{`for="[2001:db8:99::1]"`}, "2001:db8:99::1"},
		"IPv6 and a port":                {[]string{`for="[2001:db8:99::1]:4711"`}, "2001:db8:99::1"},
		"IPv6 without quotation marks":   {[]string{`for=[2001:db8:99::1]:4711`}, "2001:db8:99::1"},
		"a hidden port":                  {[]string{`for="203.0.113.9:_x-1"`}, client},
		"a port":                         {[]string{`for="203.0.113.9:80"`}, client},
		"two":                            {[]string{`for=203.0.113.9;proto=http, for=10.0.0.2;proto=https`}, client},
		"what the client states":         {[]string{"for=198.51.100.1, for=203.0.113.9"}, client},
		"a line that the client states":  {[]string{"for=198.51.100.1", "for=203.0.113.9"}, client},
		"an open quotation mark":         {[]string{`for=198.51.100.1;x=", for=203.0.113.9;proto=https`}, client},
		"quotation marks around a comma": {[]string{`for=198.51.100.1;x=", for="[2001:db8:99::1]"`}, "2001:db8:99::1"},
		"a quotation mark that ends one": {[]string{`x="`, `for="203.0.113.9";x="y"`}, client},
		"a backslash at its end":         {[]string{`x="\, for="203.0.113.9"`}, client},
		"an escaped quotation mark":      {[]string{`for=203.0.113.9;x="a\", for=198.51.100.1,\"b"`}, client},
		"escaped backslashes":            {[]string{`for=198.51.100.1, for=203.0.113.9;x="a\\"`}, client},
		"a list in a quoted string":      {[]string{`for=203.0.113.9;x="1, for=198.51.100.1"`}, client},
		"empty elements and pairs":       {[]string{`for=203.0.113.9;,;,,`, ""}, "10.0.0.1"}, // an element of nothing but ";" has no for
		"empty elements":                 {[]string{`;for=203.0.113.9;;proto=http;,, ,`, ""}, client},

		"unknown":              {[]string{"for=203.0.113.9, for=unknown"}, "10.0.0.1"},
		"hidden":               {[]string{"for=203.0.113.9, for=_hidden, for=10.0.0.2"}, "10.0.0.2"},
		"no for":               {[]string{"for=203.0.113.9, by=10.0.0.1;proto=http"}, "10.0.0.1"},
		"two for":              {[]string{"for=203.0.113.9;for=198.51.100.1"}, "10.0.0.1"},
		"no value":             {[]string{"for=203.0.113.9;secure"}, "10.0.0.1"},
		"an empty value":       {[]string{"for="}, "10.0.0.1"},
		"an empty string":      {[]string{`for=""`}, "10.0.0.1"},
		"no name":              {[]string{"=203.0.113.9"}, "10.0.0.1"},
		"a space before =":     {[]string{"for =203.0.113.9"}, "10.0.0.1"},
		"a space behind =":     {[]string{"for= 203.0.113.9"}, "10.0.0.1"},
		"text behind a string": {[]string{`for="203.0.113.9"x`}, "10.0.0.1"},
		"two strings":          {[]string{`for="203.0.113.9""x"`}, "10.0.0.1"},
		"an open string":       {[]string{`for="203.0.113.9`}, "10.0.0.1"},
		"a quoted pair":        {[]string{`for="\203.0.113.9"`}, "10.0.0.1"},
		"an address alone":     {[]string{client}, "10.0.0.1"},
	} {
		if got := addressOf(rules, proxy, []string{"198.51.100.7"}, c.lines); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Of a header as large as a server accepts, an attacker who sits at a trusted address can have a few
// elements read.
func TestLargeHeaders(t *testing.T) {
	const size = 1 << 20
	for header, texts := range map[string][]string{
		XForwardedFor: {"10.0.0.2,", ",", "x", " ", "[", ":", "1"},
		Forwarded:     {"for=10.0.0.2,", ",", `"`, `\`, `\"`, `x="\\`, ";", "for=", `a="",`, ";a=b"},
	} {
		rules := newRules(t, header, Options{})
		for _, text := range texts {
			lines := []string{strings.Repeat(text, size/len(text))}
			start := time.Now()
			got := addressOf(rules, "10.0.0.1:1", lines, lines)
			if took := time.Since(start); took > time.Second || !strings.HasPrefix(got, "10.0.0.") {
				t.Errorf("%s of %q: %s after %s", header, text, got, took)
			}
		}
	}
}

func TestValidateProxies(t *testing.T) {
	for want, p := range map[string]Proxies{
		"":                                {Trusted: []string{"10.0.0.0/8", "::1"}, Header: "FORWARDED"},
		`trusted[1] "x" is not a network`: {Trusted: []string{"10.0.0.0/8", "x"}},
		"trusted has every address":       {Trusted: []string{"10.0.0.0/8", "0.0.0.0/0"}},
		`header must be X-Forwarded-For or Forwarded, not "X-Real-IP"`: {Header: "X-Real-IP"},
	} {
		if err := p.Validate(); (err == nil) != (want == "") || err != nil && !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// Whatever a client sends before it, the element of a trusted proxy counts.
func FuzzAddress(f *testing.F) {
	for _, text := range []string{"198.51.100.1", "10.0.0.2, ", `for="`, `for=10.0.0.2;x="\`, `a="b", for=198.51.100.1, `, "for=10.0.0.2,for=unknown", "[::1]:1,"} {
		f.Add(text)
	}
	byXFF, byForwarded := newRules(f, XForwardedFor, Options{}), newRules(f, Forwarded, Options{})
	f.Fuzz(func(t *testing.T, text string) {
		for _, rules := range []*Rules{byXFF, byForwarded} {
			element := func(ip string) string {
				switch {
				case rules == byXFF:
					return ip
				case strings.Contains(ip, ":"):
					return `proto="https";for="[` + ip + `]:1";host="a,\"b"`
				}
				return "for=" + ip + ";proto=http"
			}
			for _, want := range []string{"203.0.113.9", "2001:db8:99::1"} {
				for _, lines := range [][]string{
					{text + "," + element(want)}, {text, element(want)}, {text, text + ", " + element(want) + ", " + element("10.0.0.2")},
				} {
					if got := addressOf(rules, "10.0.0.1:1", lines, lines); got != want {
						t.Fatalf("%q: %s", lines, got)
					}
				}
			}
			// Alone it is what a trusted proxy says, which must be an address.
			if got := addressOf(rules, "10.0.0.1:1", []string{text}, []string{text}); !netip.MustParseAddr(got).IsValid() {
				t.Fatalf("%q: %s", text, got)
			}
			if got := addressOf(rules, "192.0.2.1:1", []string{text}, []string{text}); got != "192.0.2.1" {
				t.Fatalf("an untrusted peer is believed: %q: %s", text, got)
			}
		}
	})
}
