package limit

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

// Whether a value is one is as graphql-js has it.
func TestLexemes(t *testing.T) {
	for value, good := range map[string]bool{
		`0`: true, `-0`: true, `10`: true, `1.5`: true, `1e5`: true, `1E+5`: true, `-1.5e-10`: true, `0.0`: true,
		`00`: false, `01`: false, `-`: false, `+1`: false, `1.`: false, `.5`: false, `1.e2`: false, `1e`: false, `1e+`: false,
		`0xF1`: false, `0b1`: false, `1.2.3`: false, `1.2e3.4`: false, `1e2e3`: false, `1.5x`: false, `1_000`: false,
		`10after`: false, `1.5after`: false, `1e5after`: false, `--1`: false, `1...`: false, `123abc`: false, `1_`: false,
		`[1 2]`: true, `[1,2]`: true, "[1\n2]": true, `[1"a"]`: true, `["a"1]`: true, `["a""b"]`: true, `["a"b]`: true, "[1#x\n2]": true,
		`[1.5[2]]`: true, `{a:1}`: true, `{a:1b:2}`: false, `{a:1 b:2}`: true, `{a:"x"b:2}`: true, `[1-2]`: true,

		`""`: true, `"a"`: true, `"1x"`: true, `"1.2.3"`: true, `"#"`: true, `"\""`: true, `"\\"`: true, `"\\u"`: true, `"\\uD83D"`: true,
		`"\u0041"`: true, `"\uD83D\uDE00"`: true, `"\ud83d\ude00"`: true, `"\u{1F600}"`: true, `"\u{0}"`: true, `"\u{10FFFF}"`: true,
		`"\uD83D"`: false, `"\uDE00"`: false, `"\uD83D\uD83D"`: false, `"\uDE00\uD83D"`: false, `"\uD83Dx"`: false, `"\uD83D\u0041"`: false,
		`"\uD83D\u{DE00}"`: false, `"\u{D83D}\uDE00"`: false, `"\u{D83D}"`: false, `"\u{D83D}\u{DE00}"`: false, `"\u{110000}"`: false,
		`"a\uD83D\uDE00\uDE00"`: false, `"\uD83D\\uDE00"`: false, `"\u{}"`: false, `"\uXYZW"`: false, `"\u+041"`: false, `"\u12"`: false,

		`""""""`: true, `"""a"""`: true, `"""\uD83D"""`: true, `"""1x"""`: true, `"""a\""""""`: true, `"""a" """`: true, `"""a\"""`: false,
		`"""a""""`: false, `"""""""`: false, `"""a"""b`: false, `["""a""" b]`: true, `["""a"""b]`: true,
	} {
		_, err := Parse(`{ a(x: `+value+`) }`, Options{})
		if (err == nil) != good {
			t.Errorf("%s: %v, want it taken: %t", value, err, good)
		}
		if err == nil {
			continue
		}
		if e, ok := errors.AsType[*gqlerror.Error](err); !ok || len(e.Locations) != 1 || e.Extensions["code"] != "GRAPHQL_PARSE_FAILED" {
			t.Errorf("%s: %#v, want a syntax error with its place", value, err)
		}
		if strings.Contains(err.Error(), "<Invalid>") {
			t.Errorf("%s: %v, want it to say what is invalid", value, err)
		}
	}
}

func TestPlaceOfLexicalError(t *testing.T) {
	for query, want := range map[string]gqlerror.Location{
		"{ a(first: 10after: 1) }":      {Line: 1, Column: 14},
		"{\n  a(x: \"\\uD83D\") }":      {Line: 2, Column: 9},
		"{\r\n\r  a(x: \"ä\\uD83D\") }": {Line: 3, Column: 10},
		"{ a(x: \"\"\"\nä\"\"\"\"\") }": {Line: 2, Column: 2},
	} {
		_, err := Parse(query, Options{})
		e, ok := errors.AsType[*gqlerror.Error](err)
		if !ok || e.Locations[0] != want {
			t.Errorf("%q: %v, want it at %v", query, err, want)
		}
	}
}

// lexeme is the specification's grammar of tokens, each as far as it goes.
var lexeme = regexp.MustCompile(`^(?:` +
	"[\uFEFF\t ,\n\r]+|#[^\n\r]*|[!$&(){}\\[\\]:=@|]|\\.\\.\\.|[_A-Za-z][_0-9A-Za-z]*" +
	`|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?` +
	`|"""(?:\\"""|"{0,2}[^"\\]|"{0,2}\\)*?"""` +
	`|"(?:[^"\\\n\r]|\\["\\/bfnrt]|\\u\{[0-9A-Fa-f]+\}|\\u(?:[0-9A-CEFa-cef][0-9A-Fa-f]{3}|[dD][0-7][0-9A-Fa-f]{2}|[dD][89ABab][0-9A-Fa-f]{2}\\u[dD][C-Fc-f][0-9A-Fa-f]{2}))*"` +
	`)`)

// isLexical reports whether a text consists of the specification's tokens.
func isLexical(text string) bool {
	for text != "" {
		token := lexeme.FindString(text)
		if token == "" {
			return false
		}
		text = text[len(token):]
		number := token[0] == '-' || isDigit(token[0])
		if number && text != "" && (isNamePart(text[0]) || text[0] == '.') {
			return false
		}
	}
	return true
}

// Accepted texts consist of the specification's tokens.
func FuzzLexemes(f *testing.F) {
	for _, seed := range []string{
		`{a(x: 10after: 1)}`, `{a(x: "\uD83D\uDE00 \u{1F600}")}`, `{a(x: """a\""" "" """)}`, "{a # 1x\n}", `{a(x: [1.5e3 -0 "a""b"])}`, `{a(x: """"""")}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ToValidUTF8(text, "") != text {
			return // front refuses it
		}
		if _, err := Parse(text, Options{}); err == nil && !isLexical(text) {
			t.Errorf("%q is taken", text)
		}
	})
}
