package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// The issuer of the tests, with its audience and its secret.
const (
	issuerName = "https://issuer.example"
	audience   = "shop"
	sharedKey  = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
)

// signer is a key pair with the algorithms that it is for.
type signer struct {
	private    any
	public     any
	algorithms []string
}

// signers are generated once, since RSA keys take long.
var signers = sync.OnceValue(func() map[string]signer {
	return map[string]signer{
		"HMAC": {[]byte(sharedKey), nil, []string{"HS256", "HS384", "HS512"}},
		"RSA":  rsaSigner(2048),
		"P256": curveSigner(elliptic.P256(), "ES256"),
		"P384": curveSigner(elliptic.P384(), "ES384"),
		"P521": curveSigner(elliptic.P521(), "ES512"),
		"Ed":   edSigner(),
	}
})

var otherRSA = sync.OnceValue(func() signer { return rsaSigner(2048) })

func rsaSigner(bits int) signer {
	key := must(rsa.GenerateKey(rand.Reader, bits))
	return signer{key, &key.PublicKey, []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}}
}

func curveSigner(curve elliptic.Curve, alg string) signer {
	key := must(ecdsa.GenerateKey(curve, rand.Reader))
	return signer{key, &key.PublicKey, []string{alg}}
}

func edSigner() signer {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	return signer{private, public, []string{"EdDSA"}}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

type object map[string]any

// with returns o with the members changed; a nil one is removed.
func (o object) with(changes object) object {
	changed := maps.Clone(o)
	maps.Copy(changed, changes)
	maps.DeleteFunc(changed, func(_ string, v any) bool { return v == nil })
	return changed
}

func goodClaims() object {
	return object{
		"iss": issuerName, "aud": audience, "sub": "u1", "scope": "users:read orders:read",
		"exp": time.Now().Add(time.Hour).Unix(),
	}
}

func part(v any) string {
	text, isText := v.(string)
	if !isText {
		text = string(must(json.Marshal(v)))
	}
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

// sign returns a token with any header and claims; a string is used as JSON text.
func sign(header, claims any, alg string, key any) string {
	signed := part(header) + "." + part(claims)
	signature := must(jwt.GetSigningMethod(alg).Sign(signed, key))
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (s signer) token(alg string, claims any) string {
	return sign(object{"alg": alg, "typ": "JWT"}, claims, alg, s.private)
}

func pemOf(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func publicPEM(key crypto.PublicKey) string {
	return pemOf("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(key)))
}

func writeFile(t testing.TB, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// issuerFor configures the signer's public half.
func (s signer) issuer(t testing.TB) auth.Issuer {
	t.Helper()
	i := auth.Issuer{Issuer: issuerName, Audiences: []string{"other", audience}, Algorithms: s.algorithms}
	if s.public == nil {
		i.Secret = string(s.private.([]byte))
	} else {
		i.KeyFile = writeFile(t, publicPEM(s.public))
	}
	return i
}

func newVerifier(t testing.TB, o auth.Options) *auth.Verifier {
	t.Helper()
	v, err := auth.NewVerifier(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func accepting(t testing.TB, s signer) *auth.Verifier {
	t.Helper()
	return newVerifier(t, auth.Options{Issuers: []auth.Issuer{s.issuer(t)}})
}

// wantRefused fails unless the header is refused with that code.
func wantRefused(t testing.TB, v *auth.Verifier, header string, kind fault.Code) *fault.Error {
	t.Helper()
	caller, err := v.Verify(t.Context(), header)
	if caller != nil {
		t.Fatalf("accepted: %v", caller)
	}
	refused, ok := err.(*fault.Error)
	if !ok || refused.Code != kind {
		t.Fatalf("got %T %v, want a fault of kind %s", err, err, kind)
	}
	return refused
}

func wantAccepted(t testing.TB, v *auth.Verifier, token string) *auth.Identity {
	t.Helper()
	caller, err := v.Verify(t.Context(), "Bearer "+token)
	if err != nil || caller == nil {
		t.Fatalf("refused: %v", err)
	}
	return caller
}
