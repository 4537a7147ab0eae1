package bindingtest_test

import (
	"context"
	"os"
	"regexp"
)

func ExampleProject_Print() {
	shop.Print(context.Background(), os.Stdout, regexp.MustCompile("stock"), "../schema/products.test.yaml")
	// Output:
	// ../schema/products.test.yaml
	//   ok    The whole stock is one call, from which each product takes its own
	//
	// 1 passed, 0 failed
}
