package binding_test

import (
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// The message shows a character that names cannot have.
func TestForeignCharacters(t *testing.T) {
	_, err := binding.Load(&ast.Source{Name: "s.graphqls", Input: "type Query {\n  \"é 🙂\" été: Int\n}"})
	if err == nil || !strings.HasPrefix(err.Error(), "s.graphqls:2:9: Expected Name, found 'é'; names have ") {
		t.Errorf("got %v", err)
	}
}
