package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Options configure which tokens are accepted. The zero value accepts none, so that every
// caller is anonymous.
type Options struct {
	// Issuers sign the tokens that are accepted. A token is verified by the issuer that its
	// "iss" names.
	Issuers []Issuer `yaml:"issuers"`
	// Leeway is how far clocks may differ when exp, nbf and iat are checked. Default 30s;
	// negative is none.
	Leeway time.Duration `yaml:"leeway"`
	// RolesClaim is the dotted path of the claim with the caller's roles, such as
	// realm_access.roles. Names that contain dots are found too. Default "roles".
	RolesClaim string `yaml:"rolesClaim"`
	// MaxTokenLength is how many bytes a token may have. Default 8192.
	MaxTokenLength int `yaml:"maxTokenLength"`
	// MaxKeyAge is how long the keys of a JWKS are used while it cannot be fetched again. After
	// that, the tokens of its issuer are refused until it can: a key that the issuer has revoked
	// must not be accepted for ever. Default 24h, at least 30m; a negative value means no limit.
	MaxKeyAge time.Duration `yaml:"maxKeyAge"`
	// Log receives an error when keys cannot be fetched. Default slog.Default().
	Log *slog.Logger `yaml:"-" json:"-"`
}

// Issuer configures an issuer of tokens. Exactly one of Secret, KeyFile and JWKS is set.
type Issuer struct {
	// Issuer is the "iss" of its tokens, compared exactly. Required.
	Issuer string `yaml:"issuer"`
	// Audiences are the names of this gateway; the "aud" of a token must contain one of
	// them. Required.
	Audiences []string `yaml:"audiences"`
	// Algorithms are those that the issuer signs with: HS256, HS384, HS512, RS256, RS384,
	// RS512, PS256, PS384, PS512, ES256, ES384, ES512 or EdDSA. Required; each must fit the
	// key.
	Algorithms []string `yaml:"algorithms"`
	// Secret is the shared key of the HS algorithms. Its bytes are used as they are, without
	// decoding. At least 32 bytes.
	Secret string `yaml:"secret"`
	// KeyFile is a PEM file with one public key, or with one certificate, of which only the
	// key is used. It is read once, at the start.
	KeyFile string `yaml:"keyFile"`
	// JWKS is the http or https URL of a JSON Web Key Set (RFC 7517). It is fetched every
	// fifteen minutes, and when a token names a key that is not in it.
	JWKS string `yaml:"jwks"`
}

// The defaults of Options.
const (
	DefaultLeeway         = 30 * time.Second
	DefaultRolesClaim     = "roles"
	DefaultMaxTokenLength = 8192
	DefaultMaxKeyAge      = 24 * time.Hour
)

// minKeyAge is the minimum of Options.MaxKeyAge: keys are fetched every refreshInterval, and some
// fetches may fail.
const minKeyAge = 2 * refreshInterval

// MinSecret is the minimum length of Issuer.Secret, in bytes: the size of the smallest hash
// (RFC 7518, 3.2).
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
	if o.MaxKeyAge == 0 {
		o.MaxKeyAge = DefaultMaxKeyAge
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

// Validate returns an error that joins all mistakes in o, each with the issuer and the way
// to correct it. It reads key files, but does not call JWKS servers.
func (o Options) Validate() error {
	_, err := o.withDefaults().newIssuers()
	return err
}

// newIssuers returns the issuers by name. It starts nothing.
func (o Options) newIssuers() (map[string]*issuer, error) {
	var errs []error
	if o.MaxTokenLength < 0 {
		errs = append(errs, errors.New("auth: maxTokenLength is negative; leave it out for 8192"))
	}
	if o.MaxKeyAge >= 0 && o.MaxKeyAge < minKeyAge {
		errs = append(errs, fmt.Errorf("auth: maxKeyAge is %s; write at least %s, since keys are fetched every %s", o.MaxKeyAge, minKeyAge, refreshInterval))
	}
	issuers := make(map[string]*issuer, len(o.Issuers))
	for n, options := range o.Issuers {
		iss, err := newIssuer(options, o)
		if err == nil && issuers[options.Issuer] != nil {
			err = errors.New("is configured twice; keep one of them")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("auth: issuer %s: %w", options.describe(n), err))
			continue
		}
		issuers[options.Issuer] = iss
	}
	return issuers, errors.Join(errs...)
}

// describe returns a name for error messages: the issuer's name, or its position in the list.
func (i Issuer) describe(index int) string {
	if i.Issuer == "" {
		return fmt.Sprintf("number %d", index+1)
	}
	return fmt.Sprintf("%q", i.Issuer)
}

func newIssuer(i Issuer, o Options) (*issuer, error) {
	if err := i.validateNames(); err != nil {
		return nil, err
	}
	algorithms, err := parseAlgorithms(i.Algorithms)
	if err != nil {
		return nil, err
	}
	keys, err := newKeySource(i, algorithms, o)
	if err != nil {
		return nil, err
	}
	validator := jwt.NewValidator(jwt.WithExpirationRequired(), jwt.WithLeeway(o.Leeway), jwt.WithIssuedAt(),
		jwt.WithIssuer(i.Issuer), jwt.WithAudience(i.Audiences...))
	return &issuer{name: i.Issuer, algorithms: algorithms, keys: keys, validator: validator}, nil
}

func (i Issuer) validateNames() error {
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
