package services

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// tokenTTL is how long a token of login is valid.
const tokenTTL = time.Hour

// password is a hashed password. Without a key, it matches no text.
type password struct {
	salt, key []byte
}

// iterations make guessing expensive. One login takes some milliseconds.
const iterations = 50_000

// newPassword hashes a password. An empty one has no key, so that its user cannot log in.
func newPassword(text string) password {
	if text == "" {
		return password{}
	}
	salt := backend.RandomSecret()
	return password{salt: salt, key: deriveKey(text, salt)}
}

func deriveKey(text string, salt []byte) []byte {
	key, err := pbkdf2.Key(sha256.New, text, salt, iterations, sha256.Size)
	if err != nil {
		panic(err) // the sizes are constants, and good
	}
	return key
}

// matches reports whether text is the password. It takes equally long without a key.
func (p password) matches(text string) bool {
	return subtle.ConstantTimeCompare(deriveKey(text, p.salt), p.key) == 1
}

// demoPassword is hashed once, for all stores.
var demoPassword = sync.OnceValue(func() password { return newPassword(DemoPassword) })

func (u *users) login(w http.ResponseWriter, r *http.Request) error {
	var req struct{ Username, Password string }
	if err := readJSON(r, &req); err != nil {
		return err
	}
	who := u.findByName(req.Username)
	if !who.password.matches(req.Password) || who.Status == Suspended {
		return backend.NewProblem(http.StatusUnauthorized, "BAD_LOGIN", "there is no active user with this name and password")
	}
	token, err := u.sign(who.ID, who.scope, tokenTTL)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return backend.WriteJSON(w, http.StatusOK, loginResponse{token, "Bearer", int(tokenTTL.Seconds())})
}

// loginResponse is the response of login.
type loginResponse struct {
	AccessToken string `json:"accessToken"`
	TokenType   string `json:"tokenType"`
	ExpiresIn   int    `json:"expiresIn"`
}

// findByName returns the account with a username, or one without a password if there is none,
// so that both cases take equally long.
func (u *users) findByName(username string) *account {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.IndexFunc(u.all, func(a *account) bool { return a.Username == username })
	if i < 0 {
		return &account{}
	}
	return u.all[i]
}

// claims are the claims of a token.
type claims struct {
	Scope string `json:"scope,omitempty"`
	jwt.RegisteredClaims
}

// sign returns a signed token. Each has an id of its own, so that it can be revoked alone.
func (u *users) sign(subject, scope string, life time.Duration) (string, error) {
	now := time.Now()
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{Scope: scope, RegisteredClaims: jwt.RegisteredClaims{
		ID: rand.Text(), Issuer: u.options.Issuer, Audience: jwt.ClaimStrings{u.options.Audience}, Subject: subject,
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
	}}).SignedString(u.options.Secret)
}

// logout revokes the caller's token.
func (u *users) logout(w http.ResponseWriter, r *http.Request) error {
	expires := backend.CallerFrom(r).ExpiresAt.Time // the auth asks for one
	u.revoked.add(backend.BearerToken(r.Header.Get("Authorization")), expires)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// revokedTokens has the tokens of callers that have logged out, until they expire. Its zero
// value is ready to use.
type revokedTokens struct {
	mu     sync.Mutex
	tokens map[[sha256.Size]byte]time.Time // guarded by mu; digest -> when to forget it
}

// leeway is at least how long the service accepts a token after its expiry.
const leeway = time.Minute

func (v *revokedTokens) add(token string, expires time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.tokens == nil {
		v.tokens = map[[sha256.Size]byte]time.Time{}
	}
	for digest, forget := range v.tokens {
		if time.Now().After(forget) {
			delete(v.tokens, digest)
		}
	}
	v.tokens[sha256.Sum256([]byte(token))] = expires.Add(leeway)
}

func (v *revokedTokens) has(token string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, gone := v.tokens[sha256.Sum256([]byte(token))]
	return gone
}
