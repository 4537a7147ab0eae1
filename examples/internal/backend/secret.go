package backend

import (
	"crypto/rand"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/auth/devtoken"
)

// DemoSecret turns the value of GATEWAY_DEMO_SECRET into a signing key: a random
// one when it is empty. A value shorter than 32 bytes is an error rather than
// replaced, since whoever set it makes tokens with it.
func DemoSecret(value string) ([]byte, error) {
	switch {
	case value == "":
		return RandomSecret(), nil
	case len(value) < devtoken.MinSecret:
		return nil, fmt.Errorf("GATEWAY_DEMO_SECRET has %d bytes, it needs at least %d", len(value), devtoken.MinSecret)
	}
	return []byte(value), nil
}

// RandomSecret makes a key that signs and checks tokens.
func RandomSecret() []byte {
	secret := make([]byte, devtoken.MinSecret)
	rand.Read(secret) // never fails: crypto/rand ends the program first
	return secret
}
