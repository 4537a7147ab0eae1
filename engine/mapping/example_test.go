package mapping_test

import (
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/engine/mapping"
)

// An error of a service becomes a message for the client.
func Example() {
	answer, err := mapping.Parse([]byte(`{"error": {"code": 17, "details": ["too short", null, "too plain"]}}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	failure := mapping.Get(answer, "error")
	fmt.Println(mapping.Match(mapping.Get(failure, "code"), "OTHER", [2]any{17, "WEAK_PASSWORD"}))
	fmt.Println(mapping.JoinNotNull(mapping.Get(failure, "details"), ", "))
	// Output:
	// WEAK_PASSWORD
	// too short, too plain
}
