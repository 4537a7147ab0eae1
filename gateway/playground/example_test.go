package playground_test

import (
	"fmt"
	"net/http/httptest"

	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
)

func ExampleHandler() {
	handler := playground.Handler(playground.Options{
		Title:    "Shop",
		Examples: []playground.Example{{Name: "Every product's name.", Query: "{ products { name } }"}},
	})

	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("GET", "/playground/config.json", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	// Output: 200 application/json
}
