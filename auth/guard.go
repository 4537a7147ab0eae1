package auth

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Authenticated implements the directive @authenticated. For an anonymous caller it returns a
// fault with the code fault.Unauthenticated, and does not call next.
func Authenticated(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	if err := CheckAuthenticated(ctx); err != nil {
		return nil, err
	}
	return next(ctx)
}

// CheckAuthenticated returns the error of Authenticated, or nil.
func CheckAuthenticated(ctx context.Context) error {
	if FromContext(ctx) == nil {
		return anonymousFault()
	}
	return nil
}

// RequiresScopes implements the directive @requiresScopes with the meaning that it has in
// Apollo Federation: the caller needs all scopes of at least one of the lists. Otherwise it
// returns a fault with the code fault.Forbidden, or fault.Unauthenticated for an anonymous
// caller, and does not call next. An empty list grants nothing, and neither do no lists, so
// that a forgotten argument does not open a field.
func RequiresScopes(ctx context.Context, _ any, next graphql.Resolver, scopes [][]string) (any, error) {
	if err := CheckScopes(ctx, scopes); err != nil {
		return nil, err
	}
	return next(ctx)
}

// CheckScopes returns the error of RequiresScopes, or nil.
func CheckScopes(ctx context.Context, scopes [][]string) error {
	caller := FromContext(ctx)
	if caller == nil {
		return anonymousFault()
	}
	for _, required := range scopes {
		if len(required) > 0 && caller.hasAllScopes(required) {
			return nil
		}
	}
	return fault.New(fault.Forbidden, "the token lacks a scope that this needs")
}

func anonymousFault() error {
	return fault.New(fault.Unauthenticated, "this needs a signed-in caller: send a bearer token")
}

func (i *Identity) hasAllScopes(scopes []string) bool {
	for _, scope := range scopes {
		if !i.HasScope(scope) {
			return false
		}
	}
	return true
}
