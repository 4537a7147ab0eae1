package auth

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
)

// keySource gives the keys that may have signed a token with this key id (empty
// when the token names none) and algorithm. No key is not an error.
type keySource interface {
	find(ctx context.Context, kid, alg string) ([]any, error)
}

// oneKey is the source that holds a single key, whatever id a token gives it.
type oneKey struct{ key any }

func (k oneKey) find(context.Context, string, string) ([]any, error) { return []any{k.key}, nil }

func newKeySource(i Issuer, algorithms map[string]algorithm, log *slog.Logger) (keySource, error) {
	given := 0
	for _, setting := range []string{i.Secret, i.KeyFile, i.JWKS} {
		if setting != "" {
			given++
		}
	}
	switch {
	case given != 1:
		return nil, fmt.Errorf("%d of secret, keyFile and jwks are set; set exactly one", given)
	case i.Secret != "":
		return newSecret(i.Secret, algorithms)
	case i.KeyFile != "":
		return newFileKey(i.KeyFile, algorithms)
	default:
		return newRemoteKeys(i, algorithms, log)
	}
}

func newSecret(text string, algorithms map[string]algorithm) (keySource, error) {
	if len(text) < MinSecret {
		return nil, fmt.Errorf("the secret has %d bytes; it needs at least %d, try: openssl rand -hex 32", len(text), MinSecret)
	}
	if strings.Contains(text, "-----BEGIN") {
		return nil, errors.New("the secret is a PEM key; put it into a file and name that in keyFile")
	}
	return oneKey{secret(text)}, mustFit(secret(text), algorithms, "a secret")
}

func newFileKey(path string, algorithms map[string]algorithm) (keySource, error) {
	key, err := readKeyFile(path)
	if err != nil {
		return nil, fmt.Errorf("keyFile %q: %w", path, err)
	}
	return oneKey{key}, mustFit(key, algorithms, fmt.Sprintf("the key of keyFile %q", path))
}

// mustFit fails unless the key can be used with every algorithm of the list.
func mustFit(key any, algorithms map[string]algorithm, what string) error {
	for _, name := range slices.Sorted(maps.Keys(algorithms)) {
		if alg := algorithms[name]; !alg.fits(key) {
			return fmt.Errorf("%s does not fit algorithm %s, which needs %s; correct one of the two", what, name, alg.needs)
		}
	}
	return nil
}

// maxKeyFile is far above any public key or certificate, in bytes.
const maxKeyFile = 64 << 10

func readKeyFile(path string) (any, error) {
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

// parsePEM takes one block and no more: of a chain, or of several keys, it could
// not tell which one signs.
func parsePEM(text []byte) (any, error) {
	if strings.Contains(string(text), "PRIVATE KEY-----") {
		return nil, errors.New("holds a private key, which the gateway must not have; " +
			"write the public one, try: openssl pkey -in private.pem -pubout")
	}
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, errors.New("holds no PEM block; it should begin with -----BEGIN PUBLIC KEY-----")
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, errors.New("holds more than one PEM block; keep the signing key or its certificate alone")
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
		return nil, fmt.Errorf("holds a PEM block of type %q; PUBLIC KEY or CERTIFICATE is needed", block.Type)
	}
}

func newRemoteKeys(i Issuer, algorithms map[string]algorithm, log *slog.Logger) (keySource, error) {
	for _, name := range slices.Sorted(maps.Keys(algorithms)) {
		if algorithms[name].fits(make(secret, MinSecret)) {
			return nil, fmt.Errorf("algorithm %s needs a secret, and jwks gives public keys; remove it or set secret", name)
		}
	}
	if err := checkURL(i.JWKS); err != nil {
		return nil, fmt.Errorf("jwks: %w", err)
	}
	return newKeySet(i.JWKS, newKeyClient(), log.With("issuer", i.Issuer)), nil
}

// checkURL never shows the URL as a whole: it might hold a password.
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
