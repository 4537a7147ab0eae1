// Package devtoken makes bearer tokens for development: for the demo, for the
// gateway's token command and for tests. Tokens are signed with HS256, so whoever
// can check one can also make one; a production issuer should hold a private key.
// All functions are safe for concurrent use.
package devtoken

import (
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MinSecret is the shortest secret that Sign takes, in bytes: the size of the
// hash, as RFC 7518 section 3.2 asks. The verifier asks the same.
const MinSecret = 32

// DefaultTTL is how long a token lives when Claims.TTL is zero.
const DefaultTTL = time.Hour

// Claims is what a token says of its bearer. An empty field is left out of the
// token, so a verifier may well refuse a token made from few of them.
type Claims struct {
	// Issuer becomes "iss".
	Issuer string
	// Audience becomes "aud".
	Audience string
	// Subject becomes "sub": the user's id.
	Subject string
	// Scope becomes "scope": names parted by spaces, such as "users:read orders:read".
	Scope string
	// Roles becomes "roles".
	Roles []string
	// TTL is how long the token lives from now on. Zero means DefaultTTL; a
	// negative one makes a token that has expired already, which tests want.
	TTL time.Duration
}

// Sign makes a token from c. It fails when the secret is shorter than MinSecret.
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
	texts := map[string]string{"iss": c.Issuer, "aud": c.Audience, "sub": c.Subject, "scope": c.Scope}
	for name, text := range texts {
		if text != "" {
			payload[name] = text
		}
	}
	if len(c.Roles) > 0 {
		payload["roles"] = c.Roles
	}
	return payload
}
