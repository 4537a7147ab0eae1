package codegen

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	_ "unsafe" // for go:linkname

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"

	"github.com/gatehouse-graphql/gatehouse/codegen/plugin"
)

// modelNames is where gqlgen remembers, for the life of the process, the Go name of each GraphQL name
// that it has seen. It gives a second name that would become the same Go name another one: after a
// project with a type user_profile, the UserProfile of the next project would be UserProfile0. There
// is no exported way to forget the names. TestProjectsInOneProcess fails if the variable is renamed.
//
//go:linkname modelNames github.com/99designs/gqlgen/codegen/templates.modelNames
var modelNames map[string]string

// resetGqlgen makes gqlgen forget former runs. The caller holds the turn.
func resetGqlgen() {
	clear(modelNames)
	templates.CurrentImports = nil // it stays set when gqlgen panics while it renders
}

// runGqlgen writes gqlgen's files and those of the plugin. gqlgen panics on some schemas that it
// cannot handle; for these, runGqlgen returns an error.
func (r *run) runGqlgen(cfg *config.Config, plug *plugin.Plugin) (err error) {
	resetGqlgen()
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("gqlgen cannot handle this schema: %v\n%s", v, debug.Stack())
		}
	}()
	return inDir(r.root, func() error {
		return api.Generate(cfg, api.PrependPlugin(plug), api.AddPlugin(plug.CompletionPlugin()))
	})
}

// inDir calls f with dir as the working directory of the process, and goes back to the former one
// afterwards. Nothing else in this package changes the working directory or depends on it. gqlgen
// does: from there it globs schema files, loads Go packages and writes its files, and it has no
// setting for another place.
//
// The caller holds the turn, so no two calls overlap. Code outside of this package that uses
// relative paths can meet the other directory, unless dir is the working directory anyway: then
// inDir changes nothing.
func inDir(dir string, f func() error) (err error) {
	before, err := os.Getwd()
	if err != nil {
		return err
	}
	if sameDir(before, dir) {
		return f()
	}
	if err := os.Chdir(dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Chdir(before)) }()
	return f()
}

func sameDir(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}
