package services

import "github.com/gatehouse-graphql/gatehouse/examples/internal/backend"

// What the demo's tokens and calls carry unless Options say otherwise.
const (
	DemoIssuer   = "gatehouse-demo"
	DemoAudience = "petstore"
	DemoAPIKey   = "demo-key"
	// DemoPassword is that of every user of the data, for login.
	DemoPassword = "correct-horse"
)

// The scopes of the document.
const (
	readPets  = "read_pets"
	writePets = "write_pets"
)

// Identity is someone whom the demo can sign a token for.
type Identity struct {
	// Name is what to call the token in print.
	Name string
	// Subject is a user's id.
	Subject string
	// Scope are the scopes, parted by spaces.
	Scope string
}

// Customer is the ordinary caller of the demo.
var Customer = Identity{Name: "customer", Subject: "u1", Scope: readPets}

// Keeper may also change and delete pets.
var Keeper = Identity{Name: "keeper", Subject: "u8", Scope: readPets + " " + writePets}

// Identities are those whose tokens a demo prints, in the order to print them.
func Identities() []Identity { return []Identity{Customer, Keeper} }

// DemoSecret turns the value of GATEWAY_DEMO_SECRET into a signing key: a random one when
// it is empty. A value shorter than 32 bytes is an error.
func DemoSecret(value string) ([]byte, error) { return backend.DemoSecret(value) }
