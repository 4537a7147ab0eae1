package rest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// Values are escaped for their place, and absent values are left out.
func ExampleCall() {
	var after *string
	c := rest.New("GET", "/users/").Segment("a/b?c").Literal("/orders").
		Query("ids", []string{"o1", "o,2"}).
		Query("after", after)
	fmt.Println(c.Key())
	fmt.Println(c.Template())
	fmt.Println(rest.New("GET", "/users/").Segment("..").Err())
	// Output:
	// GET /users/a%2Fb%3Fc/orders?ids=o1,o%2C2
	// /users/{}/orders
	// a value in the path must not be or contain the segments "." and "..": GET /users/
}

func ExampleClient_Do() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"asked": %q}`, r.RequestURI)
	}))
	defer service.Close()

	// Without a balancer, the name of the service is its address.
	client := rest.Client{Service: service.Listener.Addr().String(), Transport: service.Client().Transport}
	answer, err := client.Do(context.Background(), rest.New("GET", "/users/").Segment("u1"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(answer.Status, string(answer.Body))
	// Output: 200 {"asked": "/users/u1"}
}
