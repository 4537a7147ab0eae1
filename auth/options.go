package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Options say whose tokens are accepted. The zero value accepts none, so that
// every caller is anonymous.
type Options struct {
	// Issuers are those who may sign tokens. A token is checked by the one its "iss" names.
	Issuers []Issuer `yaml:"issuers"`
	// Leeway is how far clocks may differ when exp and nbf are checked.
	// Default 30s; a negative one allows no difference.
	Leeway time.Duration `yaml:"leeway"`
	// RolesClaim is the dotted path to the claim with the caller's roles, such as
	// realm_access.roles. A name that itself has dots is found too. Default "roles".
	RolesClaim string `yaml:"rolesClaim"`
	// MaxTokenLength is how many bytes of token are read at all. Default 8192.
	MaxTokenLength int `yaml:"maxTokenLength"`
	// Log tells when keys cannot be fetched. Default slog.Default().
	Log *slog.Logger `yaml:"-" json:"-"`
}

// Issuer is one who may sign tokens. Exactly one of Secret, KeyFile and JWKS is set.
type Issuer struct {
	// Issuer is the "iss" of its tokens, compared letter by letter. Required.
	Issuer string `yaml:"issuer"`
	// Audiences are the names this gateway goes by; the token's "aud" must hold one. Required.
	Audiences []string `yaml:"audiences"`
	// Algorithms are those it signs with, of HS256, HS384, HS512, RS256, RS384, RS512,
	// PS256, PS384, PS512, ES256, ES384, ES512 and EdDSA. Required; each must fit the key.
	Algorithms []string `yaml:"algorithms"`
	// Secret is the shared key of the HS algorithms, taken byte by byte as it stands
	// here. At least 32 bytes.
	Secret string `yaml:"secret"`
	// KeyFile is a PEM file with one public key, or one certificate, of which only
	// the key counts. Read once, at the start.
	KeyFile string `yaml:"keyFile"`
	// JWKS is the http or https URL of a JSON Web Key Set. It is fetched again every
	// fifteen minutes, and when a token names a key that is not in it.
	JWKS string `yaml:"jwks"`
}

// The defaults of Options.
const (
	DefaultLeeway         = 30 * time.Second
	DefaultRolesClaim     = "roles"
	DefaultMaxTokenLength = 8192
)

// MinSecret is the shortest Issuer.Secret, in bytes.
const MinSecret = 32

func (o Options) withDefaults() Options {
	switch {
	case o.Leeway == 0:
		o.Leeway = DefaultLeeway
	case o.Leeway < 0:
		o.Leeway = 0
	}
	if o.RolesClaim == "" {
		o.RolesClaim = DefaultRolesClaim
	}
	if o.MaxTokenLength == 0 {
		o.MaxTokenLength = DefaultMaxTokenLength
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Validate tells everything that is wrong with o, naming the issuers and what to
// do. It reads key files, and asks no JWKS server.
func (o Options) Validate() error {
	_, err := o.withDefaults().build()
	return err
}

// build makes the issuers. Nothing runs yet.
func (o Options) build() (map[string]*issuer, error) {
	var wrong []error
	if o.MaxTokenLength < 0 {
		wrong = append(wrong, errors.New("auth: maxTokenLength is negative; leave it out for 8192"))
	}
	issuers := make(map[string]*issuer, len(o.Issuers))
	for at, options := range o.Issuers {
		iss, err := newIssuer(options, o)
		if err == nil && issuers[options.Issuer] != nil {
			err = errors.New("is configured twice; keep one of them")
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("auth: issuer %s: %w", options.label(at), err))
			continue
		}
		issuers[options.Issuer] = iss
	}
	return issuers, errors.Join(wrong...)
}

func (i Issuer) label(at int) string {
	if i.Issuer == "" {
		return fmt.Sprintf("number %d", at+1)
	}
	return fmt.Sprintf("%q", i.Issuer)
}

func newIssuer(i Issuer, o Options) (*issuer, error) {
	if err := i.checkNames(); err != nil {
		return nil, err
	}
	algorithms, err := listAlgorithms(i.Algorithms)
	if err != nil {
		return nil, err
	}
	keys, err := newKeySource(i, algorithms, o.Log)
	if err != nil {
		return nil, err
	}
	rules := jwt.NewValidator(jwt.WithExpirationRequired(), jwt.WithLeeway(o.Leeway),
		jwt.WithIssuer(i.Issuer), jwt.WithAudience(i.Audiences...))
	return &issuer{name: i.Issuer, algorithms: algorithms, keys: keys, rules: rules}, nil
}

func (i Issuer) checkNames() error {
	if i.Issuer == "" {
		return errors.New("set issuer to the \"iss\" of its tokens")
	}
	if len(i.Audiences) == 0 {
		return errors.New("list in audiences what the \"aud\" of its tokens may be")
	}
	for _, audience := range i.Audiences {
		if strings.TrimSpace(audience) == "" {
			return errors.New("audiences holds an empty name; remove it")
		}
	}
	return nil
}
