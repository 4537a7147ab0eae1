package codegen

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"os"
	"strings"

	"github.com/99designs/gqlgen/codegen/config"

	"github.com/gatehouse-graphql/gatehouse/codegen/plugin"
	"github.com/gatehouse-graphql/gatehouse/codegen/typecheck"
)

// BrokenByHand says that the code by hand does not compile with the code that was generated,
// which is written and right.
type BrokenByHand struct{ Problems []string } // each with its place

// Error says where, and what.
func (b *BrokenByHand) Error() string {
	return "the code is generated, but the code by hand does not compile with it; correct that:\n" + strings.Join(b.Problems, "\n")
}

// checkTypes checks the types of what was generated, then of what is written by hand beside
// it. Methods that are still to be written count as written. The error err is that the
// generated code alone does not compile, byHand that the project's own code does not.
func checkTypes(ctx context.Context, cfg *config.Config, p *plugin.Plugin) (byHand, err error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	graph, model := cfg.Exec.Dir(), cfg.Model.Dir()
	program, err := typecheck.Load(ctx, root, graph, model, plugin.ResolversDir)
	if err != nil {
		return nil, err
	}
	generated, err := program.Dir(plugin.ResolversDir, isConnectFile, map[string][]byte{"resolver.go": []byte(onlyServices), "stubs.go": p.Stubs})
	if err != nil {
		return nil, err
	}
	problems := append(program.In(model, graph), generated.Problems...)
	if len(problems) > 0 {
		return nil, fmt.Errorf("the generated code does not compile, so every file is left as it was; rename what the errors name, undo what gqlgen.yml says of it, or report a bug of gatehouse:\n%s", list(problems))
	}
	return codeByHand(program, generated.Types, p)
}

// onlyServices is all that generated code needs of the project's own Resolver.
const onlyServices = `package resolvers

import "github.com/gatehouse-graphql/gatehouse/upstreams"

type Resolver struct{ Services *upstreams.Services }
`

func isConnectFile(path string) bool { return path == plugin.ConnectFile() }

// codeByHand checks what is written by hand, once the generated code is known to be right.
// A field that is answered twice is told of elsewhere, and nothing compiles until then.
func codeByHand(program *typecheck.Program, generated *types.Package, p *plugin.Plugin) (byHand, err error) {
	if u, ok := errors.AsType[*plugin.Unanswered](p.Unanswered()); ok && len(u.Twice) > 0 {
		return nil, nil
	}
	whole, err := program.Dir(plugin.ResolversDir, func(string) bool { return true }, map[string][]byte{"stubs.go": p.Missing})
	if err != nil {
		return nil, err
	}
	if !hasServices(whole.Types) {
		return &BrokenByHand{[]string{noServices}}, nil
	}
	mistakes := wrongSignatures(p.ByHand, whole.Types, generated)
	if len(mistakes) == 0 {
		mistakes = lines(append(program.Others(plugin.ResolversDir), whole.Problems...))
	}
	if len(mistakes) == 0 {
		return nil, nil
	}
	return &BrokenByHand{mistakes}, nil
}

// noServices is what to do about a project without its Resolver.
const noServices = plugin.ResolversDir + "/: generated methods make their calls by the field Services of a type Resolver; write it, for example into " +
	plugin.ResolversDir + "/resolver.go, or add the field:\n\n" + onlyServices

// hasServices reports whether the project's Resolver is there, and has what generated code
// needs of it.
func hasServices(resolvers *types.Package) bool {
	resolver := resolvers.Scope().Lookup("Resolver")
	if resolver == nil {
		return false
	}
	found, _, _ := types.LookupFieldOrMethod(resolver.Type(), true, resolvers, "Services")
	return found != nil
}

// wrongSignatures finds the methods by hand that gqlgen wants otherwise, which the compiler
// would report far away from them.
func wrongSignatures(methods []plugin.Method, written, wanted *types.Package) []string {
	var mistakes []string
	for _, m := range methods {
		is, want := signature(written, m), signature(wanted, m)
		if m.Place != "" && is != nil && want != nil && !types.Identical(is, want) {
			mistakes = append(mistakes, fmt.Sprintf("%s: the method that answers %s has to be\n\t%s", m.Place, m.Field, m.Signature))
		}
	}
	return mistakes
}

// signature is that of a method, nil when a package has no such method.
func signature(pkg *types.Package, m plugin.Method) types.Type {
	receiver := pkg.Scope().Lookup(m.Receiver)
	if receiver == nil {
		return nil
	}
	found, _, _ := types.LookupFieldOrMethod(receiver.Type(), true, pkg, m.Name)
	if f, ok := found.(*types.Func); ok {
		return f.Type()
	}
	return nil
}

// maxProblems is how many mistakes are worth reading at once.
const maxProblems = 10

func list(problems []typecheck.Problem) string { return strings.Join(lines(problems), "\n") }

func lines(problems []typecheck.Problem) []string {
	var all []string
	for i, p := range problems {
		if i == maxProblems {
			return append(all, fmt.Sprintf("and %d more", len(problems)-i))
		}
		all = append(all, p.String())
	}
	return all
}
