package backend

import (
	"crypto/rand"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/auth/devtoken"
)

// DemoSecret returns the signing key for the value of GATEWAY_DEMO_SECRET: a random one when
// it is empty. A value of fewer than 32 bytes is an error and not replaced, since other
// programs sign tokens with it.
func DemoSecret(value string) ([]byte, error) {
	switch {
	case value == "":
		return RandomSecret(), nil
	case len(value) < devtoken.MinSecret:
		return nil, fmt.Errorf("GATEWAY_DEMO_SECRET has %d bytes, it needs at least %d", len(value), devtoken.MinSecret)
	}
	return []byte(value), nil
}

// RandomSecret returns a random key for signing and verifying tokens.
func RandomSecret() []byte {
	secret := make([]byte, devtoken.MinSecret)
	rand.Read(secret) // never fails: crypto/rand ends the program first
	return secret
}
