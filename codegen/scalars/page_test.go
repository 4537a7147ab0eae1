package scalars_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

//go:generate go test . -run ^TestPage$ -update

var update = flag.Bool("update", false, "write docs/scalars.md")

// docs/scalars.md is written from the table.
func TestPage(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "scalars.md")
	want := fmt.Sprintf(page, table(), strings.Join(declarations(), "\n"))
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/scalars.md differs from the table; -update writes it: -want +got\n%s", diff)
	}
}

// page is docs/scalars.md: its table and its declarations are inserted.
const page = `# Scalars

Bindings read these scalars from services and send them to services. A value that does not fit becomes null, with an
error at its path; a value of a client that does not fit refuses the whole request before anything runs.

%s
- **In Go** is the type that resolvers written by hand receive and return.
- **Sent as** is the JSON type in a call. A second type is sent where the service's document asks for it and not for the
  first. In paths, query parameters, headers and forms every value is text.
- **Formats** are those of strings in OpenAPI. ` + "`gatehouse check`" + ` reports a field whose scalar does not stand for the
  document's format.
- **Key**: objects of a batch can be matched by the value. Where it says "compared", an object that was fetched by the
  value must carry the same value itself; a ` + "`String`" + ` need not, since it may be an alias or a slug.

Declare those that you use, except the built-in ones:

` + "```graphql\n%s\n```" + `

## Adding a scalar

A new scalar takes three edits in Gatehouse:

1. ` + "`engine/scalar/`" + `: its Go type, with ` + "`MarshalGQL` and `UnmarshalGQL`" + ` for clients. ` + "`engine/scalar/text.go`" + ` has those that are strings.
2. ` + "`engine/decode/scalar.go`" + `: a method of ` + "`Decoder`" + ` that has the scalar's name and reads the values of services.
3. ` + "`codegen/scalars/table.go`" + `: its row. The compiler of bindings, the checks against OpenAPI, the generator and this page
   take everything from there.

` + "`go generate ./codegen/scalars`" + ` then rewrites this page, and ` + "`go test ./codegen/scalars`" + ` reports what is missing. A scalar of
one project alone needs none of this: ` + "`models` in `gqlgen.yml`" + ` maps it to a Go type, for fields resolved by hand.
`

func table() string {
	var b strings.Builder
	b.WriteString("| Scalar | In Go | Read from | Not from | Sent as | Formats | Key |\n|---|---|---|---|---|---|---|\n")
	for _, s := range scalars.Table {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s | %s |\n",
			title(&s), s.GoType, s.From, s.NotFrom, orAny(s.Writes), code(s.Formats), key(&s))
	}
	return b.String()
}

// title is the scalar's name, linked to its specification.
func title(s *scalars.Scalar) string {
	name := "`" + s.Name + "`"
	if s.SpecifiedBy == "" {
		return name
	}
	return "[" + name + "](" + s.SpecifiedBy + ")"
}

func orAny(jsonTypes []string) string {
	if jsonTypes == nil {
		return "any"
	}
	return strings.Join(jsonTypes, ", ")
}

func code(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return "`" + strings.Join(words, "`, `") + "`"
}

func key(s *scalars.Scalar) string {
	switch {
	case s.Identity:
		return "yes, compared"
	case s.Key:
		return "yes"
	}
	return ""
}

// declarations returns the SDL of the scalars that a schema has to declare.
func declarations() (sdl []string) {
	for _, s := range scalars.Table {
		if !s.BuiltIn {
			sdl = append(sdl, s.Declaration())
		}
	}
	return sdl
}
