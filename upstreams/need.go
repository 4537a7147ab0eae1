package upstreams

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Requirements are what the bindings of a graph need of the settings.
type Requirements struct {
	// Sources are the services that are called.
	Sources []string
	// Config are the keys that are used of each source's config.
	Config map[string][]string
	// Environment are the variables of the environment that are used.
	Environment []string
}

// CheckRequirements fails when the settings lack something, so that the gateway does not start rather
// than fail at the first call. What is empty counts as missing.
func (s *Services) CheckRequirements(n Requirements) error {
	var errs []error
	for _, name := range n.Sources {
		if s.clients[name] == nil {
			errs = append(errs, fmt.Errorf("the graph is bound to the source %q, but the settings have no sources.%s; add it with its urls", name, name))
		}
	}
	for _, source := range slices.Sorted(maps.Keys(n.Config)) {
		for _, key := range n.Config[source] {
			if s.Config(source, key) == nil {
				errs = append(errs, fmt.Errorf("the graph uses $config.%s, but the settings have no sources.%s.config.%s; add it", key, source, key))
			}
		}
	}
	for _, name := range n.Environment {
		if Env(name) == nil {
			errs = append(errs, fmt.Errorf("the graph uses $env.%s, but the environment variable %s is not set; set it", name, name))
		}
	}
	return errors.Join(errs...)
}
