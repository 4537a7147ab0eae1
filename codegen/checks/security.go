package checks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// checkSecurity warns once of each security scheme that a source's calls need and nothing of the schema
// fills. It is a warning because gateway.yaml or a proxy may add the credentials.
func (c *checker) checkSecurity(s *binding.Source) []string {
	if s.ExternalSecurity {
		return nil
	}
	var warnings []string
	warned := map[*openapi.SecurityScheme]bool{}
	for _, f := range c.graph.Bindings() {
		op := c.graph.Operation(f)
		if f.Source != s.Name || op == nil {
			continue
		}
		for _, scheme := range missingSchemes(c.graph, f, s, op) {
			if !warned[scheme] {
				warned[scheme] = true
				warnings = append(warnings, fmt.Sprintf("%s:%d: %s %s (%s) needs %s (%s), which nothing in the schema sends; write @source(name: %q, http: %s), or security: OUTSIDE if gateway.yaml or a proxy adds it",
					f.Call.Position.Src.Name, f.Call.Position.Line, op.Method, op.Path, op.Place, describeScheme(scheme), scheme.Place, s.Name, adviseScheme(scheme)))
			}
		}
	}
	return warnings
}

// missingSchemes returns the schemes that a call lacks of the alternative of which it lacks the fewest.
// It is empty if one alternative is complete, or none is needed.
func missingSchemes(graph *binding.Graph, f *binding.Field, s *binding.Source, op *openapi.Operation) []*openapi.SecurityScheme {
	call := graph.FullCall(f)
	var fewest []*openapi.SecurityScheme
	for i, alternative := range op.Security {
		missing := slices.DeleteFunc(slices.Clone(alternative), func(scheme *openapi.SecurityScheme) bool {
			return scheme.In == "" || sendsScheme(&call, scheme)
		})
		if i == 0 || len(missing) < len(fewest) {
			fewest = missing
		}
	}
	return fewest
}

// sendsScheme reports whether a call has the credentials of a scheme.
func sendsScheme(call *binding.Call, scheme *openapi.SecurityScheme) bool {
	switch scheme.In {
	case "query":
		return slices.ContainsFunc(call.Query, func(p binding.Param) bool { return p.Name == scheme.Name })
	case "cookie":
		return slices.ContainsFunc(call.Cookies, func(p binding.Param) bool { return p.Name == scheme.Name }) ||
			slices.ContainsFunc(call.Headers, func(p binding.Param) bool { return p.SetsCookie(scheme.Name) })
	}
	return slices.ContainsFunc(call.Headers, func(p binding.Param) bool { return strings.EqualFold(p.Name, scheme.Name) })
}

// describeScheme returns what a scheme wants, for messages.
func describeScheme(s *openapi.SecurityScheme) string {
	switch {
	case s.Type == "apiKey" && s.In == "query":
		return fmt.Sprintf("the API key %s in the query", s.Name)
	case s.Type == "apiKey":
		return fmt.Sprintf("the API key in the %s %s", s.In, s.Name)
	case s.Scheme == "basic":
		return "a header Authorization with Basic credentials"
	}
	return "a header Authorization with a token"
}

// adviseScheme returns the argument of @source that fills a scheme.
func adviseScheme(s *openapi.SecurityScheme) string {
	switch {
	case s.In == "query":
		return fmt.Sprintf("{ query: [{ name: %q, value: \"{$config.apiKey}\" }] }", s.Name)
	case s.In == "cookie":
		return fmt.Sprintf("{ headers: [{ name: \"Cookie\", value: \"%s={$config.apiKey}\" }] }", s.Name)
	case s.Type == "apiKey":
		return fmt.Sprintf("{ headers: [{ name: %q, value: \"{$config.apiKey}\" }] }", s.Name)
	case s.Scheme == "basic":
		return "{ headers: [{ name: \"Authorization\", value: \"Basic {$config.credentials}\" }] }"
	}
	return "{ headers: [{ name: \"Authorization\", value: \"Bearer {$config.token}\" }] }"
}

// checkServers warns of calls whose operation the document has at other servers than those of the
// source's first call, since a source has the addresses of one service. A source for each of them is what
// the warning asks for, and what silences it.
func (c *checker) checkServers(s *binding.Source) []string {
	var warnings []string
	var home []string
	var first *openapi.Operation
	seen := map[string]bool{}
	for _, f := range c.graph.Bindings() {
		op := c.graph.Operation(f)
		if f.Source != s.Name || op == nil {
			continue
		}
		urls := op.Servers
		if urls == nil {
			urls = s.Document.Servers
		}
		if first == nil {
			first, home = op, urls
		}
		key := strings.Join(urls, " or ")
		if seen[key] || len(urls) == 0 || len(home) == 0 || slices.ContainsFunc(urls, func(u string) bool { return slices.Contains(home, u) }) {
			continue
		}
		seen[key] = true
		warnings = append(warnings, fmt.Sprintf("%s:%d: the document has %s %s (%s) at %s, but %s %s (%s) at %s, and the source %q has the addresses of one of them; declare a second source with the same document, @source(name: \"%sOther\", openapi: %q), bind this call to it, and give each its urls in gateway.yaml",
			f.Call.Position.Src.Name, f.Call.Position.Line, op.Method, op.Path, op.Place, key, first.Method, first.Path, first.Place, strings.Join(home, " or "), s.Name, s.Name, s.OpenAPI))
	}
	return warnings
}
