package services

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// orderRequest is the body of createOrder.
type orderRequest struct {
	UserID string        `json:"userId"`
	Lines  []lineRequest `json:"lines"`
	Note   *string       `json:"note"`
}

type lineRequest struct {
	ProductID string `json:"productId"`
	Quantity  int    `json:"quantity"`
}

func (o *orders) create(w http.ResponseWriter, r *http.Request) error {
	body, err := backend.ReadBody(r, "application/json")
	if err != nil {
		return err
	}
	key, err := readIdempotencyKey(r)
	if err != nil {
		return err
	}
	resp, replayed, err := o.place(key, body)
	if err != nil {
		return err
	}
	resp.Write(w, replayed)
	return nil
}

// readIdempotencyKey returns "" without the header. The key contains the caller, so that no
// caller receives the order of another.
func readIdempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > 255 {
		return "", backend.NewProblem(http.StatusBadRequest, "BAD_KEY", "Idempotency-Key may have 255 bytes")
	}
	if key == "" {
		return "", nil
	}
	return fmt.Sprintf("%q %s", backend.CallerFrom(r).Subject, key), nil
}

// place stores an order, once for an idempotency key. It looks for the key, stores the order
// and caches the response under one lock, so that concurrent calls with one key place one
// order. A refused order is not cached and may be corrected.
func (o *orders) place(key string, body []byte) (resp backend.Response, replayed bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if cached, ok := o.responses.Get(key); ok {
		if !cached.IsFor(body) {
			return resp, false, backend.NewProblem(http.StatusUnprocessableEntity, "KEY_REUSED", "this Idempotency-Key was used for another order")
		}
		return cached, true, nil
	}
	order, err := o.newOrder(body)
	if err != nil {
		return resp, false, err
	}
	resp, err = newResponse(body, order)
	if err != nil {
		return resp, false, err
	}
	o.all = append(o.all, order)
	o.responses.Put(key, resp)
	return resp, false, nil
}

// newOrder returns the order that body describes. mu is held.
func (o *orders) newOrder(body []byte) (*Order, error) {
	var req orderRequest
	if err := backend.ParseJSON(body, &req); err != nil {
		return nil, err
	}
	if err := req.validate(); err != nil {
		return nil, err
	}
	if !o.exists(req.UserID) {
		return nil, backend.NewProblem(http.StatusUnprocessableEntity, "UNKNOWN_USER", "there is no user with this id")
	}
	order := &Order{
		ID: o.all[len(o.all)-1].ID + idStep, UserID: req.UserID, Status: Pending, Note: req.Note,
		PlacedAt: time.Now().UTC().Truncate(time.Second),
	}
	return order, o.setLines(order, req.Lines)
}

func (n orderRequest) validate() error {
	switch {
	case n.UserID == "":
		return backend.NewInvalid("userId is required")
	case len(n.Lines) == 0:
		return backend.NewInvalid("lines must have an element")
	case n.Note != nil && utf8.RuneCountInString(*n.Note) > maxText:
		return backend.NewInvalid("note may have %d characters", maxText)
	}
	for i, line := range n.Lines {
		if line.ProductID == "" || line.Quantity < 1 {
			return backend.NewInvalid("lines[%d] needs a productId and a quantity of at least 1", i)
		}
	}
	return nil
}

// setLines sets lines and total from the prices of the products, exactly. All products have one
// currency.
func (o *orders) setLines(order *Order, lines []lineRequest) error {
	total := new(big.Rat)
	for _, line := range lines {
		product, ok := o.product(line.ProductID)
		if !ok {
			return backend.NewProblem(http.StatusUnprocessableEntity, "UNKNOWN_PRODUCT", "there is no product %q", line.ProductID)
		}
		total.Add(total, multiply(product.amount, line.Quantity))
		order.Lines = append(order.Lines, OrderLine{
			ProductID: line.ProductID, Quantity: line.Quantity,
			UnitPrice: Money{Amount: formatDecimal(product.amount), Currency: product.Currency},
		})
	}
	order.Total = Money{Amount: formatDecimal(total), Currency: order.Lines[0].UnitPrice.Currency}
	return nil
}

func newResponse(req []byte, order *Order) (backend.Response, error) {
	body, err := json.Marshal(order)
	if err != nil {
		return backend.Response{}, fmt.Errorf("reply to createOrder: %w", err)
	}
	return backend.NewResponse(req, fmt.Sprintf("/orders/%d", order.ID), body), nil
}
