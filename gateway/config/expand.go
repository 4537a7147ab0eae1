package config

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	variable   = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}`)
	opensBrace = "${"
)

type expansion struct {
	text  string
	names []string // of the variables, those with a default used too
}

// expand fills ${VAR} and ${VAR:-default} in. A default stands in for a variable that is
// unset or empty, as in a shell; $${ writes a literal ${. It works on a value
// that YAML has already read, so what a variable holds can never become structure.
// Errors name the variable and never what one holds.
func expand(text string, lookup func(string) (string, bool)) (expansion, error) {
	var done expansion
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, opensBrace)
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
		match := variable.FindStringSubmatch(opensBrace + rest)
		if match == nil {
			return done, fmt.Errorf("\"${\" must begin ${NAME} or ${NAME:-default}; for a literal one write $${")
		}
		value, err := valueOf(match, lookup)
		if err != nil {
			return done, err
		}
		b.WriteString(value)
		done.names = append(done.names, match[1])
		text = rest[len(match[0])-len(opensBrace):]
	}
}

func valueOf(match []string, lookup func(string) (string, bool)) (string, error) {
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
