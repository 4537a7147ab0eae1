package config

import (
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
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
			b.WriteString(upstreams.EnvironmentWord(s.Name))
		}
	}
	return b.String()
}
