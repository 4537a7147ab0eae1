package services

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestGetUser(t *testing.T) {
	h := newHouse(t, Options{})
	for id, want := range map[string]string{
		"u1": `{"id":"u1","username":"ada","firstName":"Ada","lastName":"Lindqvist","email":"ada@example.com","phone":"+44 20 7946 0000","status":"ACTIVE"}`,
		"u5": `{"id":"u5","username":"elif","email":"elif@example.com","status":"ACTIVE"}`,
	} {
		if got := h.do(t, "GET /users/"+id, "").want(t, 200).body; got != want {
			t.Errorf("user\n%s\nwant\n%s", got, want)
		}
	}
}

const newcomer = `{"username":"ida","email":"ida@example.com","password":"a secret"}`

func (h *house) login(t *testing.T, username, password string) answered {
	t.Helper()
	return h.do(t, "POST /login", `{"username":"`+username+`","password":"`+password+`"}`, asJSON, anonymous)
}

func TestCreateUser(t *testing.T) {
	h := newHouse(t, Options{})
	created := h.do(t, "POST /users", newcomer, asJSON, anonymous).want(t, 201)
	if want := `{"id":"u9","username":"ida","email":"ida@example.com","status":"ACTIVE"}`; created.body != want {
		t.Errorf("created %s, want %s", created.body, want)
	}
	h.login(t, "ida", "a secret").want(t, 200)
	h.do(t, "DELETE /users/u9", "").want(t, 204)
	h.do(t, "GET /users/u9", "").problem(t, 404, "no-such-user")
	h.login(t, "ida", "a secret").problem(t, 401, "bad-login")
	if again := read[User](t, h.do(t, "POST /users", newcomer).want(t, 201)); again.ID != "u10" {
		t.Errorf("an id is used again: %+v", again)
	}
}

func TestUpdateUserReplacesAllButThePassword(t *testing.T) {
	h := newHouse(t, Options{})
	updated := h.do(t, "PUT /users/u1", `{"username":"ada","email":"new@example.com","lastName":"L"}`).want(t, 200)
	if want := `{"id":"u1","username":"ada","lastName":"L","email":"new@example.com","status":"ACTIVE"}`; updated.body != want {
		t.Errorf("updated %s, want %s", updated.body, want)
	}
	if stored := h.do(t, "GET /users/u1", ""); stored.body != updated.body {
		t.Errorf("stored %s", stored.body)
	}
	h.login(t, "ada", DemoPassword).want(t, 200)
	h.do(t, "PUT /users/u1", `{"username":"ada","email":"new@example.com","password":"another"}`).want(t, 200)
	h.login(t, "ada", DemoPassword).problem(t, 401, "bad-login")
	h.login(t, "ada", "another").want(t, 200)
	h.do(t, "PUT /users/u1", `{"username":"ada","email":"new@example.com","status":"SUSPENDED"}`).want(t, 200)
	h.login(t, "ada", "another").problem(t, 401, "bad-login")
}

func TestLogin(t *testing.T) {
	h := newHouse(t, Options{})
	rename := `{"name":"X","species":"CAT"}`
	tests := []struct {
		username string
		update   int
	}{{"ada", 403}, {"hana", 200}}
	for _, test := range tests {
		answer := h.login(t, test.username, DemoPassword).want(t, 200)
		got := read[loginResponse](t, answer)
		if got.TokenType != "Bearer" || got.ExpiresIn != 3600 || answer.header.Get("Cache-Control") != "no-store" {
			t.Errorf("login %s", answer.body)
		}
		own := "Authorization: Bearer " + got.AccessToken
		h.do(t, "GET /users/u1", "", own).want(t, 200)
		h.do(t, "POST /pets", rename, asJSON, own).want(t, 201)
		h.do(t, "PUT /pets/"+whiskers, rename, asJSON, own).want(t, test.update)
	}
	for _, wrong := range [][2]string{{"ada", "x"}, {"ada", ""}, {"nobody", DemoPassword}, {"nobody", ""}, {"", ""}, {"greta", DemoPassword}} {
		h.login(t, wrong[0], wrong[1]).problem(t, 401, "bad-login")
	}
}

// A user without a password cannot log in with an empty one.
func TestLoginWithoutPassword(t *testing.T) {
	h := newHouse(t, Options{})
	h.do(t, "POST /users", `{"username":"ida","email":"ida@example.com"}`).want(t, 201)
	h.login(t, "ida", "").problem(t, 401, "bad-login")
}

func TestLogout(t *testing.T) {
	h := newHouse(t, Options{})
	one := "Authorization: Bearer " + read[loginResponse](t, h.login(t, "ada", DemoPassword)).AccessToken
	other := "Authorization: Bearer " + read[loginResponse](t, h.login(t, "ada", DemoPassword)).AccessToken
	h.do(t, "POST /logout", "", one).want(t, 204)
	h.do(t, "GET /users/u1", "", one).problem(t, 401, "bad-token")
	h.do(t, "POST /logout", "", one).problem(t, 401, "bad-token")
	h.do(t, "GET /users/u1", "", other).want(t, 200)
	// Where a token is optional, a revoked one is still refused.
	h.do(t, "POST /orders", `{"petId":"`+whiskers+`"}`, asJSON, one).problem(t, 401, "bad-token")
}

// Revoked tokens are dropped after they have expired.
func TestRevokedTokensAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var v revokedTokens
		v.add("a", time.Now().Add(time.Hour))
		time.Sleep(time.Hour + leeway)
		if !v.has("a") {
			t.Error("forgotten while the auth might still take it")
		}
		time.Sleep(time.Second)
		v.add("b", time.Now().Add(time.Hour))
		if len(v.tokens) != 1 || !v.has("b") {
			t.Errorf("%d tokens are kept, want 1", len(v.tokens))
		}
	})
}

func TestTokens(t *testing.T) {
	h := newHouse(t, Options{Secret: []byte(strings.Repeat("s", 32))})
	for name, other := range map[string]*Store{
		"another key":      New(Options{}),
		"another issuer":   New(Options{Secret: h.options.Secret, Issuer: "x"}),
		"another audience": New(Options{Secret: h.options.Secret, Audience: "shop"}),
	} {
		token, err := other.Token(Keeper)
		if err != nil {
			t.Fatal(err)
		}
		if got := h.do(t, "GET /users/u1", "", "Authorization: Bearer "+token); got.status != 401 {
			t.Errorf("%s: status %d", name, got.status)
		}
	}
	for _, id := range Identities() {
		h.do(t, "GET /users/"+id.Subject, "", "Authorization: Bearer "+h.token(t, id)).want(t, 200)
	}
}
