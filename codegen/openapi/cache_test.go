package openapi_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

const cachedDocument = `openapi: 3.1.0
paths:
  /users:
    get:
      operationId: listUsers
      responses:
        "200": {content: {application/json: {schema: {$ref: "types/user.yaml#/User"}}}}
`

// A document is kept until its text, or the text of a file that it refers to, changes. That counts
// a file which was missing and appears.
func TestCacheFollowsFiles(t *testing.T) {
	dir, cache := t.TempDir(), new(openapi.Cache)
	read := func() *openapi.Document {
		t.Helper()
		doc, err := cache.Read(dir, "openapi/users.yaml")
		if err != nil {
			t.Fatal(err)
		}
		return doc
	}
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, "openapi", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("users.yaml", cachedDocument)
	missing := read()
	missing.Operation("listUsers")
	if w := missing.Warnings(); len(w) != 1 || !strings.Contains(w[0], "openapi/users.yaml:7: types/user.yaml#/User cannot be read") {
		t.Errorf("the warnings are %q", w)
	}
	if read() != missing {
		t.Error("the document was read again, and no file had changed")
	}
	write("types/user.yaml", "User: {type: object}\n")
	found := read()
	if schema := found.Operation("listUsers").Success().JSON().Schema; found == missing || !schema.AllowsType("object") {
		t.Errorf("the schema is %v after the file it refers to has appeared", schema)
	}
	write("types/user.yaml", "User: {type: string}\n")
	if schema := read().Operation("listUsers").Success().JSON().Schema; !schema.AllowsType("string") {
		t.Errorf("the schema is %v after the file it refers to has changed", schema)
	}
	write("users.yaml", strings.Replace(cachedDocument, "listUsers", "users", 1))
	if read().Operation("users") == nil {
		t.Error("the operation has its former name after the document has changed")
	}
}

// Two folders may hold documents of the same name, and messages name files relative to them.
func TestCacheOfFolders(t *testing.T) {
	var cache openapi.Cache
	for _, id := range []string{"one", "two"} {
		dir := t.TempDir()
		if _, err := cache.Read(dir, "a.yaml"); err == nil || !strings.Contains(err.Error(), "stat a.yaml:") {
			t.Errorf("the error of a missing document is %v", err)
		}
		text := strings.Replace(cachedDocument, "listUsers", id, 1)
		if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if doc, err := cache.Read(dir, "a.yaml"); err != nil || doc.Operation(id) == nil || doc.File != "a.yaml" {
			t.Errorf("%s: the document is %+v, %v", id, doc, err)
		}
	}
}
