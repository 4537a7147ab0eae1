// Package operations has the operations of the benchmarks, with the responses and the number of
// calls that a posts gateway must produce.
package operations

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/services"
)

// Operation is a query with its expected results.
type Operation struct {
	// Name is short: Q1.
	Name string
	// Query is the document.
	Query string
	// Services are the options of the services behind it.
	Services services.Options
	// Calls is how many calls to the services it needs when operations share nothing.
	Calls int

	data func(posts []services.Post) any
}

// Greeting is the value of Query.greet.
const Greeting = "Hello World!"

// The documents. Q3 and Q5 are the same query over different services.
const (
	Greet = `{greet}`
	Posts = `{posts{id userId title body}}`
	Users = `{posts{id userId title user{id name email}}}`
	One   = `{post(id:1){title user{name}}}`
)

// All returns the operations in order.
func All() []Operation {
	many := services.Options{Users: 1000, Latency: 5 * time.Millisecond}
	return []Operation{
		{Name: "Q1", Query: Greet, Calls: 0, data: greeting},
		{Name: "Q2", Query: Posts, Calls: 1, data: posts},
		{Name: "Q3", Query: Users, Calls: 2, data: postsWithUsers},
		{Name: "Q4", Query: One, Calls: 2, data: onePost},
		{Name: "Q5", Query: Users, Calls: 2, data: postsWithUsers, Services: many},
	}
}

// Request returns the body of a POST with the operation.
func (o Operation) Request() []byte {
	body, _ := json.Marshal(map[string]string{"query": o.Query}) // cannot fail
	return body
}

// Check returns an error if body is not an expected response. If the services return different
// posts in turn, the response for any turn is expected.
func (o Operation) Check(body []byte) error {
	got, err := normal(body)
	if err != nil {
		return fmt.Errorf("%s: the response is not JSON: %w: %.200s", o.Name, err, body)
	}
	var want []byte
	for turn := range o.Services.Turns() {
		if want = o.Expected(turn); bytes.Equal(got, want) {
			return nil
		}
	}
	return fmt.Errorf("%s: the answer is\n%.300s\nwant\n%.300s", o.Name, got, want)
}

// Expected returns the response for a turn of the services, with members in alphabetical order.
func (o Operation) Expected(turn int) []byte {
	text, _ := json.Marshal(map[string]any{"data": o.data(o.Services.PostsOf(turn))}) // cannot fail
	ordered, _ := normal(text)
	return ordered
}

// normal returns JSON without white space, with members in alphabetical order.
func normal(text []byte) ([]byte, error) {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

type object = map[string]any

func greeting([]services.Post) any { return object{"greet": Greeting} }

func posts(all []services.Post) any { return object{"posts": all} }

func postsWithUsers(all []services.Post) any {
	list := make([]object, len(all))
	for i, p := range all {
		u := services.UserOf(p.UserID)
		list[i] = object{
			"id": p.ID, "userId": p.UserID, "title": p.Title,
			"user": object{"id": u.ID, "name": u.Name, "email": u.Email},
		}
	}
	return object{"posts": list}
}

func onePost(all []services.Post) any {
	return object{"post": object{"title": all[0].Title, "user": object{"name": services.UserOf(all[0].UserID).Name}}}
}
