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

// Caller is what a service takes from a token.
type Caller struct {
	Roles []string `json:"roles"`
	Scope string   `json:"scope"` // parted by spaces
	jwt.RegisteredClaims
}

type callerKey struct{}

// CallerOf is nil for a caller without a token, whom only Bearer.Welcome lets in.
func CallerOf(r *http.Request) *Caller {
	who, _ := r.Context().Value(callerKey{}).(*Caller)
	return who
}

// maxToken bounds what is parsed, in bytes.
const maxToken = 8192

// Bearer checks tokens: HS256 alone, with expiry, issuer and audience. Its fields must
// not change while it is in use.
type Bearer struct {
	// Secret is the HS256 key.
	Secret []byte
	// Issuer and Audience are what a token must have.
	Issuer, Audience string
	// Realm is named to those who are refused.
	Realm string
	// Revoked tells tokens that are no longer good. Default: none are.
	Revoked func(token string) bool
}

// Guard lets next answer only those who bring a valid token with all of the scopes.
func (b *Bearer) Guard(next Answer, scopes ...string) Answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := b.check(r.Header.Get("Authorization"))
		if err != nil {
			return err
		}
		for _, scope := range scopes {
			if !slices.Contains(strings.Fields(who.Scope), scope) {
				return b.refusal(http.StatusForbidden, "NO_SCOPE", "insufficient_scope", "the token lacks the scope "+scope)
			}
		}
		return next(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, who)))
	}
}

// Welcome lets next answer also those who bring no token. A bad token is still refused.
func (b *Bearer) Welcome(next Answer) Answer {
	guarded := b.Guard(next)
	return func(w http.ResponseWriter, r *http.Request) error {
		if r.Header.Get("Authorization") == "" {
			return next(w, r)
		}
		return guarded(w, r)
	}
}

func (b *Bearer) check(authorization string) (*Caller, error) {
	token := Token(authorization)
	if token == "" {
		return nil, b.refusal(http.StatusUnauthorized, "NO_TOKEN", "", "this operation needs a bearer token")
	}
	who := &Caller{}
	if len(token) > maxToken || b.parse(token, who) != nil || b.Revoked != nil && b.Revoked(token) {
		// Why it is bad helps only those who forge tokens.
		return nil, b.refusal(http.StatusUnauthorized, "BAD_TOKEN", "invalid_token", "the bearer token is not valid")
	}
	return who, nil
}

// Token is the token of an Authorization header, "" when it holds none.
func Token(authorization string) string {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return token
}

// refusal says in a challenge what is wrong, as RFC 6750 has it.
func (b *Bearer) refusal(status int, code, reason, detail string) *Problem {
	p := Refuse(status, code, "%s", detail)
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
		jwt.WithLeeway(30*time.Second), // as the gateway's, so that both judge a token alike
	)
	_, err := parser.ParseWithClaims(token, into, func(t *jwt.Token) (any, error) {
		// RFC 7515: an extension that must be understood and is not makes the token invalid.
		if _, critical := t.Header["crit"]; critical {
			return nil, errors.New("critical header")
		}
		return b.Secret, nil
	})
	return err
}

// Keyed lets next answer only those who bring the API key.
func Keyed(apiKey, realm string, next Answer) Answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("X-API-Key")), []byte(apiKey)) != 1 {
			p := Refuse(http.StatusUnauthorized, "BAD_API_KEY", "this operation needs the X-API-Key header")
			p.challenge = `ApiKey realm="` + realm + `"`
			return p
		}
		return next(w, r)
	}
}
