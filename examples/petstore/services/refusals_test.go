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
		asked  asked
		status int
		code   string
	}{
		{"no such route", asked{"GET /nothing", "", nil}, 404, "no-such-route"},
		{"no such method", asked{"PATCH /pets", "", nil}, 405, "method-not-allowed"},
		{"listPets: species", asked{"GET /pets?species=FISH", "", nil}, 422, "no-such-value"},
		{"listPets: species empty", asked{"GET /pets?species=", "", nil}, 422, "no-such-value"},
		{"listPets: status", asked{"GET /pets?status=available", "", nil}, 422, "no-such-value"},
		{"listPets: page 0", asked{"GET /pets?page=0", "", nil}, 422, "out-of-range"},
		{"listPets: page too far", asked{"GET /pets?page=9223372036854775807", "", nil}, 422, "out-of-range"},
		{"listPets: page no integer", asked{"GET /pets?page=1.5", "", nil}, 400, "bad-parameter"},
		{"listPets: limit 101", asked{"GET /pets?limit=101", "", nil}, 422, "out-of-range"},
		{"listPets: bad escape", asked{"GET /pets?tags=%zz", "", nil}, 400, "bad-query"},
		{"listPets: too many tags", asked{"GET /pets?tags=" + strings.Repeat("x,", maxTags), "", nil}, 422, "too-many"},
		{"getPet: unknown", asked{"GET /pets/x", "", nil}, 404, "no-such-pet"},
		{"createPet: no token", asked{"POST /pets", "{}", []string{asJSON, nobody}}, 401, "no-token"},
		{"createPet: bad token", asked{"POST /pets", "{}", []string{asJSON, "Authorization: Bearer x.y.z"}}, 401, "bad-token"},
		{"createPet: no JSON", asked{"POST /pets", "{", json}, 400, "bad-json"},
		{"createPet: not sent as JSON", asked{"POST /pets", "{}", nil}, 415, "unsupported-media-type"},
		{"createPet: too large", asked{"POST /pets", `{"x":"` + strings.Repeat("x", 1<<20) + `"}`, json}, 413, "body-too-large"},
		{"createPet: wrong shape", asked{"POST /pets", `{"name":1}`, json}, 422, "invalid"},
		{"createPet: null", asked{"POST /pets", `null`, json}, 422, "invalid"},
		{"createPet: no name", asked{"POST /pets", `{"species":"CAT"}`, json}, 422, "invalid"},
		{"createPet: long name", asked{"POST /pets", `{"species":"CAT","name":"` + strings.Repeat("n", 101) + `"}`, json}, 422, "invalid"},
		{"createPet: no species", asked{"POST /pets", `{"name":"X"}`, json}, 422, "invalid"},
		{"createPet: no such species", asked{"POST /pets", `{"name":"X","species":"cat"}`, json}, 422, "invalid"},
		{"createPet: null breed", asked{"POST /pets", pet(`"breed":null`), json}, 422, "invalid"},
		{"createPet: null within", asked{"POST /pets", pet(`"medicalInfo":{"vaccinated":null}`), json}, 422, "invalid"},
		{"createPet: age", asked{"POST /pets", pet(`"ageMonths":-1`), json}, 422, "invalid"},
		{"createPet: half a month", asked{"POST /pets", pet(`"ageMonths":1.5`), json}, 422, "invalid"},
		{"createPet: size", asked{"POST /pets", pet(`"size":"HUGE"`), json}, 422, "invalid"},
		{"createPet: gender", asked{"POST /pets", pet(`"gender":"male"`), json}, 422, "invalid"},
		{"createPet: status", asked{"POST /pets", pet(`"status":"SOLD"`), json}, 422, "invalid"},
		{"createPet: price", asked{"POST /pets", pet(`"price":"75.0"`), json}, 422, "invalid"},
		{"createPet: price a number", asked{"POST /pets", pet(`"price":75.00`), json}, 422, "invalid"},
		{"createPet: price too high", asked{"POST /pets", pet(`"price":"1234567890123.00"`), json}, 422, "invalid"},
		{"createPet: currency", asked{"POST /pets", pet(`"currency":"US"`), json}, 422, "invalid"},
		{"createPet: category", asked{"POST /pets", pet(`"category":{"id":1}`), json}, 422, "invalid"},
		{"createPet: tag", asked{"POST /pets", pet(`"tags":[{"name":"a"},{}]`), json}, 422, "invalid"},
		{"createPet: photo", asked{"POST /pets", pet(`"photos":["/relative"]`), json}, 422, "invalid"},
		{"updatePet: no token", asked{"PUT /pets/" + whiskers, "{}", []string{asJSON, nobody}}, 401, "no-token"},
		{"updatePet: no scope", asked{"PUT /pets/" + whiskers, "{}", []string{asJSON, customer}}, 403, "no-scope"},
		{"updatePet: unknown", asked{"PUT /pets/x", pet(`"color":"red"`), json}, 404, "no-such-pet"},
		{"updatePet: invalid", asked{"PUT /pets/" + whiskers, `{}`, json}, 422, "invalid"},
		{"deletePet: no scope", asked{"DELETE /pets/" + whiskers, "", []string{customer}}, 403, "no-scope"},
		{"deletePet: unknown", asked{"DELETE /pets/x", "", nil}, 404, "no-such-pet"},
		{"uploadPetImage: no token", asked{upload, "", []string{nobody}}, 401, "no-token"},
		{"uploadPetImage: unknown", asked{"POST /pets/x/photos", html, []string{htmlType}}, 404, "no-such-pet"},
		{"uploadPetImage: no form", asked{upload, "x", []string{"Content-Type: image/png"}}, 415, "unsupported-media-type"},
		{"uploadPetImage: no picture", asked{upload, html, []string{htmlType}}, 415, "unsupported-media-type"},
		{"uploadPetImage: empty", asked{upload, empty, []string{emptyType}}, 415, "unsupported-media-type"},
		{"uploadPetImage: no file", asked{upload, "--b--\r\n", []string{"Content-Type: multipart/form-data; boundary=b"}}, 422, "invalid"},
		{"uploadPetImage: long caption", asked{upload, captioned, []string{captionedType}}, 422, "invalid"},
		{"listInventory: no key", asked{"GET /store/inventory", "", nil}, 401, "bad-api-key"},
		{"listInventory: wrong key", asked{"GET /store/inventory", "", []string{key + "x"}}, 401, "bad-api-key"},
		{"createOrder: bad token", asked{"POST /orders", "{}", []string{asJSON, "Authorization: Bearer x"}}, 401, "bad-token"},
		{"createOrder: no pet", asked{"POST /orders", "{}", json}, 400, "invalid"},
		{"createOrder: unknown pet", asked{"POST /orders", `{"petId":"x"}`, json}, 400, "no-such-pet"},
		{"createOrder: adopted pet", asked{"POST /orders", `{"petId":"019b4134-de06-7d61-b23c-2e713d9c1724"}`, json}, 400, "pet-not-available"},
		{"createOrder: unknown user", asked{"POST /orders", `{"petId":"` + whiskers + `","userId":"u99"}`, json}, 400, "invalid"},
		{"createOrder: quantity 0", asked{"POST /orders", `{"petId":"` + whiskers + `","quantity":0}`, json}, 400, "invalid"},
		{"createOrder: quantity beyond 32 bits", asked{"POST /orders", `{"petId":"` + whiskers + `","quantity":2147483648}`, json}, 400, "invalid"},
		{"createOrder: ship date", asked{"POST /orders", `{"petId":"` + whiskers + `","shipDate":"2026-02-30"}`, json}, 400, "invalid"},
		{"createOrder: key no UUID", asked{"POST /orders", `{}`, []string{asJSON, "Idempotency-Key: k"}}, 400, "bad-parameter"},
		{"getOrder: no token", asked{"GET /orders/" + firstPaid, "", []string{nobody}}, 401, "no-token"},
		{"getOrder: unknown", asked{"GET /orders/x", "", nil}, 404, "no-such-order"},
		{"deleteOrder: unknown", asked{"DELETE /orders/x", "", nil}, 404, "no-such-order"},
		{"deleteOrder: delivered", asked{"DELETE /orders/" + deliveredOrder, "", nil}, 409, "order-paid"},
		{"callbackExample: no URL", asked{"POST /orders/callback", `{}`, json}, 422, "invalid"},
		{"callbackExample: relative", asked{"POST /orders/callback", `{"callbackUrl":"/x"}`, json}, 422, "invalid"},
		{"payOrder: unknown", asked{"POST /orders/x/payment", card(""), json}, 404, "no-such-order"},
		{"payOrder: delivered", asked{"POST /orders/" + deliveredOrder + "/payment", card(""), json}, 409, "not-payable"},
		{"payOrder: declined", asked{pay, strings.Replace(card(""), "4242", DeclinedCard, 1), json}, 402, "card-declined"},
		{"payOrder: too little", asked{pay, strings.Replace(card(""), "45", "44.99", 1), json}, 402, "too-little"},
		{"payOrder: nothing", asked{pay, strings.Replace(card(""), "45", "0", 1), json}, 422, "invalid"},
		{"payOrder: another currency", asked{pay, strings.Replace(card(""), "USD", "EUR", 1), json}, 422, "invalid"},
		{"payOrder: no such currency", asked{pay, strings.Replace(card(""), "USD", "SEK", 1), json}, 422, "invalid"},
		{"payOrder: no source", asked{pay, `{"amount":1,"currency":"USD"}`, json}, 422, "invalid"},
		{"payOrder: source no object", asked{pay, `{"amount":1,"currency":"USD","source":[]}`, json}, 422, "invalid"},
		{"payOrder: source of no kind", asked{pay, `{"amount":1,"currency":"USD","source":{}}`, json}, 422, "invalid"},
		{"payOrder: source of another kind", asked{pay, `{"amount":1,"currency":"USD","source":{"object":"cash"}}`, json}, 422, "invalid"},
		{"payOrder: half a card", asked{pay, `{"amount":1,"currency":"USD","source":{"object":"card"}}`, json}, 422, "invalid"},
		{"payOrder: month 13", asked{pay, strings.Replace(card(""), `"expMonth":1`, `"expMonth":13`, 1), json}, 422, "invalid"},
		{"payOrder: cvc", asked{pay, card(`,"cvc":"12"`), json}, 422, "invalid"},
		{"payOrder: half an account", asked{pay, `{"amount":1,"currency":"USD","source":{"object":"bank_account"}}`, json}, 422, "invalid"},
		{"payOrder: account of no type", asked{pay, `{"amount":1,"currency":"USD","source":{"object":"bank_account","name":"J","number":"1","country":"gb","accountType":"joint"}}`, json}, 422, "invalid"},
		{"createUser: nothing", asked{"POST /users", `{}`, json}, 422, "invalid"},
		{"createUser: e-mail", asked{"POST /users", `{"username":"x","email":"J <j@example.com>"}`, json}, 422, "invalid"},
		{"createUser: status", asked{"POST /users", `{"username":"x","email":"j@example.com","status":"GONE"}`, json}, 422, "invalid"},
		{"createUser: name taken", asked{"POST /users", `{"username":"ADA","email":"j@example.com"}`, json}, 409, "username-taken"},
		{"createUser: e-mail taken", asked{"POST /users", `{"username":"x","email":"Ada@example.com"}`, json}, 409, "email-taken"},
		{"getUser: no token", asked{"GET /users/u1", "", []string{nobody}}, 401, "no-token"},
		{"getUser: unknown", asked{"GET /users/x", "", nil}, 404, "no-such-user"},
		{"updateUser: unknown", asked{"PUT /users/x", `{"username":"x","email":"x@example.com"}`, json}, 404, "no-such-user"},
		{"updateUser: name taken", asked{"PUT /users/u1", `{"username":"bruno","email":"x@example.com"}`, json}, 409, "username-taken"},
		{"deleteUser: unknown", asked{"DELETE /users/x", "", nil}, 404, "no-such-user"},
		{"login: no JSON", asked{"POST /login", "", nil}, 415, "unsupported-media-type"},
		{"logout: no token", asked{"POST /logout", "", []string{nobody}}, 401, "no-token"},
		{"chat: no token", asked{"POST /chat/completions", "{}", []string{asJSON, nobody}}, 401, "no-token"},
		{"chat: no messages", asked{"POST /chat/completions", `{"messages":[]}`, json}, 422, "invalid"},
		{"chat: role", asked{"POST /chat/completions", `{"messages":[{"role":"cat","content":"miaow"}]}`, json}, 422, "invalid"},
		{"chat: half a message", asked{"POST /chat/completions", `{"messages":[{}]}`, json}, 422, "invalid"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := h.raw(test.asked)
			got.problem(t, test.status, test.code)
			if err := h.holdProblem(got); err != nil {
				t.Error(err)
			}
		})
	}
}

// A caller hears of every fault at once, and of where it is.
func TestFaultsAreToldByField(t *testing.T) {
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

func TestRefusalsSayHowToDoBetter(t *testing.T) {
	h := newHouse(t, Options{})
	customer := "Authorization: Bearer " + h.token(t, Customer)
	tests := []struct {
		name  string
		asked asked
		want  string
	}{
		{"no token", asked{"GET /users/u1", "", []string{nobody}}, `Bearer realm="petstore"`},
		{"bad token", asked{"GET /users/u1", "", []string{"Authorization: Bearer x"}}, `Bearer realm="petstore", error="invalid_token"`},
		{"no scope", asked{"DELETE /pets/x", "", []string{customer}}, `Bearer realm="petstore", error="insufficient_scope"`},
		{"no key", asked{"GET /store/inventory", "", nil}, `ApiKey realm="petstore"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := h.raw(test.asked).header.Get("WWW-Authenticate"); got != test.want {
				t.Errorf("WWW-Authenticate %q, want %q", got, test.want)
			}
		})
	}
}
