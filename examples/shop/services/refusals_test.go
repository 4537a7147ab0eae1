package services

import (
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// Every refusal that the services know, through HTTP: a table for each service.

type refusals []struct {
	name   string
	req    req
	status int
	code   string
}

func (all refusals) run(t *testing.T, h *house) {
	for _, test := range all {
		t.Run(test.name, func(t *testing.T) {
			h.do(t, test.req).problem(t, test.status, test.code)
		})
	}
}

const (
	merge     = "Content-Type: application/merge-patch+json"
	asJSON    = "Content-Type: application/json"
	form      = "Content-Type: application/x-www-form-urlencoded"
	upload    = "Content-Type: multipart/form-data; boundary=b"
	key       = "X-API-Key: demo-key"
	anonymous = "Authorization: "
)

// many returns a list of n elements.
func many(n int) string { return strings.Repeat("x,", n-1) + "x" }

func TestRefusalsOfUsers(t *testing.T) {
	h := newHouse(t, Options{})
	customer := "Authorization: Bearer " + token(t, h.shop, Customer)
	large := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
	refusals{
		{"users: no token", req{"GET", h.Users + "/users", "", []string{anonymous}}, 401, "NO_TOKEN"},
		{"users: bad token", req{"GET", h.Users + "/users", "", []string{"Authorization: Bearer x.y.z"}}, 401, "BAD_TOKEN"},
		{"users: another scheme", req{"GET", h.Users + "/users", "", []string{"Authorization: Basic eDp5"}}, 401, "NO_TOKEN"},
		{"users: no such route", req{"GET", h.Users + "/nothing", "", nil}, 404, "NO_SUCH_ROUTE"},
		{"users: no such method", req{"PUT", h.Users + "/users", "", nil}, 405, "METHOD_NOT_ALLOWED"},
		{"listUsers: too many ids", req{"GET", h.Users + "/users?ids=" + many(101), "", nil}, 422, "TOO_MANY"},
		{"listUsers: limit no integer", req{"GET", h.Users + "/users?limit=ten", "", nil}, 400, "BAD_PARAMETER"},
		{"listUsers: limit empty", req{"GET", h.Users + "/users?limit=", "", nil}, 400, "BAD_PARAMETER"},
		{"listUsers: limit 0", req{"GET", h.Users + "/users?limit=0", "", nil}, 422, "OUT_OF_RANGE"},
		{"listUsers: limit 101", req{"GET", h.Users + "/users?limit=101", "", nil}, 422, "OUT_OF_RANGE"},
		{"listUsers: cursor made up", req{"GET", h.Users + "/users?cursor=u3", "", nil}, 400, "BAD_PARAMETER"},
		{"listUsers: bad escape", req{"GET", h.Users + "/users?cursor=%zz", "", nil}, 400, "BAD_QUERY"},
		{"getUser: unknown", req{"GET", h.Users + "/users/u99", "", nil}, 404, "NO_SUCH_USER"},
		{"getUser: escaped slash", req{"GET", h.Users + "/users/u1%2Fx", "", nil}, 404, "NO_SUCH_USER"},
		{"createUser: no JSON", req{"POST", h.Users + "/users", "{", []string{asJSON}}, 400, "BAD_JSON"},
		{"createUser: not sent as JSON", req{"POST", h.Users + "/users", "{}", []string{form}}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"createUser: too large", req{"POST", h.Users + "/users", large, []string{asJSON}}, 413, "BODY_TOO_LARGE"},
		{"createUser: wrong shape", req{"POST", h.Users + "/users", `{"name":1}`, []string{asJSON}}, 422, "INVALID"},
		{"createUser: no e-mail", req{"POST", h.Users + "/users", `{"name":"N","password":"12345678"}`, []string{asJSON}}, 422, "INVALID"},
		{"createUser: bad e-mail", req{"POST", h.Users + "/users", `{"email":"n","name":"N","password":"12345678"}`, []string{asJSON}}, 422, "INVALID"},
		{"createUser: named e-mail", req{"POST", h.Users + "/users", `{"email":"N <n@example.com>","name":"N","password":"12345678"}`, []string{asJSON}}, 422, "INVALID"},
		{"createUser: empty name", req{"POST", h.Users + "/users", `{"email":"n@example.com","name":"","password":"12345678"}`, []string{asJSON}}, 422, "INVALID"},
		{"createUser: short password", req{"POST", h.Users + "/users", `{"email":"n@example.com","name":"N","password":"1234567"}`, []string{asJSON}}, 422, "INVALID"},
		{"createUser: no such role", req{"POST", h.Users + "/users", `{"email":"n@example.com","name":"N","password":"12345678","role":"root"}`, []string{asJSON}}, 422, "INVALID"},
		{"createUser: e-mail taken", req{"POST", h.Users + "/users", `{"email":"ADA.lindqvist@example.com","name":"N","password":"12345678"}`, []string{asJSON}}, 409, "EMAIL_TAKEN"},
		{"updateUser: not sent as a patch", req{"PATCH", h.Users + "/users/u1", "{}", []string{asJSON}}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"updateUser: unknown", req{"PATCH", h.Users + "/users/u99", "{}", []string{merge}}, 404, "NO_SUCH_USER"},
		{"updateUser: no object", req{"PATCH", h.Users + "/users/u1", "[]", []string{merge}}, 422, "INVALID"},
		{"updateUser: null", req{"PATCH", h.Users + "/users/u1", "null", []string{merge}}, 422, "INVALID"},
		{"updateUser: name removed", req{"PATCH", h.Users + "/users/u1", `{"name":null}`, []string{merge}}, 422, "INVALID"},
		{"updateUser: phone a number", req{"PATCH", h.Users + "/users/u1", `{"phone":1}`, []string{merge}}, 422, "INVALID"},
		{"updateUser: half an address", req{"PATCH", h.Users + "/users/u5", `{"address":{"city":"Oslo"}}`, []string{merge}}, 422, "INVALID"},
		{"updateUser: street removed", req{"PATCH", h.Users + "/users/u1", `{"address":{"street":null}}`, []string{merge}}, 422, "INVALID"},
		{"updateUser: the role", req{"PATCH", h.Users + "/users/u1", `{"role":"admin"}`, []string{merge}}, 422, "INVALID"},
		{"deleteUser: a customer", req{"DELETE", h.Users + "/users/u2", "", []string{customer}}, 403, "ADMINS_ONLY"},
		{"deleteUser: unknown", req{"DELETE", h.Users + "/users/u99", "", nil}, 404, "NO_SUCH_USER"},
	}.run(t, h)
}

func TestRefusalsOfOrders(t *testing.T) {
	h := newHouse(t, Options{})
	const pending = "/orders/9007199254740000"
	refusals{
		{"orders: no token", req{"GET", h.Orders + "/orders", "", []string{anonymous}}, 401, "NO_TOKEN"},
		{"listOrders: no such status", req{"GET", h.Orders + "/orders?status=lost", "", nil}, 422, "NO_SUCH_STATUS"},
		{"listOrders: statuses joined", req{"GET", h.Orders + "/orders?status=paid,shipped", "", nil}, 422, "NO_SUCH_STATUS"},
		{"listOrders: page 0", req{"GET", h.Orders + "/orders?page=0", "", nil}, 422, "OUT_OF_RANGE"},
		{"listOrders: page too far", req{"GET", h.Orders + "/orders?page=9223372036854775807", "", nil}, 422, "OUT_OF_RANGE"},
		{"listOrders: page no integer", req{"GET", h.Orders + "/orders?page=1.5", "", nil}, 400, "BAD_PARAMETER"},
		{"listOrders: pageSize 101", req{"GET", h.Orders + "/orders?pageSize=101", "", nil}, 422, "OUT_OF_RANGE"},
		{"orderHistory: no userIds", req{"GET", h.Orders + "/orders/history", "", nil}, 400, "MISSING_PARAMETER"},
		{"orderHistory: empty userIds", req{"GET", h.Orders + "/orders/history?userIds=", "", nil}, 422, "TOO_FEW"},
		{"orderHistory: too many", req{"GET", h.Orders + "/orders/history?userIds=" + many(101), "", nil}, 422, "TOO_MANY"},
		{"orderHistory: since no date", req{"GET", h.Orders + "/orders/history?userIds=u1&since=today", "", nil}, 400, "BAD_PARAMETER"},
		{"orderHistory: limit 51", req{"GET", h.Orders + "/orders/history?userIds=u1&limit=51", "", nil}, 422, "OUT_OF_RANGE"},
		{"getOrder: no integer", req{"GET", h.Orders + "/orders/o1", "", nil}, 400, "BAD_PARAMETER"},
		{"getOrder: beyond 64 bits", req{"GET", h.Orders + "/orders/9223372036854775808", "", nil}, 400, "BAD_PARAMETER"},
		{"getOrder: as a float would round it", req{"GET", h.Orders + "/orders/9007199254740976", "", nil}, 404, "NO_SUCH_ORDER"},
		{"createOrder: no lines", req{"POST", h.Orders + "/orders", `{"userId":"u1","lines":[]}`, []string{asJSON}}, 422, "INVALID"},
		{"createOrder: no user", req{"POST", h.Orders + "/orders", `{"lines":[{"productId":"B-100","quantity":1}]}`, []string{asJSON}}, 422, "INVALID"},
		{"createOrder: quantity 0", req{"POST", h.Orders + "/orders", `{"userId":"u1","lines":[{"productId":"B-100","quantity":0}]}`, []string{asJSON}}, 422, "INVALID"},
		{"createOrder: long note", req{"POST", h.Orders + "/orders", `{"userId":"u1","lines":[{"productId":"B-100","quantity":1}],"note":"` + strings.Repeat("n", 501) + `"}`, []string{asJSON}}, 422, "INVALID"},
		{"createOrder: unknown user", req{"POST", h.Orders + "/orders", `{"userId":"u99","lines":[{"productId":"B-100","quantity":1}]}`, []string{asJSON}}, 422, "UNKNOWN_USER"},
		{"createOrder: unknown product", req{"POST", h.Orders + "/orders", `{"userId":"u1","lines":[{"productId":"X","quantity":1}]}`, []string{asJSON}}, 422, "UNKNOWN_PRODUCT"},
		{"createOrder: long key", req{"POST", h.Orders + "/orders", `{}`, []string{asJSON, "Idempotency-Key: " + strings.Repeat("k", 256)}}, 400, "BAD_KEY"},
		{"createOrder: not sent as JSON", req{"POST", h.Orders + "/orders", `{}`, nil}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"cancelOrder: unknown", req{"POST", h.Orders + "/orders/1/cancel", "", nil}, 404, "NO_SUCH_ORDER"},
		{"cancelOrder: not a form", req{"POST", h.Orders + pending + "/cancel", "{}", []string{asJSON}}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"cancelOrder: a bad form", req{"POST", h.Orders + pending + "/cancel", "reason=%zz", []string{form}}, 400, "BAD_FORM"},
		{"cancelOrder: a long reason", req{"POST", h.Orders + pending + "/cancel", "reason=" + strings.Repeat("r", 501), []string{form}}, 422, "INVALID"},
		{"cancelOrder: shipped", req{"POST", h.Orders + "/orders/9007199254741954/cancel", "", nil}, 409, "NOT_CANCELLABLE"},
		{"cancelOrder: delivered", req{"POST", h.Orders + "/orders/9007199254742931/cancel", "", nil}, 409, "NOT_CANCELLABLE"},
		{"cancelOrder: cancelled", req{"POST", h.Orders + "/orders/9007199254743908/cancel", "", nil}, 409, "NOT_CANCELLABLE"},
		{"orderEvents: unknown", req{"GET", h.Orders + "/orders/1/events", "", nil}, 404, "NO_SUCH_ORDER"},
		{"orderEvents: no token", req{"GET", h.Orders + pending + "/events", "", []string{anonymous}}, 401, "NO_TOKEN"},
	}.run(t, h)
}

func TestRefusalsOfProducts(t *testing.T) {
	h := newHouse(t, Options{})
	part := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"p\"\r\n\r\n"
	refusals{
		{"listProducts: too many ids", req{"GET", h.Products[0] + "/products?ids=" + many(201), "", nil}, 422, "TOO_MANY"},
		{"listProducts: no such sort", req{"GET", h.Products[0] + "/products?sort=-name", "", nil}, 422, "NO_SUCH_SORT"},
		{"listProducts: limit 201", req{"GET", h.Products[0] + "/products?limit=201", "", nil}, 422, "OUT_OF_RANGE"},
		{"listProducts: offset -1", req{"GET", h.Products[0] + "/products?offset=-1", "", nil}, 422, "OUT_OF_RANGE"},
		{"listProducts: maxPrice no number", req{"GET", h.Products[0] + "/products?filter[maxPrice]=cheap", "", nil}, 400, "BAD_PARAMETER"},
		{"listProducts: maxPrice a fraction", req{"GET", h.Products[0] + "/products?filter[maxPrice]=1/3", "", nil}, 400, "BAD_PARAMETER"},
		{"listProducts: maxPrice a huge power", req{"GET", h.Products[0] + "/products?filter[maxPrice]=1e999999999", "", nil}, 400, "BAD_PARAMETER"},
		{"getProduct: unknown", req{"GET", h.Products[0] + "/products/X", "", nil}, 404, "NO_SUCH_PRODUCT"},
		{"upload: no key", req{"PUT", h.Products[0] + "/products/B-100/image", "", nil}, 401, "BAD_API_KEY"},
		{"upload: wrong key", req{"PUT", h.Products[0] + "/products/B-100/image", "", []string{"X-API-Key: demo"}}, 401, "BAD_API_KEY"},
		{"upload: unknown product", req{"PUT", h.Products[0] + "/products/X/image", "", []string{key}}, 404, "NO_SUCH_PRODUCT"},
		{"upload: no form", req{"PUT", h.Products[0] + "/products/B-100/image", "x", []string{key, "Content-Type: image/png"}}, 415, "UNSUPPORTED_MEDIA_TYPE"},
		{"upload: no file in it", req{"PUT", h.Products[0] + "/products/B-100/image", "--b--\r\n", []string{key, upload}}, 422, "INVALID"},
		{"upload: broken off", req{"PUT", h.Products[0] + "/products/B-100/image", part + "x", []string{key, upload}}, 400, "BAD_BODY"},
		{"upload: a large picture", req{"PUT", h.Products[0] + "/products/B-100/image", part + strings.Repeat("x", backend.MaxFile+1) + "\r\n--b--\r\n", []string{key, upload}}, 413, "BODY_TOO_LARGE"},
		{"upload: a large form", req{"PUT", h.Products[0] + "/products/B-100/image", strings.Replace(part, "file", "more", 1) + strings.Repeat("x", backend.MaxUpload), []string{key, upload}}, 413, "BODY_TOO_LARGE"},
	}.run(t, h)
}

func TestProblemsSayHowToCorrect(t *testing.T) {
	h := newHouse(t, Options{})
	tests := []struct {
		name         string
		req          req
		header, want string
	}{
		{"no token", req{"GET", h.Users + "/users", "", []string{"Authorization: "}}, "WWW-Authenticate", `Bearer realm="shop"`},
		{"bad token", req{"GET", h.Orders + "/orders", "", []string{"Authorization: Bearer x"}}, "WWW-Authenticate", `Bearer realm="shop", error="invalid_token"`},
		{"no key", req{"PUT", h.Products[2] + "/products/B-100/image", "", nil}, "WWW-Authenticate", `ApiKey realm="shop"`},
		{"no such method", req{"PATCH", h.Users + "/users", "", nil}, "Allow", "GET, HEAD, POST"},
		{"a problem is not cached", req{"GET", h.Products[0] + "/products?limit=x", "", nil}, "Cache-Control", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := h.do(t, test.req).header.Get(test.header); got != test.want {
				t.Errorf("%s: %q, want %q", test.header, got, test.want)
			}
		})
	}
}
