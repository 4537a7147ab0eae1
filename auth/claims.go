package auth

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxDate is the end of the year 9999, in Unix seconds. Larger numbers are milliseconds by
// mistake, or overflow when they are converted to a time.
const maxDate = 253402300799

// checkDate returns an error if a claim is present and not a NumericDate (RFC 7519, 2). The
// library compares the dates afterwards, and converts any number without such a check.
func checkDate(claims map[string]any, name string) error {
	claim, ok := claims[name]
	if !ok {
		return nil
	}
	number, ok := claim.(json.Number)
	if !ok {
		return fmt.Errorf("%s is not a number", name)
	}
	seconds, err := number.Float64()
	if err != nil || seconds < 0 || seconds > maxDate {
		return fmt.Errorf("%s is not a date", name)
	}
	return nil
}

// scopesOf returns the scopes in the claim "scope" (RFC 8693, 4.2), or in "scp" if there is
// no "scope": one string with names separated by spaces (RFC 6749, 3.3), or a list of
// names. Any other value grants nothing.
func scopesOf(claims map[string]any) []string {
	claim, ok := claims["scope"]
	if !ok {
		claim = claims["scp"]
	}
	if text, ok := claim.(string); ok {
		return unique(strings.Split(text, " "))
	}
	return stringList(claim)
}

// rolesOf returns the roles in the claim at path: one role, or a list of them. Any other
// value grants nothing.
func rolesOf(claims map[string]any, path string) []string {
	claim, _ := lookup(claims, path)
	if role, ok := claim.(string); ok {
		return unique([]string{role})
	}
	return stringList(claim)
}

// stringList returns the strings in a list, without duplicates; nil for other values.
func stringList(claim any) []string {
	list, _ := claim.([]any)
	var names []string
	for _, element := range list {
		if name, ok := element.(string); ok {
			names = append(names, name)
		}
	}
	return unique(names)
}

// unique returns names without duplicates and empty names.
func unique(names []string) []string {
	seen := map[string]bool{"": true}
	var kept []string
	for _, name := range names {
		if !seen[name] {
			seen[name] = true
			kept = append(kept, name)
		}
	}
	return kept
}

// lookup returns the value at a dotted path. A name may itself contain dots, such as
// "https://shop.example/roles", so that the whole path is tried before its parts.
func lookup(object map[string]any, path string) (any, bool) {
	if value, ok := object[path]; ok {
		return value, true
	}
	for i, ch := range path {
		if ch != '.' {
			continue
		}
		if inner, ok := object[path[:i]].(map[string]any); ok {
			if value, ok := lookup(inner, path[i+1:]); ok {
				return value, true
			}
		}
	}
	return nil, false
}
