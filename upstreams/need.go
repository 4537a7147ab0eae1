package upstreams

import (
	"errors"
	"fmt"
)

// Need fails when one of the sources that a graph is bound to is not configured, so that
// the gateway does not start rather than fail at the first call.
func (s *Services) Need(sources []string) error {
	var errs []error
	for _, name := range sources {
		if s.clients[name] == nil {
			errs = append(errs, fmt.Errorf("the graph is bound to the source %q, but the settings have no sources.%s; add it with its urls", name, name))
		}
	}
	return errors.Join(errs...)
}
