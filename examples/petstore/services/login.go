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

// tokenLife is how long a token of login is good.
const tokenLife = time.Hour

// password is what is kept of one. Without a key, nothing is the right one.
type password struct {
	salt, key []byte
}

// rounds make guessing slow, and logging in take some milliseconds.
const rounds = 50_000

// hash keeps no key of an empty password: whoever has none cannot log in.
func hash(text string) password {
	if text == "" {
		return password{}
	}
	salt := backend.RandomSecret()
	return password{salt: salt, key: derive(text, salt)}
}

func derive(text string, salt []byte) []byte {
	key, err := pbkdf2.Key(sha256.New, text, salt, rounds, sha256.Size)
	if err != nil {
		panic(err) // the sizes are constants, and good
	}
	return key
}

// is takes equally long whether there is a key or not.
func (p password) is(text string) bool {
	return subtle.ConstantTimeCompare(derive(text, p.salt), p.key) == 1
}

// demoPassword is made once, since every store needs it.
var demoPassword = sync.OnceValue(func() password { return hash(DemoPassword) })

func (u *users) login(w http.ResponseWriter, r *http.Request) error {
	var asked struct{ Username, Password string }
	if err := readInto(r, &asked); err != nil {
		return err
	}
	who := u.named(asked.Username)
	if !who.password.is(asked.Password) || who.Status == Suspended {
		return backend.Refuse(http.StatusUnauthorized, "BAD_LOGIN", "there is no active user with this name and password")
	}
	token, err := u.sign(who.ID, who.scope, tokenLife)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	return backend.WriteJSON(w, http.StatusOK, access{token, "Bearer", int(tokenLife.Seconds())})
}

// access is the answer of login.
type access struct {
	AccessToken string `json:"accessToken"`
	TokenType   string `json:"tokenType"`
	ExpiresIn   int    `json:"expiresIn"`
}

// named is an account without a password when nobody has the name.
func (u *users) named(username string) *account {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := slices.IndexFunc(u.all, func(a *account) bool { return a.Username == username })
	if i < 0 {
		return &account{}
	}
	return u.all[i]
}

// claims are what a token says.
type claims struct {
	Scope string `json:"scope,omitempty"`
	jwt.RegisteredClaims
}

// sign makes a token. Each has an id of its own, so that none is revoked with another.
func (u *users) sign(subject, scope string, life time.Duration) (string, error) {
	now := time.Now()
	return jwt.NewWithClaims(jwt.SigningMethodHS256, claims{Scope: scope, RegisteredClaims: jwt.RegisteredClaims{
		ID: rand.Text(), Issuer: u.options.Issuer, Audience: jwt.ClaimStrings{u.options.Audience}, Subject: subject,
		IssuedAt: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(now.Add(life)),
	}}).SignedString(u.options.Secret)
}

// logout makes the caller's token worthless.
func (u *users) logout(w http.ResponseWriter, r *http.Request) error {
	expires := backend.CallerOf(r).ExpiresAt.Time // the door asks for one
	u.revoked.add(backend.Token(r.Header.Get("Authorization")), expires)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// revoked keeps the tokens of those who have logged out, as long as they would be good.
// Its zero value is ready.
type revoked struct {
	mu     sync.Mutex
	tokens map[[sha256.Size]byte]time.Time // guarded by mu; digest -> when to forget it
}

// leeway is how much longer than its time the door takes a token, and some more.
const leeway = time.Minute

func (v *revoked) add(token string, expires time.Time) {
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

func (v *revoked) has(token string) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	_, gone := v.tokens[sha256.Sum256([]byte(token))]
	return gone
}
