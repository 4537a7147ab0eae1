package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// RSA keys outside these sizes, in bits, are refused: smaller ones can be broken,
// larger ones cost more to check than any real issuer asks for.
const (
	minRSA = 2048
	maxRSA = 16384
)

// algorithm is one way to sign and what its keys are made of. A key that does not
// fit never reaches the method, so no key can be taken for one of another kind:
// a public key's bytes are no HMAC secret.
type algorithm struct {
	name   string
	method jwt.SigningMethod
	fits   func(key any) bool
	needs  string // what a fitting key is, in words
}

// known holds every algorithm that may be listed. "none" is not one.
var known = byName(
	hmac(jwt.SigningMethodHS256), hmac(jwt.SigningMethodHS384), hmac(jwt.SigningMethodHS512),
	overRSA(jwt.SigningMethodRS256), overRSA(jwt.SigningMethodRS384), overRSA(jwt.SigningMethodRS512),
	overRSA(strictSalt(jwt.SigningMethodPS256)), overRSA(strictSalt(jwt.SigningMethodPS384)), overRSA(strictSalt(jwt.SigningMethodPS512)),
	overCurve(jwt.SigningMethodES256, elliptic.P256()), overCurve(jwt.SigningMethodES384, elliptic.P384()), overCurve(jwt.SigningMethodES512, elliptic.P521()),
	algorithm{name: "EdDSA", method: jwt.SigningMethodEdDSA, fits: isEd25519, needs: "an Ed25519 key"},
)

func byName(all ...algorithm) map[string]algorithm {
	named := make(map[string]algorithm, len(all))
	for _, alg := range all {
		named[alg.name] = alg
	}
	return named
}

// secret is a shared key. It is a type of its own so that no other bytes fit.
type secret []byte

// hmacMethod hands the library the bytes it expects.
type hmacMethod struct{ *jwt.SigningMethodHMAC }

func (m hmacMethod) Verify(signed string, signature []byte, key any) error {
	return m.SigningMethodHMAC.Verify(signed, signature, []byte(key.(secret)))
}

func hmac(m *jwt.SigningMethodHMAC) algorithm {
	fits := func(key any) bool { s, ok := key.(secret); return ok && len(s) >= MinSecret }
	return algorithm{name: m.Alg(), method: hmacMethod{m}, fits: fits, needs: "a secret"}
}

func overRSA(m jwt.SigningMethod) algorithm {
	fits := func(key any) bool {
		k, ok := key.(*rsa.PublicKey)
		return ok && k.N.BitLen() >= minRSA && k.N.BitLen() <= maxRSA
	}
	needs := fmt.Sprintf("an RSA key of %d to %d bits", minRSA, maxRSA)
	return algorithm{name: m.Alg(), method: m, fits: fits, needs: needs}
}

// overCurve asks for the curve too: ES256 is P-256 and no other (RFC 7518, 3.4).
func overCurve(m *jwt.SigningMethodECDSA, curve elliptic.Curve) algorithm {
	fits := func(key any) bool { k, ok := key.(*ecdsa.PublicKey); return ok && k.Curve == curve }
	return algorithm{name: m.Alg(), method: m, fits: fits, needs: "a key on the curve " + curve.Params().Name}
}

func isEd25519(key any) bool {
	k, ok := key.(ed25519.PublicKey)
	return ok && len(k) == ed25519.PublicKeySize
}

// strictSalt wants the salt as long as the hash, as RFC 7518 section 3.5 says. The
// library's own methods take any length.
func strictSalt(m *jwt.SigningMethodRSAPSS) *jwt.SigningMethodRSAPSS {
	strict := *m
	strict.VerifyOptions = nil
	return &strict
}

func listAlgorithms(names []string) (map[string]algorithm, error) {
	if len(names) == 0 {
		return nil, errors.New("list in algorithms what it signs with, such as RS256")
	}
	listed := make(map[string]algorithm, len(names))
	for _, name := range names {
		alg, ok := known[name]
		if !ok {
			return nil, unknownAlgorithm(name)
		}
		listed[name] = alg
	}
	return listed, nil
}

func unknownAlgorithm(name string) error {
	if strings.EqualFold(name, "none") {
		return errors.New("algorithm \"none\" accepts tokens that nobody signed; remove it")
	}
	names := slices.Sorted(maps.Keys(known))
	for _, right := range names {
		if strings.EqualFold(name, right) {
			return fmt.Errorf("algorithm %q is not known; did you mean %q?", name, right)
		}
	}
	return fmt.Errorf("algorithm %q is not known; choose from %s", name, strings.Join(names, ", "))
}
