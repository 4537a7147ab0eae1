package services

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const deliveredOrder = "ord_H2BH8TGR9YXL5H3B"

func (h *house) statusOf(t *testing.T, petID string) string {
	t.Helper()
	return read[Pet](t, h.do(t, "GET /pets/"+petID, "").want(t, 200)).Status
}

func TestGetOrder(t *testing.T) {
	h := newHouse(t, Options{})
	want := `{"id":"ord_4Pz3KJT6UNKHFYgN","petId":"019b4135-1fac-7cb1-b196-7131f9ebdacc","userId":"u1","quantity":1,"status":"PLACED",` +
		`"totalAmount":45,"createdAt":"2025-11-01T10:00:00Z","links":{"self":"http://localhost:9400/v1/orders/ord_4Pz3KJT6UNKHFYgN",` +
		`"pet":"http://localhost:9400/v1/pets/019b4135-1fac-7cb1-b196-7131f9ebdacc",` +
		`"payment":"http://localhost:9400/v1/orders/ord_4Pz3KJT6UNKHFYgN/payment"}}`
	if got := h.do(t, "GET /orders/"+firstPaid, "").want(t, 200).body; got != want {
		t.Errorf("order\n%s\nwant\n%s", got, want)
	}
	if got := read[Order](t, h.do(t, "GET /orders/ord_6RXAEATYRMSCNL5P", "")); got.UserID != nil {
		t.Errorf("an anonymous order: %+v", got)
	}
}

func TestCreateOrder(t *testing.T) {
	h := newHouse(t, Options{})
	customer := "Authorization: Bearer " + h.token(t, Customer)
	tests := []struct {
		name, body, token string
		userID            *string
		quantity          int32
		total             *float64
	}{
		{"for oneself", `{"petId":"` + whiskers + `","quantity":3,"shipDate":"2026-12-24"}`, customer, new("u1"), 3, new(225.0)},
		{"for somebody else", `{"petId":"` + whiskers + `","userId":"u2"}`, customer, new("u2"), 1, new(75.0)},
		{"without a token", `{"petId":"` + whiskers + `","userId":null}`, anonymous, nil, 1, new(75.0)},
		{"what is ours is not taken", `{"petId":"` + whiskers + `","totalAmount":1}`, anonymous, nil, 1, new(75.0)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t, Options{Secret: h.options.Secret})
			answer := h.do(t, "POST /orders", test.body, asJSON, test.token).want(t, 201)
			got := read[Order](t, answer)
			want := Order{PetID: whiskers, UserID: test.userID, Quantity: test.quantity, Status: Placed, TotalAmount: test.total}
			want.ID, want.CreatedAt, want.ShipDate, want.Links = got.ID, got.CreatedAt, got.ShipDate, got.Links
			if diff := cmp.Diff(want, got); diff != "" || got.CreatedAt.IsZero() {
				t.Errorf("order (-want +got)\n%s", diff)
			}
			if at := answer.header.Get("Location"); at != got.Links.Self {
				t.Errorf("Location %s", at)
			}
			if stored := h.do(t, "GET /orders/"+got.ID, ""); stored.body != answer.body {
				t.Errorf("stored %s\nplaced %s", stored.body, answer.body)
			}
			if got := h.statusOf(t, whiskers); got != Reserved {
				t.Errorf("the pet is %s", got)
			}
			h.do(t, "POST /orders", test.body).problem(t, 400, "pet-not-available")
		})
	}
}

// An order for a pet without a price has no total.
func TestOrderWithoutTotal(t *testing.T) {
	h := newHouse(t, Options{})
	pet := read[Pet](t, h.do(t, "POST /pets", `{"name":"Free","species":"OTHER"}`))
	if got := read[Order](t, h.do(t, "POST /orders", `{"petId":"`+pet.ID+`"}`).want(t, 201)); got.TotalAmount != nil {
		t.Errorf("order %+v", got)
	}
}

const idempotencyKey = "Idempotency-Key: 019b4132-0000-7000-8000-000000000001"

func TestIdempotencyKey(t *testing.T) {
	h := newHouse(t, Options{})
	body := `{"petId":"` + whiskers + `"}`
	first := h.do(t, "POST /orders", body, asJSON, idempotencyKey).want(t, 201)
	again := h.do(t, "POST /orders", body, asJSON, idempotencyKey).want(t, 201)
	if again.body != first.body || again.header.Get("Location") != first.header.Get("Location") || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("first %s\nagain %s %v", first.body, again.body, again.header)
	}
	h.do(t, "POST /orders", body+" ", asJSON, idempotencyKey).problem(t, 400, "invalid")
	// The key belongs to the caller.
	h.do(t, "POST /orders", body, asJSON, idempotencyKey, anonymous).problem(t, 400, "pet-not-available")
}

// Of concurrent orders for one pet, one succeeds.
func TestConcurrentOrders(t *testing.T) {
	h := newHouse(t, Options{})
	statuses := make([]int, 20)
	var all sync.WaitGroup
	for i := range statuses {
		all.Go(func() { statuses[i] = h.do(t, "POST /orders", `{"petId":"`+whiskers+`"}`).status })
	}
	all.Wait()
	placed := 0
	for _, status := range statuses {
		if status == 201 {
			placed++
		}
	}
	if placed != 1 {
		t.Errorf("%d orders were placed: %v", placed, statuses)
	}
}

func TestDeleteOrder(t *testing.T) {
	h := newHouse(t, Options{})
	pet := read[Order](t, h.do(t, "GET /orders/"+firstPaid, "")).PetID
	h.do(t, "DELETE /orders/"+firstPaid, "").want(t, 204)
	h.do(t, "GET /orders/"+firstPaid, "").problem(t, 404, "no-such-order")
	if got := h.statusOf(t, pet); got != Available {
		t.Errorf("the pet is %s", got)
	}
	// The pet of a cancelled order has been made available before.
	h.do(t, "DELETE /orders/ord_0GPMLF2KDNB0MQ5W", "").want(t, 204)
	// An order remains when its pet is deleted.
	h.do(t, "DELETE /pets/019b413a-a0a3-7ae2-bb34-fe4c98289fcd", "").want(t, 204)
	h.do(t, "DELETE /orders/ord_UL4FT4DK79P9G8VE", "").want(t, 204)
}

func TestChangeStatus(t *testing.T) {
	h := newHouse(t, Options{})
	order := read[Order](t, h.do(t, "GET /orders/"+firstPaid, ""))
	for _, step := range []struct{ to, pet string }{
		{Placed, Reserved}, {Cancelled, Available}, {Cancelled, Available}, {Approved, Adopted}, {Delivered, Adopted},
	} {
		if err := h.ChangeStatus(firstPaid, step.to); err != nil {
			t.Fatal(err)
		}
		if got := read[Order](t, h.do(t, "GET /orders/"+firstPaid, "")).Status; got != step.to {
			t.Errorf("the order is %s, want %s", got, step.to)
		}
		if got := h.statusOf(t, order.PetID); got != step.pet {
			t.Errorf("the order is %s, the pet %s, want %s", step.to, got, step.pet)
		}
	}
	if h.ChangeStatus(firstPaid, "LOST") == nil || h.ChangeStatus("x", Placed) == nil {
		t.Error("an unknown order or status is no mistake")
	}
}

func TestPayByCard(t *testing.T) {
	h := newHouse(t, Options{})
	order := read[Order](t, h.do(t, "GET /orders/"+firstPaid, ""))
	body := `{"amount":45.00,"currency":"USD","source":{"object":"card","name":"J. Doe","number":"4242424242424242","cvc":"123","expMonth":12,` +
		`"expYear":2025,"addressCountry":"gb","addressPostCode":"N12 9XX"}}`
	answer := h.do(t, "POST /orders/"+firstPaid+"/payment", body).want(t, 200)
	got := read[struct {
		Payment
		Source Card `json:"source"`
	}](t, answer)
	want := Card{
		Object: "card", Name: "J. Doe", Number: "************4242", ExpMonth: 12, ExpYear: new(int64(2025)), Brand: "VISA",
		AddressCountry: "gb", AddressPostCode: "N12 9XX",
	}
	if diff := cmp.Diff(want, got.Source); diff != "" {
		t.Errorf("source (-want +got)\n%s", diff)
	}
	if got.Status != "SUCCEEDED" || got.Amount != 45 || got.Currency != "USD" || !uuid.MatchString(got.ID) || *got.Links != *order.Links {
		t.Errorf("payment %s", answer.body)
	}
	if got := read[Order](t, h.do(t, "GET /orders/"+firstPaid, "")).Status; got != Approved {
		t.Errorf("the order is %s", got)
	}
	if got := h.statusOf(t, order.PetID); got != Adopted {
		t.Errorf("the pet is %s", got)
	}
	h.do(t, "POST /orders/"+firstPaid+"/payment", body).problem(t, 409, "not-payable")
	h.do(t, "DELETE /orders/"+firstPaid, "").problem(t, 409, "order-paid")
}

func TestPayFromAccount(t *testing.T) {
	h := newHouse(t, Options{})
	body := `{"amount":100.5,"currency":"USD","source":{"object":"bank_account","name":"J. Doe","number":"00012345","sortCode":"000123",` +
		`"accountType":"individual","bankName":"Starling Bank","country":"gb"}}`
	answer := h.do(t, "POST /orders/"+firstPaid+"/payment", body).want(t, 200)
	got := read[struct {
		Status string
		Source Account
	}](t, answer)
	want := Account{"bank_account", "J. Doe", "****2345", "000123", "individual", "Starling Bank", "gb"}
	if got.Status != "PENDING" || got.Source != want {
		t.Errorf("payment %s", answer.body)
	}
	if got := read[Order](t, h.do(t, "GET /orders/"+firstPaid, "")).Status; got != Placed {
		t.Errorf("the order is %s before the money is there", got)
	}
	h.do(t, "POST /orders/"+firstPaid+"/payment", body).problem(t, 409, "not-payable")
	h.do(t, "DELETE /orders/"+firstPaid, "").problem(t, 409, "order-paid")
}

func TestMasked(t *testing.T) {
	for number, want := range map[string]string{"": "", "1": "*", "1234": "****", "12345": "****5", "12345678": "****5678", "4242424242424242": "************4242"} {
		if got := mask(number); got != want {
			t.Errorf("%s: %s, want %s", number, got, want)
		}
	}
}
