package plugin

import (
	"fmt"
	"go/types"
	"strings"

	"github.com/99designs/gqlgen/codegen"
)

// locals are the names of variables in generated resolvers, gqlgen's and ours.
var locals = setOf("ctx", "obj", "objs", "r", "in", "parents", "parent", "keys", "key", "call", "done", "err", "item", "items", "value", "found", "at", "edges", "connection")

// wireLocals are those in generated decoders and encoders.
var wireLocals = setOf("d", "v", "o", "in", "text", "field", "ok")

// packages are the names under which generated code imports.
var packages = setOf("auth", "context", "decode", "encode", "engine", "graph", "http", "model", "rest", "scalar", "strconv", "time", "upstreams")

func setOf(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// nameMethods gives methods and their arguments names which they can have in Go. No two
// arguments have the same, and none has one that the method's own text uses; a method
// Resolver would hide what resolvers share. gqlgen takes names from the schema alone.
func nameMethods(data *codegen.Data) {
	for _, o := range data.Objects {
		for _, f := range o.Fields {
			if f.IsResolver && f.GoFieldName == "Resolver" {
				f.GoFieldName = "ResolverField"
			}
			used := map[string]bool{}
			for _, a := range f.Args {
				for locals[a.VarName] || packages[a.VarName] || used[a.VarName] || types.Universe.Lookup(a.VarName) != nil {
					a.VarName += "Arg"
				}
				used[a.VarName] = true
			}
		}
	}
}

// params are the arguments of a method, each with a leading comma.
func params(f *goFile, field *codegen.Field) string {
	var b strings.Builder
	for _, a := range field.Args {
		fmt.Fprintf(&b, ", %s %s", a.VarName, f.typ(a.TypeReference.GO))
	}
	return b.String()
}
