package codegen

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"strings"

	"github.com/99designs/gqlgen/codegen/config"

	"github.com/gatehouse-graphql/gatehouse/codegen/plugin"
	"github.com/gatehouse-graphql/gatehouse/codegen/typecheck"
)

// HandwrittenCodeError means that handwritten code does not compile with the generated code, which
// is written and right.
type HandwrittenCodeError struct{ Problems []string } // each with its place

// Error lists the problems and says where to correct them.
func (e *HandwrittenCodeError) Error() string {
	return "the code is generated, but the code by hand does not compile with it; correct that:\n" + strings.Join(e.Problems, "\n")
}

// checkTypes checks the types of the generated code, then those of the handwritten code beside it.
// Missing methods count as written, because Generate reports them by another error.
//
// The resolvers' package is checked twice. The first time the generated file stands alone with
// stubs of all handwritten methods: a problem here cannot be the fault of the project's author,
// and checkTypes returns it as err. The second time all files take part, with stubs of missing
// methods only: a problem here is one of the handwritten code, and becomes handwrittenErr.
func (r *run) checkTypes(ctx context.Context, cfg *config.Config, plug *plugin.Plugin) (handwrittenErr, err error) {
	graph, model := cfg.Exec.Dir(), cfg.Model.Dir()
	program, err := typecheck.Load(ctx, r.root, graph, model, plugin.ResolversDir)
	if err != nil {
		return nil, err
	}
	generated, err := program.CheckDir(plugin.ResolversDir, isConnectFile, map[string][]byte{"resolver.go": []byte(minimalResolver), "stubs.go": plug.Stubs})
	if err != nil {
		return nil, err
	}
	problems := append(program.ProblemsIn(model, graph), generated.Problems...)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the generated code does not compile, so every file is left as it was; rename what the errors name, undo what gqlgen.yml says of it, or report a bug of gatehouse:\n%s",
			strings.Join(firstProblems(problems), "\n"))
	}
	return checkHandwritten(program, generated.Types, plug)
}

// minimalResolver declares what generated code needs of the project's own Resolver.
const minimalResolver = `package resolvers

import "github.com/gatehouse-graphql/gatehouse/upstreams"

type Resolver struct{ Services *upstreams.Services }
`

// firstResolver is the file that Generate writes for a project without a Resolver.
const firstResolver = `// Package resolvers resolves the fields of the graph that are not properties of their objects:
// connect.gen.go by the schema's bindings, the other files by hand.
package resolvers

import "github.com/gatehouse-graphql/gatehouse/upstreams"

// Resolver has what all resolvers share. Add what handwritten ones need.
type Resolver struct {
	// Services calls the services. Generated resolvers need it.
	Services *upstreams.Services
}
`

func isConnectFile(path string) bool { return path == plugin.ConnectFile() }

// checkHandwritten checks the handwritten code against generated code that compiles. generated is
// the resolvers' package with stubs. If a field has both a binding and a handwritten method, which
// Generate reports, the check would only repeat that, so checkHandwritten skips it.
func checkHandwritten(program *typecheck.Program, generated *types.Package, plug *plugin.Plugin) (handwrittenErr, err error) {
	if u, ok := errors.AsType[*plugin.MissingResolvers](plug.MissingResolvers()); ok && len(u.Duplicates) > 0 {
		return nil, nil
	}
	resolvers, err := program.CheckDir(plugin.ResolversDir, func(string) bool { return true }, map[string][]byte{"stubs.go": plug.MissingStubs})
	if err != nil {
		return nil, err
	}
	if !hasServices(resolvers.Types) {
		return &HandwrittenCodeError{[]string{missingServices}}, nil
	}
	problems := wrongSignatures(plug.Handwritten, resolvers.Types, generated)
	if len(problems) == 0 {
		problems = firstProblems(append(program.ProblemsOutside(plugin.ResolversDir), resolvers.Problems...))
	}
	if len(problems) == 0 {
		return nil, nil
	}
	return &HandwrittenCodeError{problems}, nil
}

// missingServices is the problem of a project whose Resolver is missing or incomplete.
const missingServices = plugin.ResolversDir + "/: generated methods make their calls by the field Services of a type Resolver; write it, for example into " +
	plugin.ResolversDir + "/resolver.go, or add the field:\n\n" + minimalResolver

// hasServices reports whether the package declares a Resolver with the field Services.
func hasServices(resolvers *types.Package) bool {
	resolver := resolvers.Scope().Lookup("Resolver")
	if resolver == nil {
		return false
	}
	services, _, _ := types.LookupFieldOrMethod(resolver.Type(), true, resolvers, "Services")
	return services != nil
}

// wrongSignatures returns a problem for each handwritten method whose signature in the package
// actual differs from that of its stub in the package wanted. The compiler would report these far
// away, where the resolvers are assigned to gqlgen's interfaces.
func wrongSignatures(methods []plugin.Method, actual, wanted *types.Package) []string {
	var problems []string
	for _, m := range methods {
		got, want := methodType(actual, m), methodType(wanted, m)
		if m.Position != "" && got != nil && want != nil && !types.Identical(got, want) {
			problems = append(problems, fmt.Sprintf("%s: the method that answers %s has to be\n\t%s", m.Position, m.Field, m.Signature))
		}
	}
	return problems
}

// methodType returns the type of a method, or nil if the package does not have the method.
func methodType(pkg *types.Package, m plugin.Method) types.Type {
	receiver := pkg.Scope().Lookup(m.Receiver)
	if receiver == nil {
		return nil
	}
	method, _, _ := types.LookupFieldOrMethod(receiver.Type(), true, pkg, m.Name)
	if f, ok := method.(*types.Func); ok {
		return f.Type()
	}
	return nil
}

// maxProblems is how many problems of a type check are listed.
const maxProblems = 10

// firstProblems returns the texts of the first maxProblems problems, and a line that counts the
// others.
func firstProblems(problems []typecheck.Problem) []string {
	var texts []string
	for i, p := range problems {
		if i == maxProblems {
			return append(texts, fmt.Sprintf("and %d more", len(problems)-i))
		}
		texts = append(texts, p.String())
	}
	return texts
}
