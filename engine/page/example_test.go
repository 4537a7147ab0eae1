package page_test

import (
	"context"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/engine/page"
)

// The gateway puts the key into the context; a resolver requests a page of its field.
func ExampleLoad() {
	key, err := page.NewKey(page.Options{Secret: "a secret of thirty-two bytes, ok"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := page.WithKey(context.Background(), key)
	shelf := []string{"teapot", "kettle", "mug"}
	service := func(_ context.Context, at page.Range) (page.Response[string], error) {
		fmt.Printf("GET /products?offset=%d&limit=%d\n", at.Offset, at.Size)
		return page.Response[string]{Items: shelf[at.Offset:min(at.Offset+at.Size, len(shelf))], Total: new(int64(len(shelf)))}, nil
	}

	r := page.Request{Field: "Query.products", First: new(2), Max: 50, Type: page.Offset, ReportsMore: true}
	for more := true; more; {
		conn, err := page.Load(ctx, r, service)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(conn.Items, "of", *conn.Total)
		r.After, more = conn.End, conn.HasNext
	}
	// Output:
	// GET /products?offset=0&limit=2
	// [teapot kettle] of 3
	// GET /products?offset=2&limit=2
	// [mug] of 3
}
