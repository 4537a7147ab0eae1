package front

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// What encoding/json reads without a word, and different readers differently.
var (
	errTwice = fault.New(fault.BadRequest, "an object in the request's JSON has two members of one name")
	errHalf  = fault.New(fault.BadRequest, "a text in the request's JSON has half of a surrogate pair")
	errDeep  = fault.New(fault.BadRequest, "the request's JSON nests more than %d objects and lists", maxNesting)
)

// maxNesting bounds how deep the JSON of a request nests. Documents have the same bound.
// gqlgen reads input objects in time that grows with the square of their depth.
const maxNesting = 500

// checkJSON refuses valid JSON in which an object has two members of one name (RFC 8259, 4)
// or a text has a surrogate without the other half of its pair (8.2), and what nests
// too deep, with so many objects and lists around it. It takes linear time.
func checkJSON(text []byte, around int) error {
	var (
		scopeRoom [8]scope
		nameRoom  [16][]byte
	)
	scopes, names := scopeRoom[:0], nameRoom[:0] // names holds the names of the open objects
	name := false                                // the next text is a member's name
	for at := 0; at < len(text); at++ {
		switch text[at] {
		case '{', '[':
			if around+len(scopes) == maxNesting {
				return errDeep
			}
			name = text[at] == '{'
			scopes = append(scopes, scope{object: name, from: len(names)})
		case '}', ']':
			last := len(scopes) - 1
			names, scopes, name = names[:scopes[last].from], scopes[:last], false
		case ',':
			name = scopes[len(scopes)-1].object
		case '"':
			start := at
			for at++; text[at] != '"'; at++ {
				if text[at] == '\\' {
					at++
				}
			}
			quoted := text[start : at+1]
			if halfPair(quoted) {
				return errHalf
			}
			if !name {
				continue
			}
			one, inside := unquoted(quoted), &scopes[len(scopes)-1]
			if inside.has(names[inside.from:], one) {
				return errTwice
			}
			names, name = append(names, one), false
		}
	}
	return nil
}

// scope is an object or a list that is open.
type scope struct {
	object bool
	from   int             // where its names begin
	known  map[string]bool // its names, once they are many
}

// fewNames are compared one by one.
const fewNames = 8

// has reports whether a name is among those that the scope has, and adds it.
func (s *scope) has(names [][]byte, name []byte) bool {
	if len(names) < fewNames {
		return slices.ContainsFunc(names, func(known []byte) bool { return bytes.Equal(known, name) })
	}
	if s.known == nil {
		s.known = make(map[string]bool, 4*fewNames)
		for _, known := range names {
			s.known[string(known)] = true
		}
	}
	known := s.known[string(name)]
	s.known[string(name)] = true
	return known
}

// unquoted is the text that stands between quotes.
func unquoted(quoted []byte) []byte {
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') < 0 {
		return name
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // valid
	return []byte(text)
}

// halfPair reports whether a valid text has an escaped surrogate without the other half.
func halfPair(quoted []byte) bool {
	for {
		at := bytes.IndexByte(quoted, '\\')
		if at < 0 {
			return false
		}
		quoted = quoted[at:]
		first := codeUnit(quoted)
		switch {
		case first < 0:
			quoted = quoted[len(`\n`):]
			continue
		case !utf16.IsSurrogate(first):
		case utf16.DecodeRune(first, codeUnit(quoted[len(`\u0000`):])) == utf8.RuneError:
			return true
		default:
			quoted = quoted[len(`\u0000`):]
		}
		quoted = quoted[len(`\u0000`):]
	}
}

// codeUnit reads \uXXXX; -1 where a text does not begin so.
func codeUnit(text []byte) rune {
	if len(text) < len(`\u0000`) || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}
