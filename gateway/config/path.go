package config

import (
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// parsePath returns the path of a setting that lies in no list, such as limits.depth.
func parsePath(setting string) yaml.Path {
	var p yaml.Path
	for name := range strings.SplitSeq(setting, ".") {
		p = p.Key(name)
	}
	return p
}

// environmentName returns the name of the variable that sets the setting at p:
// sources.users.maxResponse is GATEWAY_SOURCES_USERS_MAX_RESPONSE.
func environmentName(p yaml.Path) string {
	var b strings.Builder
	b.WriteString("GATEWAY")
	for _, s := range p {
		b.WriteByte('_')
		if s.Index >= 0 {
			b.WriteString(strconv.Itoa(s.Index))
		} else {
			b.WriteString(environmentWord(s.Name))
		}
	}
	return b.String()
}

// environmentWord returns a name of the file in upper case, with an underscore before each word:
// maxResponse is MAX_RESPONSE, and user-api is USER_API.
func environmentWord(name string) string {
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
