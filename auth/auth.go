// Package auth owns the caller: it makes an Identity of a bearer token, once per
// request, and tells which field that identity may have.
//
// What it promises: a token counts only when a configured issuer signed it with an
// algorithm that the issuer lists, for one of the issuer's audiences, and before it
// expires. Anything else is refused as a whole, never read in part. No token, no
// part of one and no key appears in an error, a log line or a printed Identity.
//
// Everything here is safe for concurrent use.
package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// What a client reads about a token that was refused. Before the signature is
// proven there is one text for everything, so that nobody learns by trying.
const (
	textInvalid     = "the token is not valid"
	textExpired     = "the token has expired"
	textEarly       = "the token is not valid yet"
	textAudience    = "the token is not meant for this gateway"
	textScheme      = "the Authorization header must hold one bearer token"
	textTooLong     = "the token is too long"
	textNoIssuer    = "this gateway accepts no tokens: it has no issuer configured"
	textUnavailable = "the token cannot be checked just now: its issuer's keys are out of reach"
)

// Verifier tells who a bearer token belongs to. Make one with NewVerifier.
type Verifier struct {
	issuers    map[string]*issuer // by the "iss" of their tokens; never changed after the start
	rolesClaim string
	maxLength  int
	background sync.WaitGroup
}

// issuer is one of Options.Issuers, checked and ready.
type issuer struct {
	name       string
	algorithms map[string]algorithm
	keys       keySource
	rules      *jwt.Validator
}

// NewVerifier checks o as Options.Validate does and makes the verifier it asks for.
// It does not wait for any JWKS server: keys are fetched in the background, again
// and again, until ctx ends. A set out of reach is logged and tried again, and
// until it answers its issuer's tokens are refused with fault.ServiceUnavailable.
func NewVerifier(ctx context.Context, o Options) (*Verifier, error) {
	o = o.withDefaults()
	issuers, err := o.build()
	if err != nil {
		return nil, err
	}
	v := &Verifier{issuers: issuers, rolesClaim: o.RolesClaim, maxLength: o.MaxTokenLength}
	for _, iss := range issuers {
		if set, ok := iss.keys.(*keySet); ok {
			v.background.Go(func() { set.run(ctx) })
		}
	}
	return v, nil
}

// Wait blocks until the background work has ended, which it does soon after the
// context given to NewVerifier. Tokens can be verified still, with the keys known.
func (v *Verifier) Wait() { v.background.Wait() }

// Verify reads the value of an Authorization header. An empty one is an anonymous
// caller: (nil, nil). A token that is not accepted gives a *fault.Error of kind
// fault.Unauthenticated, and of kind fault.ServiceUnavailable when it is the
// issuer's keys that cannot be had; its text is fit for the client.
// ctx bounds the wait for keys that are not known yet.
func (v *Verifier) Verify(ctx context.Context, authorization string) (*Identity, error) {
	if authorization == "" {
		return nil, nil
	}
	if len(v.issuers) == 0 {
		return nil, fault.New(fault.Unauthenticated, textNoIssuer)
	}
	t, err := v.read(authorization)
	if err != nil {
		return nil, refusal(err)
	}
	if err := v.accept(ctx, t); err != nil {
		return nil, refusal(err)
	}
	return Identify(t.claims, v.rolesClaim), nil
}

func (v *Verifier) read(authorization string) (*token, error) {
	raw, err := bearer(authorization, v.maxLength)
	if err != nil {
		return nil, err
	}
	return parse(raw)
}

// accept asks the issuer that the token names, and believes the name only when
// that issuer's own keys and rules agree.
func (v *Verifier) accept(ctx context.Context, t *token) error {
	name, _ := t.claims["iss"].(string)
	iss, known := v.issuers[name]
	if !known {
		return fmt.Errorf("issuer %s is not configured", excerpt(name))
	}
	if err := iss.prove(ctx, t); err != nil {
		return fmt.Errorf("issuer %q: %w", iss.name, err)
	}
	if err := iss.judge(t.claims); err != nil {
		return fmt.Errorf("issuer %q: %w", iss.name, err)
	}
	return nil
}

// prove checks the signature. Only keys that fit the listed algorithm are tried.
func (i *issuer) prove(ctx context.Context, t *token) error {
	alg, listed := i.algorithms[t.alg]
	if !listed {
		return fmt.Errorf("algorithm %s is not in its list", excerpt(t.alg))
	}
	keys, err := i.keys.find(ctx, t.kid, t.alg)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if alg.fits(key) && alg.method.Verify(t.signed, t.signature, key) == nil {
			return nil
		}
	}
	return errors.New("the signature does not fit")
}

// judge checks what the token claims, once its signature has been proven.
func (i *issuer) judge(claims map[string]any) error {
	for _, name := range []string{"exp", "nbf"} {
		if err := checkDate(claims, name); err != nil {
			return err
		}
	}
	if sub, given := claims["sub"]; given {
		if _, ok := sub.(string); !ok {
			return errors.New("sub is not a text")
		}
	}
	return i.rules.Validate(jwt.MapClaims(claims))
}

// refusal makes a fault of whatever was found wrong, with the cause for the log.
// The texts that say more are about tokens whose signature has been proven.
func refusal(err error) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	text := textInvalid
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		text = textExpired
	case errors.Is(err, jwt.ErrTokenNotValidYet):
		text = textEarly
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		text = textAudience
	}
	return fault.New(fault.Unauthenticated, "%s", text).WithCause(err)
}

// excerpt quotes what a token says of itself for the log: short, since nobody
// vouches for it, and never its signature.
func excerpt(s string) string { return fmt.Sprintf("%.60q", s) }
