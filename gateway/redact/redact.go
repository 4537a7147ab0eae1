// Package redact replaces secrets in texts, above all in the log. It is the one place that knows what
// secrets look like.
//
// It promises linear time, and that no record of a log is lost: in a record with a secret it replaces
// the secret alone. It cannot recognize a secret that matches none of its patterns and is not
// among the known ones.
package redact

import (
	"regexp"
	"slices"
	"strings"
)

// Mask stands where a secret was.
const Mask = "[redacted]"

// secretPattern matches the secrets of one kind. The pattern runs only on texts that contain one of the
// markers, in lower or upper case, since a regular expression is expensive.
type secretPattern struct {
	name        string
	markers     []string
	pattern     *regexp.Regexp
	replacement string
}

// secretPatterns match secrets that can be recognized wherever they stand.
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
		"address of a person's mail", // personal data, which the beginnings of services' responses may have
		[]string{"@", "%40"},
		regexp.MustCompile(`[A-Za-z0-9][A-Za-z0-9._%+'-]*(?:@|%40)(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}\b`), Mask,
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

// mayMatch reports whether a text contains one of the markers.
func (f *secretPattern) mayMatch(text string) bool {
	return slices.ContainsFunc(f.markers, func(sign string) bool { return containsFold(text, sign) })
}

// containsFold is strings.Contains for an ASCII marker, without regard to case.
func containsFold(text, sign string) bool {
	for i := 0; i+len(sign) <= len(text); i++ {
		if text[i]|0x20 == sign[0]|0x20 && strings.EqualFold(text[i:i+len(sign)], sign) {
			return true
		}
	}
	return false
}

// namedSecret matches the name of a secret and what separates it from its value, where the name is that
// of a header, of a member of JSON, of a parameter of a URL or of a setting, or where name and value
// are two members of one object. Quotes may be escaped.
var namedSecret = regexp.MustCompile(`(?i)((?:proxy-)?authorization|(?:set-)?cookie2?|\bsig|` +
	`[a-z0-9_.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|credentials?|signature|api[_-]?key|(?:access|private|secret|session|auth|signing|encryption)[_-]?key|sess(?:ion)?[_-]?id|connect\.sid|jwt))` +
	quote + `?(?:(?:\s|%20)*(?:[:=]|%3[Aa]|%3[Dd]|=>)|>|(` + quote + `\s*,)(?:\s*` + quote + `values?` + quote + `(\s*[:=]))?)\s*`)

// quote matches a quote, which may be escaped by backslashes or be a character reference of HTML.
const quote = `(?:\\*["']|&quot;|&#34;|&#39;)`

// htmlQuote matches a quote at the beginning of a text that is a character reference.
var htmlQuote = regexp.MustCompile(`^&(?:quot|#34|#39);`)

// nameMarkers are parts of names. Each name that namedSecret matches has one of them.
var nameMarkers = []string{"auth", "cookie", "pass", "pwd", "secret", "token", "credential", "sig", "key", "sess", "connect.sid", "jwt"}

// headerName matches the names of headers, whose values end with the line.
var headerName = regexp.MustCompile(`(?i)^(?:(?:proxy-)?authorization|(?:set-)?cookie2?|x-.*)$`)

// Text returns text with Mask in the place of secrets: the known ones, those that follow the name of a
// secret, and those that match a pattern. See Variants for known.
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

// isWord reports whether a text has only lower-case letters and digits, as most values have that are
// logged for every request. Every pattern requires another character.
func isWord(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// redactNamed replaces the values that follow names of secrets.
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
			continue // within a value that was replaced
		}
		isHeader := headerName.MatchString(text[place[2]:place[3]])
		if isListed := place[4] >= 0 && place[6] < 0; isListed && !isHeader {
			continue // the name is an element of a list
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

// isPlaceholder reports whether a value cannot be a secret.
func isPlaceholder(value string) bool {
	return slices.Contains([]string{"null", "true", "false", "nil", Mask}, value)
}

// valueBounds returns the end of the value that begins at from, and the length of its prefix that may
// stay. A value in quotes ends at a quote with as many backslashes as the first one, a value in
// brackets at the closing bracket, the value of a header or a block of YAML at the end of the line,
// and any other value before white space or a separator.
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

// indexClosingQuote returns the index of the quote that ends a text whose opening quote has slashes
// backslashes before it, or the length of the text. A quote with more of them is escaped within.
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

// indexClosingBracket returns the index behind the bracket that closes the first one, or the length of
// the text.
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

// lineEnd matches the end of a line, which may be escaped, and white space at the beginning of the next
// line. Such a line continues the one before it, as in a folded header or a block of YAML.
var lineEnd = regexp.MustCompile(`(?:\r\n?|\n|\\+r|\\+n)+(?:[ \t]|\\+t)?`)

// indexLineEnd returns the index of the end of the first line with its continuations.
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
