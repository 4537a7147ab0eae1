package request

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/escape"
)

// Valid JSON that different readers understand differently, and that encoding/json accepts.
var (
	errDuplicateName = fault.New(fault.BadRequest, "an object in the request's JSON has two members of one name")
	errLoneSurrogate = fault.New(fault.BadRequest, "a string in the request's JSON has half of a surrogate pair")
)

// maxNesting bounds how deep the JSON of a request nests, as it does for documents: gqlgen reads
// input objects in time that grows with the square of their depth.
const maxNesting = 500

func errTooDeep(depth int) error {
	return fault.New(fault.BadRequest, "the request's JSON nests more than %d objects and lists, which is the limit (limits.jsonDepth)", depth)
}

// checkJSON returns an error for valid JSON in which an object has two members of one name
// (RFC 8259, section 4) or a string has a surrogate without the other half of its pair
// (section 8.2), and for JSON that nests too deep. Outer is the number of objects and lists
// that text stands in, and depth the limit for both. It takes linear time.
func checkJSON(text []byte, outer, depth int) error {
	var (
		scopeRoom [8]scope
		nameRoom  [16][]byte
	)
	scopes, names := scopeRoom[:0], nameRoom[:0] // names holds the names of the open objects
	name := false                                // the next string is a member's name
	for at := 0; at < len(text); at++ {
		switch text[at] {
		case '{', '[':
			if outer+len(scopes) == depth {
				return errTooDeep(depth)
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
			if hasLoneSurrogate(quoted) {
				return errLoneSurrogate
			}
			if !name {
				continue
			}
			unescaped, object := unquote(quoted), &scopes[len(scopes)-1]
			if object.add(names[object.from:], unescaped) {
				return errDuplicateName
			}
			names, name = append(names, unescaped), false
		}
	}
	return nil
}

// scope is an object or a list whose end has not been read.
type scope struct {
	object bool
	from   int             // the index of its first name
	known  map[string]bool // its names, if they are more than fewNames
}

// fewNames is up to how many names are compared one by one.
const fewNames = 8

// add adds a name to those of the object, and reports whether it was among them.
func (s *scope) add(names [][]byte, name []byte) bool {
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

// unquote returns the text of a valid JSON string.
func unquote(quoted []byte) []byte {
	name := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(name, '\\') < 0 {
		return name
	}
	var text string
	_ = json.Unmarshal(quoted, &text) // valid
	return []byte(text)
}

// hasLoneSurrogate reports whether a valid JSON string has an escaped surrogate without the
// other half of its pair.
func hasLoneSurrogate(quoted []byte) bool {
	for {
		i := bytes.IndexByte(quoted, '\\')
		if i < 0 {
			return false
		}
		n, ok := escape.Length(quoted[i:])
		if !ok {
			return true
		}
		quoted = quoted[i+n:]
	}
}
