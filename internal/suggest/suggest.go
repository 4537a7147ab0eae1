// Package suggest finds the known name that a misspelled one most likely stands for. It is the
// one "did you mean" of settings, tests of bindings, and schemas, so that all of them judge
// similarity by the same rule. It promises the same suggestion for the same input.
package suggest

import (
	"fmt"
	"strings"

	"github.com/agnivade/levenshtein"
)

// maxListed is the greatest number of known names that a message lists.
const maxListed = 13

// Nearest returns the index of the known name with the smallest edit distance from name, without
// regard to case, or -1 if none is similar. A name is similar if at most half as many edits as
// name has bytes turn it into name; of equally similar names the first one wins.
func Nearest(name string, known []string) int {
	index, limit := -1, len(name)/2+1
	lower := strings.ToLower(name)
	for i, k := range known {
		if d := levenshtein.ComputeDistance(lower, strings.ToLower(k)); d < limit {
			index, limit = i, d
		}
	}
	return index
}

// DidYouMean returns the end of a message that says that name is not one of known: the nearest
// known name, or, if none is similar, a list of the known names where these are few. It begins
// with a semicolon, or is empty where it has nothing to suggest.
func DidYouMean(name string, known []string) string {
	switch i := Nearest(name, known); {
	case i >= 0:
		return fmt.Sprintf("; did you mean %q?", known[i])
	case len(known) == 0, len(known) > maxListed:
		return ""
	case len(known) == 1:
		return "; there is " + known[0]
	}
	return "; there are " + strings.Join(known, ", ")
}
