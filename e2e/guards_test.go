package e2e

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/auth/devtoken"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// send makes a request of any form to the gateway. The header's lines are "Name: value".
func (g *gatewayUnderTest) send(t testing.TB, method, path, body string, header ...string) *response {
	t.Helper()
	request, err := http.NewRequest(method, g.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		request.Header.Add(name, value)
	}
	return roundTrip(t, request)
}

// roundTrip sends a request. It follows no redirect.
func roundTrip(t testing.TB, request *http.Request) *response {
	t.Helper()
	res, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	return readResponse(t, res)
}

// readResponse reads a response, whose body may be something else than JSON.
func readResponse(t testing.TB, res *http.Response) *response {
	t.Helper()
	defer res.Body.Close()
	var text bytes.Buffer
	if _, err := text.ReadFrom(res.Body); err != nil {
		t.Fatal(err)
	}
	a := &response{Status: res.StatusCode, Body: text.String(), Header: res.Header}
	_ = json.Unmarshal(text.Bytes(), a)
	return a
}

// get sends an operation by GET.
func (g *gatewayUnderTest) get(t testing.TB, token, query string, variables map[string]any) *response {
	t.Helper()
	vars, _ := json.Marshal(variables)
	header := []string{"Accept: application/graphql-response+json"}
	if token != "" {
		header = append(header, "Authorization: Bearer "+token)
	}
	return g.send(t, http.MethodGet, "/graphql?"+url.Values{"query": {query}, "variables": {string(vars)}}.Encode(), "", header...)
}

// refusals returns the errors as "path CODE", sorted.
func (a *response) refusals() []string {
	list := []string{}
	for _, e := range a.Errors {
		var path []string
		for _, step := range e.Path {
			path = append(path, fmt.Sprint(step))
		}
		list = append(list, strings.Join(path, ".")+" "+e.Extensions.Code)
	}
	slices.Sort(list)
	return list
}

// A field that the caller may not see is null with an error at its path, makes no call, and leaves
// the rest of the response as it is, however the query reaches it. The customer's token has the
// scope orders:write only.
func TestRefusedFields(t *testing.T) {
	const denied, unknown = " FORBIDDEN", " UNAUTHENTICATED"
	for _, c := range []struct {
		name, query string
		anonymous   bool
		data        string
		errors      []string
		calls       map[string]int
	}{
		{
			"a plain field", `{ user(id: "u2") { name email phone address { city } } }`, false,
			`{"user":{"name":"Bruno Okafor","email":null,"phone":null,"address":null}}`,
			[]string{"user.address" + denied, "user.email" + denied, "user.phone" + denied},
			map[string]int{"getUser": 1},
		},
		{
			"a root field", `{ order(id: "9007199254740000") { id } orders { nodes { id } } users { nodes { id } } }`, false,
			`{"order":null,"orders":null,"users":null}`,
			[]string{"order" + denied, "orders" + denied, "users" + denied},
			nil,
		},
		{
			"root fields, anonymous", `{ me { id } user(id: "u1") { id } person(id: "u1") { id } order(id: "1") { id } orders { nodes { id } } users { nodes { id } } }`, true,
			`{"me":null,"user":null,"person":null,"order":null,"orders":null,"users":null}`,
			[]string{"me" + unknown, "order" + unknown, "orders" + unknown, "person" + unknown, "user" + unknown, "users" + unknown},
			nil,
		},
		{
			"an alias", `{ user(id: "u2") { x: email name: phone } }`, false,
			`{"user":{"x":null,"name":null}}`,
			[]string{"user.name" + denied, "user.x" + denied},
			map[string]int{"getUser": 1},
		},
		{
			"two aliases", `{ a: order(id: "1") { id } b: order(id: "1") { id } __typename }`, false,
			`{"a":null,"b":null,"__typename":"Query"}`,
			[]string{"a" + denied, "b" + denied},
			nil,
		},
		{
			"the alias of an open field", `{ id: order(id: "1") { id } product(sku: "B-100") { sku: timesOrdered } }`, false,
			`{"id":null,"product":{"sku":null}}`,
			[]string{"id" + denied, "product.sku" + denied},
			map[string]int{"getProduct": 1},
		},
		{
			"twice in one place", `{ user(id: "u2") { email } user(id: "u2") { email name } }`, false,
			`{"user":{"email":null,"name":"Bruno Okafor"}}`,
			[]string{"user.email" + denied},
			map[string]int{"getUser": 1},
		},
		{
			"a named fragment", `{ user(id: "u2") { ...f } } fragment f on User { email name }`, false,
			`{"user":{"email":null,"name":"Bruno Okafor"}}`,
			[]string{"user.email" + denied},
			map[string]int{"getUser": 1},
		},
		{
			"nested fragments", `{ ...q } fragment q on Query { user(id: "u2") { ...f } } fragment f on User { ...g name } fragment g on User { email }`, false,
			`{"user":{"email":null,"name":"Bruno Okafor"}}`,
			[]string{"user.email" + denied},
			map[string]int{"getUser": 1},
		},
		{
			"an inline fragment", `{ ... { user(id: "u2") { ... { ... on User { email } } } } }`, false,
			`{"user":{"email":null}}`,
			[]string{"user.email" + denied},
			map[string]int{"getUser": 1},
		},
		{
			"a fragment on an interface", `{ person(id: "u2") { ...p } } fragment p on Person { name ... on User { email orders { id } } ... on Account { mine: email } }`, false,
			`{"person":{"name":"Bruno Okafor","email":null,"orders":null}}`,
			[]string{"person.email" + denied, "person.orders" + denied},
			map[string]int{"getUser": 1},
		},
		{
			"an interface within its type", `{ user(id: "u2") { ... on Person { ... on User { lifetimeValue { amount } } } } }`, false,
			`{"user":{"lifetimeValue":null}}`,
			[]string{"user.lifetimeValue" + denied},
			map[string]int{"getUser": 1},
		},
		{
			"a union", `{ search(text: "linen shirt") { __typename ... on Product { sku timesOrdered } } }`, false,
			`{"search":[{"__typename":"Product","sku":"S-201","timesOrdered":null}]}`,
			[]string{"search.0.timesOrdered" + denied},
			map[string]int{"listProducts": 2},
		},
		{
			"a union, anonymous", `{ search(text: "linen shirt") { ...r } } fragment r on SearchResult { ... on Product { n: timesOrdered } }`, true,
			`{"search":[{"n":null}]}`,
			[]string{"search.0.n" + unknown},
			map[string]int{"listProducts": 2},
		},
		{
			"a list", `{ products(first: 3) { nodes { timesOrdered } } }`, false,
			`{"products":{"nodes":[{"timesOrdered":null},{"timesOrdered":null},{"timesOrdered":null}]}}`,
			[]string{"products.nodes.0.timesOrdered" + denied, "products.nodes.1.timesOrdered" + denied, "products.nodes.2.timesOrdered" + denied},
			map[string]int{"listProducts": 1},
		},
		{
			"a list within a list", `{ product(sku: "B-100") { related { related { timesOrdered } } } }`, true,
			`{"product":{"related":[{"related":[{"timesOrdered":null}]}]}}`,
			[]string{"product.related.0.related.0.timesOrdered" + unknown},
			map[string]int{"getProduct": 1, "listProducts": 2},
		},
		{
			"a join to many", `{ user(id: "u2") { name orders { id } lifetimeValue { amount } } }`, false,
			`{"user":{"name":"Bruno Okafor","orders":null,"lifetimeValue":null}}`,
			[]string{"user.lifetimeValue" + denied, "user.orders" + denied},
			map[string]int{"getUser": 1},
		},
		{
			"behind a join", `{ me { orders(limit: 1) { customer { name email orders { id } } } } }`, false,
			`{"me":{"orders":[{"customer":{"name":"Ada Lindqvist","email":null,"orders":null}}]}}`,
			[]string{"me.orders.0.customer.email" + denied, "me.orders.0.customer.orders" + denied},
			map[string]int{"getUser": 1, "orderHistory": 1, "listUsers": 1},
		},
		{
			"behind a join's product", `{ me { orders(limit: 1) { lines { product { timesOrdered } } } } }`, false,
			`{"me":{"orders":[{"lines":[{"product":{"timesOrdered":null}},{"product":{"timesOrdered":null}}]}]}}`,
			[]string{"me.orders.0.lines.0.product.timesOrdered" + denied, "me.orders.0.lines.1.product.timesOrdered" + denied},
			map[string]int{"getUser": 1, "orderHistory": 1, "listProducts": 1},
		},
		{
			"@include and @skip that let it in", `query($yes: Boolean = true) { user(id: "u2") { email @include(if: $yes) ... @skip(if: false) { phone } } }`, false,
			`{"user":{"email":null,"phone":null}}`,
			[]string{"user.email" + denied, "user.phone" + denied},
			map[string]int{"getUser": 1},
		},
		{
			"@include and @skip that leave it out", `query($yes: Boolean = true) { user(id: "u2") { name email @skip(if: $yes) ... @include(if: false) { phone } } }`, false,
			`{"user":{"name":"Bruno Okafor"}}`,
			[]string{},
			map[string]int{"getUser": 1},
		},
		{
			"a type's guard", `{ me { ...a } person(id: "u1") { ...p } } fragment a on Account { id name email } fragment p on Person { id ... on Account { email } }`, true,
			`{"me":null,"person":null}`,
			[]string{"me" + unknown, "person" + unknown},
			nil,
		},
		{
			"your own account", `{ me { email } person(id: "u1") { __typename ... on Account { mine: email } ... on User { email } } }`, false,
			`{"me":{"email":"ada.lindqvist@example.com"},"person":{"__typename":"Account","mine":"ada.lindqvist@example.com"}}`,
			[]string{},
			map[string]int{"getUser": 1},
		},
		{
			"bad arguments", `{ order(id: "../users") { id } user(id: "") { email } }`, true,
			`{"order":null,"user":null}`,
			[]string{"order" + unknown, "user" + unknown},
			nil,
		},
		{
			"mutations", `mutation { createUser(input: {email: "x@example.com", name: "x", password: "long enough"}) { id } updateUser(id: "u2", input: {name: "x"}) { id } x: deleteUser(id: "u2") }`, false,
			`{"createUser":null,"updateUser":null,"x":null}`,
			[]string{"createUser" + denied, "updateUser" + denied, "x" + denied},
			nil,
		},
		{
			"mutations, anonymous", `mutation { ...m } fragment m on Mutation { deleteUser(id: "u2") createOrder(input: {userId: "u1", lines: [{productId: "B-100"}]}) { id } cancelOrder(id: "9007199254740000") { id } }`, true,
			`{"deleteUser":null,"createOrder":null,"cancelOrder":null}`,
			[]string{"cancelOrder" + unknown, "createOrder" + unknown, "deleteUser" + unknown},
			nil,
		},
		{
			"a mutation's result", `mutation { createOrder(input: {userId: "u2", lines: [{productId: "B-100"}]}) { status customer { name email orders { id } } lines { product { timesOrdered } } } }`, false,
			`{"createOrder":{"status":"PENDING","customer":{"name":"Bruno Okafor","email":null,"orders":null},"lines":[{"product":{"timesOrdered":null}}]}}`,
			[]string{"createOrder.customer.email" + denied, "createOrder.customer.orders" + denied, "createOrder.lines.0.product.timesOrdered" + denied},
			map[string]int{"createOrder": 1, "listUsers": 1, "listProducts": 1},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newGateway(t)
			token := ""
			if !c.anonymous {
				token = g.token(t, services.Customer)
			}
			ways := map[string]func(testing.TB, string, string, map[string]any) *response{"POST": g.query, "GET": g.get}
			if strings.HasPrefix(c.query, "mutation") {
				delete(ways, "GET")
			}
			for way, ask := range ways {
				g.Shop.ResetCalls()
				a := ask(t, token, c.query, nil)
				if a.Status != http.StatusOK {
					t.Errorf("%s: status %d", way, a.Status)
				}
				if diff := cmp.Diff(decoded(t, c.data), decoded(t, string(a.Data))); diff != "" {
					t.Errorf("%s: data (-want +got):\n%s", way, diff)
				}
				if diff := cmp.Diff(c.errors, a.refusals()); diff != "" {
					t.Errorf("%s: errors (-want +got):\n%s", way, diff)
				}
				if c.calls == nil {
					c.calls = map[string]int{}
				}
				g.wantCalls(t, c.calls)
			}
		})
	}
}

// The same queries have data for callers with the scopes, so that the refusals above come from the
// guards.
func TestGuardsLetThrough(t *testing.T) {
	g := newGateway(t)
	a := g.query(t, g.token(t, services.Admin), `{
		user(id: "u2") { email address { city } orders(limit: 1) { id } lifetimeValue { amount } }
		search(text: "linen shirt") { ... on Product { timesOrdered } }
		users(first: 1) { nodes { email } }
	}`, nil)
	if len(a.Errors) > 0 || strings.Contains(string(a.Data), "null") {
		t.Error(a.Body)
	}
}

// claims returns the claims of a valid token with changes; nil removes a claim.
func claims(change map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{
		"iss": services.DemoIssuer, "aud": services.DemoAudience, "sub": "u8",
		"scope": services.Admin.Scope, "exp": time.Now().Add(time.Hour).Unix(),
	}
	maps.Copy(c, change)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

// signToken makes a token with any signing method and additional header members.
func signToken(t testing.TB, method jwt.SigningMethod, key any, c jwt.MapClaims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(method, c)
	maps.Copy(token.Header, header)
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// withPart changes one of the three parts of a token.
func withPart(token string, part int, change func(string) string) string {
	parts := strings.Split(token, ".")
	parts[part] = change(parts[part])
	return strings.Join(parts, ".")
}

func payload(c jwt.MapClaims) string {
	text, _ := json.Marshal(c)
	return string(text)
}

func base64Encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// forgedTokens returns Authorization headers that must be refused, made from a valid token of the
// given method and key.
func forgedTokens(t *testing.T, method jwt.SigningMethod, key any) map[string]string {
	good := signToken(t, method, key, claims(nil), nil)
	made := func(change map[string]any) string { return signToken(t, method, key, claims(change), nil) }
	tokens := map[string]string{
		"alg none":              signToken(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims(nil), nil),
		"alg None, signature":   withPart(good, 0, func(string) string { return base64Encode(`{"alg":"None","typ":"JWT"}`) }),
		"no alg":                withPart(good, 0, func(string) string { return base64Encode(`{"typ":"JWT"}`) }),
		"HS512 of the key":      withPart(good, 0, func(string) string { return base64Encode(`{"alg":"HS512","typ":"JWT"}`) }),
		"no signature":          withPart(good, 2, func(string) string { return "" }),
		"a signature of zeros":  withPart(good, 2, func(s string) string { return strings.Repeat("A", len(s)) }),
		"a changed payload":     withPart(good, 1, func(string) string { return base64Encode(payload(claims(map[string]any{"sub": "u1"}))) }),
		"a changed signature":   withPart(good, 2, func(s string) string { return flip(s[:4]) + s[4:] }),
		"padding":               good + "=",
		"expired":               made(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}),
		"no expiry":             made(map[string]any{"exp": nil}),
		"an expiry that is 0":   made(map[string]any{"exp": 0}),
		"an expiry in words":    made(map[string]any{"exp": "tomorrow"}),
		"not yet valid":         made(map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}),
		"another audience":      made(map[string]any{"aud": "warehouse"}),
		"no audience":           made(map[string]any{"aud": nil}),
		"an empty audience":     made(map[string]any{"aud": []string{}}),
		"another issuer":        made(map[string]any{"iss": "https://evil.example"}),
		"no issuer":             made(map[string]any{"iss": nil}),
		"a list of issuers":     made(map[string]any{"iss": []string{services.DemoIssuer}}),
		"a subject that is a 1": made(map[string]any{"sub": 1}),
		"crit":                  signToken(t, method, key, claims(nil), map[string]any{"crit": []string{"exp"}}),
		"four parts":            good + ".e30",
		"two parts":             strings.Join(strings.Split(good, ".")[:2], "."),
		"garbage":               "garbage",
		"dots":                  strings.Repeat(".", 8000),
		"very long":             good + strings.Repeat("A", 20_000),
	}
	headers := map[string]string{
		"Basic": "Basic dXNlcjpwYXNz", "a token without Bearer": good, "Bearer alone": "Bearer",
		"Bearer and a blank": "Bearer ", "two tokens": "Bearer " + good + ", Bearer " + good, "another scheme": "DPoP " + good,
	}
	for name, token := range tokens {
		headers[name] = "Bearer " + token
	}
	return headers
}

// flip changes the first letter of a text in base64.
func flip(s string) string {
	if s[0] == 'A' {
		return "B" + s[1:]
	}
	return "A" + s[1:]
}

// rsaIssuer returns a key and the settings of an issuer that signs with it.
func rsaIssuer(t *testing.T) (*rsa.PrivateKey, []byte, auth.Issuer) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	file := filepath.Join(t.TempDir(), "issuer.pem")
	if err := os.WriteFile(file, public, 0o600); err != nil {
		t.Fatal(err)
	}
	return key, public, auth.Issuer{
		Issuer: services.DemoIssuer, Audiences: []string{services.DemoAudience},
		Algorithms: []string{"RS256"}, KeyFile: file,
	}
}

// A bad token refuses the whole request, even if its fields need none.
func TestForgedTokens(t *testing.T) {
	key, public, issuer := rsaIssuer(t)
	block, _ := pem.Decode(public)
	rs := forgedTokens(t, jwt.SigningMethodRS256, key)
	for name, secret := range map[string][]byte{
		"the public key's PEM as a secret":          public,
		"the public key's PEM, trimmed":             bytes.TrimSpace(public),
		"the public key's DER as a secret":          block.Bytes,
		"the public key's PKCS #1 form as a secret": x509.MarshalPKCS1PublicKey(&key.PublicKey),
		"the modulus as a secret":                   key.N.Bytes(),
	} {
		rs[name] = "Bearer " + signToken(t, jwt.SigningMethodHS256, secret, claims(nil), nil)
	}
	rs["a key in the header"] = "Bearer " + signToken(t, jwt.SigningMethodHS256, []byte(secret), claims(nil),
		map[string]any{"jwk": map[string]any{"kty": "oct", "k": base64Encode(secret)}})

	for name, c := range map[string]struct {
		change  func(*config.Config)
		good    string
		headers map[string]string
	}{
		"HS256": {func(*config.Config) {}, signToken(t, jwt.SigningMethodHS256, []byte(secret), claims(nil), nil), forgedTokens(t, jwt.SigningMethodHS256, []byte(secret))},
		"RS256": {func(c *config.Config) { c.Auth.Issuers = []auth.Issuer{issuer} }, signToken(t, jwt.SigningMethodRS256, key, claims(nil), nil), rs},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGateway(t, c.change)
			wantData(t, g.query(t, c.good, `{ __typename }`, nil), `{"__typename":"Query"}`)
			wantData(t, g.query(t, "", `{ product(sku: "B-100") { sku } }`, nil), `{"product":{"sku":"B-100"}}`)
			g.Shop.ResetCalls()
			for name, header := range c.headers {
				wantUnauthorized(t, g, name, "Authorization: "+header)
			}
			wantUnauthorized(t, g, "two headers", "Authorization: Bearer "+c.good, "Authorization: Bearer "+c.good)
			wantUnauthorized(t, g, "an empty one and a good one", "Authorization: ", "Authorization: Bearer "+c.good)
			g.wantCalls(t, map[string]int{})
		})
	}
}

// wantUnauthorized fails unless requests with these headers get a 401 without data.
func wantUnauthorized(t *testing.T, g *gatewayUnderTest, name string, header ...string) {
	t.Helper()
	const open = `{ product(sku: "B-100") { sku } me { email } }`
	body, _ := json.Marshal(map[string]string{"query": open})
	for way, a := range map[string]*response{
		"POST": g.send(t, http.MethodPost, "/graphql", string(body), append(header, "Content-Type: application/json")...),
		"GET":  g.send(t, http.MethodGet, "/graphql?query="+url.QueryEscape(open), "", header...),
	} {
		if a.Status != http.StatusUnauthorized || a.codes() != "UNAUTHENTICATED" || a.Data != nil || len(a.Body) > 1024 {
			t.Errorf("%s by %s: got %d %.300s", name, way, a.Status, a.Body)
		}
		if !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("%s by %s: WWW-Authenticate is %q", name, way, a.Header.Get("WWW-Authenticate"))
		}
	}
}

// A gateway without issuers refuses every token and serves requests without one.
func TestNoIssuers(t *testing.T) {
	g := newGateway(t, func(c *config.Config) { c.Auth.Issuers = nil })
	wantUnauthorized(t, g, "any token", "Authorization: Bearer "+g.token(t, services.Admin))
	wantData(t, g.query(t, "", `{ __typename }`, nil), `{"__typename":"Query"}`)
}

// headerRecorder is a proxy before a source that records request headers.
type headerRecorder struct {
	mu   sync.Mutex
	seen []http.Header // guarded by mu
}

func newTap(t *testing.T, c *config.Config, source string) *headerRecorder {
	t.Helper()
	it := &headerRecorder{}
	behind, err := url.Parse(c.Sources[source].URLs[0].URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(behind)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		it.mu.Lock()
		it.seen = append(it.seen, r.Header.Clone())
		it.mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s := c.Sources[source]
	s.URLs = upstreams.URLs(server.URL)
	c.Sources[source] = s
	return it
}

func (it *headerRecorder) headers() []http.Header {
	it.mu.Lock()
	defer it.mu.Unlock()
	return slices.Clone(it.seen)
}

// A source gets the caller's token only if its settings forward it, and no other header of the
// client.
func TestForwardedHeaders(t *testing.T) {
	taps := map[string]*headerRecorder{}
	g := newGateway(t, func(c *config.Config) {
		for _, source := range []string{"users", "orders", "products"} {
			taps[source] = newTap(t, c, source)
		}
	})
	bearer := "Bearer " + g.token(t, services.Admin)
	body, _ := json.Marshal(map[string]string{"query": `{ me { name orders { id } } product(sku: "B-100") { name stock } }`})
	a := g.send(t, http.MethodPost, "/graphql", string(body), "Content-Type: application/json", "Authorization: "+bearer,
		"Cookie: session=secret", "Proxy-Authorization: Basic secret", "X-User-Id: u1", "X-User-Role: admin", "X-Forwarded-For: 1.2.3.4",
		"X-Api-Key: secret", "Connection: X-Request-Id", "X-Request-Id: my-request", "Referer: https://secret.example/", "X-Http-Method-Override: DELETE")
	if len(a.Errors) > 0 {
		t.Fatal(a.Body)
	}
	for source, tap := range taps {
		if len(tap.headers()) == 0 {
			t.Errorf("%s was not called", source)
		}
		for _, h := range tap.headers() {
			want := map[string]string{"users": bearer, "orders": bearer, "products": ""}[source]
			if got := h.Get("Authorization"); got != want {
				t.Errorf("%s got the Authorization %.20q", source, got)
			}
			if h.Get("X-Request-Id") != "my-request" {
				t.Errorf("%s does not know the request's name: %q", source, h.Get("X-Request-Id"))
			}
			for _, name := range []string{"Cookie", "Proxy-Authorization", "X-User-Id", "X-User-Role", "X-Api-Key", "Referer", "X-Http-Method-Override"} {
				if h.Get(name) != "" {
					t.Errorf("%s got %s", source, name)
				}
			}
		}
	}
}

// Concurrent callers get their own responses, also to the same query.
func TestConcurrentCallersAreKeptApart(t *testing.T) {
	g := newGateway(t)
	const query = `{ me { id email orders(limit: 3) { userId } } user(id: "u2") { email } person(id: "u1") { __typename } }`
	asks := make(chan services.Identity)
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for who := range asks {
				wantOwnData(t, who, g.query(t, g.token(t, who), query, nil))
			}
		})
	}
	for range 50 {
		for _, who := range []services.Identity{services.Customer, services.Admin, {Subject: "u3"}, {Subject: "u5"}} {
			asks <- who
		}
	}
	close(asks)
	clients.Wait()
}

// wantOwnData fails unless the response is that of this caller.
func wantOwnData(t *testing.T, who services.Identity, a *response) {
	t.Helper()
	var got struct {
		Me struct {
			ID     string
			Orders []struct{ UserID string }
		}
		User   struct{ Email *string }
		Person struct {
			Typename string `json:"__typename"`
		}
	}
	if err := json.Unmarshal(a.Data, &got); err != nil {
		t.Errorf("%v in %s", err, a.Body)
		return
	}
	for _, o := range got.Me.Orders {
		if o.UserID != who.Subject {
			t.Errorf("%q got an order of %q", who.Subject, o.UserID)
		}
	}
	reads := strings.Contains(who.Scope, "users:read")
	if got.Me.ID != who.Subject || (got.User.Email != nil) != reads || (got.Person.Typename == "Account") != (who.Subject == "u1") {
		t.Errorf("%q got %s", who.Subject, a.Body)
	}
}

// One caller's data is never sent to another, even if both query the same key: this service
// responds with the end of the caller's token.
func TestResponsesAreNotShared(t *testing.T) {
	g := newGateway(t, replaceSource(t, "users", long, func(w http.ResponseWriter, r *http.Request) {
		bearer := r.Header.Get("Authorization")
		person := fmt.Sprintf(`{"id":"u1","name":%q,"email":"e","createdAt":"2025-01-10T09:30:00Z"}`, bearer[len(bearer)-20:])
		if r.URL.Query().Has("ids") {
			person = `{"items":[` + person + `]}`
		}
		respond(http.StatusOK, person)(w, r)
	}))
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			token := signToken(t, jwt.SigningMethodHS256, []byte(secret), claims(map[string]any{"sub": "u1", "jti": fmt.Sprint(i)}), nil)
			own := fmt.Sprintf("%q", token[len(token)-20:])
			for range 10 {
				a := g.query(t, token, `{ me { name orders(limit: 2) { customer { name } } } user(id: "u1") { name } }`, nil)
				if strings.Count(a.Body, own) != strings.Count(a.Body, `"name"`) || len(a.Errors) > 0 {
					t.Errorf("%s got %s", own, a.Body)
				}
			}
		})
	}
	clients.Wait()
}

// A token of `gateway token` is valid.
func TestDevelopmentToken(t *testing.T) {
	g := newGateway(t)
	token, err := devtoken.Sign([]byte(secret), devtoken.Claims{Issuer: services.DemoIssuer, Audience: services.DemoAudience, Subject: "u3", TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	wantData(t, g.query(t, token, `{ me { id } }`, nil), `{"me":{"id":"u3"}}`)
}
