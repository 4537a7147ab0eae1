package services

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a running shop and a client that may do everything unless told otherwise.
type house struct {
	*Running
	shop   *Shop
	client *http.Client
	admin  string // the admin's token
}

func newHouse(t *testing.T, o Options) *house {
	t.Helper()
	shop := New(o)
	running, err := shop.Start(t.Context(), Addresses{})
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		running.Close()
	})
	return &house{Running: running, shop: shop, client: client, admin: token(t, shop, Admin)}
}

func token(t *testing.T, shop *Shop, id Identity) string {
	t.Helper()
	token, err := shop.Token(id)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// req is a request in a table. Header lines are "Name: value"; an Authorization
// line takes the place of the admin's, and an empty one sends none.
type req struct {
	method, url, body string
	header            []string
}

type answered struct {
	status int
	header http.Header
	body   string
}

func (h *house) do(t *testing.T, a req) answered {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), a.method, a.url, strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+h.admin)
	for _, line := range a.header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	if r.Header.Get("Authorization") == "" {
		r.Header.Del("Authorization")
	}
	answer, err := h.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{answer.StatusCode, answer.Header, string(body)}
}

func (h *house) get(t *testing.T, url string) answered {
	t.Helper()
	return h.do(t, req{method: "GET", url: url})
}

// want fails unless the response has this status.
func (a answered) want(t *testing.T, status int) answered {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// problem fails unless the response is this problem in its documented form.
func (a answered) problem(t *testing.T, status int, code string) {
	t.Helper()
	a.want(t, status)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q, want application/problem+json", got)
	}
	p := read[backend.Problem](t, a)
	if p.Status != status || p.Code != code || p.Type != "about:blank" || p.Title != http.StatusText(status) || p.Detail == "" {
		t.Errorf("problem %+v, want status %d and code %s", p, status, code)
	}
}

func read[T any](t *testing.T, a answered) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return v
}

func names[T any](items []T, name func(T) string) string {
	var all []string
	for _, item := range items {
		all = append(all, name(item))
	}
	return strings.Join(all, " ")
}
