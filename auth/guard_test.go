package auth_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// guarded runs a directive over a field, and reports whether the field was resolved.
func guarded(directive func(next func(context.Context) (any, error)) (any, error)) (asked bool, value any, err error) {
	value, err = directive(func(context.Context) (any, error) {
		asked = true
		return "secret", nil
	})
	return asked, value, err
}

func wantGuard(t *testing.T, asked bool, value any, err error, kind fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); got != kind {
		t.Errorf("kind %q, want %q (%v)", got, kind, err)
	}
	if open := kind == ""; asked != open || (value == "secret") != open {
		t.Errorf("the field was asked: %v, and gave %v", asked, value)
	}
}

func TestAuthenticated(t *testing.T) {
	tests := map[string]struct {
		ctx  context.Context
		kind fault.Code
	}{
		"no identity":   {context.Background(), fault.Unauthenticated},
		"anonymous":     {auth.NewContext(context.Background(), nil), fault.Unauthenticated},
		"a caller":      {auth.NewContext(context.Background(), &auth.Identity{Subject: "u1"}), ""},
		"a bare caller": {auth.NewContext(context.Background(), &auth.Identity{}), ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			asked, value, err := guarded(func(next func(context.Context) (any, error)) (any, error) {
				return auth.Authenticated(test.ctx, nil, next)
			})
			wantGuard(t, asked, value, err, test.kind)
		})
	}
}

func TestRequiresScopes(t *testing.T) {
	caller := func(scopes ...string) *auth.Identity { return &auth.Identity{Subject: "u1", Scopes: scopes} }
	tests := []struct {
		name   string
		caller *auth.Identity
		scopes [][]string
		kind   fault.Code
	}{
		{"the scope", caller("a", "b"), [][]string{{"b"}}, ""},
		{"all of a list", caller("a", "b"), [][]string{{"a", "b"}}, ""},
		{"part of a list", caller("a"), [][]string{{"a", "b"}}, fault.Forbidden},
		{"parts of two lists", caller("a", "c"), [][]string{{"a", "b"}, {"c", "d"}}, fault.Forbidden},
		{"the second list", caller("c"), [][]string{{"a", "b"}, {"c"}}, ""},
		{"another scope", caller("b"), [][]string{{"a"}}, fault.Forbidden},
		{"letter by letter", caller("A", "a:read", "a "), [][]string{{"a"}}, fault.Forbidden},
		{"no scopes", caller(), [][]string{{"a"}}, fault.Forbidden},
		{"no lists", caller("a"), nil, fault.Forbidden},
		{"zero lists", caller("a"), [][]string{}, fault.Forbidden},
		{"an empty list", caller("a"), [][]string{{}}, fault.Forbidden},
		{"an empty list and the scope", caller("a"), [][]string{{}, {"a"}}, ""},
		{"anonymous", nil, [][]string{{"a"}}, fault.Unauthenticated},
		{"anonymous, no lists", nil, nil, fault.Unauthenticated},
		{"anonymous, an empty list", nil, [][]string{{}}, fault.Unauthenticated},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked, value, err := guarded(func(next func(context.Context) (any, error)) (any, error) {
				return auth.RequiresScopes(auth.NewContext(context.Background(), test.caller), nil, next, test.scopes)
			})
			wantGuard(t, asked, value, err, test.kind)
		})
	}
}

// The error of the field itself is returned unchanged.
func TestGuardsReturnErrorsOfFields(t *testing.T) {
	broken := errors.New("broken")
	ctx := auth.NewContext(context.Background(), &auth.Identity{Scopes: []string{"a"}})
	next := func(context.Context) (any, error) { return nil, broken }
	if _, err := auth.Authenticated(ctx, nil, next); err != broken {
		t.Errorf("got %v", err)
	}
	if _, err := auth.RequiresScopes(ctx, nil, next, [][]string{{"a"}}); err != broken {
		t.Errorf("got %v", err)
	}
}
