package plugin

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

//go:embed guards.gotpl
var guardsText string

// guardView is a function that checks the guards of a field.
type guardView struct {
	Name       string   // of the function; in fieldGuardsView the name of the guarded field
	Directives string   // the guards as the schema writes them, for comments
	Calls      []string // expressions that call package auth; each returns an error
}

// fieldGuardsView is a variable with the guards of one type's fields.
type fieldGuardsView struct {
	Name, Type string
	Fields     []guardView
}

// dropRepeatedGuards removes from each field the guards that it has twice. gqlgen prepends the
// directives of the returned type to those of the field, and the binding compiler has copied
// the guards of types to fields already, so that gqlgen's executor would check them twice.
func dropRepeatedGuards(data *codegen.Data) {
	for _, o := range data.Objects {
		for _, f := range o.Fields {
			seen := map[string]bool{}
			f.Directives = slices.DeleteFunc(f.Directives, func(d *codegen.Directive) bool {
				key := d.Name
				for _, a := range d.Args {
					key += fmt.Sprintf(" %#v", a.Value)
				}
				if isGuard(d.Name) && binding.IsEngineGuard(d.Name) {
					key = d.Name // it decides by the place alone
				}
				repeated := isGuard(d.Name) && seen[key]
				seen[key] = true
				return repeated
			})
			// gqlgen's executor calls the last directive first, and plans call these guards last.
			slices.SortStableFunc(f.Directives, func(a, b *codegen.Directive) int { return guardRank(a) - guardRank(b) })
		}
	}
}

// guardRank is 0 for a guard of package engine, and 1 for all other directives.
func guardRank(d *codegen.Directive) int {
	if isGuard(d.Name) && binding.IsEngineGuard(d.Name) {
		return 0
	}
	return 1
}

// guardDirective is a guard in gqlgen's DirectiveRoot.
type guardDirective struct {
	Name    string // of the field, and of the function in the package
	Package string // with its dot
}

// guardDirectives returns the guards that the schema uses.
func (g *generator) guardDirectives(f *goFile) []guardDirective {
	var guards []guardDirective
	for name := range g.data.Config.Schema.Directives {
		if isGuard(name) {
			guards = append(guards, guardDirective{templates.UcFirst(name), f.use(guardPkg(name))})
		}
	}
	slices.SortFunc(guards, func(a, b guardDirective) int { return strings.Compare(a.Name, b.Name) })
	return guards
}

// guardPkg returns the package that has the code of a guard.
func guardPkg(name string) string {
	if binding.IsEngineGuard(name) {
		return enginePkg
	}
	return authPkg
}

// guardOf returns the guards of a field, without a name. Calls is empty for an open field.
func (g *generator) guardOf(f *goFile, field *ast.FieldDefinition) guardView {
	return guardViewOf(f, binding.GuardsOf(field))
}

// accessGuardOf is guardOf without rate limits: these hold only where the field itself is selected.
func (g *generator) accessGuardOf(f *goFile, field *ast.FieldDefinition) guardView {
	return guardViewOf(f, slices.DeleteFunc(binding.GuardsOf(field), func(d *ast.Directive) bool { return binding.IsEngineGuard(d.Name) }))
}

func guardViewOf(f *goFile, guards ast.DirectiveList) guardView {
	var v guardView
	var directives []string
	for _, guard := range guards {
		v.Calls = append(v.Calls, f.use(guardPkg(guard.Name))+binding.GuardCheck(guard))
		if binding.IsEngineGuard(guard.Name) {
			directives = append(directives, "@"+guard.Name) // one function for all of them
			continue
		}
		directives = append(directives, directiveText(guard))
	}
	v.Directives = strings.Join(directives, " and ")
	return v
}

// directiveText is a directive as the schema writes it.
func directiveText(d *ast.Directive) string {
	if len(d.Arguments) == 0 {
		return "@" + d.Name
	}
	args := make([]string, len(d.Arguments))
	for i, a := range d.Arguments {
		args[i] = a.Name + ": " + a.Value.String()
	}
	return "@" + d.Name + "(" + strings.Join(args, ", ") + ")"
}

// guardName proposes a name for the function of a guard: require and the words in the arguments
// of its directives, such as requireOrdersRead, or requireAuthenticated. Two guards may get the
// same name; the caller declares it.
func guardName(field *ast.FieldDefinition) string {
	name := "require"
	for _, guard := range binding.GuardsOf(field) {
		if len(guard.Arguments) == 0 {
			name += titleWords(guard.Name)
		}
		if binding.IsEngineGuard(guard.Name) { // whose check has no arguments
			name += titleWords(guard.Name)
			continue
		}
		for _, a := range guard.Arguments {
			name += titleWords(a.Value.String())
		}
	}
	return name[:min(len(name), maxGuardName)]
}

// maxGuardName bounds the names of guards in bytes; they are ASCII.
const maxGuardName = 48

// titleWords joins the ASCII words of a text, each with an upper-case first letter.
func titleWords(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}
