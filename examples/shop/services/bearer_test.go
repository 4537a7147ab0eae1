package services

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/auth/devtoken"
	"github.com/golang-jwt/jwt/v5"
)

func serve(handler http.Handler, method, target string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	return recorder
}

func TestTokens(t *testing.T) {
	secret := []byte(strings.Repeat("s", 32))
	shop := New(Options{Secret: secret})
	sign := func(change func(*devtoken.Claims)) string {
		claims := devtoken.Claims{Issuer: DemoIssuer, Audience: DemoAudience, Subject: "u1"}
		change(&claims)
		text, err := devtoken.Sign(secret, claims)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	raw := func(method jwt.SigningMethod, key any, header map[string]any, claims jwt.MapClaims) string {
		token := jwt.NewWithClaims(method, claims)
		for name, value := range header {
			token.Header[name] = value
		}
		text, err := token.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	good := jwt.MapClaims{"iss": DemoIssuer, "aud": DemoAudience, "exp": time.Now().Add(time.Hour).Unix()}
	valid := sign(func(*devtoken.Claims) {})

	tests := []struct {
		name, authorization string
		want                int
	}{
		{"valid", "Bearer " + valid, 200},
		{"scheme in small letters", "bearer " + valid, 200},
		{"raw", "Bearer " + raw(jwt.SigningMethodHS256, secret, nil, good), 200},
		{"expired", "Bearer " + sign(func(c *devtoken.Claims) { c.TTL = -time.Minute }), 401},
		{"another issuer", "Bearer " + sign(func(c *devtoken.Claims) { c.Issuer = "x" }), 401},
		{"another audience", "Bearer " + sign(func(c *devtoken.Claims) { c.Audience = "x" }), 401},
		{"no expiry", "Bearer " + raw(jwt.SigningMethodHS256, secret, nil, jwt.MapClaims{"iss": DemoIssuer, "aud": DemoAudience}), 401},
		{"none", "Bearer " + raw(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, good), 401},
		{"another algorithm", "Bearer " + raw(jwt.SigningMethodHS512, secret, nil, good), 401},
		{"another key", "Bearer " + raw(jwt.SigningMethodHS256, []byte("another"), nil, good), 401},
		{"critical extension", "Bearer " + raw(jwt.SigningMethodHS256, secret, map[string]any{"crit": []string{"b64"}}, good), 401},
		{"too long", "Bearer " + sign(func(c *devtoken.Claims) { c.Scope = strings.Repeat("s", 8192) }), 401},
		{"no token", "Bearer ", 401},
		{"nothing", "", 401},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := serve(shop.Users(), "GET", "/users/u1", "Authorization: "+test.authorization)
			if got.Code != test.want {
				t.Errorf("status %d, want %d: %s", got.Code, test.want, got.Body)
			}
		})
	}
}

func TestIdentities(t *testing.T) {
	shop := New(Options{})
	users := newUsers(load().Users)
	for _, id := range Identities() {
		user, err := users.find(id.Subject)
		if err != nil || len(id.Roles) != 1 || user.Role != id.Roles[0] {
			t.Errorf("%s: user %+v (%v), want one with the roles %v", id.Name, user, err, id.Roles)
		}
		if got := serve(shop.Orders(), "GET", "/orders", "Authorization: Bearer "+token(t, shop, id)); got.Code != 200 {
			t.Errorf("%s: status %d", id.Name, got.Code)
		}
	}
}

func TestDemoSecret(t *testing.T) {
	first, err1 := DemoSecret("")
	second, err2 := DemoSecret("")
	if err1 != nil || err2 != nil || len(first) != 32 || string(first) == string(second) {
		t.Errorf("random secrets %x (%v) and %x (%v)", first, err1, second, err2)
	}
	long := strings.Repeat("x", 32)
	if got, err := DemoSecret(long); err != nil || string(got) != long {
		t.Errorf("a given secret: %q, %v", got, err)
	}
	if got, err := DemoSecret(long[1:]); err == nil || strings.Contains(err.Error(), long[1:]) {
		t.Errorf("a short secret: %q, %v", got, err)
	}
}
