package documents

import "strings"

// hashPrefix begins an id that is the SHA-256 of the document's text (GraphQL over HTTP, appendix
// Persisted Documents).
const hashPrefix = "sha256:"

// canonicalID returns an id without the prefix sha256:, and whether it had that prefix. Then the id
// must be the hash of the document.
func canonicalID(id string) (canonical string, isHash bool) { return strings.CutPrefix(id, hashPrefix) }

// isHash reports whether an id has the form of a SHA-256 in lower-case hexadecimal digits.
func isHash(id string) bool {
	if len(id) != 64 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// isID reports whether a text may be the id of a document.
func isID(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}
