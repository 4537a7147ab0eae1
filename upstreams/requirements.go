package upstreams

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// Requirements are what the bindings of a graph require of the settings and the
// environment.
type Requirements struct {
	// Sources are the names of the services that are called.
	Sources []string
	// Config are the keys of sources.<name>.config that are used, by source.
	Config map[string][]string
	// Environment are the environment variables that are used.
	Environment []string
}

// CheckRequirements returns an error that joins everything that is required and missing, so
// that the gateway fails to start instead of failing at the first call. An empty value
// counts as missing.
func (s *Sources) CheckRequirements(r Requirements) error {
	var errs []error
	for _, name := range r.Sources {
		if s.byName[name] == nil {
			errs = append(errs, fmt.Errorf("the graph is bound to the source %q, but the settings have no sources.%s; add it with its urls", name, name))
		}
	}
	for _, source := range slices.Sorted(maps.Keys(r.Config)) {
		for _, key := range r.Config[source] {
			if to := s.byName[source]; to == nil || to.config[key] == "" {
				errs = append(errs, fmt.Errorf("the graph uses $config.%s, but the settings have no sources.%s.config.%s; add it", key, source, key))
			}
		}
	}
	for _, name := range r.Environment {
		if Env(name) == nil {
			errs = append(errs, fmt.Errorf("the graph uses $env.%s, but the environment variable %s is not set; set it", name, name))
		}
	}
	return errors.Join(errs...)
}

// CheckRequirements is Sources.CheckRequirements of the sources in use.
func (s *Services) CheckRequirements(r Requirements) error { return s.Sources().CheckRequirements(r) }
