package binding

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
)

// pathProblem returns the first part of a path that proxies and servers read differently: what it
// is, "" if there is none, and its byte offset. The path is as written in the schema or in a
// document, with values in braces.
func pathProblem(path string) (what string, at int) {
	path = valuesInBraces.ReplaceAllStringFunc(path, func(value string) string { return strings.Repeat("v", len(value)) })
	for i, r := range path {
		if what := characterProblem(r, path[i:]); what != "" {
			return what, i
		}
	}
	for i, segment := range strings.Split(strings.TrimSuffix(path, "/"), "/") {
		name, _, _ := strings.Cut(segment, ";") // some servers cut off path parameters
		switch {
		case i > 0 && segment == "":
			return "an empty segment", at
		case name == "." || name == "..":
			return "a segment " + strconv.Quote(segment), at
		}
		at += len(segment) + 1
	}
	return "", 0
}

var valuesInBraces = regexp.MustCompile(`\{[^{}]*\}`)

// characterProblem returns a description of the character r if no path may have it, else "". The
// text rest begins with r.
func characterProblem(r rune, rest string) string {
	switch {
	case strings.ContainsRune(`?#\`, r):
		return "the character " + string(r)
	case r == '{' || r == '}':
		return "an unmatched brace"
	case unicode.IsSpace(r) || escape.IsInvisible(r) || r == unicode.ReplacementChar:
		return "white space or a control character"
	case r == '%':
		return escapeProblem(rest)
	}
	return ""
}

// percentEncoded matches a percent-encoded character (RFC 3986, section 2.1).
var percentEncoded = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// escapeProblem returns a description of an escape that stands for a character that no path may
// have, or that is not an escape.
func escapeProblem(rest string) string {
	if !percentEncoded.MatchString(rest[:min(len(rest), 3)]) {
		return "a % that does not begin an escape"
	}
	code, _ := strconv.ParseUint(rest[1:3], 16, 8)
	if c := byte(code); c < ' ' || c == 0x7f || strings.IndexByte(`./\%?#`, c) >= 0 {
		return "the escape " + rest[:3]
	}
	return ""
}
