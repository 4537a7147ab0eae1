// Package inputs tests how values of requests are coerced, by requests to a gateway with each of the
// executors, over a graph of its own: which values are refused before anything runs, and what a
// service receives of the others. Random operations are compared with graphql-js.
package inputs

//go:generate go run github.com/gatehouse-graphql/gatehouse/cmd/gatehouse generate
