package eject

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/parser"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write the archives")

// Each archive has a generated file, perhaps a handwritten file before, and that file after.
func TestAppendTo(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no archives", err)
	}
	for _, path := range archives {
		t.Run(filepath.Base(path), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files := map[string][]byte{}
			for _, f := range archive.Files {
				files[f.Name] = f.Data
			}
			snippet, err := Extract("connect.gen.go", files["connect.gen.go"], "orderResolver", "Order.customer")
			if err != nil {
				t.Fatal(err)
			}
			got, err := snippet.AppendTo("order.go", files["before"], "resolvers")
			if err != nil {
				got = []byte(err.Error() + "\n")
			}
			if *update {
				archive.Files[len(archive.Files)-1].Data = got
				if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(files["after"]), string(got)); diff != "" {
				t.Errorf("-update writes it: -want +got\n%s", diff)
			}
		})
	}
}

func TestExtractMissingMethod(t *testing.T) {
	if _, err := Extract("x.go", []byte("package x\n"), "r", "A.b"); err == nil {
		t.Error("no error")
	}
}

func TestUnbind(t *testing.T) {
	for name, test := range map[string]struct {
		before, after string
		isRoot        bool
	}{
		"in a line":             {before: "  a: Int @connect(source: \"s\") @b", after: "  a: Int @goField(forceResolver: true) @b"},
		"lines":                 {before: "  a: Int\n    @connect(\n      source: \"(s\" # )\n    )\n", after: "  a: Int\n    @goField(forceResolver: true)\n"},
		"behind other letters":  {before: "  \"é 日本 🙂\"\n  a: Int @connect(source: \"é\")\n  b: Int", after: "  \"é 日本 🙂\"\n  a: Int @goField(forceResolver: true)\n  b: Int"},
		"other ends of lines":   {before: "  \"é\"\r\n  a: Int\r\n    @connect(\r\n      source: \"s\"\r\n    )\r\n  b: Int\r\n", after: "  \"é\"\r\n  a: Int\r\n    @goField(forceResolver: true)\r\n  b: Int\r\n"},
		"known to gqlgen":       {before: "  a: Int @goField(name: \"B\") @connect(source: \"s\")", after: "  a: Int @goField(forceResolver: true, name: \"B\")"},
		"known as not forced":   {before: "  a: Int @connect(source: \"é\") @goField(name: \"B\", forceResolver : false)", after: "  a: Int @goField(name: \"B\", forceResolver : true)"},
		"known without a word":  {before: "  a: Int @goField @connect(source: \"s\")", after: "  a: Int @goField(forceResolver: true)"},
		"root in a line":        {isRoot: true, before: "  a: Int @connect(source: \"s\") @b", after: "  a: Int @b"},
		"root at its end":       {isRoot: true, before: "  a: Int @b @connect(source: \"s\")  \n", after: "  a: Int @b  \n"},
		"root lines":            {isRoot: true, before: "  a: Int\n    @connect(source: \"s\")\n    @b\n", after: "  a: Int\n    @b\n"},
		"root before a comment": {isRoot: true, before: "  a: Int\n    @connect(source: \"s\") # why\n", after: "  a: Int\n    # why\n"},
		"root after a comment":  {isRoot: true, before: "  a: Int # why\n    @connect(source: \"s\") @b\n", after: "  a: Int # why\n    @b\n"},
		"root, other ends":      {isRoot: true, before: "  a: Int\r\n    @connect(source: \"s\")\r\n  b: Int\r\n", after: "  a: Int\r\n  b: Int\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			const start, end = "type T {\n", "\n}\n"
			text := start + test.before + end
			got, err := Unbind(text, parseField(t, text), test.isRoot)
			if err != nil {
				t.Fatal(err)
			}
			if want := start + test.after + end; got != want {
				t.Errorf("got\n%q, want\n%q", got, want)
			}
		})
	}
}

// parseField returns the first field of a text. Like the sources of a project, its lines end with \n.
func parseField(t *testing.T, text string) *ast.FieldDefinition {
	t.Helper()
	doc, err := parser.ParseSchema(&ast.Source{Name: "x.graphqls", Input: lineEnds.Replace(text)})
	if err != nil {
		t.Fatal(err)
	}
	return doc.Definitions[0].Fields[0]
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")
