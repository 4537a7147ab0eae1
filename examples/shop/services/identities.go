package services

import (
	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// The defaults of Options, for the demo.
const (
	DemoIssuer   = "gatehouse-demo"
	DemoAudience = "shop"
	DemoAPIKey   = "demo-key"
)

// Identity is a caller for whom the demo signs a token.
type Identity struct {
	// Name is the name of the identity in output.
	Name string
	// Subject is the id of a user.
	Subject string
	// Roles are checked by the services and by @policy.
	Roles []string
	// Scope has the scopes, separated by spaces.
	Scope string
}

// Customer is the ordinary caller of the demo.
var Customer = Identity{Name: "customer", Subject: "u1", Roles: []string{"customer"}, Scope: "orders:write"}

// Admin is a caller with all scopes.
var Admin = Identity{
	Name: "admin", Subject: "u8", Roles: []string{"admin"},
	Scope: "users:read users:write orders:read orders:write",
}

// Identities returns the identities whose tokens the demo prints, in order.
func Identities() []Identity { return []Identity{Customer, Admin} }

// DemoSecret returns the signing key for the value of GATEWAY_DEMO_SECRET: a random one when it
// is empty. A value of fewer than 32 bytes is an error and not replaced, since other programs
// sign tokens with it.
func DemoSecret(value string) ([]byte, error) { return backend.DemoSecret(value) }
