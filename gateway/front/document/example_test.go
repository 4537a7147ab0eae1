package document_test

import (
	"context"
	"fmt"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/document"
)

func ExampleStore_Get() {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: "type Query { hello: String }"})
	store := document.NewStore(schema, document.Options{Suggestions: true})
	_, errs := store.Get(context.Background(), "{ helo }")
	fmt.Println(errs[0].Message)
	// Output: Cannot query field "helo" on type "Query". Did you mean "hello"?
}
