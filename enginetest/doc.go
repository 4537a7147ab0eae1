// Package enginetest is the differential test of the two executors: the one by plans (engine/plan
// with graph/engine.gen.go) and gqlgen's own. It sends random operations to a gateway with each and
// compares the responses, which must have
//
//   - the same bytes of data,
//   - the same errors, with message, path, locations and extensions, in any order, and
//   - the same resolvers called, each at most once by the executor by plans.
//
// One difference is allowed: where a Float that JSON cannot write lies below a null, the executor by
// plans may have one error more.
//
// Everything derives from one number, the seed: the operation (operation_test.go), what the services
// send (service_test.go and the two files beside it), and what the resolvers written by hand return
// (package resolvers). Values often do not fit the graph, and resolvers fail and panic, so that errors
// and the nulls that spread from them are compared as well. The graph is in schema/, handmodel has a
// model written by hand, and graph/ and resolvers/connect.gen.go are generated from them.
//
//	go test ./enginetest                                        # 3,000 seeds
//	ENGINETEST_SEEDS=50000-60000 go test ./enginetest -run Agree # others
//
// Package inputs, below, tests how the values of requests are read, against graphql-js.
package enginetest

//go:generate go run github.com/gatehouse-graphql/gatehouse/cmd/gatehouse generate
