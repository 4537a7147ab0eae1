package e2e

import (
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
)

// BenchmarkGateway measures whole requests over real HTTP. Client, gateway and services share the
// process, so that the figures are their sum.
func BenchmarkGateway(b *testing.B) {
	g := newGateway(b)
	admin := g.token(b, services.Admin)
	for _, q := range []struct{ name, query string }{
		{"typename", `{ __typename }`},
		{"product", `{ product(sku: "B-100") { name price } }`},
		{"products", `{ products(first: 12) { nodes { sku name price } } }`},
		{"orders", `{ orders(first: 20) { nodes { id lines { product { name } } customer { name } } } }`},
	} {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if a := g.query(b, admin, q.query, nil); len(a.Errors) > 0 {
					b.Fatal(a.Body)
				}
			}
		})
	}
}
