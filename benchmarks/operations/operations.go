// Package operations holds what the benchmarks ask of a posts gateway, and what it must
// answer and cost.
package operations

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/services"
)

// Operation is a query with what is known of it.
type Operation struct {
	// Name is short: Q1.
	Name string
	// Query is the document.
	Query string
	// Services are what it is asked over.
	Services services.Options
	// Calls is how many calls to the services answering it takes, when nothing is shared
	// between operations.
	Calls int

	data func(posts []services.Post) any
}

// Greeting is the answer of greet.
const Greeting = "Hello World!"

// The documents. Q3 and Q5 ask the same of different services.
const (
	Greet = `{greet}`
	Posts = `{posts{id userId title body}}`
	Users = `{posts{id userId title user{id name email}}}`
	One   = `{post(id:1){title user{name}}}`
)

// All are the operations, in order.
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

// Request is the operation as the body of a POST.
func (o Operation) Request() []byte {
	body, _ := json.Marshal(map[string]string{"query": o.Query}) // cannot fail
	return body
}

// Check says what is wrong with the body of an answer. Of services whose answers take
// turns, any will do.
func (o Operation) Check(body []byte) error {
	got, err := normal(body)
	if err != nil {
		return fmt.Errorf("%s: the answer is no JSON: %w: %.200s", o.Name, err, body)
	}
	var want []byte
	for turn := range o.Services.Turns() {
		if want = o.Expected(turn); bytes.Equal(got, want) {
			return nil
		}
	}
	return fmt.Errorf("%s: the answer is\n%.300s\nwant\n%.300s", o.Name, got, want)
}

// Expected is the answer for a turn of the services, with members in alphabetical order.
func (o Operation) Expected(turn int) []byte {
	text, _ := json.Marshal(map[string]any{"data": o.data(o.Services.PostsOf(turn))}) // cannot fail
	ordered, _ := normal(text)
	return ordered
}

// normal is a JSON text without spaces, members in alphabetical order.
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
