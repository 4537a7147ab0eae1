package auth_test

import (
	"context"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/auth/devtoken"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

func Example() {
	secret := "a secret of thirty-two bytes, ok"
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	verifier, err := auth.NewVerifier(ctx, auth.Options{Issuers: []auth.Issuer{{
		Issuer:     "gatehouse-demo",
		Audiences:  []string{"shop"},
		Algorithms: []string{"HS256"},
		Secret:     secret,
	}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	token, _ := devtoken.Sign([]byte(secret), devtoken.Claims{
		Issuer: "gatehouse-demo", Audience: "shop", Subject: "u1", Scope: "users:read", Roles: []string{"admin"},
	})

	caller, err := verifier.Verify(ctx, "Bearer "+token)
	fmt.Println(caller, caller.HasScope("users:read"), caller.HasRole("admin"), err)

	caller, err = verifier.Verify(ctx, "Bearer "+token[1:])
	fmt.Println(caller, fault.CodeOf(err))

	caller, err = verifier.Verify(ctx, "")
	fmt.Println(caller, err)
	// Output:
	// caller "u1" true true <nil>
	// anonymous UNAUTHENTICATED
	// anonymous <nil>
}

func ExampleRequiresScopes() {
	email := func(context.Context) (any, error) { return "ada@example.com", nil }
	scopes := [][]string{{"users:read"}, {"admin"}}

	for _, caller := range []*auth.Identity{nil, {Subject: "u1"}, {Subject: "u2", Scopes: []string{"admin"}}} {
		value, err := auth.RequiresScopes(auth.NewContext(context.Background(), caller), nil, email, scopes)
		fmt.Println(value, fault.CodeOf(err))
	}
	// Output:
	// <nil> UNAUTHENTICATED
	// <nil> FORBIDDEN
	// ada@example.com
}

func ExampleIdentity_Claim() {
	caller := &auth.Identity{Claims: map[string]any{"realm_access": map[string]any{"tenant": "north"}}}
	fmt.Println(caller.Claim("realm_access.tenant"))
	// Output: north true
}
