// Package admin has the pages for operators: a handler to which the parts of the gateway add theirs, and
// a server that serves it on an address of its own.
//
// It promises that web pages cannot use it: requests from pages of other origins are refused, and so are
// those by a name that an attacker may have pointed to a loopback address (DNS rebinding). It asks
// for no credentials: all who can reach the address are operators.
package admin

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"net/url"
	"strings"
)

// Options are the settings of the admin listener.
type Options struct {
	// Listen is an address for operators alone, host:port, such as 127.0.0.1:9901. It shows the
	// addresses and the state of services, and profiles of the process: clients must not reach it.
	// Default none.
	Listen string `yaml:"listen"`
}

// Pages are the pages for operators. Handle must not be called once they are served.
type Pages struct {
	mux   http.ServeMux
	index strings.Builder
}

// New returns pages with an index at / and Go's profiles at /debug/pprof/.
func New() *Pages {
	p := &Pages{}
	p.mux.HandleFunc("GET /{$}", p.serveIndex)
	p.Handle("GET /debug/pprof/", "Go's profiles, for go tool pprof", http.HandlerFunc(pprof.Index))
	p.mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	p.mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	p.mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return p
}

// Handle adds a page at a pattern of http.ServeMux with a method, such as "GET /sources", which the index
// lists with a description.
func (p *Pages) Handle(pattern, description string, h http.Handler) {
	p.mux.Handle(pattern, h)
	fmt.Fprintf(&p.index, "%-24s %s\n", pattern, description)
}

// HandleJSON adds a page that shows what value returns when it is read. value must be safe for
// concurrent use.
func (p *Pages) HandleJSON(pattern, description string, value func() any) {
	p.Handle(pattern, description, JSON(value))
}

// JSON returns a handler that serves what value returns as JSON, which is not cached.
func JSON(value func() any) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		text, err := json.MarshalIndent(value(), "", "  ")
		if err != nil {
			http.Error(w, "the state cannot be written as JSON", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(append(text, '\n'))
	})
}

func (p *Pages) serveIndex(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = fmt.Fprint(w, p.index.String())
}

// ServeHTTP serves the pages to programs, and to browsers whose user opened them.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	if reason := refusal(r); reason != "" {
		http.Error(w, reason, http.StatusForbidden)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// refusal returns why a request is refused, "" if it is not.
func refusal(r *http.Request) string {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return "web pages of other origins may not use the admin listener"
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != r.Host {
			return "web pages of other origins may not use the admin listener"
		}
	}
	if isLoopback(r) && !isMachine(r.Host) {
		return "use localhost or an IP address: the name of this URL may belong to a web page that has pointed it here"
	}
	return ""
}

// isLoopback reports whether a request came over the loopback interface, or if that is not known.
func isLoopback(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	return !ok || at.IP.IsLoopback()
}

// isMachine reports whether the Host of a request is an address or localhost, which are no names that an
// attacker can point to this machine.
func isMachine(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.Trim(strings.ToLower(host), "[]")
	_, err := netip.ParseAddr(host)
	return err == nil || host == "localhost" || strings.HasSuffix(host, ".localhost")
}
