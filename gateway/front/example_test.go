package front_test

import (
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

func ExampleNew() {
	f, err := front.New(front.Options{}, front.Deps{Schema: &service{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	request := httptest.NewRequest("POST", "/graphql", strings.NewReader(`{"query":"{n}"}`))
	request.Header.Set("Content-Type", "application/json")
	answer := httptest.NewRecorder()
	f.Handler().ServeHTTP(answer, request)
	fmt.Println(answer.Code, answer.Body)
	// Output: 200 {"data":{"n":1}}
}
