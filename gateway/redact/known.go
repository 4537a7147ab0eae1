package redact

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// minKnown is the length of the shortest known secret that is searched for, in bytes. A shorter
	// one would be found in most texts.
	minKnown = 6
	// minMatch is the number of characters of a known secret that count as a match where other text
	// follows. At the end of a text, which may have been cut off, minKnown of them do.
	minMatch = 12
	// maxSlashes is the greatest number of backslashes before a character: a text that was quoted
	// four times has as many.
	maxSlashes = 1<<4 - 1
)

// Variants returns the texts by which Text finds secrets: the secrets, their credentials without a
// scheme such as Bearer, the decoded credentials and the password of the scheme Basic, and all of
// these in base64. It leaves out those that are too short. Text finds them with any escapes.
func Variants(secrets ...string) []string {
	var known []string
	add := func(text string) {
		if len(text) >= minKnown && !slices.Contains(known, text) {
			known = append(known, text)
		}
	}
	for _, secret := range secrets {
		scheme, credentials, _ := strings.Cut(secret, " ")
		texts := []string{secret, credentials}
		if strings.EqualFold(scheme, "basic") {
			decoded, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
			_, password, _ := strings.Cut(string(decoded), ":")
			texts = append(texts, string(decoded), password)
		}
		for _, text := range texts {
			add(text)
			add(base64.RawStdEncoding.EncodeToString([]byte(text)))
		}
	}
	// One secret may begin with another one, which must not match first.
	slices.SortStableFunc(known, func(a, b string) int { return len(b) - len(a) })
	return known
}

// redactKnown replaces a known secret in a text, also one whose end is missing. It takes linear time: a
// comparison that fails ends after a few characters, and one that succeeds is not repeated.
func redactKnown(text, secret string) string {
	if len(secret) < minKnown {
		return text
	}
	var b strings.Builder
	done := 0
	for at := 0; at < len(text); {
		n := 0
		if mayBegin(text[at], secret[0]) {
			n = matchLength(text[at:], secret)
		}
		if n == 0 {
			at++
			continue
		}
		b.WriteString(text[done:at] + Mask)
		at += n
		done = at
	}
	if done == 0 {
		return text
	}
	return b.String() + text[done:]
}

// mayBegin reports whether a character may begin with an octet that is written as c.
func mayBegin(c, first byte) bool {
	return c|0x20 == first|0x20 || c == '\\' || c == '%' || c == '&'
}

// matchLength returns the length of the secret at the beginning of a text, which may lack its end, or 0
// if there is none.
func matchLength(text, secret string) int {
	end, found := 0, 0
	for _, want := range secret {
		n := characterLength(text[end:], want)
		if n == 0 {
			if found < minMatch && !isCutOff(text[end:], secret, found) {
				return 0
			}
			break
		}
		end += n
		found++
	}
	return end
}

// isCutOff reports whether the text ends behind the first found characters of a secret, and these are
// enough. With a scheme the characters may be the scheme alone.
func isCutOff(rest, secret string, found int) bool {
	return found >= minKnown && isEnd(rest) && !strings.Contains(secret, " ")
}

// isEnd reports whether a text has only what closes a text that was cut off.
func isEnd(text string) bool { return strings.Trim(text, "\\\"'…") == "" }

// characterLength returns the number of bytes that a text has for its first character, or 0 if that is
// not the wanted one. The character may be in lower or upper case, escaped by backslashes or as
// \uXXXX, percent-encoded, or a character reference of HTML.
func characterLength(text string, want rune) int {
	slashes := 0
	for slashes < min(len(text), maxSlashes) && text[slashes] == '\\' {
		slashes++
	}
	rest := text[slashes:]
	switch {
	case want == '\\' && slashes > 0:
		return 1
	case rest == "":
		return 0
	case isCharacter(rest, want):
		return slashes + utf8.RuneLen(want)
	case slashes > 0 && rest[0] == 'u' && len(rest) >= len("u0000"):
		return lengthIfCode(slashes+len("u0000"), rest[1:5], 16, want)
	case slashes > 0 && strings.ContainsRune("\n\r\t", want):
		return escapeLength(rest[0], want) * (slashes + 1)
	case slashes > 0:
		return 0
	case rest[0] == '%':
		return percentEncodedLength(rest, want)
	case rest[0] == '&':
		return characterReferenceLength(rest, want)
	case want == ' ' && rest[0] == '+':
		return 1
	}
	return 0
}

// isCharacter reports whether text begins with a character, without regard to case.
func isCharacter(text string, want rune) bool {
	if want < utf8.RuneSelf {
		return text != "" && (rune(text[0]) == want || unicode.IsLetter(want) && rune(text[0]|0x20) == want|0x20)
	}
	n := utf8.RuneLen(want)
	return n > 0 && n <= len(text) && strings.EqualFold(text[:n], string(want))
}

// escapeLength returns 1 if a letter is the escape of a control character, and 0 otherwise.
func escapeLength(letter byte, control rune) int {
	if i := strings.IndexRune("\n\r\t", control); i >= 0 && "nrt"[i] == letter {
		return 1
	}
	return 0
}

// lengthIfCode returns n if a number is the code point of the wanted character, and 0 otherwise.
func lengthIfCode(n int, number string, base int, want rune) int {
	if code, err := strconv.ParseUint(number, base, 32); err != nil || !isCharacter(string(rune(code)), want) {
		return 0
	}
	return n
}

// percentEncodedLength is characterLength for percent-encoded bytes. The percent sign may be encoded
// as well.
func percentEncodedLength(text string, want rune) int {
	end := 0
	var decoded []byte
	for len(decoded) < utf8.RuneLen(want) {
		if !strings.HasPrefix(text[end:], "%") {
			return 0
		}
		for end++; strings.HasPrefix(text[end:], "25") && want != '%'; {
			end += len("25")
		}
		if end+2 > len(text) {
			return 0
		}
		octet, err := strconv.ParseUint(text[end:end+2], 16, 8)
		if err != nil {
			return 0
		}
		decoded, end = append(decoded, byte(octet)), end+2
	}
	if !isCharacter(string(decoded), want) {
		return 0
	}
	return end
}

// htmlEntities are the named character references that HTML libraries write.
var htmlEntities = map[string]rune{"amp": '&', "lt": '<', "gt": '>', "quot": '"', "apos": '\''}

// characterReferenceLength is characterLength for a character reference of HTML.
func characterReferenceLength(text string, want rune) int {
	name, _, ok := strings.Cut(text[1:min(len(text), len("&#x10FFFF;"))], ";")
	n := len(name) + len("&;")
	switch {
	case !ok:
		return 0
	case strings.HasPrefix(name, "#x"), strings.HasPrefix(name, "#X"):
		return lengthIfCode(n, name[2:], 16, want)
	case strings.HasPrefix(name, "#"):
		return lengthIfCode(n, name[1:], 10, want)
	case htmlEntities[name] == want:
		return n
	}
	return 0
}
