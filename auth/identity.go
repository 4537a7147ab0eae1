package auth

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
)

// Identity is a caller whose token was accepted. It does not hold the token. All code that
// runs for a request shares it, so that it must not be changed. A nil *Identity is an
// anonymous caller; all methods may be called on it.
type Identity struct {
	// Subject is the "sub" of the token, "" when it has none.
	Subject string
	// Scopes are the scopes of the token: see scopesOf for the claims.
	Scopes []string
	// Roles are the strings at Options.RolesClaim.
	Roles []string
	// Claims is the whole payload of the token. Its values are string, bool, json.Number,
	// nil, []any and map[string]any.
	Claims map[string]any
}

// NewIdentity returns the identity that the payload of an accepted token describes. It verifies
// nothing: it is for a Verifier, and for tests without tokens. The values of claims have
// the types of those in Identity.Claims. An empty rolesClaim is DefaultRolesClaim.
func NewIdentity(claims map[string]any, rolesClaim string) *Identity {
	subject, _ := claims["sub"].(string)
	return &Identity{
		Subject: subject,
		Scopes:  scopesOf(claims),
		Roles:   rolesOf(claims, cmp.Or(rolesClaim, DefaultRolesClaim)),
		Claims:  claims,
	}
}

// HasScope reports whether the token has scope, compared exactly.
func (i *Identity) HasScope(scope string) bool {
	return i != nil && slices.Contains(i.Scopes, scope)
}

// HasRole reports whether the token has role, compared exactly.
func (i *Identity) HasRole(role string) bool {
	return i != nil && slices.Contains(i.Roles, role)
}

// Claim returns a claim by its dotted path, such as "sub" or "realm_access.roles", and
// whether it is present. A claim that is null is (nil, true).
func (i *Identity) Claim(path string) (any, bool) {
	if i == nil {
		return nil, false
	}
	return lookup(i.Claims, path)
}

// String returns the subject, and no other claim.
func (i *Identity) String() string {
	if i == nil {
		return "anonymous"
	}
	return fmt.Sprintf("caller %q", i.Subject)
}

// GoString returns String, so that %#v shows no more.
func (i *Identity) GoString() string { return i.String() }

// LogValue implements slog.LogValuer. It returns the subject, and no other claim.
func (i *Identity) LogValue() slog.Value {
	if i == nil {
		return slog.StringValue("anonymous")
	}
	return slog.GroupValue(slog.String("sub", i.Subject))
}

type identityKey struct{}

// NewContext returns a context with the identity of the caller; nil is an anonymous caller.
func NewContext(ctx context.Context, i *Identity) context.Context {
	return context.WithValue(ctx, identityKey{}, i)
}

// FromContext returns the identity that ctx carries, nil for an anonymous caller.
func FromContext(ctx context.Context) *Identity {
	i, _ := ctx.Value(identityKey{}).(*Identity)
	return i
}

// Claim returns a claim of the caller by its dotted path, nil when it is absent. Bindings
// call it for $claims.
func Claim(ctx context.Context, path string) any {
	value, _ := FromContext(ctx).Claim(path)
	return value
}
