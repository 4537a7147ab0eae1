package services

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// Every refusal that the service knows, through HTTP.
func TestRefusals(t *testing.T) {
	h := newHouse(t, Options{})
	customer := "Authorization: Bearer " + h.token(t, Customer)
	html, htmlType := picture(t, "text/html", "<html>", "")
	captioned, captionedType := picture(t, "image/png", png, strings.Repeat("c", maxCaption+1))
	empty, emptyType := picture(t, "image/png", "", "")
	const pay, upload = "POST /orders/" + firstPaid + "/payment", "POST /pets/" + whiskers + "/photos"
	card := func(members string) string {
		return `{"amount":45,"currency":"USD","source":{"object":"card","name":"J","number":"4242","expMonth":1,"expYear":2030` + members + `}}`
	}
	pet := func(members string) string { return `{"name":"X","species":"CAT",` + members + `}` }
	json := []string{asJSON}
	tests := []struct {
		name   string
		req    req
		status int
		code   string
	}{
		{"no such route", req{"GET /nothing", "", nil}, 404, "no-such-route"},
		{"no such method", req{"PATCH /pets", "", nil}, 405, "method-not-allowed"},
		{"listPets: species", req{"GET /pets?species=FISH", "", nil}, 422, "no-such-value"},
		{"listPets: species empty", req{"GET /pets?species=", "", nil}, 422, "no-such-value"},
		{"listPets: status", req{"GET /pets?status=available", "", nil}, 422, "no-such-value"},
		{"listPets: page 0", req{"GET /pets?page=0", "", nil}, 422, "out-of-range"},
		{"listPets: page too far", req{"GET /pets?page=9223372036854775807", "", nil}, 422, "out-of-range"},
		{"listPets: page no integer", req{"GET /pets?page=1.5", "", nil}, 400, "bad-parameter"},
		{"listPets: limit 101", req{"GET /pets?limit=101", "", nil}, 422, "out-of-range"},
		{"listPets: bad escape", req{"GET /pets?tags=%zz", "", nil}, 400, "bad-query"},
		{"listPets: too many tags", req{"GET /pets?tags=" + strings.Repeat("x,", maxTags), "", nil}, 422, "too-many"},
		{"getPet: unknown", req{"GET /pets/x", "", nil}, 404, "no-such-pet"},
		{"createPet: no token", req{"POST /pets", "{}", []string{asJSON, anonymous}}, 401, "no-token"},
		{"createPet: bad token", req{"POST /pets", "{}", []string{asJSON, "Authorization: Bearer x.y.z"}}, 401, "bad-token"},
		{"createPet: no JSON", req{"POST /pets", "{", json}, 400, "bad-json"},
		{"createPet: not sent as JSON", req{"POST /pets", "{}", nil}, 415, "unsupported-media-type"},
		{"createPet: too large", req{"POST /pets", `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, json}, 413, "body-too-large"},
		{"createPet: wrong shape", req{"POST /pets", `{"name":1}`, json}, 422, "invalid"},
		{"createPet: null", req{"POST /pets", `null`, json}, 422, "invalid"},
		{"createPet: no name", req{"POST /pets", `{"species":"CAT"}`, json}, 422, "invalid"},
		{"createPet: long name", req{"POST /pets", `{"species":"CAT","name":"` + strings.Repeat("n", 101) + `"}`, json}, 422, "invalid"},
		{"createPet: no species", req{"POST /pets", `{"name":"X"}`, json}, 422, "invalid"},
		{"createPet: no such species", req{"POST /pets", `{"name":"X","species":"cat"}`, json}, 422, "invalid"},
		{"createPet: null breed", req{"POST /pets", pet(`"breed":null`), json}, 422, "invalid"},
		{"createPet: null within", req{"POST /pets", pet(`"medicalInfo":{"vaccinated":null}`), json}, 422, "invalid"},
		{"createPet: age", req{"POST /pets", pet(`"ageMonths":-1`), json}, 422, "invalid"},
		{"createPet: half a month", req{"POST /pets", pet(`"ageMonths":1.5`), json}, 422, "invalid"},
		{"createPet: size", req{"POST /pets", pet(`"size":"HUGE"`), json}, 422, "invalid"},
		{"createPet: gender", req{"POST /pets", pet(`"gender":"male"`), json}, 422, "invalid"},
		{"createPet: status", req{"POST /pets", pet(`"status":"SOLD"`), json}, 422, "invalid"},
		{"createPet: price", req{"POST /pets", pet(`"price":"75.0"`), json}, 422, "invalid"},
		{"createPet: price a number", req{"POST /pets", pet(`"price":75.00`), json}, 422, "invalid"},
		{"createPet: price too high", req{"POST /pets", pet(`"price":"1234567890123.00"`), json}, 422, "invalid"},
		{"createPet: currency", req{"POST /pets", pet(`"currency":"US"`), json}, 422, "invalid"},
		{"createPet: category", req{"POST /pets", pet(`"category":{"id":1}`), json}, 422, "invalid"},
		{"createPet: tag", req{"POST /pets", pet(`"tags":[{"name":"a"},{}]`), json}, 422, "invalid"},
		{"createPet: photo", req{"POST /pets", pet(`"photos":["/relative"]`), json}, 422, "invalid"},
		{"updatePet: no token", req{"PUT /pets/" + whiskers, "{}", []string{asJSON, anonymous}}, 401, "no-token"},
		{"updatePet: no scope", req{"PUT /pets/" + whiskers, "{}", []string{asJSON, customer}}, 403, "no-scope"},
		{"updatePet: unknown", req{"PUT /pets/x", pet(`"color":"red"`), json}, 404, "no-such-pet"},
		{"updatePet: invalid", req{"PUT /pets/" + whiskers, `{}`, json}, 422, "invalid"},
		{"deletePet: no scope", req{"DELETE /pets/" + whiskers, "", []string{customer}}, 403, "no-scope"},
		{"deletePet: unknown", req{"DELETE /pets/x", "", nil}, 404, "no-such-pet"},
		{"uploadPetImage: no token", req{upload, "", []string{anonymous}}, 401, "no-token"},
		{"uploadPetImage: unknown", req{"POST /pets/x/photos", html, []string{htmlType}}, 404, "no-such-pet"},
		{"uploadPetImage: no form", req{upload, "x", []string{"Content-Type: image/png"}}, 415, "unsupported-media-type"},
		{"uploadPetImage: no picture", req{upload, html, []string{htmlType}}, 415, "unsupported-media-type"},
		{"uploadPetImage: empty", req{upload, empty, []string{emptyType}}, 415, "unsupported-media-type"},
		{"uploadPetImage: no file", req{upload, "--b--\r\n", []string{"Content-Type: multipart/form-data; boundary=b"}}, 422, "invalid"},
		{"uploadPetImage: long caption", req{upload, captioned, []string{captionedType}}, 422, "invalid"},
		{"listInventory: no key", req{"GET /store/inventory", "", nil}, 401, "bad-api-key"},
		{"listInventory: wrong key", req{"GET /store/inventory", "", []string{key + "x"}}, 401, "bad-api-key"},
		{"createOrder: bad token", req{"POST /orders", "{}", []string{asJSON, "Authorization: Bearer x"}}, 401, "bad-token"},
		{"createOrder: no pet", req{"POST /orders", "{}", json}, 400, "invalid"},
		{"createOrder: unknown pet", req{"POST /orders", `{"petId":"x"}`, json}, 400, "no-such-pet"},
		{"createOrder: adopted pet", req{"POST /orders", `{"petId":"019b4134-de06-7d61-b23c-2e713d9c1724"}`, json}, 400, "pet-not-available"},
		{"createOrder: unknown user", req{"POST /orders", `{"petId":"` + whiskers + `","userId":"u99"}`, json}, 400, "invalid"},
		{"createOrder: quantity 0", req{"POST /orders", `{"petId":"` + whiskers + `","quantity":0}`, json}, 400, "invalid"},
		{"createOrder: quantity beyond 32 bits", req{"POST /orders", `{"petId":"` + whiskers + `","quantity":2147483648}`, json}, 400, "invalid"},
		{"createOrder: ship date", req{"POST /orders", `{"petId":"` + whiskers + `","shipDate":"2026-02-30"}`, json}, 400, "invalid"},
		{"createOrder: key no UUID", req{"POST /orders", `{}`, []string{asJSON, "Idempotency-Key: k"}}, 400, "bad-parameter"},
		{"getOrder: no token", req{"GET /orders/" + firstPaid, "", []string{anonymous}}, 401, "no-token"},
		{"getOrder: unknown", req{"GET /orders/x", "", nil}, 404, "no-such-order"},
		{"deleteOrder: unknown", req{"DELETE /orders/x", "", nil}, 404, "no-such-order"},
		{"deleteOrder: delivered", req{"DELETE /orders/" + deliveredOrder, "", nil}, 409, "order-paid"},
		{"callbackExample: no URL", req{"POST /orders/callback", `{}`, json}, 422, "invalid"},
		{"callbackExample: relative", req{"POST /orders/callback", `{"callbackUrl":"/x"}`, json}, 422, "invalid"},
		{"payOrder: unknown", req{"POST /orders/x/payment", card(""), json}, 404, "no-such-order"},
		{"payOrder: delivered", req{"POST /orders/" + deliveredOrder + "/payment", card(""), json}, 409, "not-payable"},
		{"payOrder: declined", req{pay, strings.Replace(card(""), "4242", DeclinedCard, 1), json}, 402, "card-declined"},
		{"payOrder: too little", req{pay, strings.Replace(card(""), "45", "44.99", 1), json}, 402, "too-little"},
		{"payOrder: nothing", req{pay, strings.Replace(card(""), "45", "0", 1), json}, 422, "invalid"},
		{"payOrder: another currency", req{pay, strings.Replace(card(""), "USD", "EUR", 1), json}, 422, "invalid"},
		{"payOrder: no such currency", req{pay, strings.Replace(card(""), "USD", "SEK", 1), json}, 422, "invalid"},
		{"payOrder: no source", req{pay, `{"amount":1,"currency":"USD"}`, json}, 422, "invalid"},
		{"payOrder: source no object", req{pay, `{"amount":1,"currency":"USD","source":[]}`, json}, 422, "invalid"},
		{"payOrder: source of no kind", req{pay, `{"amount":1,"currency":"USD","source":{}}`, json}, 422, "invalid"},
		{"payOrder: source of another kind", req{pay, `{"amount":1,"currency":"USD","source":{"object":"cash"}}`, json}, 422, "invalid"},
		{"payOrder: half a card", req{pay, `{"amount":1,"currency":"USD","source":{"object":"card"}}`, json}, 422, "invalid"},
		{"payOrder: month 13", req{pay, strings.Replace(card(""), `"expMonth":1`, `"expMonth":13`, 1), json}, 422, "invalid"},
		{"payOrder: cvc", req{pay, card(`,"cvc":"12"`), json}, 422, "invalid"},
		{"payOrder: half an account", req{pay, `{"amount":1,"currency":"USD","source":{"object":"bank_account"}}`, json}, 422, "invalid"},
		{"payOrder: account of no type", req{pay, `{"amount":1,"currency":"USD","source":{"object":"bank_account","name":"J","number":"1","country":"gb","accountType":"joint"}}`, json}, 422, "invalid"},
		{"createUser: nothing", req{"POST /users", `{}`, json}, 422, "invalid"},
		{"createUser: e-mail", req{"POST /users", `{"username":"x","email":"J <j@example.com>"}`, json}, 422, "invalid"},
		{"createUser: status", req{"POST /users", `{"username":"x","email":"j@example.com","status":"GONE"}`, json}, 422, "invalid"},
		{"createUser: name taken", req{"POST /users", `{"username":"ADA","email":"j@example.com"}`, json}, 409, "username-taken"},
		{"createUser: e-mail taken", req{"POST /users", `{"username":"x","email":"Ada@example.com"}`, json}, 409, "email-taken"},
		{"getUser: no token", req{"GET /users/u1", "", []string{anonymous}}, 401, "no-token"},
		{"getUser: unknown", req{"GET /users/x", "", nil}, 404, "no-such-user"},
		{"updateUser: unknown", req{"PUT /users/x", `{"username":"x","email":"x@example.com"}`, json}, 404, "no-such-user"},
		{"updateUser: name taken", req{"PUT /users/u1", `{"username":"bruno","email":"x@example.com"}`, json}, 409, "username-taken"},
		{"deleteUser: unknown", req{"DELETE /users/x", "", nil}, 404, "no-such-user"},
		{"login: no JSON", req{"POST /login", "", nil}, 415, "unsupported-media-type"},
		{"logout: no token", req{"POST /logout", "", []string{anonymous}}, 401, "no-token"},
		{"chat: no token", req{"POST /chat/completions", "{}", []string{asJSON, anonymous}}, 401, "no-token"},
		{"chat: no messages", req{"POST /chat/completions", `{"messages":[]}`, json}, 422, "invalid"},
		{"chat: role", req{"POST /chat/completions", `{"messages":[{"role":"cat","content":"miaow"}]}`, json}, 422, "invalid"},
		{"chat: half a message", req{"POST /chat/completions", `{"messages":[{}]}`, json}, 422, "invalid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := h.raw(test.req)
			got.problem(t, test.status, test.code)
			if err := h.holdProblem(got); err != nil {
				t.Error(err)
			}
		})
	}
}

// A caller receives all problems at once, each with its field.
func TestProblemsByField(t *testing.T) {
	h := newHouse(t, Options{})
	p := h.do(t, "POST /pets", `{"species":"cat","tags":[{"name":"a"},{"name":""}]}`).problem(t, 422, "invalid")
	want := []backend.FieldError{
		{Field: "name", Message: "must have 1 to 100 characters"},
		{Field: "species", Message: "must be one of DOG, CAT, RABBIT, BIRD, REPTILE, OTHER"},
		{Field: "tags[1].name", Message: "may not be empty"},
	}
	if diff := cmp.Diff(want, p.Errors); diff != "" || p.Detail != "name must have 1 to 100 characters" {
		t.Errorf("detail %q, errors (-want +got)\n%s", p.Detail, diff)
	}
	p = h.do(t, "POST /pets", `{"name":"X","species":"CAT","medicalInfo":{"healthNotes":null},"tags":[null]}`).problem(t, 422, "invalid")
	want = []backend.FieldError{{Field: "medicalInfo.healthNotes", Message: "may not be null"}, {Field: "tags[0]", Message: "may not be null"}}
	if diff := cmp.Diff(want, p.Errors); diff != "" {
		t.Errorf("errors (-want +got)\n%s", diff)
	}
}

func TestProblemsSayHowToCorrect(t *testing.T) {
	h := newHouse(t, Options{})
	customer := "Authorization: Bearer " + h.token(t, Customer)
	tests := []struct {
		name string
		req  req
		want string
	}{
		{"no token", req{"GET /users/u1", "", []string{anonymous}}, `Bearer realm="petstore"`},
		{"bad token", req{"GET /users/u1", "", []string{"Authorization: Bearer x"}}, `Bearer realm="petstore", error="invalid_token"`},
		{"no scope", req{"DELETE /pets/x", "", []string{customer}}, `Bearer realm="petstore", error="insufficient_scope"`},
		{"no key", req{"GET /store/inventory", "", nil}, `ApiKey realm="petstore"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := h.raw(test.req).header.Get("WWW-Authenticate"); got != test.want {
				t.Errorf("WWW-Authenticate %q, want %q", got, test.want)
			}
		})
	}
}
