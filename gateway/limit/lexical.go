package limit

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/escape"
)

// checkLexicalTokens refuses what the lexer of gqlparser accepts although the specification
// (September 2025, section 2.1) does not: a number that a name or another number follows (2.1.7 and
// 2.9.1, "lookahead"), half a surrogate pair, and a block string that ends with more than three
// quotes. All other errors are left to gqlparser, whose messages are better.
func checkLexicalTokens(query string) error {
	for at := 0; at < len(query); {
		end, wrong := at+1, ""
		switch c := query[at]; {
		case c == '#':
			end = endOfComment(query, at)
		case strings.HasPrefix(query[at:], `"""`):
			end, wrong = endOfBlock(query, at)
		case c == '"':
			end, wrong = endOfString(query, at)
		case isNameStart(c):
			end = skipWhile(query, at, isNamePart)
		case c == '-' || isDigit(c):
			end, wrong = endOfNumber(query, at)
		}
		if wrong != "" {
			return lexicalError(query[:end], wrong)
		}
		at = end
	}
	return nil
}

// lexicalError returns a syntax error at the end of the text before it.
func lexicalError(before, message string) error {
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(before)
	last := lines[strings.LastIndexByte(lines, '\n')+1:]
	return &gqlerror.Error{
		Message:    message,
		Locations:  []gqlerror.Location{{Line: strings.Count(lines, "\n") + 1, Column: utf8.RuneCountInString(last) + 1}},
		Extensions: map[string]any{"code": string(fault.ParseFailed)},
	}
}

func endOfComment(text string, at int) int {
	return skipWhile(text, at, func(c byte) bool { return c != '\n' && c != '\r' })
}

// endOfNumber returns the end of the longest number at a position, and what is wrong behind it.
func endOfNumber(text string, at int) (end int, wrong string) {
	digits := func(from int) int { return skipWhile(text, from, isDigit) }
	end = digits(at + 1)
	if end+1 < len(text) && text[end] == '.' && isDigit(text[end+1]) {
		end = digits(end + 1)
	}
	if end < len(text) && text[end]|0x20 == 'e' {
		exponent := end + 1
		if exponent < len(text) && (text[exponent] == '+' || text[exponent] == '-') {
			exponent++
		}
		if exponent < len(text) && isDigit(text[exponent]) {
			end = digits(exponent)
		}
	}
	if end < len(text) && (text[end] == '.' || isNameStart(text[end])) {
		wrong = fmt.Sprintf("Invalid number, expected digit but got: %q.", text[end:end+1])
	}
	return end, wrong
}

// endOfBlock returns the end of a block string, and what is wrong with it.
func endOfBlock(text string, at int) (end int, wrong string) {
	const quotes = `"""`
	for end = at + len(quotes); end < len(text); end++ {
		switch rest := text[end:]; {
		case strings.HasPrefix(rest, `\"""`):
			end += len(quotes)
		case strings.HasPrefix(rest, quotes+`"`):
			return end, "Invalid block string, expected three quotes at its end."
		case strings.HasPrefix(rest, quotes):
			return end + len(quotes), ""
		}
	}
	return end, ""
}

// endOfString returns the end of a string, or the position of an invalid escape and what is wrong.
func endOfString(text string, at int) (end int, wrong string) {
	for end = at + 1; end < len(text); end++ {
		switch text[end] {
		case '"':
			return end + 1, ""
		case '\n', '\r':
			return end, ""
		case '\\':
			n, ok := escape.Length(text[end:])
			if !ok {
				return end, fmt.Sprintf("Invalid Unicode escape sequence: %q.", text[end:min(end+n, len(text))])
			}
			end += n - 1
		}
	}
	return end, ""
}

// skipWhile returns the first position from at on whose byte is not of a kind.
func skipWhile(text string, at int, is func(byte) bool) int {
	for at < len(text) && is(text[at]) {
		at++
	}
	return at
}

func isDigit(c byte) bool     { return '0' <= c && c <= '9' }
func isNameStart(c byte) bool { return c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z' }
func isNamePart(c byte) bool  { return isNameStart(c) || isDigit(c) }
