package services

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// OrderStatus is where an order stands.
type OrderStatus string

// The statuses of orders.yaml.
const (
	Pending         OrderStatus = "pending"
	Paid            OrderStatus = "paid"
	Shipped         OrderStatus = "shipped"
	Delivered       OrderStatus = "delivered"
	Cancelled       OrderStatus = "cancelled"
	ReturnRequested OrderStatus = "return-requested"
)

var statuses = []OrderStatus{Pending, Paid, Shipped, Delivered, Cancelled, ReturnRequested}

// Order is an order as the orders service shows it. Its id exceeds what a float
// can hold exactly.
type Order struct {
	ID       int64                      `json:"id"`
	UserID   string                     `json:"userId"`
	Status   OrderStatus                `json:"status"`
	Lines    []OrderLine                `json:"lines"`
	Total    Money                      `json:"total"`
	Payment  json.RawMessage            `json:"payment,omitempty"`
	Note     *string                    `json:"note"`
	Metadata map[string]json.RawMessage `json:"metadata,omitempty"`
	Replaces *Order                     `json:"replaces"`
	PlacedAt time.Time                  `json:"placedAt"`
}

// OrderLine is a product, how many of it, and its price when it was ordered.
type OrderLine struct {
	ProductID string `json:"productId"`
	Quantity  int    `json:"quantity"`
	UnitPrice Money  `json:"unitPrice"`
}

// StatusChange is an order's step from one status to another: the data of a
// server-sent event, and the body of the webhook.
type StatusChange struct {
	OrderID int64       `json:"orderId"`
	From    OrderStatus `json:"from"`
	To      OrderStatus `json:"to"`
	At      time.Time   `json:"at"`
}

// idStep lies between two order ids, as it does in data.json.
const idStep = 977

// orders keeps the orders as they were placed. A stored *Order is never changed,
// only replaced, so it may be shown without holding mu.
type orders struct {
	exists   func(userID string) bool
	product  func(sku string) (*Product, bool)
	announce func(StatusChange)
	feed     feed

	mu      sync.Mutex
	all     []*Order        // guarded by mu; the oldest first
	replies backend.Replies // guarded by mu
}

// newOrders asks exists and product, which stand for calls to the other services,
// and tells announce of every change of a status, in their order.
func newOrders(all []Order, exists func(string) bool, product func(string) (*Product, bool), announce func(StatusChange)) *orders {
	o := &orders{exists: exists, product: product, announce: announce}
	for i := range all {
		o.all = append(o.all, &all[i])
	}
	return o
}

func (o *orders) operations(door *backend.Bearer) []backend.Operation {
	return []backend.Operation{
		{ID: "listOrders", Route: "GET /orders", Answer: door.Guard(o.list)},
		{ID: "createOrder", Route: "POST /orders", Answer: door.Guard(o.create)},
		{ID: "orderHistory", Route: "GET /orders/history", Answer: door.Guard(o.history)},
		{ID: "getOrder", Route: "GET /orders/{orderId}", Answer: door.Guard(o.get)},
		{ID: "cancelOrder", Route: "POST /orders/{orderId}/cancel", Answer: door.Guard(o.cancel)},
		{ID: "orderEvents", Route: "GET /orders/{orderId}/events", Answer: door.Guard(o.events)},
	}
}

// newestFirst shows the orders that keep returns true for.
func (o *orders) newestFirst(keep func(*Order) bool) []*Order {
	o.mu.Lock()
	found := slices.Clone(o.all)
	o.mu.Unlock()
	found = slices.DeleteFunc(found, func(order *Order) bool { return !keep(order) })
	slices.Reverse(found)
	return found
}

func (o *orders) list(w http.ResponseWriter, r *http.Request) error {
	p, err := backend.ReadParameters(r)
	if err != nil {
		return err
	}
	keep, err := readOrderFilter(p)
	if err != nil {
		return err
	}
	page, err := p.Number("page", 1, maxPage, 1)
	if err != nil {
		return err
	}
	size, err := p.Number("pageSize", 1, 100, 20)
	if err != nil {
		return err
	}
	found := o.newestFirst(keep)
	w.Header().Set("X-Total-Count", strconv.Itoa(len(found)))
	w.Header().Set("Link", links(r.URL.Query(), page, size, len(found)))
	return backend.WriteJSON(w, http.StatusOK, backend.Window(found, (page-1)*size, size))
}

// maxPage keeps page times pageSize within an int.
const maxPage = 1 << 24

func readOrderFilter(p backend.Parameters) (func(*Order) bool, error) {
	userID, err := p.Text("userId")
	if err != nil {
		return nil, err
	}
	_, ofUser := p["userId"]
	asked, err := p.Each("status")
	if err != nil {
		return nil, err
	}
	for _, status := range asked {
		if !slices.Contains(statuses, OrderStatus(status)) {
			return nil, backend.Refuse(http.StatusUnprocessableEntity, "NO_SUCH_STATUS", "status must be one of %v", statuses)
		}
	}
	return func(order *Order) bool {
		return (!ofUser || order.UserID == userID) &&
			(len(asked) == 0 || slices.Contains(asked, string(order.Status)))
	}, nil
}

// links is a Link header (RFC 8288) with the pages around this one. The targets
// are relative, so that they hold behind any proxy.
func links(query url.Values, page, size, total int) string {
	last := max(1, (total+size-1)/size)
	target := func(rel string, page int) string {
		query.Set("page", strconv.Itoa(page))
		return fmt.Sprintf(`</orders?%s>; rel="%s"`, query.Encode(), rel)
	}
	link := target("first", 1) + ", " + target("last", last)
	if page > 1 {
		link += ", " + target("prev", min(page-1, last))
	}
	if page < last {
		link += ", " + target("next", page+1)
	}
	return link
}

func (o *orders) history(w http.ResponseWriter, r *http.Request) error {
	p, err := backend.ReadParameters(r)
	if err != nil {
		return err
	}
	ids, err := readUserIDs(p)
	if err != nil {
		return err
	}
	since, err := readSince(p)
	if err != nil {
		return err
	}
	limit, err := p.Number("limit", 0, 50, 10)
	if err != nil {
		return err
	}
	past := o.newestFirst(func(order *Order) bool {
		return slices.Contains(ids, order.UserID) && !order.PlacedAt.Before(since)
	})
	return backend.WriteJSON(w, http.StatusOK, byUser(past, limit))
}

func readUserIDs(p backend.Parameters) ([]string, error) {
	ids, asked, err := p.List("userIds", maxUserIDs)
	switch {
	case err != nil:
		return nil, err
	case !asked:
		return nil, backend.Refuse(http.StatusBadRequest, "MISSING_PARAMETER", "userIds is required")
	case len(ids) == 0:
		return nil, backend.Refuse(http.StatusUnprocessableEntity, "TOO_FEW", "userIds must have an element")
	}
	return ids, nil
}

// readSince is the beginning of time without the parameter.
func readSince(p backend.Parameters) (time.Time, error) {
	text, err := p.Text("since")
	if err != nil || text == "" {
		return time.Time{}, err
	}
	since, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, backend.BadType("since", "a date such as 2025-09-01")
	}
	return since, nil
}

// byUser keeps limit orders of each user. Users without any are not in the map.
func byUser(past []*Order, limit int) map[string][]*Order {
	history := map[string][]*Order{}
	for _, order := range past {
		if len(history[order.UserID]) < limit {
			history[order.UserID] = append(history[order.UserID], order)
		}
	}
	return history
}

func (o *orders) get(w http.ResponseWriter, r *http.Request) error {
	id, err := orderID(r)
	if err != nil {
		return err
	}
	order, err := o.find(id)
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, order)
}

func orderID(r *http.Request) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue("orderId"), 10, 64)
	if err != nil {
		return 0, backend.BadType("orderId", "a 64-bit integer")
	}
	return id, nil
}

func (o *orders) find(id int64) (*Order, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.index(id)
	if err != nil {
		return nil, err
	}
	return o.all[i], nil
}

// index is the place of an order in all. The caller holds mu.
func (o *orders) index(id int64) (int, error) {
	i := slices.IndexFunc(o.all, func(order *Order) bool { return order.ID == id })
	if i < 0 {
		return 0, backend.Refuse(http.StatusNotFound, "NO_SUCH_ORDER", "there is no order with this id")
	}
	return i, nil
}

func (o *orders) cancel(w http.ResponseWriter, r *http.Request) error {
	id, err := orderID(r)
	if err != nil {
		return err
	}
	reason, err := readReason(r)
	if err != nil {
		return err
	}
	order, err := o.change(id, Cancelled, func(order *Order) error {
		if order.Status != Pending && order.Status != Paid {
			return backend.Refuse(http.StatusConflict, "NOT_CANCELLABLE", "a %s order cannot be cancelled", order.Status)
		}
		return order.remember("cancelReason", reason)
	})
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, order)
}

// remember adds a text to the metadata, unless it is empty. The map is not shared
// with the order as it was before.
func (o *Order) remember(name, text string) error {
	if text == "" {
		return nil
	}
	value, err := json.Marshal(text)
	if err != nil {
		return err
	}
	metadata := map[string]json.RawMessage{}
	maps.Copy(metadata, o.Metadata)
	metadata[name] = value
	o.Metadata = metadata
	return nil
}

// maxText bounds the texts that callers may leave on an order, in characters.
const maxText = 500

// readReason takes a form, or no body at all: the document does not require one.
func readReason(r *http.Request) (string, error) {
	if r.ContentLength == 0 {
		return "", nil
	}
	body, err := backend.ReadBody(r, "application/x-www-form-urlencoded")
	if err != nil {
		return "", err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", backend.Refuse(http.StatusBadRequest, "BAD_FORM", "the body is not a form")
	}
	reason := form.Get("reason")
	if utf8.RuneCountInString(reason) > maxText {
		return "", backend.Invalid("reason may have %d characters", maxText)
	}
	return reason, nil
}

// change gives an order another status, and tells of it before the next change can
// happen. may refuse, or add to the new order; nil allows all.
func (o *orders) change(id int64, to OrderStatus, may func(*Order) error) (*Order, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.index(id)
	if err != nil {
		return nil, err
	}
	changed := *o.all[i]
	if may != nil {
		if err := may(&changed); err != nil {
			return nil, err
		}
	}
	from := changed.Status
	changed.Status = to
	o.all[i] = &changed
	if from != to {
		o.tell(StatusChange{OrderID: id, From: from, To: to, At: time.Now().UTC()})
	}
	return &changed, nil
}

// tell never waits for a listener. The caller holds mu.
func (o *orders) tell(change StatusChange) {
	o.feed.publish(change)
	o.announce(change)
}
