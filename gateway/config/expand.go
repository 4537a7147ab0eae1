package config

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	variablePattern = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)
	openBrace       = "${"
)

// expansion is a text with its variables filled in.
type expansion struct {
	text      string
	variables []string // all that the text names, those included whose default was used
}

// expand replaces ${VAR} and ${VAR:-default} in a text. The default replaces a variable that is
// unset or empty, as in a shell; $${ stands for a literal ${. The text is a value that the YAML
// reader has returned, so that the content of a variable can never become structure, and it is not
// expanded again. Errors have the name of a variable and never its content.
func expand(text string, lookup func(string) (string, bool)) (expansion, error) {
	var done expansion
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, openBrace)
		if !found {
			b.WriteString(text)
			done.text = b.String()
			return done, nil
		}
		b.WriteString(before)
		if strings.HasSuffix(before, "$") {
			b.WriteString("{")
			text = rest
			continue
		}
		match := variablePattern.FindStringSubmatch(openBrace + rest)
		if match == nil {
			return done, fmt.Errorf("\"${\" must begin ${NAME} or ${NAME:-default}; for a literal one write $${")
		}
		value, err := lookupVariable(match, lookup)
		if err != nil {
			return done, err
		}
		b.WriteString(value)
		done.variables = append(done.variables, match[1])
		text = rest[len(match[0])-len(openBrace):]
	}
}

// lookupVariable returns the value of a variable that variablePattern has matched.
func lookupVariable(match []string, lookup func(string) (string, bool)) (string, error) {
	name, hasDefault := match[1], match[2] != ""
	value, set := lookup(name)
	switch {
	case value == "" && hasDefault:
		return match[3], nil
	case !set:
		return "", fmt.Errorf("the environment variable %s is not set; set it, or give a default: ${%s:-default}", name, name)
	}
	return value, nil
}
