// Package redact takes secrets out of texts, above all out of the log. It is the one place
// that knows what secrets look like.
//
// It promises that it takes linear time, and that no record of a log is lost: of a record
// that holds a secret, the secret alone is replaced. It cannot know a secret that has none
// of the forms it knows and that nobody has told it.
package redact

import (
	"regexp"
	"slices"
	"strings"
)

// Mask stands where a secret was.
const Mask = "[redacted]"

// secretPattern is how secrets of one kind are written, and what stands there instead. A text that
// holds none of the signs, in lower or upper case, is not looked through: that costs much.
type secretPattern struct {
	name        string
	markers     []string
	pattern     *regexp.Regexp
	replacement string
}

// secretPatterns are secrets that tell what they are, wherever they stand.
var secretPatterns = []secretPattern{
	{
		"private key",
		[]string{"PRIVATE KEY"},
		regexp.MustCompile(`(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)`), Mask,
	},
	{
		"user information of a URL",
		[]string{"@"},
		regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*:(?:\\*/){2})[^\s/?#@"\\]*@`), "${1}" + Mask + "@",
	},
	{
		"the same, cut off",
		[]string{":/", `:\`},
		regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*:(?:\\*/){2})[^\s/?#@:"\\\[]*:[0-9]*[A-Za-z_%!$.~-][^\s/?#@"\\]*`), "${1}" + Mask,
	},
	{
		"scheme with credentials",
		[]string{"bearer", "basic", "apikey"},
		regexp.MustCompile(`(?i)\b(bearer|basic|apikey)(?:\s|%20|\+|:|=|["'<]|\\+(?:[nrt"']|u0020))+[A-Za-z0-9+/=._~%-]{4,}`), "${1} " + Mask,
	},
	{
		"JSON web token",
		[]string{"eyJ"},
		regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)*`), Mask,
	},
	{
		"key of AWS",
		[]string{"AKIA", "ASIA", "AROA", "AIDA"},
		regexp.MustCompile(`\b(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}`), Mask,
	},
	{
		"key of a known service",
		[]string{"ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "xox", "k_live_", "k_test_", "AIza", "glpat-"},
		regexp.MustCompile(`\b(?:gh[pousr]_|github_pat_|xox[abeprs]-|[rs]k_(?:live|test)_|AIza|glpat-)[A-Za-z0-9_-]{10,}`), Mask,
	},
}

// mayMatch reports whether a text may hold a secret of the form.
func (f *secretPattern) mayMatch(text string) bool {
	return slices.ContainsFunc(f.markers, func(sign string) bool { return containsFold(text, sign) })
}

// containsFold is strings.Contains for a sign of ASCII in any case.
func containsFold(text, sign string) bool {
	for i := 0; i+len(sign) <= len(text); i++ {
		if text[i]|0x20 == sign[0]|0x20 && strings.EqualFold(text[i:i+len(sign)], sign) {
			return true
		}
	}
	return false
}

// namedSecret finds a name of a secret and what stands between it and its value: a header, a
// member of JSON, a parameter of a URL, a setting, or a pair of a name and a value that are
// members of one object. The quotes may be escaped.
var namedSecret = regexp.MustCompile(`(?i)((?:proxy-)?authorization|(?:set-)?cookie2?|` +
	`[a-z0-9_.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?|signature|api[_-]?key|(?:access|private|secret|session|auth|signing|encryption)[_-]?key|sess(?:ion)?[_-]?id|connect\.sid|jwt))` +
	quote + `?(?:(?:\s|%20)*(?:[:=]|%3[Aa]|%3[Dd]|=>)|>|(` + quote + `\s*,)(?:\s*` + quote + `values?` + quote + `(\s*[:=]))?)\s*`)

// quote is one that may be escaped, also as a character reference of HTML.
const quote = `(?:\\*["']|&quot;|&#34;|&#39;)`

// htmlQuote finds a quote that is a character reference at the beginning of a text.
var htmlQuote = regexp.MustCompile(`^&(?:quot|#34|#39);`)

// nameMarkers are parts of the names; each name has one of them.
var nameMarkers = []string{"auth", "cookie", "pass", "pwd", "secret", "token", "credential", "signature", "key", "sess", "connect.sid", "jwt"}

// headerName tells the names of headers whose values go on to the end of the line.
var headerName = regexp.MustCompile(`(?i)^(?:(?:proxy-)?authorization|(?:set-)?cookie2?|x-.*)$`)

// Text returns text without secrets: those of the known forms, those that a name tells of,
// and the known ones.
func Text(text string, known ...string) string {
	for _, secret := range known {
		text = redactKnown(text, secret)
	}
	if isWord(text) {
		return text
	}
	if strings.ContainsAny(text, ":=%>,") && slices.ContainsFunc(nameMarkers, func(s string) bool { return containsFold(text, s) }) {
		text = redactNamed(text)
	}
	for i := range secretPatterns {
		if f := &secretPatterns[i]; f.mayMatch(text) && f.pattern.MatchString(text) {
			text = f.pattern.ReplaceAllString(text, f.replacement)
		}
	}
	return text
}

// isWord reports whether a text has only small letters and digits, as most that are logged
// for every request: no form is without another character.
func isWord(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// redactNamed takes out the values behind names of secrets.
func redactNamed(text string) string {
	places := namedSecret.FindAllStringSubmatchIndex(text, -1)
	if places == nil {
		return text
	}
	var b strings.Builder
	done := 0
	for _, place := range places {
		from := place[1]
		if from < done {
			continue // inside of a value
		}
		isHeader := headerName.MatchString(text[place[2]:place[3]])
		if isListed := place[4] >= 0 && place[6] < 0; isListed && !isHeader {
			continue // it is one of several names
		}
		prefix, end := valueBounds(text, from, isHeader)
		if end == from+prefix || isPlaceholder(text[from:end]) {
			continue
		}
		b.WriteString(text[done:from+prefix] + Mask)
		done = end
	}
	b.WriteString(text[done:])
	return b.String()
}

// isPlaceholder reports whether a value is none.
func isPlaceholder(value string) bool {
	return slices.Contains([]string{"null", "true", "false", "nil", Mask}, value)
}

// valueBounds finds where the value ends that begins at from, and how much of its beginning may
// stay. A value in quotes ends at a quote that is escaped as often as the first; one in
// brackets, at the bracket that closes them; that of a header, or a block of YAML, at the end of its line; and
// any other before white space or what separates values.
func valueBounds(text string, from int, line bool) (prefix, end int) {
	rest := text[from:]
	slashes := len(rest) - len(strings.TrimLeft(rest, `\`))
	switch quoted := rest[slashes:]; {
	case quoted == "":
		return 0, len(text)
	case quoted[0] == '"', quoted[0] == '\'' && slashes == 0:
		return slashes + 1, from + slashes + 1 + indexClosingQuote(quoted[1:], quoted[0], slashes)
	case htmlQuote.MatchString(rest):
		mark := htmlQuote.FindString(rest)
		before, _, _ := strings.Cut(rest[len(mark):], mark)
		return len(mark), from + len(mark) + len(before)
	case rest[0] == '[', rest[0] == '{':
		return 0, from + indexClosingBracket(rest)
	case line, rest[0] == '|', rest[0] == '>':
		return 0, from + indexLineEnd(rest)
	}
	n := strings.IndexAny(rest, " \t\r\n,;&\"'`)]}<>\\")
	if n < 0 {
		n = len(rest)
	}
	return 0, from + n
}

// indexClosingQuote finds the quote that ends a text whose first quote has that many slashes
// before it.
func indexClosingQuote(text string, quote byte, slashes int) int {
	before := 0
	for i := range len(text) {
		switch text[i] {
		case '\\':
			before++
			continue
		case quote:
			if before <= slashes {
				return i - before
			}
		}
		before = 0
	}
	return len(text)
}

// indexClosingBracket finds the end of a list or an object.
func indexClosingBracket(text string) int {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(text)
}

// lineEnd is the end of a line, which may be escaped. A line that begins with white space goes
// on with the one before it, as in a header that is folded or a text of YAML.
var lineEnd = regexp.MustCompile(`(?:\r\n?|\n|\\+r|\\+n)+(?:[ \t]|\\+t)?`)

func indexLineEnd(text string) int {
	for from := 0; ; {
		at := lineEnd.FindStringIndex(text[from:])
		if at == nil {
			return len(text)
		}
		if last := text[from+at[1]-1]; last != ' ' && last != '\t' && last != 't' {
			return from + at[0]
		}
		from += at[1]
	}
}
