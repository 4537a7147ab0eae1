package upstreams

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var sourceName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// CheckNames returns what is wrong with the names of sources, by the names. A name must be one that
// environment variables can contain, and no two names may have the same variables.
func CheckNames(names []string) map[string]error {
	wrong, variables := map[string]error{}, map[string]string{}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if !sourceName.MatchString(name) {
			wrong[name] = errors.New("a source's name consists of letters, digits, - and _, and begins with a letter")
			continue
		}
		word := EnvironmentWord(name)
		if other, taken := variables[word]; taken {
			wrong[name] = fmt.Errorf("%q and %q have the same variables in the environment; rename one of them", name, other)
		}
		variables[word] = name
	}
	return wrong
}

// EnvironmentWord returns a name of the file in upper case, with an underscore before each word:
// maxResponse is MAX_RESPONSE, and user-api is USER_API.
func EnvironmentWord(name string) string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		switch {
		case r >= 'A' && r <= 'Z' && lower:
			b.WriteByte('_')
			b.WriteRune(r)
		case r >= 'a' && r <= 'z':
			b.WriteRune(r - 'a' + 'A')
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
		lower = r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	}
	return b.String()
}
