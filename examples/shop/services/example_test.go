package services_test

import (
	"fmt"
	"net/http/httptest"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
)

// The services are http.Handlers, and count their calls.
func Example() {
	shop := services.New(services.Options{})
	defer shop.Close()

	answer := httptest.NewRecorder()
	shop.Products(1).ServeHTTP(answer, httptest.NewRequest("GET", "/products/S-204", nil))
	fmt.Println(answer.Code, answer.Header().Get("X-Replica"))
	fmt.Println(shop.Calls("products"))
	// Output:
	// 200 1
	// map[getProduct:1]
}
