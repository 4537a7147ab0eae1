package config

import "github.com/gatehouse-graphql/gatehouse/internal/yaml"

// The former names of settings and values. They are not accepted, since two names for one setting
// would stay for ever; the message about them has the present name.
var (
	// renamedSettings has the present name of a setting by its former path.
	renamedSettings = map[string]string{
		"execution.collapse": "coalesce",
	}
	// renamedValues has the present word of a setting by its path and former word.
	renamedValues = map[string]map[string]string{
		"execution.engine": {"stock": "gqlgen"},
	}
)

// renamedSetting returns the present path of the setting that was at p, or nil if none was.
func renamedSetting(p yaml.Path) yaml.Path {
	name, ok := renamedSettings[p.String()]
	if !ok {
		return nil
	}
	return p[:len(p)-1].Key(name)
}

// renamedVariable returns the present name of a variable of the environment, "" if it has no
// former name.
func renamedVariable(variable string) string {
	for setting := range renamedSettings {
		if p := parsePath(setting); environmentName(p) == variable {
			return environmentName(renamedSetting(p))
		}
	}
	return ""
}
