package documents

import (
	"crypto/sha256"
	"strings"
)

// form identifies the tokens of a text, whatever is ignored between them (GraphQL, section Ignored
// Tokens): two texts that can be parsed have equal forms only if they have the same tokens.
type form [sha256.Size]byte

// formOf returns the form of a text. It takes linear time, and accepts texts that cannot be parsed.
func formOf(text string) form {
	var room [4 << 10]byte
	b := room[:0]
	for at := 0; at < len(text); {
		if strings.HasPrefix(text[at:], byteOrderMark) {
			at += len(byteOrderMark)
			continue
		}
		end := tokenEnd(text, at)
		if end == at { // an ignored character
			at++
			continue
		}
		if text[at] != '#' {
			b = append(append(b, text[at:end]...), '\n')
		}
		at = end
	}
	return sha256.Sum256(b)
}

// byteOrderMark is ignored like white space.
const byteOrderMark = "\ufeff"

// tokenEnd returns the end of the token or the comment that begins at a place, or the place itself if an
// ignored character is there. A number or a spread is several tokens, which nothing else consists of.
func tokenEnd(text string, at int) int {
	switch c := text[at]; {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == ',':
		return at
	case c == '#':
		if n := strings.IndexAny(text[at:], "\r\n"); n >= 0 {
			return at + n
		}
		return len(text)
	case strings.HasPrefix(text[at:], `"""`):
		return blockStringEnd(text, at+3)
	case c == '"':
		return stringEnd(text, at+1)
	case !isWord(c):
		return at + 1
	}
	end := at + 1
	for end < len(text) && isWord(text[end]) {
		end++
	}
	return end
}

func isWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// stringEnd returns the end of a string whose content begins at a place.
func stringEnd(text string, at int) int {
	for ; at < len(text); at++ {
		switch text[at] {
		case '"':
			return at + 1
		case '\\':
			at++
		case '\n', '\r':
			return at
		}
	}
	return len(text)
}

// blockStringEnd returns the end of a block string whose content begins at a place.
func blockStringEnd(text string, at int) int {
	for ; at < len(text); at++ {
		switch {
		case strings.HasPrefix(text[at:], `\"""`):
			at += 3
		case strings.HasPrefix(text[at:], `"""`):
			return at + 3
		}
	}
	return len(text)
}
