package auth

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
)

// keySource returns the keys that may have signed a token with a key id and an algorithm.
// kid is "" when the token has none. No matching key is not an error, unless the source
// cannot know all keys.
type keySource interface {
	find(ctx context.Context, kid, alg string) ([]any, error)
}

// staticKey is a keySource with one key, which it returns for every key id.
type staticKey struct{ key any }

func (k staticKey) find(context.Context, string, string) ([]any, error) { return []any{k.key}, nil }

func newKeySource(i Issuer, algorithms map[string]algorithm, o Options) (keySource, error) {
	n := 0
	for _, setting := range []string{i.Secret, i.KeyFile, i.JWKS} {
		if setting != "" {
			n++
		}
	}
	switch {
	case n != 1:
		return nil, fmt.Errorf("%d of secret, keyFile and jwks are set; set exactly one", n)
	case i.Secret != "":
		return newSecret(i.Secret, algorithms)
	case i.KeyFile != "":
		return newKeyFile(i.KeyFile, algorithms)
	default:
		return newJWKS(i, algorithms, o)
	}
}

func newSecret(text string, algorithms map[string]algorithm) (keySource, error) {
	if len(text) < MinSecret {
		return nil, fmt.Errorf("the secret has %d bytes; it needs at least %d, try: openssl rand -hex 32", len(text), MinSecret)
	}
	if strings.Contains(text, "-----BEGIN") {
		return nil, errors.New("the secret is a PEM key; write it to a file and set keyFile to its path")
	}
	return staticKey{hmacSecret(text)}, checkFit(hmacSecret(text), algorithms, "a secret")
}

func newKeyFile(path string, algorithms map[string]algorithm) (keySource, error) {
	key, err := loadKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("keyFile %q: %w", path, err)
	}
	return staticKey{key}, checkFit(key, algorithms, fmt.Sprintf("the key of keyFile %q", path))
}

// checkFit returns an error unless key can be used with all algorithms.
func checkFit(key any, algorithms map[string]algorithm, what string) error {
	for _, name := range slices.Sorted(maps.Keys(algorithms)) {
		if alg := algorithms[name]; !alg.fits(key) {
			return fmt.Errorf("%s does not fit algorithm %s, which needs %s; correct one of the two", what, name, alg.keyDescription)
		}
	}
	return nil
}

// maxKeyFile bounds a key file, in bytes. No public key or certificate is nearly as large.
const maxKeyFile = 64 << 10

func loadKeyFile(path string) (any, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxKeyFile {
		return nil, errors.New("is too large for a public key")
	}
	return parsePEM(text)
}

// parsePEM returns the key of text, which must have exactly one block. Of a certificate
// chain or of several keys it could not tell which one signs.
func parsePEM(text []byte) (any, error) {
	if strings.Contains(string(text), "PRIVATE KEY-----") {
		return nil, errors.New("contains a private key, which the gateway must not have; " +
			"store the public key instead, try: openssl pkey -in private.pem -pubout")
	}
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, errors.New("contains no PEM block; it should begin with -----BEGIN PUBLIC KEY-----")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, errors.New("contains more than one PEM block; keep only the signing key or its certificate")
	}
	return parseBlock(block)
}

func parseBlock(block *pem.Block) (any, error) {
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return certificate.PublicKey, nil
	default:
		return nil, fmt.Errorf("contains a PEM block of type %q; PUBLIC KEY or CERTIFICATE is needed", block.Type)
	}
}

func newJWKS(i Issuer, algorithms map[string]algorithm, o Options) (keySource, error) {
	for _, name := range slices.Sorted(maps.Keys(algorithms)) {
		if algorithms[name].fits(make(hmacSecret, MinSecret)) {
			return nil, fmt.Errorf("algorithm %s needs a secret, and jwks has public keys; remove it or set secret", name)
		}
	}
	if err := checkURL(i.JWKS); err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	return newKeySet(i.JWKS, newKeyClient(), o.MaxKeyAge, o.Log.With("issuer", i.Issuer)), nil
}

// checkURL returns what is wrong with a URL. Its errors never show the whole URL, which may
// hold a password.
func checkURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return errors.New("is not a URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("begins with %q; an http or https URL is needed", u.Scheme)
	case u.Hostname() == "":
		return errors.New("names no host")
	case u.User != nil:
		return errors.New("holds a user name; remove it")
	case u.Fragment != "":
		return errors.New("holds a fragment (#); remove it")
	}
	return nil
}
