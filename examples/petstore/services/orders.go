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

// Order is an order as the service shows it.
type Order struct {
	ID          string      `json:"id"`
	PetID       string      `json:"petId"`
	UserID      *string     `json:"userId"` // nil when nobody was logged in
	Quantity    int32       `json:"quantity"`
	Status      string      `json:"status"`
	ShipDate    string      `json:"shipDate,omitempty"`
	TotalAmount *float64    `json:"totalAmount,omitempty"` // nil when the pet has no price
	CreatedAt   time.Time   `json:"createdAt"`
	Links       *OrderLinks `json:"links,omitempty"` // nil where nobody's address is known: in callbacks
}

// OrderLinks are the URLs around an order.
type OrderLinks struct {
	Self    string `json:"self"`
	Pet     string `json:"pet"`
	Payment string `json:"payment"`
}

func linksAround(r *http.Request, o *Order) *OrderLinks {
	self := base(r) + "/orders/" + o.ID
	return &OrderLinks{Self: self, Pet: base(r) + "/pets/" + o.PetID, Payment: self + "/payment"}
}

// seenBy is the order with the links for a caller.
func (o *Order) seenBy(r *http.Request) *Order {
	seen := *o
	seen.Links = linksAround(r, o)
	return &seen
}

// orders keeps the orders as they were placed. A stored *Order is never changed, only
// replaced, so it may be shown without holding mu.
type orders struct {
	pets     *pets
	exists   func(userID string) bool
	callBack func(url string, order *Order)

	mu        sync.Mutex
	all       []*Order        // guarded by mu; the oldest first
	paid      map[string]bool // guarded by mu; the orders that a payment was taken for
	callbacks []string        // guarded by mu; the URLs that hear of new statuses
	replies   backend.Replies // guarded by mu
}

// newOrders takes pets from pets, and tells those who asked for callbacks of every new
// status.
func newOrders(all []Order, pets *pets, exists func(string) bool, callBack func(string, *Order)) *orders {
	o := &orders{pets: pets, exists: exists, callBack: callBack, paid: map[string]bool{}}
	for i := range all {
		o.all = append(o.all, &all[i])
	}
	return o
}

func (o *orders) operations(door *backend.Bearer) []backend.Operation {
	return []backend.Operation{
		{ID: "createOrder", Route: "POST /orders", Answer: door.Welcome(o.create)},
		{ID: "getOrder", Route: "GET /orders/{id}", Answer: door.Guard(o.get)},
		{ID: "deleteOrder", Route: "DELETE /orders/{id}", Answer: door.Guard(o.remove)},
		{ID: "callbackExample", Route: "POST /orders/callback", Answer: door.Guard(o.register)},
		{ID: "payOrder", Route: "POST /orders/{id}/payment", Answer: door.Guard(o.pay)},
	}
}

// index is the place of an order in all. The caller holds mu.
func (o *orders) index(id string) (int, error) {
	i := slices.IndexFunc(o.all, func(order *Order) bool { return order.ID == id })
	if i < 0 {
		return 0, backend.Refuse(http.StatusNotFound, "NO_SUCH_ORDER", "there is no order with this id")
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
	return backend.WriteJSON(w, http.StatusOK, order.seenBy(r))
}

// newOrder is the body of createOrder. What else an Order has is ours to say.
type newOrder struct {
	PetID    string  `json:"petId"`
	UserID   *string `json:"userId"`
	Quantity *int32  `json:"quantity"`
	ShipDate string  `json:"shipDate"`
}

func (o *orders) create(w http.ResponseWriter, r *http.Request) error {
	placed, again, err := o.place(r)
	if err != nil {
		return asBadRequest(err)
	}
	placed.Write(w, again)
	return nil
}

// asBadRequest makes a 400 of a 422: of the two, the document gives createOrder one.
func asBadRequest(err error) error {
	if p, ok := errors.AsType[*backend.Problem](err); ok && p.Status == http.StatusUnprocessableEntity {
		bad := *p
		bad.Status, bad.Title = http.StatusBadRequest, http.StatusText(http.StatusBadRequest)
		return &bad
	}
	return err
}

// place stores an order, once for an idempotency key: looking for the key, storing the
// order and keeping the reply happen under one lock, so that two calls at the same time
// get one order. A refused order keeps no reply and may be mended.
func (o *orders) place(r *http.Request) (placed backend.Reply, again bool, err error) {
	body, err := backend.ReadBody(r, "application/json")
	if err != nil {
		return placed, false, err
	}
	key, err := readIdempotencyKey(r)
	if err != nil {
		return placed, false, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if kept, ok := o.replies.Of(key); ok {
		if !kept.Answers(body) {
			return placed, false, backend.Invalid("this Idempotency-Key was used for another order")
		}
		return kept, true, nil
	}
	placed, err = o.store(r, body)
	if err == nil {
		o.replies.Keep(key, placed)
	}
	return placed, false, err
}

var uuid = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)

// readIdempotencyKey is "" without the header. A key belongs to its caller: nobody is
// answered with what another one ordered.
func readIdempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if key == "" {
		return "", nil
	}
	if !uuid.MatchString(key) {
		return "", backend.BadType("Idempotency-Key", "a UUID")
	}
	return key + " " + subject(r), nil
}

// subject is the caller's id, "" for a caller without a token.
func subject(r *http.Request) string {
	if who := backend.CallerOf(r); who != nil {
		return who.Subject
	}
	return ""
}

// store adds the order that body asks for. The caller holds mu.
func (o *orders) store(r *http.Request, body []byte) (placed backend.Reply, err error) {
	order, err := o.draft(body, subject(r))
	if err != nil {
		return placed, err
	}
	seen := order.seenBy(r)
	shown, err := json.Marshal(seen)
	if err != nil {
		return placed, err
	}
	o.all = append(o.all, order)
	o.tell(order)
	return backend.NewReply(body, seen.Links.Self, shown), nil
}

// draft makes an order and reserves its pet. The caller holds mu.
func (o *orders) draft(body []byte, caller string) (*Order, error) {
	var asked newOrder
	if err := parse(body, &asked, "userId"); err != nil {
		return nil, err
	}
	if asked.UserID == nil && o.exists(caller) {
		asked.UserID = &caller
	}
	if err := o.check(asked); err != nil {
		return nil, err
	}
	order := &Order{
		ID: newOrderID(), PetID: asked.PetID, UserID: asked.UserID, Quantity: 1, Status: Placed,
		ShipDate: asked.ShipDate, CreatedAt: time.Now().UTC().Truncate(time.Second),
	}
	if asked.Quantity != nil {
		order.Quantity = *asked.Quantity
	}
	return order, o.reserve(order)
}

func (o *orders) check(asked newOrder) error {
	var c check
	_, err := time.Parse(time.DateOnly, asked.ShipDate)
	c.that(asked.PetID != "", "petId", "is required")
	c.that(asked.UserID == nil || o.exists(*asked.UserID), "userId", "is not that of a user")
	c.that(asked.Quantity == nil || *asked.Quantity >= 1, "quantity", "must be 1 or more")
	c.that(asked.ShipDate == "" || err == nil, "shipDate", "must be a date such as 2026-01-31")
	return c.err()
}

// reserve takes the pet from those that can be ordered and gives the order its total.
func (o *orders) reserve(order *Order) error {
	pet, err := o.pets.change(order.PetID, order, func(pet *Pet) error {
		if pet.Status != Available {
			return backend.Refuse(http.StatusBadRequest, "PET_NOT_AVAILABLE", "this pet is %s", pet.Status)
		}
		pet.Status = Reserved
		return nil
	})
	if p, ok := errors.AsType[*backend.Problem](err); ok && p.Status == http.StatusNotFound {
		return backend.Refuse(http.StatusBadRequest, "NO_SUCH_PET", "there is no pet with this petId")
	}
	if err == nil && pet.Price != "" {
		order.TotalAmount = new(times(pet.Price, order.Quantity))
	}
	return err
}

// times multiplies exactly, and rounds once.
func times(price string, n int32) float64 {
	amount, _ := new(big.Rat).SetString(price) // PetDetails.check has let it in
	total, _ := amount.Mul(amount, new(big.Rat).SetInt64(int64(n))).Float64()
	return total
}

// remove deletes an order that nobody has paid for, and gives its pet free.
func (o *orders) remove(w http.ResponseWriter, r *http.Request) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.index(r.PathValue("id"))
	if err != nil {
		return err
	}
	order := o.all[i]
	if order.Status == Approved || order.Status == Delivered || o.paid[order.ID] {
		return backend.Refuse(http.StatusConflict, "ORDER_PAID", "an order that was paid for cannot be deleted")
	}
	o.all = slices.Delete(o.all, i, i+1)
	if order.Status == Placed {
		o.pass(order, Available)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// pass gives the pet of an order another status, unless the pet is gone.
func (o *orders) pass(order *Order, status string) {
	_, _ = o.pets.change(order.PetID, order, func(pet *Pet) error {
		pet.Status = status
		return nil
	})
}

// change gives an order another status.
func (o *orders) change(id, to string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.index(id)
	if err != nil {
		return err
	}
	o.move(i, to)
	return nil
}

// move replaces an order by one with another status; the pet follows. The caller holds mu.
func (o *orders) move(i int, to string) *Order {
	changed := *o.all[i]
	if changed.Status == to {
		return &changed
	}
	from := changed.Status
	changed.Status = to
	o.all[i] = &changed
	switch {
	case to == Approved:
		o.pass(&changed, Adopted)
	case to == Cancelled && from == Placed:
		o.pass(&changed, Available)
	}
	o.tell(&changed)
	return &changed
}

// maxCallbacks is how many URLs are called back; the oldest is forgotten first.
const maxCallbacks = 16

// register takes a URL that is to hear of every order's new status.
func (o *orders) register(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		CallbackURL string `json:"callbackUrl"`
	}
	if err := readInto(r, &asked); err != nil {
		return err
	}
	var c check
	c.that(isURI(asked.CallbackURL), "callbackUrl", "must be an absolute URI")
	if err := c.err(); err != nil {
		return err
	}
	o.remember(asked.CallbackURL)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

func (o *orders) remember(url string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if slices.Contains(o.callbacks, url) {
		return
	}
	o.callbacks = append(o.callbacks, url)
	o.callbacks = o.callbacks[max(0, len(o.callbacks)-maxCallbacks):]
}

// tell calls back with an order that has a new status. The caller holds mu.
func (o *orders) tell(order *Order) {
	for _, url := range o.callbacks {
		o.callBack(url, order)
	}
}
