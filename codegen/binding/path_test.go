package binding

import "testing"

// A path that every proxy and server reads alike is accepted, and any other is refused.
func TestPathProblem(t *testing.T) {
	for path, want := range map[string]string{
		"/":                         "",
		"/users":                    "",
		"/users/":                   "",
		"/users/{$args.id}/orders":  "",
		"/v/{major}.{minor}":        "",
		"/a..b/...":                 "",
		"/a;v=1/b:c@d,e(f)!$&'*+=~": "",
		"/with%20space/%C3%A9":      "",
		"/é":                        "",
		"/users//orders":            "an empty segment",
		"//host/path":               "an empty segment",
		"/a//":                      "an empty segment",
		"/./a":                      `a segment "."`,
		"/a/..":                     `a segment ".."`,
		"/a/../":                    `a segment ".."`,
		"/a/..;x/b":                 `a segment "..;x"`,
		"/%2e%2e/a":                 "the escape %2e",
		"/a%2Fb":                    "the escape %2F",
		"/a%5cb":                    "the escape %5c",
		"/a%252e":                   "the escape %25",
		"/a%00":                     "the escape %00",
		"/a%0d%0ab":                 "the escape %0d",
		"/a%3Fb":                    "the escape %3F",
		"/a%":                       "a % that does not begin an escape",
		"/a%zz":                     "a % that does not begin an escape",
		"/a?b=1":                    "the character ?",
		"/a#b":                      "the character #",
		`/a\b`:                      `the character \`,
		"/a{b":                      "an unmatched brace",
		"/a}b":                      "an unmatched brace",
		"/a{{b}}":                   "an unmatched brace",
		"/a b":                      "white space or a control character",
		"/a\nb":                     "white space or a control character",
		"/a\x00":                    "white space or a control character",
		"/a\u202eb":                 "white space or a control character",
		"/a\u2028b":                 "white space or a control character",
		"/a\xff":                    "white space or a control character",
	} {
		if got, _ := pathProblem(path); got != want {
			t.Errorf("%q: %q, want %q", path, got, want)
		}
	}
}
