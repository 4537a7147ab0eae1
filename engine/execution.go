package engine

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// The values of Options.Engine.
const (
	// EnginePlan executes queries and mutations by plans, package plan, where plans can.
	EnginePlan = "plan"
	// EngineGqlgen executes all operations by gqlgen's own executor.
	EngineGqlgen = "gqlgen"
)

// FallbackReason says why gqlgen's executor executes an operation. It is empty for an operation
// that a plan executes. Operators read it in the log and as the label of a metric, so the
// constants below are its only values.
type FallbackReason string

const (
	FallbackBySetting     FallbackReason = "execution.engine"
	FallbackInterceptors  FallbackReason = "field interceptors"
	FallbackSubscription  FallbackReason = "subscription"
	FallbackIntrospection FallbackReason = "introspection"
	FallbackDirectives    FallbackReason = "directives other than @skip and @include"
	FallbackConditions    FallbackReason = "more than 64 variables in @skip and @include"
	FallbackTooLarge      FallbackReason = "a plan of more than 20000 fields"
)

// FallbackReasons returns all reasons.
func FallbackReasons() []FallbackReason {
	return []FallbackReason{
		FallbackBySetting, FallbackInterceptors, FallbackSubscription, FallbackIntrospection, FallbackDirectives, FallbackConditions, FallbackTooLarge,
	}
}

// Result is the outcome of executing an operation.
type Result struct {
	// Response is the operation's response; nil if the operation was not executed.
	Response *graphql.Response
	// Fallback says why gqlgen's executor executes the operation; empty if a plan did.
	Fallback FallbackReason
	// Buffer is the caller's buffer, which the executor may have replaced by a larger one. The
	// Data of a plan's response lies in it, so that the caller must not use it again before
	// that has been written.
	Buffer []byte
}

// Executor is a schema that executes operations by plans, package plan. Generated schemas
// implement it. It is safe for concurrent use.
type Executor interface {
	// Execute executes op by a plan and writes the data of the response into buf, from its
	// beginning. As for graphql.ExecutableSchema.Exec, ctx holds op and a response context.
	// If no plan can execute op, the result has the reason and no response, nothing has been
	// executed, and the caller has to use Exec. The error is that of a ctx that ended before
	// the execution began. Plans call no field interceptors of op.
	Execute(ctx context.Context, op *graphql.OperationContext, buf []byte) (Result, error)
}

// Pinner is a schema that plans operations ahead. Generated schemas implement it. It is safe for
// concurrent use.
type Pinner interface {
	// Pin plans op and keeps the plans, whatever other operations are planned, until release is
	// called. It returns an estimate of their memory in bytes, without that of the document.
	Pin(op *graphql.OperationContext) (bytes int, release func())
}

// Coalescer is a schema that knows which operations callers may share. Generated schemas
// implement it. It is safe for concurrent use.
type Coalescer interface {
	// CanCoalesce reports whether all callers of one identity who send op with the same
	// variables get the same response, whatever else their requests hold. It waits for
	// another caller's plan of op until ctx ends at the latest, and then returns false.
	CanCoalesce(ctx context.Context, op *graphql.OperationContext) bool
}
