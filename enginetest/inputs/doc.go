// Package inputs tests how values of requests are coerced, on both executors and against
// graphql-js, over a graph of its own.
package inputs

//go:generate go run github.com/gatehouse-graphql/gatehouse/cmd/gatehouse generate
