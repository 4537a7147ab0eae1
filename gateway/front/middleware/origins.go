package middleware

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/jub0bs/cors"
	"github.com/jub0bs/cors/cfgerrors"
	"golang.org/x/net/publicsuffix"
)

// origins are the origins that match one of several patterns, which are those of CORS.Origins. The zero
// value has none.
type origins struct {
	cors http.Handler // adds Access-Control-Allow-Origin for the origins; nil for none
}

// newOrigins returns the origins that match patterns, which checkOrigins accepts.
func newOrigins(patterns []string) (origins, error) {
	if len(patterns) == 0 {
		return origins{}, nil
	}
	m, err := cors.NewMiddleware(cors.Config{Origins: patterns})
	if err != nil {
		return origins{}, err
	}
	return origins{m.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))}, nil
}

// has reports whether an origin is one of them. The CORS library does not export how it matches
// patterns, so it is asked by a request.
func (o origins) has(origin string) bool {
	if o.cors == nil || origin == "" {
		return false
	}
	w := discard{http.Header{}}
	o.cors.ServeHTTP(w, &http.Request{Method: http.MethodGet, Header: http.Header{"Origin": {origin}}})
	return w.header["Access-Control-Allow-Origin"] != nil
}

// checkOrigins returns what is wrong with patterns of origins, as errors that begin with the setting and
// the index of the pattern. With credentials, the patterns are of pages that may send cookies.
func checkOrigins(setting string, patterns []string, credentials bool) (errs []error) {
	for i, pattern := range patterns {
		if problem := originProblem(pattern, credentials); problem != "" {
			errs = append(errs, fmt.Errorf("%s[%d]: %s", setting, i, problem))
		}
	}
	return errs
}

// originProblem returns what is wrong with a pattern, and what to write instead; "" if it may be allowed.
func originProblem(pattern string, credentials bool) string {
	if pattern == "*" {
		return "" // with credentials, the setting to change is that of the credentials
	}
	_, err := cors.NewMiddleware(cors.Config{Origins: []string{pattern}, Credentialed: credentials})
	if err == nil && hasPublicSuffix(pattern) { // which the library accepts without credentials
		return publicSuffixProblem(pattern)
	}
	if err == nil {
		return ""
	}
	switch e, _ := errors.AsType[*cfgerrors.IncompatibleOriginPatternError](err); {
	case e == nil:
		return malformedOrigin(pattern)
	case e.Reason == "insecure":
		return fmt.Sprintf("%q is not https, so the network could use the caller's credentials; write https, or leave credentials out", pattern)
	}
	return publicSuffixProblem(pattern)
}

func publicSuffixProblem(pattern string) string {
	return fmt.Sprintf("%q allows sites of strangers, who can register names below this host; name your site, as https://*.shop.example.com", pattern)
}

// hasPublicSuffix reports whether a valid pattern allows all hosts below a suffix of the public suffix
// list (publicsuffix.org), such as com or github.io. Names of private networks, such as lan, are not in
// the list.
func hasPublicSuffix(pattern string) bool {
	_, host, _ := strings.Cut(pattern, "://*.")
	host, _, _ = strings.Cut(host, ":")
	suffix, managed := publicsuffix.PublicSuffix(host)
	return host != "" && suffix == host && (managed || strings.Contains(suffix, "."))
}

// malformedOrigin returns what is wrong with a pattern that the CORS library does not accept.
func malformedOrigin(pattern string) string {
	const example = "write scheme and host, as https://shop.example.com"
	if pattern == "null" {
		return `"null" is the origin of sandboxed frames and local files, which every page can make; ` + example
	}
	scheme, rest, ok := strings.Cut(pattern, "://")
	if !ok {
		return fmt.Sprintf("%q has no scheme; %s", pattern, example)
	}
	u, err := url.Parse(pattern)
	switch defaults := map[string]string{"http": "80", "https": "443"}; {
	case strings.Contains(rest, "/"):
		return fmt.Sprintf("%q has a path, which origins have not; %s", pattern, example)
	case err == nil && u.Port() != "" && u.Port() == defaults[scheme]:
		return fmt.Sprintf("%q has the port that %s has by default, which browsers leave out; leave it out", pattern, scheme)
	case strings.Contains(rest, "*"):
		return fmt.Sprintf("%q has a * in a place where it cannot stand; a * is all subdomains or all ports, as https://*.shop.example.com or http://localhost:*", pattern)
	}
	return fmt.Sprintf("%q is not an origin as browsers write it; %s, in lower case", pattern, example)
}
