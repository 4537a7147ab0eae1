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

// locals are the names of variables in generated resolvers.
var locals = setOf("ctx", "obj", "objs", "r", "in", "parents", "parent", "keys", "key", "call", "ok", "err", "item", "items", "value", "found", "at", "edges", "connection")

// codecLocals are the names of variables in generated decoders and encoders.
var codecLocals = setOf("d", "v", "o", "in", "text", "field", "ok")

// importNames are the names of packages in generated code.
var importNames = setOf("auth", "context", "decode", "encode", "engine", "graph", "http", "model", "rest", "scalar", "strconv", "time", "upstreams")

// setOf returns a set of names.
func setOf(names ...string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

// names are the declarations of a scope: the identity of what is declared, by name.
type names map[string]string

// name returns the name of the declaration with an identity: the wanted name, made an identifier
// of Go. If another declaration has that name, or reserved reports true for it, a checksum of the
// identity is appended.
//
// The name of a declaration stays the same when others come and go, unless they collide with it:
// it does not depend on a counter. And no two identities have the same name, whatever the
// checksums are, since a taken name is never returned for another identity.
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

// identifier replaces the characters that an identifier of Go cannot contain.
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

// nameMethods gives resolvers and their parameters names that Go allows. gqlgen takes names from
// the schema alone: two parameters may get the same name, a parameter may hide a variable or a
// package that the generated body uses, and a method Resolver would hide the embedded *Resolver.
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

// params writes the parameters for the arguments of a resolver, each with a leading comma.
func params(f *goFile, field *codegen.Field) string {
	var b strings.Builder
	for _, a := range field.Args {
		fmt.Fprintf(&b, ", %s %s", a.VarName, f.typ(a.TypeReference.GO))
	}
	return b.String()
}
