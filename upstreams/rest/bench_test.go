package rest_test

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// BenchmarkCall measures building a call as generated code does it.
func BenchmarkCall(b *testing.B) {
	keys := []string{"u1", "u2", "u3", "u,4"}
	b.ReportAllocs()
	for b.Loop() {
		c := rest.New("GET", "/users/").Segment("u1").Literal("/orders").Query("ids", keys).QueryExploded("status", keys).Query("limit", 10)
		if c.Err() != nil {
			b.Fatal(c.Err())
		}
	}
}
