package auth

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
)

// Identity is a caller whose token was accepted. It is shared by everything that
// runs for the request: read it, don't change it. It does not hold the token. A nil
// *Identity is an anonymous caller, and every method may be called on it.
type Identity struct {
	// Subject is the token's "sub"; empty when it has none.
	Subject string
	// Scopes are what the token allows its bearer to do.
	Scopes []string
	// Roles are the texts at Options.RolesClaim.
	Roles []string
	// Claims is the token's whole payload: string, bool, json.Number, nil, []any
	// and map[string]any.
	Claims map[string]any
}

// Identify is the caller whom a token's payload describes, for those who have accepted
// the token: a Verifier, or a test that needs none. The values of claims are as in
// Identity.Claims. An empty rolesClaim is DefaultRolesClaim.
func Identify(claims map[string]any, rolesClaim string) *Identity {
	subject, _ := claims["sub"].(string)
	return &Identity{
		Subject: subject,
		Scopes:  scopesOf(claims),
		Roles:   rolesOf(claims, cmp.Or(rolesClaim, DefaultRolesClaim)),
		Claims:  claims,
	}
}

// HasScope tells whether the token holds scope, letter by letter.
func (i *Identity) HasScope(scope string) bool {
	return i != nil && slices.Contains(i.Scopes, scope)
}

// HasRole tells whether the token holds role, letter by letter.
func (i *Identity) HasRole(role string) bool {
	return i != nil && slices.Contains(i.Roles, role)
}

// Claim finds a claim by its dotted path, such as "sub" or "realm_access.roles".
// It tells apart a claim that is null (nil, true) and one that is not there (nil, false).
func (i *Identity) Claim(path string) (any, bool) {
	if i == nil {
		return nil, false
	}
	return lookup(i.Claims, path)
}

// String names the caller, without the token and without other claims.
func (i *Identity) String() string {
	if i == nil {
		return "anonymous"
	}
	return fmt.Sprintf("caller %q", i.Subject)
}

// GoString is String, so that %#v shows no more.
func (i *Identity) GoString() string { return i.String() }

// LogValue is what a log shows: the subject, never the token.
func (i *Identity) LogValue() slog.Value {
	if i == nil {
		return slog.StringValue("anonymous")
	}
	return slog.GroupValue(slog.String("sub", i.Subject))
}

type identityKey struct{}

// With returns a context that carries the caller; nil is an anonymous one.
func With(ctx context.Context, i *Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, i)
}

// From gives the caller whom ctx carries, nil when anonymous.
func From(ctx context.Context) *Identity {
	i, _ := ctx.Value(identityKey{}).(*Identity)
	return i
}

// Claim is the caller's claim at a dotted path as a value to send; nil when there is
// none. Bindings call it for $claims.
func Claim(ctx context.Context, path string) any {
	value, _ := From(ctx).Claim(path)
	return value
}
