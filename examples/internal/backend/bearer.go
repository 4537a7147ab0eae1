package backend

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Caller has the claims of a token that the services use.
type Caller struct {
	Roles []string `json:"roles"`
	Scope string   `json:"scope"` // separated by spaces
	jwt.RegisteredClaims
}

type callerKey struct{}

// CallerFrom returns the caller of a request, nil without a token, which only Bearer.Allow
// accepts.
func CallerFrom(r *http.Request) *Caller {
	caller, _ := r.Context().Value(callerKey{}).(*Caller)
	return caller
}

// maxToken bounds a token, in bytes.
const maxToken = 8192

// Bearer verifies bearer tokens: HS256 only, with expiry, issuer and audience. Its fields
// must not change while it is in use.
type Bearer struct {
	// Secret is the HS256 key.
	Secret []byte
	// Issuer and Audience are the claims that a token must have.
	Issuer, Audience string
	// Realm is the realm of the challenge in a 401.
	Realm string
	// Revoked reports whether a token has been revoked. Default: none has.
	Revoked func(token string) bool
}

// Require calls next for requests with a valid token that has all scopes.
func (b *Bearer) Require(next HandlerFunc, scopes ...string) HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		caller, err := b.verify(r.Header.Get("Authorization"))
		if err != nil {
			return err
		}
		for _, scope := range scopes {
			if !slices.Contains(strings.Fields(caller.Scope), scope) {
				return b.challenge(http.StatusForbidden, "NO_SCOPE", "insufficient_scope", "the token lacks the scope "+scope)
			}
		}
		return next(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	}
}

// Allow also calls next for requests without a token. An invalid token is still refused.
func (b *Bearer) Allow(next HandlerFunc) HandlerFunc {
	guarded := b.Require(next)
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Header.Get("Authorization") == "" {
			return next(w, r)
		}
		return guarded(w, r)
	}
}

func (b *Bearer) verify(authorization string) (*Caller, error) {
	token := BearerToken(authorization)
	if token == "" {
		return nil, b.challenge(http.StatusUnauthorized, "NO_TOKEN", "", "this operation needs a bearer token")
	}
	caller := &Caller{}
	if len(token) > maxToken || b.parse(token, caller) != nil || b.Revoked != nil && b.Revoked(token) {
		// The reason would help only an attacker.
		return nil, b.challenge(http.StatusUnauthorized, "BAD_TOKEN", "invalid_token", "the bearer token is not valid")
	}
	return caller, nil
}

// BearerToken returns the token of an Authorization header, "" when it has none.
func BearerToken(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// challenge returns a problem with a WWW-Authenticate challenge (RFC 6750, 3).
func (b *Bearer) challenge(status int, code, reason, detail string) *Problem {
	p := NewProblem(status, code, "%s", detail)
	p.challenge = `Bearer realm="` + b.Realm + `"`
	if reason != "" {
		p.challenge += `, error="` + reason + `"`
	}
	return p
}

func (b *Bearer) parse(token string, into *Caller) error {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithIssuer(b.Issuer),
		jwt.WithAudience(b.Audience),
		jwt.WithLeeway(30*time.Second), // that of the gateway, so that both accept the same tokens
	)
	_, err := parser.ParseWithClaims(token, into, func(t *jwt.Token) (any, error) {
		// RFC 7515 (4.1.11): a token with an unsupported critical extension is invalid.
		if _, critical := t.Header["crit"]; critical {
			return nil, errors.New("critical header")
		}
		return b.Secret, nil
	})
	return err
}

// RequireAPIKey calls next for requests with the header X-API-Key.
func RequireAPIKey(apiKey, realm string, next HandlerFunc) HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-API-Key")), []byte(apiKey)) != 1 {
			p := NewProblem(http.StatusUnauthorized, "BAD_API_KEY", "this operation needs the X-API-Key header")
			p.challenge = `ApiKey realm="` + realm + `"`
			return p
		}
		return next(w, r)
	}
}
