package caller

import "strings"

// The header Forwarded (RFC 7239): elements with commas between them, of pairs such as
// for="[2001:db8::1]:4711" with semicolons between them.

// cutLastForwarded returns the last element of a list, what stands before it, and whether more elements
// do. It reads from the end, so that a quotation mark that a client has sent cannot make the element of a
// proxy, which stands behind it, a part of a quoted string.
func cutLastForwarded(list string) (before, last string, more bool) {
	isQuoted := false
	for i := len(list) - 1; i >= 0; i-- {
		switch {
		case list[i] == '"' && !(isQuoted && isEscaped(list, i)):
			isQuoted = !isQuoted
		case list[i] == ',' && !isQuoted:
			return list[:i], list[i+1:], true
		}
	}
	return "", list, false
}

// isEscaped reports whether an odd number of backslashes stands before text[i].
func isEscaped(text string, i int) bool {
	start := i
	for start > 0 && text[start-1] == '\\' {
		start--
	}
	return (i-start)%2 == 1
}

// forwardedFor returns the value of the parameter for in an element. It reports false if there is none,
// or if the element is not one of RFC 7239, section 4. Spaces around semicolons are accepted, since
// proxies write them. A value with a quoted pair stays as it is written, and is no address then: none
// needs one.
func forwardedFor(element string) (node string, ok bool) {
	found := false
	for rest := element; rest != ""; {
		var pair string
		if pair, rest, ok = cutPair(rest); !ok {
			return "", false
		}
		if pair = strings.Trim(pair, " \t"); pair == "" {
			continue
		}
		name, value, hasValue := strings.Cut(pair, "=")
		if !hasValue || name == "" || strings.ContainsAny(name, " \t\"") {
			return "", false
		}
		if value, ok = unquote(value); !ok {
			return "", false
		}
		if strings.EqualFold(name, "for") {
			if found { // each parameter at most once
				return "", false
			}
			node, found = value, true
		}
	}
	return node, found
}

// cutPair returns the first pair of an element and what stands behind it. It reports false if a quoted
// string does not end.
func cutPair(element string) (pair, rest string, ok bool) {
	isQuoted := false
	for i := 0; i < len(element); i++ {
		switch c := element[i]; {
		case c == '\\' && isQuoted:
			i++
		case c == '"':
			isQuoted = !isQuoted
		case c == ';' && !isQuoted:
			return element[:i], element[i+1:], true
		}
	}
	return element, "", !isQuoted
}

// unquote returns a value without the quotation marks around it. It reports false for a value with
// quotation marks or spaces elsewhere.
func unquote(value string) (string, bool) {
	if inner, ok := strings.CutPrefix(value, `"`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); !ok {
			return "", false
		}
		for i := 0; i < len(inner); i++ {
			switch inner[i] {
			case '\\':
				i++
			case '"': // the value goes on behind its end
				return "", false
			}
		}
		return inner, true
	}
	return value, value != "" && !strings.ContainsAny(value, "\" \t")
}
