package openapi

import (
	"regexp"
	"strings"
)

// Find finds the operation that a call with this path reaches, nil when there is none.
// Values in path are written as {} or {anything}, such as /users/{}; a parameter of
// the document matches a value and any text, and where several paths match, the one
// that says most text wins, from left to right.
func (d *Document) Find(method, path string) *Operation {
	path = braces.ReplaceAllLiteralString(path, "{}")
	var best *Operation
	for _, o := range d.Operations {
		if strings.EqualFold(o.Method, method) && o.pattern.MatchString(path) && (best == nil || isMoreLiteral(o.Path, best.Path)) {
			best = o
		}
	}
	return best
}

var braces = regexp.MustCompile(`\{[^{}]*\}`)

// pattern matches the paths of calls that a path of the document stands for.
func pattern(path string) *regexp.Regexp {
	literals := braces.Split(path, -1)
	for i, l := range literals {
		literals[i] = regexp.QuoteMeta(l)
	}
	p, err := regexp.Compile("^" + strings.Join(literals, "[^/]+") + "$")
	if err != nil { // no text, or too long for a pattern
		return regexp.MustCompile("$^")
	}
	return p
}

// isMoreLiteral tells whether a path says text where another has a parameter.
func isMoreLiteral(a, b string) bool {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range min(len(as), len(bs)) {
		if pa, pb := strings.Contains(as[i], "{"), strings.Contains(bs[i], "{"); pa != pb {
			return !pa
		}
	}
	return false
}
