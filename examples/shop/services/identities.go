package services

import (
	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// What the demo's tokens and uploads carry unless Options say otherwise.
const (
	DemoIssuer   = "gatehouse-demo"
	DemoAudience = "shop"
	DemoAPIKey   = "demo-key"
)

// Identity is someone whom the demo can sign a token for.
type Identity struct {
	// Name is what to call the token in print.
	Name string
	// Subject is a user's id.
	Subject string
	// Roles are what the services and @policy look at.
	Roles []string
	// Scope are the scopes, parted by spaces.
	Scope string
}

// Customer is the ordinary caller of the demo.
var Customer = Identity{Name: "customer", Subject: "u1", Roles: []string{"customer"}, Scope: "orders:write"}

// Admin is the caller who may do everything.
var Admin = Identity{
	Name: "admin", Subject: "u8", Roles: []string{"admin"},
	Scope: "users:read users:write orders:read orders:write",
}

// Identities are those whose tokens a demo prints, in the order to print them.
func Identities() []Identity { return []Identity{Customer, Admin} }

// DemoSecret turns the value of GATEWAY_DEMO_SECRET into a signing key: a random
// one when it is empty. A value shorter than 32 bytes is an error rather than
// replaced, since whoever set it makes tokens with it.
func DemoSecret(value string) ([]byte, error) { return backend.DemoSecret(value) }
