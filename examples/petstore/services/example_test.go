package services_test

import (
	"fmt"
	"net/http/httptest"

	"github.com/gatehouse-graphql/gatehouse/examples/petstore/services"
)

// The service is an http.Handler, and counts its calls.
func Example() {
	store := services.New(services.Options{})
	defer store.Close()

	answer := httptest.NewRecorder()
	store.Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/v1/pets?species=BIRD", nil))
	fmt.Println(answer.Code)
	fmt.Println(store.Calls())
	// Output:
	// 200
	// map[listPets:1]
}
