package auth_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/auth"
)

// certificate returns a self-signed certificate. Only its key matters, so that it may have
// expired.
func certificate(s signer) string {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "issuer"},
		NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1, 0),
	}
	return pemOf("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, s.public, s.private)))
}

func TestKeyFiles(t *testing.T) {
	s := signers()["RSA"]
	pkix := publicPEM(s.public)
	files := map[string]string{
		"public key":            pkix,
		"RSA public key":        pemOf("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(s.public.(*rsa.PublicKey))),
		"certificate":           certificate(s),
		"with words around it":  "the issuer's key\n" + pkix + "\nthat was it\n",
		"with Windows' endings": strings.ReplaceAll(pkix, "\n", "\r\n"),
	}
	for name, text := range files {
		t.Run(name, func(t *testing.T) {
			i := s.issuer(t)
			i.KeyFile = writeFile(t, text)
			wantAccepted(t, newVerifier(t, auth.Options{Issuers: []auth.Issuer{i}}), s.token("PS384", goodClaims()))
		})
	}
}

func TestKeyFilesRefused(t *testing.T) {
	s, small := signers()["RSA"], rsaSigner(1024)
	huge := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1<<15), E: 65537}
	private := pemOf("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(s.private)))
	files := map[string]struct{ text, says string }{
		"private key":             {private, "contains a private key, which the gateway must not have"},
		"RSA private key":         {strings.ReplaceAll(private, "PRIVATE", "RSA PRIVATE"), "contains a private key"},
		"encrypted private key":   {strings.ReplaceAll(private, "PRIVATE", "ENCRYPTED PRIVATE"), "contains a private key"},
		"certificate and its key": {certificate(s) + private, "contains a private key"},
		"two keys":                {publicPEM(s.public) + publicPEM(otherRSA().public), "more than one PEM block"},
		"no PEM":                  {"ssh-rsa AAAA", "contains no PEM block"},
		"empty":                   {"", "contains no PEM block"},
		"another block":           {pemOf("CERTIFICATE REQUEST", []byte("x")), `of type "CERTIFICATE REQUEST"`},
		"a broken key":            {pemOf("PUBLIC KEY", []byte("x")), "asn1"},
		"a broken certificate":    {pemOf("CERTIFICATE", []byte("x")), "x509"},
		"a small key":             {publicPEM(small.public), "needs an RSA key of 2048 to 16384 bits"},
		"a huge key":              {publicPEM(huge), "needs an RSA key of 2048 to 16384 bits"},
		"too large":               {strings.Repeat("x", 1<<17), "too large"},
	}
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			i := s.issuer(t)
			i.KeyFile = writeFile(t, file.text)
			wantOptionsRefused(t, auth.Options{Issuers: []auth.Issuer{i}}, i.KeyFile, file.says)
		})
	}
}

// wantOptionsRefused fails unless Validate and NewVerifier return an error with these words.
func wantOptionsRefused(t *testing.T, o auth.Options, words ...string) {
	t.Helper()
	v, err := auth.NewVerifier(t.Context(), o)
	if v != nil || err == nil {
		t.Fatalf("accepted: %v, %v", v, err)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q lacks %q", err, word)
		}
	}
	if again := o.Validate(); again == nil || again.Error() != err.Error() {
		t.Errorf("Validate says %v, NewVerifier %v", again, err)
	}
}

func TestOptionsRefused(t *testing.T) {
	tests := []struct {
		name   string
		change func(i *auth.Issuer)
		says   string
	}{
		{"no issuer", func(i *auth.Issuer) { i.Issuer = "" }, `issuer number 1: set issuer`},
		{"no audiences", func(i *auth.Issuer) { i.Audiences = nil }, "list in audiences"},
		{"an empty audience", func(i *auth.Issuer) { i.Audiences = []string{"a", " "} }, "empty name"},
		{"no algorithms", func(i *auth.Issuer) { i.Algorithms = nil }, "list in algorithms"},
		{"none", func(i *auth.Issuer) { i.Algorithms = []string{"HS256", "none"} }, "without a signature"},
		{"None", func(i *auth.Issuer) { i.Algorithms = []string{"None"} }, "without a signature"},
		{"a lower-case algorithm", func(i *auth.Issuer) { i.Algorithms = []string{"hs256"} }, `did you mean "HS256"?`},
		{"an unknown algorithm", func(i *auth.Issuer) { i.Algorithms = []string{"ES256K"} }, "choose from ES256, ES384, ES512, EdDSA, HS256"},
		{"no key", func(i *auth.Issuer) { i.Secret = "" }, "0 of secret, keyFile and jwks are set"},
		{"two keys", func(i *auth.Issuer) { i.JWKS = "https://issuer.example/keys" }, "2 of secret, keyFile and jwks are set"},
		{"a short secret", func(i *auth.Issuer) { i.Secret = sharedKey[:31] }, "the secret has 31 bytes; it needs at least 32"},
		{"a key as secret", func(i *auth.Issuer) { i.Secret = publicPEM(signers()["RSA"].public) }, "set keyFile to its path"},
		{"a secret for RSA", func(i *auth.Issuer) { i.Algorithms = []string{"HS256", "RS256"} }, "a secret does not fit algorithm RS256"},
		{"a key file for HMAC", from(keyFile(t, "RSA"), "RS256", "HS256"), "does not fit algorithm HS256, which needs a secret"},
		{"an RSA key for a curve", from(keyFile(t, "RSA"), "ES256"), "does not fit algorithm ES256, which needs a key on the curve P-256"},
		{"another curve", from(keyFile(t, "P384"), "ES256"), "does not fit algorithm ES256"},
		{"Ed25519 for a curve", from(keyFile(t, "Ed"), "ES256"), "does not fit algorithm ES256"},
		{"no such file", from(func(i *auth.Issuer) { i.KeyFile = "no/such/file.pem" }, "RS256"), "no such file"},
		{"JWKS for HMAC", from(jwks("https://issuer.example/keys"), "RS256", "HS512"), "algorithm HS512 needs a secret"},
		{"JWKS of a file", from(jwks("file:///keys"), "RS256"), "an http or https URL is needed"},
		{"JWKS without a scheme", from(jwks("issuer.example/keys"), "RS256"), "an http or https URL is needed"},
		{"JWKS without a host", from(jwks("https:///keys"), "RS256"), "names no host"},
		{"JWKS with a password", from(jwks("https://u:hunter2@issuer.example/keys"), "RS256"), "holds a user name"},
		{"JWKS with a fragment", from(jwks("https://issuer.example/#keys"), "RS256"), "holds a fragment"},
		{"JWKS no URL", from(jwks("https://issuer.example:x"), "RS256"), "is not a URL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			i := signers()["HMAC"].issuer(t)
			test.change(&i)
			words := []string{"auth: issuer ", test.says}
			if i.Issuer != "" {
				words = append(words, `"`+issuerName+`"`)
			}
			wantOptionsRefused(t, auth.Options{Issuers: []auth.Issuer{i}}, words...)
		})
	}
}

// from returns an issuer without a secret.
func from(key func(i *auth.Issuer), algorithms ...string) func(i *auth.Issuer) {
	return func(i *auth.Issuer) {
		i.Secret, i.Algorithms = "", algorithms
		key(i)
	}
}

func jwks(url string) func(i *auth.Issuer) { return func(i *auth.Issuer) { i.JWKS = url } }

func keyFile(t *testing.T, name string) func(i *auth.Issuer) {
	path := writeFile(t, publicPEM(signers()[name].public))
	return func(i *auth.Issuer) { i.KeyFile = path }
}

func TestOptionsNeverShowTheSecret(t *testing.T) {
	i := signers()["HMAC"].issuer(t)
	i.Secret = "hunter2"
	err := auth.Options{Issuers: []auth.Issuer{i}}.Validate()
	if err == nil || strings.Contains(err.Error(), i.Secret) {
		t.Errorf("got %v", err)
	}
}

func TestAllMistakesAreReported(t *testing.T) {
	good := signers()["HMAC"].issuer(t)
	nameless, unlisted := good, good
	nameless.Issuer = ""
	unlisted.Issuer, unlisted.Algorithms = "https://second.example", nil
	o := auth.Options{Issuers: []auth.Issuer{good, nameless, unlisted, good}, MaxTokenLength: -1, MaxKeyAge: time.Minute}
	wantOptionsRefused(t, o, "maxTokenLength is negative", "maxKeyAge is 1m0s; write at least 30m0s", "issuer number 2: set issuer",
		`issuer "https://second.example": list in algorithms`, `issuer "https://issuer.example": is configured twice`)
}
