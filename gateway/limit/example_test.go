package limit_test

import (
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

func ExampleParse() {
	doc, err := limit.Parse("{ me { orders { lines { product { name } } } } }", limit.Options{Depth: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(doc.Check(doc.AST.Operations.ForName("")))
	// Output: the operation has 5 levels of fields; the limit is 3
}
