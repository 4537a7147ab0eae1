package services

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	pendingOrder = int64(9007199254740000) // of u3
	paidOrder    = int64(9007199254740977) // of u6; odd and beyond 2^53
	latestOrder  = int64(9007199254758563) // of u5
)

// ids returns orders by their distance from the oldest one.
func ids(orders []Order) string {
	return names(orders, func(o Order) string { return fmt.Sprint(o.ID - pendingOrder) })
}

// steps is the result of ids for the nth orders of the data, from 0.
func steps(n ...int64) string {
	return names(n, func(n int64) string { return fmt.Sprint(n * idStep) })
}

func TestListOrders(t *testing.T) {
	h := newHouse(t, Options{})
	link := func(query string, pages ...string) string {
		var all []string
		for _, page := range pages {
			rel, target, _ := strings.Cut(page, "=")
			all = append(all, fmt.Sprintf(`</orders?%s>; rel="%s"`, strings.Replace(query, "N", target, 1), rel))
		}
		return strings.Join(all, ", ")
	}
	tests := []struct {
		name, query, want, total, link string
	}{
		{"newest first", "?pageSize=3", steps(19, 18, 17), "20", link("page=N&pageSize=3", "first=1", "last=7", "next=2")},
		{"a page within", "?pageSize=3&page=2", steps(16, 15, 14), "20", link("page=N&pageSize=3", "first=1", "last=7", "prev=1", "next=3")},
		{"the last page", "?page=7&pageSize=3", steps(1, 0), "20", link("page=N&pageSize=3", "first=1", "last=7", "prev=6")},
		{"past the last page", "?page=100&pageSize=3", "", "20", link("page=N&pageSize=3", "first=1", "last=7", "prev=7")},
		{"of one user", "?userId=u3", steps(8, 6, 0), "3", link("page=N&userId=u3", "first=1", "last=1")},
		{"of nobody", "?userId=", "", "0", link("page=N&userId=", "first=1", "last=1")},
		{"with a status", "?status=return-requested", steps(17, 11, 5), "3", link("page=N&status=return-requested", "first=1", "last=1")},
		{"with several", "?status=paid&status=shipped&userId=u6", steps(14, 2, 1), "3", link("page=N&status=paid&status=shipped&userId=u6", "first=1", "last=1")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := h.get(t, h.Orders+"/orders"+test.query).want(t, 200)
			if got := ids(read[[]Order](t, answer)); got != test.want {
				t.Errorf("orders %s, want %s", got, test.want)
			}
			if got := answer.header.Get("X-Total-Count"); got != test.total {
				t.Errorf("X-Total-Count %s, want %s", got, test.total)
			}
			if got := answer.header.Get("Link"); got != test.link {
				t.Errorf("Link %s\nwant %s", got, test.link)
			}
		})
	}
	if all := read[[]Order](t, h.get(t, h.Orders+"/orders")); len(all) != 20 {
		t.Errorf("a page has %d orders by default, want 20", len(all))
	}
	if got := h.get(t, h.Orders+"/orders?page=2").body; got != "[]" {
		t.Errorf("an empty page is %s, want []", got)
	}
}

func TestOrderHistory(t *testing.T) {
	h := newHouse(t, Options{})
	tests := []struct {
		name, query string
		want        map[string]string
	}{
		{"newest first; users without orders are missing", "userIds=u1,u7,u99,u3", map[string]string{"u1": steps(12, 10), "u3": steps(8, 6, 0)}},
		{"limit is per user", "userIds=u1,u3&limit=1", map[string]string{"u1": steps(12), "u3": steps(8)}},
		{"limit 0", "userIds=u1&limit=0", map[string]string{}},
		{"since a day, that day included", "userIds=u1,u3&since=2025-09-11", map[string]string{"u1": steps(12, 10), "u3": steps(8)}},
		{"req twice, given once", "userIds=u1,u1", map[string]string{"u1": steps(12, 10)}},
		{"nobody has any", "userIds=u7,u8", map[string]string{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := map[string]string{}
			for user, orders := range read[map[string][]Order](t, h.get(t, h.Orders+"/orders/history?"+test.query).want(t, 200)) {
				got[user] = ids(orders)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestOrderHistoryHasADefaultLimit(t *testing.T) {
	h := newHouse(t, Options{})
	for range 12 {
		h.place(t, `{"userId":"u7","lines":[{"productId":"B-100","quantity":1}]}`)
	}
	for query, want := range map[string]int{"": 10, "&limit=50": 12} {
		if got := len(read[map[string][]Order](t, h.get(t, h.Orders+"/orders/history?userIds=u7"+query))["u7"]); got != want {
			t.Errorf("%d orders with %q, want %d", got, query, want)
		}
	}
}

// Numbers of data.json are written digit by digit.
func TestOrdersAreExact(t *testing.T) {
	h := newHouse(t, Options{})
	var raw struct{ Orders []json.RawMessage }
	if err := json.Unmarshal(dataJSON, &raw); err != nil {
		t.Fatal(err)
	}
	for _, want := range raw.Orders {
		var id struct{ ID json.Number }
		if err := json.Unmarshal(want, &id); err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if err := json.Compact(&compact, want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(exact(t, compact.String()), exact(t, h.get(t, h.Orders+"/orders/"+id.ID.String()).want(t, 200).body)); diff != "" {
			t.Errorf("order %s (-want +got)\n%s", id.ID, diff)
		}
	}
}

// exact decodes JSON without losing a digit.
func exact(t *testing.T, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// place creates an order, which must succeed.
func (h *house) place(t *testing.T, body string, header ...string) answered {
	t.Helper()
	header = append(header, asJSON)
	return h.do(t, req{"POST", h.Orders + "/orders", body, header}).want(t, 201)
}

func TestCreateOrder(t *testing.T) {
	h := newHouse(t, Options{})
	answer := h.place(t, `{"userId":"u1","lines":[{"productId":"B-101","quantity":3},{"productId":"S-201","quantity":1}],"note":"ring twice"}`)
	order := read[Order](t, answer)
	note := "ring twice"
	want := Order{
		ID: latestOrder + idStep, UserID: "u1", Status: Pending, Note: &note, PlacedAt: order.PlacedAt,
		Lines: []OrderLine{{"B-101", 3, Money{"9.75", "EUR"}}, {"S-201", 1, Money{"18.50", "EUR"}}},
		Total: Money{"47.75", "EUR"},
	}
	if diff := cmp.Diff(want, order); diff != "" || order.PlacedAt.IsZero() {
		t.Errorf("placed at %v (-want +got)\n%s", order.PlacedAt, diff)
	}
	location := answer.header.Get("Location")
	if stored := h.get(t, h.Orders+location).want(t, 200); stored.body != answer.body {
		t.Errorf("%s is %s, want %s", location, stored.body, answer.body)
	}
}

func TestLargeTotals(t *testing.T) {
	h := newHouse(t, Options{})
	order := read[Order](t, h.place(t, `{"userId":"u1","lines":[{"productId":"B-101","quantity":9223372036854775807}]}`))
	if want := "89927877359334064118.25"; order.Total.Amount != want {
		t.Errorf("total %s, want %s", order.Total.Amount, want)
	}
}

func TestIdempotencyKey(t *testing.T) {
	h := newHouse(t, Options{})
	const body = `{"userId":"u1","lines":[{"productId":"B-100","quantity":1}]}`
	const once = "Idempotency-Key: k1"
	first := h.place(t, body, once)
	id := read[Order](t, first).ID
	h.do(t, req{method: "POST", url: fmt.Sprintf("%s/orders/%d/cancel", h.Orders, id)}).want(t, 200)

	again := h.place(t, body, once)
	if again.body != first.body || again.header.Get("Location") != first.header.Get("Location") || again.header.Get("Idempotency-Replayed") != "true" {
		t.Errorf("replayed %v %s, want %s", again.header, again.body, first.body)
	}
	other := strings.Replace(body, "B-100", "B-101", 1)
	h.do(t, req{"POST", h.Orders + "/orders", other, []string{once, asJSON}}).problem(t, 422, "KEY_REUSED")

	customer := "Authorization: Bearer " + token(t, h.shop, Customer)
	if theirs := read[Order](t, h.place(t, body, once, customer)); theirs.ID == id {
		t.Error("a key of another caller gives this caller's order")
	}
	if without := read[Order](t, h.place(t, body)); without.ID == id {
		t.Error("an order without a key is replayed")
	}
	if total := h.get(t, h.Orders+"/orders").header.Get("X-Total-Count"); total != "23" {
		t.Errorf("%s orders, want the 20 of the data and 3", total)
	}
}

func TestRefusedOrderIsNotCached(t *testing.T) {
	h := newHouse(t, Options{})
	header := []string{"Idempotency-Key: k", asJSON}
	h.do(t, req{"POST", h.Orders + "/orders", `{"userId":"u1","lines":[{"productId":"X","quantity":1}]}`, header}).problem(t, 422, "UNKNOWN_PRODUCT")
	h.place(t, `{"userId":"u1","lines":[{"productId":"B-100","quantity":1}]}`, header...)
}

func TestConcurrentUseOfOneKey(t *testing.T) {
	o := New(Options{}).orders
	locations := make([]string, 20)
	var all sync.WaitGroup
	for i := range locations {
		all.Go(func() {
			placed, _, err := o.place("k", []byte(`{"userId":"u1","lines":[{"productId":"B-100","quantity":1}]}`))
			if err != nil {
				t.Error(err)
			}
			answer := httptest.NewRecorder()
			placed.Write(answer, false)
			locations[i] = answer.Header().Get("Location")
		})
	}
	all.Wait()
	for _, location := range locations {
		if location != locations[0] {
			t.Fatalf("orders %v, want one", locations)
		}
	}
}

func TestCancelOrder(t *testing.T) {
	h := newHouse(t, Options{})
	cancel := func(id int64, body string) Order {
		return read[Order](t, h.do(t, req{"POST", fmt.Sprintf("%s/orders/%d/cancel", h.Orders, id), body, []string{form}}).want(t, 200))
	}
	order := cancel(pendingOrder, "reason=found+it+%26+cheaper")
	if order.Status != Cancelled || string(order.Metadata["cancelReason"]) != `"found it \u0026 cheaper"` || string(order.Metadata["channel"]) != `"web"` {
		t.Errorf("cancelled %+v", order)
	}
	if order := cancel(paidOrder, ""); order.Status != Cancelled || len(order.Metadata) != 2 {
		t.Errorf("cancelled without a reason: %+v", order)
	}
	if stored := read[Order](t, h.get(t, fmt.Sprintf("%s/orders/%d", h.Orders, paidOrder))); stored.ID != paidOrder || stored.Status != Cancelled {
		t.Errorf("stored %+v", stored)
	}
}

func TestChangeStatus(t *testing.T) {
	shop := New(Options{})
	if err := shop.ChangeStatus(paidOrder, Shipped); err != nil {
		t.Fatal(err)
	}
	if order, err := shop.orders.find(paidOrder); err != nil || order.Status != Shipped {
		t.Errorf("order %+v, %v", order, err)
	}
	if shop.ChangeStatus(1, Shipped) == nil || shop.ChangeStatus(paidOrder, "lost") == nil {
		t.Error("an unknown order or status is accepted")
	}
}

func TestDecimal(t *testing.T) {
	for text, want := range map[string]string{"7.5": "7.50", "12": "12.00", "12.0": "12.00", "0.1": "0.10", "1.005": "1.005", "1.2345": "1.2345", "100": "100.00", "-3.5": "-3.50"} {
		if got := formatDecimal(mustParseDecimal(text)); got != want {
			t.Errorf("%s is written %s, want %s", text, got, want)
		}
	}
}
