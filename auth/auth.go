// Package auth identifies the caller: it verifies a bearer token once per request, returns
// an Identity, and checks which fields that identity may read.
//
// It promises that a token is accepted only if a configured issuer signed it with an
// algorithm that is listed for the issuer, for one of the issuer's audiences, and before it
// expires. Any other token is refused as a whole. No token, no part of one and no key
// appears in an error, a log line or a printed Identity.
//
// Tokens are JWTs (RFC 7519) in the compact form of JWS (RFC 7515). Verification follows the
// practices of RFC 8725: the algorithm comes from the configuration and not from the token
// (3.1), each key is used with one kind of algorithm (3.2 and 3.3), issuer and audience are
// checked (3.8 and 3.9), and nothing that a token says is used before its signature has been
// verified, except to find the issuer and the key.
//
// Everything here is safe for concurrent use.
package auth

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// The messages that a client receives about a refused token. Until the signature has been
// verified there is one message for everything, so that an attacker learns nothing from
// attempts.
const (
	msgInvalid     = "the token is not valid"
	msgExpired     = "the token has expired"
	msgNotYetValid = "the token is not valid yet"
	msgAudience    = "the token is not meant for this gateway"
	msgScheme      = "the Authorization header must hold one bearer token"
	msgTooLong     = "the token is too long"
	msgNoIssuer    = "this gateway accepts no tokens: it has no issuer configured"
	msgUnavailable = "the token cannot be checked just now: its issuer's keys are out of reach"
)

// Verifier verifies bearer tokens and identifies their callers. NewVerifier returns one.
type Verifier struct {
	rules      atomic.Pointer[rules]
	fetching   context.Context // of all goroutines that fetch keys
	background sync.WaitGroup
}

// rules are Options, validated. They are replaced, never changed.
type rules struct {
	issuers    map[string]*issuer // by the "iss" of their tokens
	rolesClaim string
	maxLength  int
}

// issuer is one of Options.Issuers, validated.
type issuer struct {
	name       string
	algorithms map[string]algorithm
	keys       keySource
	validator  *jwt.Validator
}

// NewVerifier returns a verifier for the issuers of o, or the errors of Options.Validate. It
// does not wait for JWKS servers: keys are fetched in the background, periodically, until
// ctx ends. A server that cannot be reached is logged and tried again; until it responds,
// its issuer's tokens are refused with fault.ServiceUnavailable.
func NewVerifier(ctx context.Context, o Options) (*Verifier, error) {
	v := &Verifier{fetching: ctx}
	v.rules.Store(&rules{})
	apply, err := v.Prepare(o)
	if err != nil {
		return nil, err
	}
	apply()
	return v, nil
}

// Prepare returns a function that has v verify by o from then on, or the errors of
// Options.Validate. The keys that were fetched from a JWKS are kept if o has it for the same
// issuer, so that its tokens are accepted while its server cannot be reached. Key files are
// read again. Of several functions, the one that is called must be that of the last Prepare.
func (v *Verifier) Prepare(o Options) (apply func(), err error) {
	o = o.withDefaults()
	issuers, err := o.newIssuers()
	if err != nil {
		return nil, err
	}
	before := v.rules.Load()
	return func() {
		for name, iss := range issuers {
			set, isSet := iss.keys.(*keySet)
			switch kept := before.keySetOf(name); {
			case !isSet:
			case kept != nil && kept.url == set.url:
				kept.maxAge.Store(int64(o.MaxKeyAge))
				iss.keys = kept
			default:
				v.start(set)
			}
		}
		after := &rules{issuers: issuers, rolesClaim: o.RolesClaim, maxLength: o.MaxTokenLength}
		v.rules.Store(after)
		for name := range before.issuers {
			if set := before.keySetOf(name); set != nil && set != after.keySetOf(name) {
				set.stop()
			}
		}
	}, nil
}

// start has a goroutine fetch the keys of set until set.stop is called.
func (v *Verifier) start(set *keySet) {
	ctx, stop := context.WithCancel(v.fetching)
	set.stop = stop
	v.background.Go(func() { set.run(ctx) })
}

// keySetOf returns the keys of an issuer that has a JWKS, or nil.
func (r *rules) keySetOf(name string) *keySet {
	iss, ok := r.issuers[name]
	if !ok {
		return nil
	}
	set, _ := iss.keys.(*keySet)
	return set
}

// Wait blocks until fetching has ended, soon after the context of NewVerifier. Tokens can
// still be verified with the keys that are known.
func (v *Verifier) Wait() { v.background.Wait() }

// Verify verifies the value of an Authorization header. It returns (nil, nil), an anonymous
// caller, for an empty value. For a token that is not accepted it returns a *fault.Error
// with the code fault.Unauthenticated, or fault.ServiceUnavailable when the issuer's keys
// cannot be fetched. ctx bounds the wait for keys that are not known yet.
func (v *Verifier) Verify(ctx context.Context, authorization string) (*Identity, error) {
	if authorization == "" {
		return nil, nil
	}
	r := v.rules.Load()
	if len(r.issuers) == 0 {
		return nil, fault.New(fault.Unauthenticated, msgNoIssuer)
	}
	t, err := r.parseAuthorization(authorization)
	if err != nil {
		return nil, toFault(err)
	}
	if err := r.verifyToken(ctx, t); err != nil {
		return nil, toFault(err)
	}
	return NewIdentity(t.claims, r.rolesClaim), nil
}

func (r *rules) parseAuthorization(authorization string) (*token, error) {
	raw, err := bearerToken(authorization, r.maxLength)
	if err != nil {
		return nil, err
	}
	return parseToken(raw)
}

// verifyToken verifies t by the keys and claims of the issuer that it names. That also proves
// the name, since no other issuer has these keys.
func (r *rules) verifyToken(ctx context.Context, t *token) error {
	name, _ := t.claims["iss"].(string)
	iss, ok := r.issuers[name]
	if !ok {
		return fmt.Errorf("issuer %s is not configured", quoteShort(name))
	}
	if err := iss.verifySignature(ctx, t); err != nil {
		return fmt.Errorf("issuer %q: %w", iss.name, err)
	}
	if err := iss.validateClaims(t.claims); err != nil {
		return fmt.Errorf("issuer %q: %w", iss.name, err)
	}
	return nil
}

// verifySignature verifies the signature (RFC 7515, 5.2). The algorithm that the header names
// must be listed for the issuer, and only keys of the type that it needs are tried. So a
// token cannot choose a weaker algorithm, nor have a public key taken for an HMAC secret
// (algorithm confusion, RFC 8725, 2.1).
func (i *issuer) verifySignature(ctx context.Context, t *token) error {
	alg, ok := i.algorithms[t.alg]
	if !ok {
		return fmt.Errorf("algorithm %s is not in its list", quoteShort(t.alg))
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
	return errors.New("the signature does not match")
}

// validateClaims validates the claims of a token whose signature has been verified (RFC 7519,
// 4.1): exp is required, iss and aud must be those of the issuer, and iat must not lie in the
// future. It checks the forms of the claims first: see checkDate.
func (i *issuer) validateClaims(claims map[string]any) error {
	for _, name := range []string{"exp", "nbf", "iat"} {
		if err := checkDate(claims, name); err != nil {
			return err
		}
	}
	if sub, ok := claims["sub"]; ok {
		if _, ok := sub.(string); !ok {
			return errors.New("sub is not a string")
		}
	}
	return i.validator.Validate(jwt.MapClaims(claims))
}

// toFault returns err as a fault, with the cause for the log. Only errors of
// validateClaims have specific messages, because the signature has been verified by then.
func toFault(err error) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	message := msgInvalid
	switch {
	case errors.Is(err, jwt.ErrTokenExpired):
		message = msgExpired
	case errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		message = msgNotYetValid
	case errors.Is(err, jwt.ErrTokenInvalidAudience):
		message = msgAudience
	}
	return fault.New(fault.Unauthenticated, "%s", message).WithCause(err)
}

// quoteShort quotes unverified text of a token for the log, cut to 60 characters. It must
// not be used for signatures.
func quoteShort(s string) string { return fmt.Sprintf("%.60q", s) }
