package binding

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
)

// Each directive is declared by its own file, and each file belongs to a directive.
func TestDirectivesAreDeclared(t *testing.T) {
	files, err := declarations.ReadDir("directives")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if DirectiveByName(strings.TrimSuffix(f.Name(), ".graphqls")) == nil {
			t.Errorf("%s declares no directive of the list", f.Name())
		}
	}
	for _, d := range Directives {
		doc, err := parser.ParseSchema(&ast.Source{Name: d.File(), Input: d.SDL()})
		if err != nil {
			t.Fatal(err)
		}
		if len(doc.Directives) != 1 || doc.Directives[0].Name != d.Name || doc.Directives[0].Description == "" && d.Name != "goField" {
			t.Errorf("%s does not declare and describe @%s alone", d.File(), d.Name)
		}
		if DeclaredBy(doc.Directives[0].Position) != d || DeclaredIn("../../"+d.File()) != d {
			t.Errorf("@%s is not found by its file", d.Name)
		}
	}
}

// The manual explains each directive under the heading that the list names.
func TestDirectivesAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/bindings.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range Directives {
		heading := regexp.MustCompile(`(?m)^#+ ` + regexp.QuoteMeta(d.Docs) + `\n`).FindIndex(page)
		if heading == nil {
			t.Errorf("@%s: docs/bindings.md has no heading %q", d.Name, d.Docs)
			continue
		}
		section := page[heading[1]:]
		if next := regexp.MustCompile(`(?m)^##? `).FindIndex(section); next != nil {
			section = section[:next[0]]
		}
		if !regexp.MustCompile("`@" + d.Name + `\b`).Match(section) {
			t.Errorf("@%s is not explained under %q", d.Name, d.Docs)
		}
	}
}

// The explanation of a directive's own check names the directive.
func TestChecksOfDirectives(t *testing.T) {
	checks := Checks()
	for _, d := range Directives {
		for _, code := range d.Codes {
			i := slices.IndexFunc(checks, func(c Check) bool { return c.Code == code })
			if i < 0 {
				t.Errorf("@%s: %s is not explained", d.Name, code)
			} else if use := regexp.MustCompile("@" + d.Name + `\b`); !use.MatchString(checks[i].Wrong + checks[i].Text) {
				t.Errorf("@%s: the explanation of %s does not name it", d.Name, code)
			}
		}
		if (d.Kind == Guard) != (d.check != nil) {
			t.Errorf("@%s: a guard has a check, and nothing else has", d.Name)
		}
		for _, name := range d.implies {
			if implied := DirectiveByName(name); implied == nil || implied.Kind != Guard || d.Kind != Guard {
				t.Errorf("@%s implies @%s, but both have to be guards", d.Name, name)
			}
		}
	}
}

// schemaByLocation holds, for each location of a schema, a schema in which a directive stands there.
var schemaByLocation = map[ast.DirectiveLocation]string{
	ast.LocationSchema:               "schema %s { query: Query }\ntype Query { a: ID }",
	ast.LocationScalar:               "type Query { a: S }\nscalar S %s",
	ast.LocationObject:               "type Query { a: O }\ntype O %s { a: ID }",
	ast.LocationFieldDefinition:      "type Query { a: ID %s }",
	ast.LocationArgumentDefinition:   "type Query { a(b: ID %s): ID }",
	ast.LocationInterface:            "type Query implements I { a: ID }\ninterface I %s { a: ID }",
	ast.LocationUnion:                "type Query { a: U }\nunion U %s = Query",
	ast.LocationEnum:                 "type Query { a: E }\nenum E %s { A }",
	ast.LocationEnumValue:            "type Query { a: E }\nenum E { A %s }",
	ast.LocationInputObject:          "type Query { a(b: B): ID }\ninput B %s { a: ID }",
	ast.LocationInputFieldDefinition: "type Query { a(b: B): ID }\ninput B { a: ID %s }",
}

// A directive may stand where its declaration says, and is refused everywhere else.
func TestPlacesOfDirectives(t *testing.T) {
	for _, d := range Directives {
		schema, err := Load(&ast.Source{Name: "a.graphqls", Input: "type Query { a: ID }"})
		if err != nil {
			t.Fatal(err)
		}
		def := schema.Directives[d.Name]
		for place, text := range schemaByLocation {
			_, err := Load(&ast.Source{Name: "a.graphqls", Input: fmt.Sprintf(text, use(def))})
			if allowed := slices.Contains(def.Locations, place); allowed != (err == nil) {
				t.Errorf("@%s on %s: got %v, but the declaration allows it: %t", d.Name, place, err, allowed)
			}
		}
	}
}

// use writes a directive with the arguments that it requires.
func use(def *ast.DirectiveDefinition) string {
	var args []string
	for _, a := range def.Arguments {
		if a.Type.NonNull && a.DefaultValue == nil {
			args = append(args, a.Name+`: "x"`)
		}
	}
	if len(args) == 0 {
		return "@" + def.Name
	}
	return "@" + def.Name + "(" + strings.Join(args, ", ") + ")"
}
