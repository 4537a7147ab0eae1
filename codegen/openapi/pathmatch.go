package openapi

import (
	"regexp"
	"strings"
)

// Find returns the operation that a call reaches, or nil. Values in path are written as {} or
// {anything}, as in /users/{}. A parameter of the document matches values and literal text. If
// several paths match, the one that has literal text where the other has a parameter wins, from
// left to right.
func (d *Document) Find(method, path string) *Operation {
	path = braces.ReplaceAllLiteralString(path, "{}")
	var best *Operation
	for _, o := range d.Operations {
		if strings.EqualFold(o.Method, method) && o.pattern.MatchString(path) && (best == nil || isMoreLiteral(o.Path, best.Path)) {
			best = o
		}
	}
	if best == nil {
		return nil
	}
	return d.Load(best)
}

var braces = regexp.MustCompile(`\{[^{}]*\}`)

// pattern returns an expression that matches the paths of calls for a path of the document.
func pattern(path string) *regexp.Regexp {
	literals := braces.Split(path, -1)
	for i, l := range literals {
		literals[i] = regexp.QuoteMeta(l)
	}
	p, err := regexp.Compile("^" + strings.Join(literals, "[^/]+") + "$")
	if err != nil { // not UTF-8, or too long for an expression: matches nothing
		return regexp.MustCompile("$^")
	}
	return p
}

// isMoreLiteral reports whether the first segment that is a parameter in only one of two paths is
// literal in a.
func isMoreLiteral(a, b string) bool {
	as, bs := strings.Split(a, "/"), strings.Split(b, "/")
	for i := range min(len(as), len(bs)) {
		if pa, pb := strings.Contains(as[i], "{"), strings.Contains(bs[i], "{"); pa != pb {
			return !pa
		}
	}
	return false
}
