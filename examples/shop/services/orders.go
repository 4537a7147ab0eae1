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

// OrderStatus is the status of an order.
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

// Order is an order in responses. Its id is larger than the integers that a float64 holds
// exactly.
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

// OrderLine is a product with its quantity, and its price when it was ordered.
type OrderLine struct {
	ProductID string `json:"productId"`
	Quantity  int    `json:"quantity"`
	UnitPrice Money  `json:"unitPrice"`
}

// StatusChange is a change of an order's status: the data of a server-sent event, and the body
// of the webhook.
type StatusChange struct {
	OrderID int64       `json:"orderId"`
	From    OrderStatus `json:"from"`
	To      OrderStatus `json:"to"`
	At      time.Time   `json:"at"`
}

// idStep is the difference between the ids of consecutive orders, as in data.json.
const idStep = 977

// orders stores the orders in the order in which they were placed. A stored *Order is never
// changed, only replaced, so that it may be read without mu.
type orders struct {
	exists   func(userID string) bool
	product  func(sku string) (*Product, bool)
	announce func(StatusChange)
	feed     feed

	mu        sync.Mutex
	all       []*Order              // guarded by mu; the oldest first
	responses backend.ResponseCache // guarded by mu
}

// newOrders returns orders that look up users by exists and products by product, which stand
// for calls to the other services. announce is called for each change of a status, in order.
func newOrders(all []Order, exists func(string) bool, product func(string) (*Product, bool), announce func(StatusChange)) *orders {
	o := &orders{exists: exists, product: product, announce: announce}
	for i := range all {
		o.all = append(o.all, &all[i])
	}
	return o
}

func (o *orders) operations(auth *backend.Bearer) []backend.Operation {
	return []backend.Operation{
		{ID: "listOrders", Route: "GET /orders", Handler: auth.Require(o.list)},
		{ID: "createOrder", Route: "POST /orders", Handler: auth.Require(o.create)},
		{ID: "orderHistory", Route: "GET /orders/history", Handler: auth.Require(o.history)},
		{ID: "getOrder", Route: "GET /orders/{orderId}", Handler: auth.Require(o.get)},
		{ID: "cancelOrder", Route: "POST /orders/{orderId}/cancel", Handler: auth.Require(o.cancel)},
		{ID: "orderEvents", Route: "GET /orders/{orderId}/events", Handler: auth.Require(o.events)},
	}
}

// newestFirst returns the orders for which keep reports true, the newest first.
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
	keep, err := parseOrderFilter(p)
	if err != nil {
		return err
	}
	page, err := p.Int("page", 1, maxPage, 1)
	if err != nil {
		return err
	}
	size, err := p.Int("pageSize", 1, 100, 20)
	if err != nil {
		return err
	}
	found := o.newestFirst(keep)
	w.Header().Set("X-Total-Count", strconv.Itoa(len(found)))
	w.Header().Set("Link", linkHeader(r.URL.Query(), page, size, len(found)))
	return backend.WriteJSON(w, http.StatusOK, backend.Page(found, (page-1)*size, size))
}

// maxPage keeps page times pageSize within an int.
const maxPage = 1 << 24

func parseOrderFilter(p backend.Parameters) (func(*Order) bool, error) {
	userID, err := p.String("userId")
	if err != nil {
		return nil, err
	}
	_, ofUser := p["userId"]
	req, err := p.Repeated("status")
	if err != nil {
		return nil, err
	}
	for _, status := range req {
		if !slices.Contains(statuses, OrderStatus(status)) {
			return nil, backend.NewProblem(http.StatusUnprocessableEntity, "NO_SUCH_STATUS", "status must be one of %v", statuses)
		}
	}
	return func(order *Order) bool {
		return (!ofUser || order.UserID == userID) &&
			(len(req) == 0 || slices.Contains(req, string(order.Status)))
	}, nil
}

// linkHeader returns a Link header (RFC 8288) with the first, last, previous and next page. Its
// targets are relative, so that they are valid behind any proxy.
func linkHeader(query url.Values, page, size, total int) string {
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
	ids, err := parseUserIDs(p)
	if err != nil {
		return err
	}
	since, err := parseSince(p)
	if err != nil {
		return err
	}
	limit, err := p.Int("limit", 0, 50, 10)
	if err != nil {
		return err
	}
	past := o.newestFirst(func(order *Order) bool {
		return slices.Contains(ids, order.UserID) && !order.PlacedAt.Before(since)
	})
	return backend.WriteJSON(w, http.StatusOK, groupByUser(past, limit))
}

func parseUserIDs(p backend.Parameters) ([]string, error) {
	ids, req, err := p.List("userIds", maxUserIDs)
	switch {
	case err != nil:
		return nil, err
	case !req:
		return nil, backend.NewProblem(http.StatusBadRequest, "MISSING_PARAMETER", "userIds is required")
	case len(ids) == 0:
		return nil, backend.NewProblem(http.StatusUnprocessableEntity, "TOO_FEW", "userIds must have an element")
	}
	return ids, nil
}

// parseSince returns the date in the parameter since, the zero time when it is absent.
func parseSince(p backend.Parameters) (time.Time, error) {
	text, err := p.String("since")
	if err != nil || text == "" {
		return time.Time{}, err
	}
	since, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}, backend.NewBadParameter("since", "a date such as 2025-09-01")
	}
	return since, nil
}

// groupByUser returns the first limit orders of each user. Users without orders are not in the
// map.
func groupByUser(past []*Order, limit int) map[string][]*Order {
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
		return 0, backend.NewBadParameter("orderId", "a 64-bit integer")
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

// index returns the position of an order in all. mu is held.
func (o *orders) index(id int64) (int, error) {
	i := slices.IndexFunc(o.all, func(order *Order) bool { return order.ID == id })
	if i < 0 {
		return 0, backend.NewProblem(http.StatusNotFound, "NO_SUCH_ORDER", "there is no order with this id")
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
	order, err := o.setStatus(id, Cancelled, func(order *Order) error {
		if order.Status != Pending && order.Status != Paid {
			return backend.NewProblem(http.StatusConflict, "NOT_CANCELLABLE", "a %s order cannot be cancelled", order.Status)
		}
		return order.addMetadata("cancelReason", reason)
	})
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, order)
}

// addMetadata adds a member to a copy of the metadata, unless its text is empty.
func (o *Order) addMetadata(name, text string) error {
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

// maxText bounds the texts that clients may add to an order, in characters.
const maxText = 500

// readReason reads the reason from a form. Without a body it is "": the document does not
// require one.
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
		return "", backend.NewProblem(http.StatusBadRequest, "BAD_FORM", "the body is not a form")
	}
	reason := form.Get("reason")
	if utf8.RuneCountInString(reason) > maxText {
		return "", backend.NewInvalid("reason may have %d characters", maxText)
	}
	return reason, nil
}

// setStatus changes the status of an order and publishes the change. allow may return an error,
// or change the new order; a nil allow permits all. mu is held from beginning to end, so that
// changes are published in order.
func (o *orders) setStatus(id int64, to OrderStatus, allow func(*Order) error) (*Order, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.index(id)
	if err != nil {
		return nil, err
	}
	changed := *o.all[i]
	if allow != nil {
		if err := allow(&changed); err != nil {
			return nil, err
		}
	}
	from := changed.Status
	changed.Status = to
	o.all[i] = &changed
	if from != to {
		o.publish(StatusChange{OrderID: id, From: from, To: to, At: time.Now().UTC()})
	}
	return &changed, nil
}

// publish reports a change to event streams and the webhook, without waiting for either. mu is
// held.
func (o *orders) publish(change StatusChange) {
	o.feed.publish(change)
	o.announce(change)
}
