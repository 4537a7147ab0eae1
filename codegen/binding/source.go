package binding

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

func (c *compiler) compileSources() {
	for _, d := range c.schema.SchemaDirectives.ForNames("source") {
		if c.invalid[d] {
			continue
		}
		name := argumentText(d, "name")
		if c.hasSource(name) {
			c.faults.Add(RepeatedSource, d.Position, "the source %q is declared twice; keep one", name)
			continue
		}
		c.graph.Sources = append(c.graph.Sources, c.compileSource(d))
	}
	wrong := upstreams.CheckNames(c.sourceNames())
	for _, s := range c.graph.Sources {
		if err := wrong[s.Name]; err != nil {
			c.faults.Add(SourceName, s.Position, "gateway.yaml refuses the source %q: %v", s.Name, err)
		}
	}
}

func (c *compiler) compileSource(d *ast.Directive) *Source {
	s := &Source{Name: argumentText(d, "name"), OpenAPI: argumentText(d, "openapi"), Position: d.Position}
	b := &bindingCompiler{compiler: c, scopes: []Scope{Claims, Request, Env, Config}}
	http := argument(d, "http")
	s.Headers, s.Query = b.compileHeaders(http), b.compileSourceQuery(http)
	s.Rules = b.compileRules(d, Rules{})
	s.Ignores = c.compileIgnores(d)
	s.ExternalSecurity = argumentText(d, "security") == "OUTSIDE"
	if s.OpenAPI == "" {
		return s
	}
	var err error
	if s.Document, err = c.options.readDocument(filepath.ToSlash(filepath.Join(filepath.Dir(d.Position.Src.Name), s.OpenAPI))); err != nil {
		c.faults.Add(UnreadableDocument, d.Position, "the document of the source %q cannot be read: %v", s.Name, err)
		s.Document = nil
	}
	return s
}

// compileSourceQuery compiles the parameters that every call to a source has in its query.
func (b *bindingCompiler) compileSourceQuery(http *ast.Value) []Param {
	var list []Param
	seen := map[string]bool{}
	for _, q := range listElements(memberValue(http, "query")) {
		name, value := memberValue(q, "name"), memberValue(q, "value")
		if name.Raw == "" || strings.ContainsFunc(name.Raw, unicode.IsControl) || percentEncoded.MatchString(name.Raw) {
			b.faults.Add(InvalidQuery, name.Position, "%q is not the name of a query parameter; write plain text, which is escaped when it is sent", name.Raw)
		}
		if seen[name.Raw] {
			b.faults.Add(RepeatedHeader, name.Position, "the query parameter %s is set twice; keep one", name.Raw)
		}
		seen[name.Raw] = true
		if t, ok := b.readTemplate(value); ok {
			param := Param{Name: name.Raw, Parts: b.compileParts(value, t)}
			b.refuseStars(value, t, "a parameter of a source")
			list = append(list, param)
		}
	}
	return list
}

func (c *compiler) hasSource(source string) bool {
	return slices.Contains(c.sourceNames(), source)
}

// hasInvalidSource reports whether a source is declared by a directive with a mistake in its arguments.
func (c *compiler) hasInvalidSource(source string) bool {
	return slices.ContainsFunc(c.schema.SchemaDirectives.ForNames("source"), func(d *ast.Directive) bool {
		return c.invalid[d] && d.Arguments.ForName("name") != nil && argumentText(d, "name") == source
	})
}

func (c *compiler) sourceNames() []string {
	names := make([]string, len(c.graph.Sources))
	for i, s := range c.graph.Sources {
		names[i] = s.Name
	}
	return names
}

// checkUnusedSources refuses sources that no field is bound to. It does so only if there are no
// other faults, since a faulty binding could be the one that uses the source.
func (c *compiler) checkUnusedSources() {
	if len(c.faults) > 0 {
		return
	}
	for _, s := range c.graph.Sources {
		used := slices.ContainsFunc(c.graph.Bindings(), func(f *Field) bool { return f.Source == s.Name })
		if !used && !c.options.callsSource(s.Name) {
			c.faults.Add(UnusedSource, s.Position, "no field is bound to the source %q; bind one, or remove the source", s.Name)
		}
	}
}
