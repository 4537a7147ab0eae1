package auth

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Authenticated is the directive @authenticated: an anonymous caller gets a fault
// of kind fault.Unauthenticated, and next is not called.
func Authenticated(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	if err := CheckAuthenticated(ctx); err != nil {
		return nil, err
	}
	return next(ctx)
}

// CheckAuthenticated returns the fault of Authenticated, or nil.
func CheckAuthenticated(ctx context.Context) error {
	if From(ctx) == nil {
		return unauthenticated()
	}
	return nil
}

// RequiresScopes is the directive @requiresScopes with federation's meaning: the
// caller needs every scope of at least one of the lists. Without them the fault is
// of kind fault.Forbidden, or fault.Unauthenticated for an anonymous caller, and
// next is not called. A list without a scope grants nothing, and neither does no
// list at all: whoever forgot to fill it in shall not have opened the field.
func RequiresScopes(ctx context.Context, _ any, next graphql.Resolver, scopes [][]string) (any, error) {
	if err := CheckScopes(ctx, scopes); err != nil {
		return nil, err
	}
	return next(ctx)
}

// CheckScopes returns the fault of RequiresScopes, or nil.
func CheckScopes(ctx context.Context, scopes [][]string) error {
	caller := From(ctx)
	if caller == nil {
		return unauthenticated()
	}
	for _, all := range scopes {
		if len(all) > 0 && caller.hasAll(all) {
			return nil
		}
	}
	return fault.New(fault.Forbidden, "the token lacks a scope that this needs")
}

func unauthenticated() error {
	return fault.New(fault.Unauthenticated, "this needs a signed-in caller: send a bearer token")
}

func (i *Identity) hasAll(scopes []string) bool {
	for _, scope := range scopes {
		if !i.HasScope(scope) {
			return false
		}
	}
	return true
}
