// Package enginetest compares the two executors: random valid operations over a graph of its
// own are answered by plans and by gqlgen's executor, and the responses and the calls of
// resolvers must be equal.
package enginetest

//go:generate go run github.com/gatehouse-graphql/gatehouse/cmd/gatehouse generate
