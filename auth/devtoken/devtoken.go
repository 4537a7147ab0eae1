// Package devtoken signs bearer tokens for development: for the demo, for the gateway's token
// command and for tests. Tokens are signed with HS256, so that everyone who can verify a
// token can also sign one; an issuer for production should have a private key. All functions
// are safe for concurrent use.
package devtoken

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MinSecret is the minimum length of a secret, in bytes: the size of the hash (RFC 7518,
// 3.2). The verifier requires the same.
const MinSecret = 32

// DefaultTTL is how long a token is valid when Claims.TTL is zero.
const DefaultTTL = time.Hour

// Claims are the claims of a token. Empty fields are left out of the token, so that a
// verifier may refuse it for want of them.
type Claims struct {
	// Issuer becomes "iss".
	Issuer string
	// Audience becomes "aud".
	Audience string
	// Subject becomes "sub": the user's id.
	Subject string
	// Scope becomes "scope": names separated by spaces, such as "users:read orders:read".
	Scope string
	// Roles becomes "roles".
	Roles []string
	// TTL is how long the token is valid from now on. Zero means DefaultTTL; a negative TTL
	// makes a token that has already expired, for tests.
	TTL time.Duration
}

// Sign returns a signed token with the claims c. It returns an error when secret is shorter
// than MinSecret.
func Sign(secret []byte, c Claims) (string, error) {
	if len(secret) < MinSecret {
		return "", fmt.Errorf("devtoken: the secret has %d bytes, it needs at least %d", len(secret), MinSecret)
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, c.payload(time.Now())).SignedString(secret)
	if err != nil {
		return "", fmt.Errorf("devtoken: sign: %w", err)
	}
	return token, nil
}

func (c Claims) payload(now time.Time) jwt.MapClaims {
	ttl := c.TTL
	if ttl == 0 {
		ttl = DefaultTTL
	}
	payload := jwt.MapClaims{"iat": now.Unix(), "exp": now.Add(ttl).Unix()}
	claims := map[string]string{"iss": c.Issuer, "aud": c.Audience, "sub": c.Subject, "scope": c.Scope}
	for name, value := range claims {
		if value != "" {
			payload[name] = value
		}
	}
	if len(c.Roles) > 0 {
		payload["roles"] = c.Roles
	}
	return payload
}
