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

// RSA keys outside these sizes, in bits, are refused. Smaller keys can be broken (RFC 7518,
// 3.3), and larger ones cost more to verify than any real issuer needs.
const (
	minRSA = 2048
	maxRSA = 16384
)

// algorithm is a signature algorithm with the type of its keys.
//
// Invariant: method receives only keys for which fits reports true. So no key is used with
// an algorithm of another kind. In particular a public key is never an HMAC secret, which
// would let everyone who knows it sign tokens (RFC 8725, 2.1).
type algorithm struct {
	name           string
	method         jwt.SigningMethod
	fits           func(key any) bool
	keyDescription string // for error messages
}

// supportedAlgorithms are the algorithms of RFC 7518 (3.1) and RFC 8037 that may be listed,
// by name. "none" is not one of them.
var supportedAlgorithms = indexByName(
	newHMAC(jwt.SigningMethodHS256), newHMAC(jwt.SigningMethodHS384), newHMAC(jwt.SigningMethodHS512),
	newRSA(jwt.SigningMethodRS256), newRSA(jwt.SigningMethodRS384), newRSA(jwt.SigningMethodRS512),
	newRSA(withSaltOfHashLength(jwt.SigningMethodPS256)), newRSA(withSaltOfHashLength(jwt.SigningMethodPS384)), newRSA(withSaltOfHashLength(jwt.SigningMethodPS512)),
	newECDSA(jwt.SigningMethodES256, elliptic.P256()), newECDSA(jwt.SigningMethodES384, elliptic.P384()), newECDSA(jwt.SigningMethodES512, elliptic.P521()),
	algorithm{name: "EdDSA", method: jwt.SigningMethodEdDSA, fits: isEd25519, keyDescription: "an Ed25519 key"},
)

func indexByName(all ...algorithm) map[string]algorithm {
	named := make(map[string]algorithm, len(all))
	for _, alg := range all {
		named[alg.name] = alg
	}
	return named
}

// hmacSecret is a shared key. It has a type of its own, so that no other bytes fit.
type hmacSecret []byte

// hmacMethod converts an hmacSecret to the bytes that the library expects.
type hmacMethod struct{ *jwt.SigningMethodHMAC }

func (m hmacMethod) Verify(signed string, signature []byte, key any) error {
	return m.SigningMethodHMAC.Verify(signed, signature, []byte(key.(hmacSecret)))
}

func newHMAC(m *jwt.SigningMethodHMAC) algorithm {
	fits := func(key any) bool { s, ok := key.(hmacSecret); return ok && len(s) >= MinSecret }
	return algorithm{name: m.Alg(), method: hmacMethod{m}, fits: fits, keyDescription: "a secret"}
}

func newRSA(m jwt.SigningMethod) algorithm {
	fits := func(key any) bool {
		k, ok := key.(*rsa.PublicKey)
		return ok && k.N.BitLen() >= minRSA && k.N.BitLen() <= maxRSA
	}
	needs := fmt.Sprintf("an RSA key of %d to %d bits", minRSA, maxRSA)
	return algorithm{name: m.Alg(), method: m, fits: fits, keyDescription: needs}
}

// newECDSA also fixes the curve: ES256 is P-256 and no other (RFC 7518, 3.4).
func newECDSA(m *jwt.SigningMethodECDSA, curve elliptic.Curve) algorithm {
	fits := func(key any) bool { k, ok := key.(*ecdsa.PublicKey); return ok && k.Curve == curve }
	return algorithm{name: m.Alg(), method: m, fits: fits, keyDescription: "a key on the curve " + curve.Params().Name}
}

func isEd25519(key any) bool {
	k, ok := key.(ed25519.PublicKey)
	return ok && len(k) == ed25519.PublicKeySize
}

// withSaltOfHashLength returns m with salts that must be as long as the hash (RFC 7518, 3.5).
// The library's own methods accept any length.
func withSaltOfHashLength(m *jwt.SigningMethodRSAPSS) *jwt.SigningMethodRSAPSS {
	strict := *m
	strict.VerifyOptions = nil
	return &strict
}

func parseAlgorithms(names []string) (map[string]algorithm, error) {
	if len(names) == 0 {
		return nil, errors.New("list in algorithms what the issuer signs with, such as RS256")
	}
	listed := make(map[string]algorithm, len(names))
	for _, name := range names {
		alg, ok := supportedAlgorithms[name]
		if !ok {
			return nil, unknownAlgorithm(name)
		}
		listed[name] = alg
	}
	return listed, nil
}

func unknownAlgorithm(name string) error {
	if strings.EqualFold(name, "none") {
		return errors.New("algorithm \"none\" accepts tokens without a signature; remove it")
	}
	names := slices.Sorted(maps.Keys(supportedAlgorithms))
	for _, known := range names {
		if strings.EqualFold(name, known) {
			return fmt.Errorf("algorithm %q is not known; did you mean %q?", name, known)
		}
	}
	return fmt.Errorf("algorithm %q is not known; choose from %s", name, strings.Join(names, ", "))
}
