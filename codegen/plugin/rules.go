package plugin

import (
	"fmt"

	"github.com/99designs/gqlgen/codegen/templates"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// rulesView is a variable with the rules of a source or of one binding. Its strings are Go text
// unless said.
type rulesView struct {
	Name                         string
	For                          string // the source or the binding, for comments
	Success, Message, Extensions string // expressions over response; "" for no rule
	NullOn                       []int

	rules binding.Rules
}

// rulesOf returns the name of the variable with a binding's rules, "" when it has none. Equal
// rules have one variable, and different rules have different ones, since the name stands for the
// rules in the identities of calls.
func (g *generator) rulesOf(f *goFile, b *binding.Field, name string) string {
	if b.Rules.IsZero() {
		return ""
	}
	for _, have := range g.rules {
		if have.rules.Equal(b.Rules) {
			return have.Name
		}
	}
	v := rulesView{For: b.Name(), NullOn: b.Rules.NullOn, rules: b.Rules}
	if s := g.graph.Source(b.Source); s.Rules.Equal(b.Rules) {
		name, v.For = templates.ToGoPrivate(s.Name), fmt.Sprintf("the service %q", s.Name)
	}
	v.Name = f.declare(templates.LcFirst(name)+"Rules", "rules of "+v.For)
	variable := responseVariable(f)
	m := &mapper{f: f, variable: variable, member: variable, current: "response.Body()"}
	v.Success, v.Message, v.Extensions = m.rule(b.Rules.Success), m.rule(b.Rules.Message), m.rule(b.Rules.Extensions)
	if v.Success != "" {
		v.Success = fmt.Sprintf("%sTruthy(%s)", f.use(mappingPkg), v.Success)
	}
	g.rules = append(g.rules, v)
	return v.Name
}

// rule writes the expression of a rule, "" for none.
func (m *mapper) rule(v *binding.Value) string {
	if v == nil {
		return ""
	}
	return m.value(v)
}

// responseVariable returns a function that writes the variables of rules.
func responseVariable(f *goFile) func(*binding.Value) string {
	return func(v *binding.Value) string {
		switch v.Scope {
		case binding.Status:
			return "response.Status"
		case binding.Env:
			return fmt.Sprintf("%sEnv(%q)", f.use(upstreamsPkg), v.Path[0])
		case binding.Config:
			return fmt.Sprintf("response.Config(%q)", v.Path[0])
		}
		return fmt.Sprintf("response.Header(%q)", v.Path[1])
	}
}
