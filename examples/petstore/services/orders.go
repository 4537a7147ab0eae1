package services

import (
	"encoding/json"
	"errors"
	"math/big"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// The statuses of an order.
const (
	Placed    = "PLACED"
	Approved  = "APPROVED"
	Delivered = "DELIVERED"
	Cancelled = "CANCELLED"
)

var orderStatuses = []string{Placed, Approved, Delivered, Cancelled}

// Order is an order in responses.
type Order struct {
	ID          string      `json:"id"`
	PetID       string      `json:"petId"`
	UserID      *string     `json:"userId"` // nil for an anonymous caller
	Quantity    int32       `json:"quantity"`
	Status      string      `json:"status"`
	ShipDate    string      `json:"shipDate,omitempty"`
	TotalAmount *float64    `json:"totalAmount,omitempty"` // nil when the pet has no price
	CreatedAt   time.Time   `json:"createdAt"`
	Links       *OrderLinks `json:"links,omitempty"` // nil in callbacks, which have no request
}

// OrderLinks are the URLs that belong to an order.
type OrderLinks struct {
	Self    string `json:"self"`
	Pet     string `json:"pet"`
	Payment string `json:"payment"`
}

func orderLinks(r *http.Request, o *Order) *OrderLinks {
	self := baseURL(r) + "/orders/" + o.ID
	return &OrderLinks{Self: self, Pet: baseURL(r) + "/pets/" + o.PetID, Payment: self + "/payment"}
}

// withLinks returns a copy of the order with links for the client of r.
func (o *Order) withLinks(r *http.Request) *Order {
	seen := *o
	seen.Links = orderLinks(r, o)
	return &seen
}

// orders stores the orders in the order in which they were placed. A stored *Order is never
// changed, only replaced, so that it may be read without mu.
type orders struct {
	pets     *pets
	exists   func(userID string) bool
	callBack func(url string, order *Order)

	mu        sync.Mutex
	all       []*Order              // guarded by mu; the oldest first
	paid      map[string]bool       // guarded by mu; the ids of paid orders
	callbacks []string              // guarded by mu; registered URLs
	responses backend.ResponseCache // guarded by mu
}

// newOrders returns orders that reserve pets of pets, and call callBack for each registered URL
// when an order has a new status.
func newOrders(all []Order, pets *pets, exists func(string) bool, callBack func(string, *Order)) *orders {
	o := &orders{pets: pets, exists: exists, callBack: callBack, paid: map[string]bool{}}
	for i := range all {
		o.all = append(o.all, &all[i])
	}
	return o
}

func (o *orders) operations(auth *backend.Bearer) []backend.Operation {
	return []backend.Operation{
		{ID: "createOrder", Route: "POST /orders", Handler: auth.Allow(o.create)},
		{ID: "getOrder", Route: "GET /orders/{id}", Handler: auth.Require(o.get)},
		{ID: "deleteOrder", Route: "DELETE /orders/{id}", Handler: auth.Require(o.delete)},
		{ID: "callbackExample", Route: "POST /orders/callback", Handler: auth.Require(o.register)},
		{ID: "payOrder", Route: "POST /orders/{id}/payment", Handler: auth.Require(o.pay)},
	}
}

// index returns the position of an order in all. mu is held.
func (o *orders) index(id string) (int, error) {
	i := slices.IndexFunc(o.all, func(order *Order) bool { return order.ID == id })
	if i < 0 {
		return 0, backend.NewProblem(http.StatusNotFound, "NO_SUCH_ORDER", "there is no order with this id")
	}
	return i, nil
}

func (o *orders) find(id string) (*Order, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.index(id)
	if err != nil {
		return nil, err
	}
	return o.all[i], nil
}

func (o *orders) get(w http.ResponseWriter, r *http.Request) error {
	order, err := o.find(r.PathValue("id"))
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, order.withLinks(r))
}

// orderRequest is the body of createOrder: the members of an order that clients may set.
type orderRequest struct {
	PetID    string  `json:"petId"`
	UserID   *string `json:"userId"`
	Quantity *int32  `json:"quantity"`
	ShipDate string  `json:"shipDate"`
}

func (o *orders) create(w http.ResponseWriter, r *http.Request) error {
	resp, replayed, err := o.place(r)
	if err != nil {
		return toBadRequest(err)
	}
	resp.Write(w, replayed)
	return nil
}

// toBadRequest turns a 422 into a 400, since the document has only the latter for createOrder.
func toBadRequest(err error) error {
	if p, ok := errors.AsType[*backend.Problem](err); ok && p.Status == http.StatusUnprocessableEntity {
		bad := *p
		bad.Status, bad.Title = http.StatusBadRequest, http.StatusText(http.StatusBadRequest)
		return &bad
	}
	return err
}

// place stores an order, once for an idempotency key. It looks for the key, stores the order
// and caches the response under one lock, so that concurrent calls with one key place one
// order. A refused order is not cached and may be corrected.
func (o *orders) place(r *http.Request) (resp backend.Response, replayed bool, err error) {
	body, err := backend.ReadBody(r, "application/json")
	if err != nil {
		return resp, false, err
	}
	key, err := readIdempotencyKey(r)
	if err != nil {
		return resp, false, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if cached, ok := o.responses.Get(key); ok {
		if !cached.IsFor(body) {
			return resp, false, backend.NewInvalid("this Idempotency-Key was used for another order")
		}
		return cached, true, nil
	}
	resp, err = o.store(r, body)
	if err == nil {
		o.responses.Put(key, resp)
	}
	return resp, false, err
}

var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// readIdempotencyKey returns "" without the header. The key contains the caller, so that no
// caller receives the order of another.
func readIdempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return "", nil
	}
	if !uuid.MatchString(key) {
		return "", backend.NewBadParameter("Idempotency-Key", "a UUID")
	}
	return key + " " + subject(r), nil
}

// subject returns the caller's id, "" without a token.
func subject(r *http.Request) string {
	if who := backend.CallerFrom(r); who != nil {
		return who.Subject
	}
	return ""
}

// store adds the order that body describes. mu is held.
func (o *orders) store(r *http.Request, body []byte) (resp backend.Response, err error) {
	order, err := o.newOrder(body, subject(r))
	if err != nil {
		return resp, err
	}
	seen := order.withLinks(r)
	shown, err := json.Marshal(seen)
	if err != nil {
		return resp, err
	}
	o.all = append(o.all, order)
	o.callBackAll(order)
	return backend.NewResponse(body, seen.Links.Self, shown), nil
}

// newOrder returns a new order and reserves its pet. mu is held.
func (o *orders) newOrder(body []byte, caller string) (*Order, error) {
	var req orderRequest
	if err := parseJSON(body, &req, "userId"); err != nil {
		return nil, err
	}
	if req.UserID == nil && o.exists(caller) {
		req.UserID = &caller
	}
	if err := o.validate(req); err != nil {
		return nil, err
	}
	order := &Order{
		ID: newOrderID(), PetID: req.PetID, UserID: req.UserID, Quantity: 1, Status: Placed,
		ShipDate: req.ShipDate, CreatedAt: time.Now().UTC().Truncate(time.Second),
	}
	if req.Quantity != nil {
		order.Quantity = *req.Quantity
	}
	return order, o.reserve(order)
}

func (o *orders) validate(req orderRequest) error {
	var c validation
	_, err := time.Parse(time.DateOnly, req.ShipDate)
	c.require(req.PetID != "", "petId", "is required")
	c.require(req.UserID == nil || o.exists(*req.UserID), "userId", "is not that of a user")
	c.require(req.Quantity == nil || *req.Quantity >= 1, "quantity", "must be 1 or more")
	c.require(req.ShipDate == "" || err == nil, "shipDate", "must be a date such as 2026-01-31")
	return c.err()
}

// reserve sets the pet's status to Reserved, and the order's total.
func (o *orders) reserve(order *Order) error {
	pet, err := o.pets.change(order.PetID, order, func(pet *Pet) error {
		if pet.Status != Available {
			return backend.NewProblem(http.StatusBadRequest, "PET_NOT_AVAILABLE", "this pet is %s", pet.Status)
		}
		pet.Status = Reserved
		return nil
	})
	if p, ok := errors.AsType[*backend.Problem](err); ok && p.Status == http.StatusNotFound {
		return backend.NewProblem(http.StatusBadRequest, "NO_SUCH_PET", "there is no pet with this petId")
	}
	if err == nil && pet.Price != "" {
		order.TotalAmount = new(times(pet.Price, order.Quantity))
	}
	return err
}

// times multiplies exactly and rounds once.
func times(price string, n int32) float64 {
	amount, _ := new(big.Rat).SetString(price) // PetDetails.check has let it in
	total, _ := amount.Mul(amount, new(big.Rat).SetInt64(int64(n))).Float64()
	return total
}

// delete deletes an order that has not been paid, and makes its pet available again.
func (o *orders) delete(w http.ResponseWriter, r *http.Request) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.index(r.PathValue("id"))
	if err != nil {
		return err
	}
	order := o.all[i]
	if order.Status == Approved || order.Status == Delivered || o.paid[order.ID] {
		return backend.NewProblem(http.StatusConflict, "ORDER_PAID", "an order that was paid for cannot be deleted")
	}
	o.all = slices.Delete(o.all, i, i+1)
	if order.Status == Placed {
		o.setPetStatus(order, Available)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// setPetStatus sets the status of the order's pet, if the pet exists.
func (o *orders) setPetStatus(order *Order, status string) {
	_, _ = o.pets.change(order.PetID, order, func(pet *Pet) error {
		pet.Status = status
		return nil
	})
}

// changeStatus sets the status of an order by its id.
func (o *orders) changeStatus(id, to string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.index(id)
	if err != nil {
		return err
	}
	o.setStatus(i, to)
	return nil
}

// setStatus sets the status of the order at position i, and that of its pet accordingly. mu is
// held.
func (o *orders) setStatus(i int, to string) *Order {
	changed := *o.all[i]
	if changed.Status == to {
		return &changed
	}
	from := changed.Status
	changed.Status = to
	o.all[i] = &changed
	switch {
	case to == Approved:
		o.setPetStatus(&changed, Adopted)
	case to == Cancelled && from == Placed:
		o.setPetStatus(&changed, Available)
	}
	o.callBackAll(&changed)
	return &changed
}

// maxCallbacks is how many URLs are kept; the oldest is dropped first.
const maxCallbacks = 16

// register registers a URL for the new status of every order.
func (o *orders) register(w http.ResponseWriter, r *http.Request) error {
	var req struct {
		CallbackURL string `json:"callbackUrl"`
	}
	if err := readJSON(r, &req); err != nil {
		return err
	}
	var c validation
	c.require(isURI(req.CallbackURL), "callbackUrl", "must be an absolute URI")
	if err := c.err(); err != nil {
		return err
	}
	o.addCallback(req.CallbackURL)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (o *orders) addCallback(url string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if slices.Contains(o.callbacks, url) {
		return
	}
	o.callbacks = append(o.callbacks, url)
	o.callbacks = o.callbacks[max(0, len(o.callbacks)-maxCallbacks):]
}

// callBackAll sends an order with a new status to all registered URLs. mu is held.
func (o *orders) callBackAll(order *Order) {
	for _, url := range o.callbacks {
		o.callBack(url, order)
	}
}
