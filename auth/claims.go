package auth

import (
	"encoding/json"
	"fmt"
	"strings"
)

// maxDate is the end of the year 9999 in seconds. Beyond lie milliseconds taken
// for seconds, and numbers that overflow on the way to a time.
const maxDate = 253402300799

// checkDate fails when a claim is there and is no date, so that what reads it
// afterwards cannot be led astray.
func checkDate(claims map[string]any, name string) error {
	claim, given := claims[name]
	if !given {
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

// scopesOf reads "scope", or "scp" when there is none: one text with names parted
// by spaces (RFC 6749, 3.3), or a list of names. What is neither grants nothing.
func scopesOf(claims map[string]any) []string {
	claim, given := claims["scope"]
	if !given {
		claim = claims["scp"]
	}
	if text, ok := claim.(string); ok {
		return unique(strings.Split(text, " "))
	}
	return texts(claim)
}

// rolesOf reads the claim at path: one role, or a list of them. What is neither
// grants nothing.
func rolesOf(claims map[string]any, path string) []string {
	claim, _ := lookup(claims, path)
	if role, ok := claim.(string); ok {
		return unique([]string{role})
	}
	return texts(claim)
}

func texts(claim any) []string {
	list, _ := claim.([]any)
	var found []string
	for _, element := range list {
		if text, ok := element.(string); ok {
			found = append(found, text)
		}
	}
	return unique(found)
}

// unique keeps the first of each name and drops empty ones.
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

// lookup follows a dotted path. Names may hold dots themselves, as in
// "https://shop.example/roles": the whole path is tried before its parts.
func lookup(object map[string]any, path string) (any, bool) {
	if value, ok := object[path]; ok {
		return value, true
	}
	for at, letter := range path {
		if letter != '.' {
			continue
		}
		if inner, ok := object[path[:at]].(map[string]any); ok {
			if value, ok := lookup(inner, path[at+1:]); ok {
				return value, true
			}
		}
	}
	return nil, false
}
