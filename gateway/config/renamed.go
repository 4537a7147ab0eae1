package config

import (
	"strings"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// The former names of settings and values. They are not accepted, since two names for one setting
// would stay for ever; the message about them has the present name.
var (
	// renamedSettings has the present path of a setting by its former path. A * stands for any name.
	renamedSettings = map[string]string{
		"execution.collapse":      "execution.coalesce",
		"sources.*.pool.maxCalls": "sources.*.concurrency.maxCalls",
	}
	// renamedValues has the present word of a setting by its path and former word.
	renamedValues = map[string]map[string]string{
		"execution.engine": {"stock": "gqlgen"},
	}
)

// renamedSetting returns the present path of the setting that was at p, or nil if none was.
func renamedSetting(p yaml.Path) yaml.Path {
	for former, present := range renamedSettings {
		if from := parsePath(former); len(from) == len(p) && matchesNames(from, p) {
			to := parsePath(present)
			for i := range to {
				if to[i].Name == anyName {
					to[i] = p[i]
				}
			}
			return to
		}
	}
	return nil
}

const anyName = "*"

// matchesNames reports whether p has the names of from, which is as long.
func matchesNames(from, p yaml.Path) bool {
	for i, step := range from {
		if step.Name != anyName && step != p[i] {
			return false
		}
	}
	return true
}

// presentName returns what to write in the place of the setting that was at p: the name if it is in
// the same block, and otherwise the path without the blocks that both are in.
func presentName(p, present yaml.Path) string {
	for i := range present {
		if i >= len(p)-1 || p[i] != present[i] {
			return present[i:].String()
		}
	}
	return present.String()
}

// renamedVariable returns the present name of a variable of the environment, "" if it has no
// former name.
func renamedVariable(variable string) string {
	const placeholder = "ANYNAME" // stands for the name, since a * has no place in a variable
	environment := func(setting string) string {
		return environmentName(parsePath(strings.Replace(setting, anyName, placeholder, 1)))
	}
	for former, present := range renamedSettings {
		before, after, hasAny := strings.Cut(environment(former), placeholder)
		name, matches := strings.CutPrefix(variable, before)
		if name, ends := strings.CutSuffix(name, after); matches && ends && hasAny == (name != "") {
			return strings.Replace(environment(present), placeholder, name, 1)
		}
	}
	return ""
}
