package services

import "github.com/gatehouse-graphql/gatehouse/examples/internal/backend"

// The defaults of Options, for the demo.
const (
	DemoIssuer   = "gatehouse-demo"
	DemoAudience = "petstore"
	DemoAPIKey   = "demo-key"
	// DemoPassword is the password of every user of the data.
	DemoPassword = "correct-horse"
)

// The scopes of the document.
const (
	readPets  = "read_pets"
	writePets = "write_pets"
)

// Identity is a caller for whom the demo signs a token.
type Identity struct {
	// Name is the name of the identity in output.
	Name string
	// Subject is the id of a user.
	Subject string
	// Scope has the scopes, separated by spaces.
	Scope string
}

// Customer is the ordinary caller of the demo.
var Customer = Identity{Name: "customer", Subject: "u1", Scope: readPets}

// Keeper may also update and delete pets.
var Keeper = Identity{Name: "keeper", Subject: "u8", Scope: readPets + " " + writePets}

// Identities returns the identities whose tokens the demo prints, in order.
func Identities() []Identity { return []Identity{Customer, Keeper} }

// DemoSecret returns the signing key for the value of GATEWAY_DEMO_SECRET: a random one when it
// is empty. A value of fewer than 32 bytes is an error.
func DemoSecret(value string) ([]byte, error) { return backend.DemoSecret(value) }
