package plugin

import (
	"fmt"
	"go/token"
	"go/types"
	"hash/crc32"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/99designs/gqlgen/codegen"
)

// locals are the names of variables in generated resolvers, gqlgen's and ours.
var locals = setOf("ctx", "obj", "objs", "r", "in", "parents", "parent", "keys", "key", "call", "ok", "err", "item", "items", "value", "found", "at", "edges", "connection")

// codecLocals are those in generated decoders and encoders.
var codecLocals = setOf("d", "v", "o", "in", "text", "field", "ok")

// importNames are the names under which generated code imports.
var importNames = setOf("auth", "context", "decode", "encode", "engine", "graph", "http", "model", "rest", "scalar", "strconv", "time", "upstreams")

func setOf(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// names are what was declared, by its name.
type names map[string]string

// name returns the name of what a text identifies: the wanted one, made an identifier of Go,
// or with a number behind it that depends on the text alone where something else has the
// name or reserved reports that it must not be used. So a name stays what it is when others
// come and go, unless they collide with it.
func (n names) name(want, identity string, reserved func(string) bool) string {
	name := identifier(want)
	for i := 0; n[name] != identity; i++ {
		if n[name] == "" && !reserved(name) && token.IsIdentifier(name) {
			n[name] = identity
			break
		}
		name = fmt.Sprintf("%s_%08x", identifier(want), crc32.ChecksumIEEE([]byte(identity))+uint32(i))
	}
	return name
}

// identifier replaces what an identifier of Go cannot hold.
func identifier(text string) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(text, "_"))
	if first, _ := utf8.DecodeRuneInString(name); name == "" || unicode.IsDigit(first) {
		return "_" + name
	}
	return name
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
				if a.VarName == "_" || !token.IsIdentifier(a.VarName) && !token.IsKeyword(a.VarName) {
					a.VarName = identifier("arg" + a.VarName)
				}
				for locals[a.VarName] || importNames[a.VarName] || used[a.VarName] || types.Universe.Lookup(a.VarName) != nil {
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
