package services

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// caller is what a service takes from a token.
type caller struct {
	Roles []string `json:"roles"`
	jwt.RegisteredClaims
}

type callerKey struct{}

// callerOf is never nil behind bearer.guard.
func callerOf(r *http.Request) *caller {
	return r.Context().Value(callerKey{}).(*caller)
}

// maxToken bounds what is parsed, in bytes.
const maxToken = 8192

// bearer checks tokens: HS256 alone, with expiry, issuer and audience.
type bearer struct {
	parser *jwt.Parser
	secret []byte
}

func newBearer(o Options) *bearer {
	return &bearer{secret: o.Secret, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{"HS256"}),
		jwt.WithExpirationRequired(),
		jwt.WithStrictDecoding(),
		jwt.WithIssuer(o.Issuer),
		jwt.WithAudience(o.Audience),
		jwt.WithLeeway(30*time.Second), // as the gateway's, so that both judge a token alike
	)}
}

// guard lets next answer only those who bring a valid token.
func (b *bearer) guard(next answer) answer {
	return func(w http.ResponseWriter, r *http.Request) error {
		who, err := b.check(r.Header.Get("Authorization"))
		if err != nil {
			w.Header().Set("WWW-Authenticate", err.challenge)
			return err.problem
		}
		return next(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, who)))
	}
}

// refusal is a 401 and its WWW-Authenticate header.
type refusal struct {
	problem   *problem
	challenge string
}

func (b *bearer) check(authorization string) (*caller, *refusal) {
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, &refusal{refuse(http.StatusUnauthorized, "NO_TOKEN", "this operation needs a bearer token"), `Bearer realm="shop"`}
	}
	who := &caller{}
	if len(token) > maxToken || b.parse(token, who) != nil {
		// Why it is bad helps only those who forge tokens.
		return nil, &refusal{refuse(http.StatusUnauthorized, "BAD_TOKEN", "the bearer token is not valid"), `Bearer realm="shop", error="invalid_token"`}
	}
	return who, nil
}

func (b *bearer) parse(token string, into *caller) error {
	_, err := b.parser.ParseWithClaims(token, into, func(t *jwt.Token) (any, error) {
		// RFC 7515: an extension that must be understood and is not makes the token invalid.
		if _, critical := t.Header["crit"]; critical {
			return nil, errors.New("critical header")
		}
		return b.secret, nil
	})
	return err
}
