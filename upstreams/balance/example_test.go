package balance_test

import (
	"fmt"
	"net/http"
	"net/url"

	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A caller uses an ordinary http.Client, whose requests go to the replicas in turn.
func Example() {
	replicas := []*url.URL{
		{Scheme: "http", Host: "10.0.0.1:4001", Path: "/v1"},
		{Scheme: "http", Host: "10.0.0.2:4001", Path: "/v1"},
	}
	network := roundTripper(func(r *http.Request) (*http.Response, error) {
		fmt.Println(r.URL)
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	client := http.Client{Transport: balance.New(replicas, balance.Options{}, network)}
	for range 3 {
		resp, err := client.Get("http://users/users/u1")
		if err != nil {
			fmt.Println(err)
			return
		}
		resp.Body.Close()
	}
	// Output:
	// http://10.0.0.1:4001/v1/users/u1
	// http://10.0.0.2:4001/v1/users/u1
	// http://10.0.0.1:4001/v1/users/u1
}
