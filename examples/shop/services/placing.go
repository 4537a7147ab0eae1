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

// newOrder is the body of createOrder.
type newOrder struct {
	UserID string    `json:"userId"`
	Lines  []newLine `json:"lines"`
	Note   *string   `json:"note"`
}

type newLine struct {
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
	placed, again, err := o.place(key, body)
	if err != nil {
		return err
	}
	placed.Write(w, again)
	return nil
}

// readIdempotencyKey is "" without the header. A key belongs to its caller: nobody
// is answered with what another one ordered.
func readIdempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > 255 {
		return "", backend.Refuse(http.StatusBadRequest, "BAD_KEY", "Idempotency-Key may have 255 bytes")
	}
	if key == "" {
		return "", nil
	}
	return fmt.Sprintf("%q %s", backend.CallerOf(r).Subject, key), nil
}

// place stores an order, once for a key: looking for the key, storing the order
// and keeping the reply happen under one lock, so that two calls at the same time
// get one order. A refused order keeps no reply and may be mended.
func (o *orders) place(key string, body []byte) (placed backend.Reply, again bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if kept, ok := o.replies.Of(key); ok {
		if !kept.Answers(body) {
			return placed, false, backend.Refuse(http.StatusUnprocessableEntity, "KEY_REUSED", "this Idempotency-Key was used for another order")
		}
		return kept, true, nil
	}
	order, err := o.draft(body)
	if err != nil {
		return placed, false, err
	}
	placed, err = replyTo(body, order)
	if err != nil {
		return placed, false, err
	}
	o.all = append(o.all, order)
	o.replies.Keep(key, placed)
	return placed, false, nil
}

// draft makes the order that body asks for. The caller holds mu.
func (o *orders) draft(body []byte) (*Order, error) {
	var asked newOrder
	if err := backend.Parse(body, &asked); err != nil {
		return nil, err
	}
	if err := asked.check(); err != nil {
		return nil, err
	}
	if !o.exists(asked.UserID) {
		return nil, backend.Refuse(http.StatusUnprocessableEntity, "UNKNOWN_USER", "there is no user with this id")
	}
	order := &Order{
		ID: o.all[len(o.all)-1].ID + idStep, UserID: asked.UserID, Status: Pending, Note: asked.Note,
		PlacedAt: time.Now().UTC().Truncate(time.Second),
	}
	return order, o.price(order, asked.Lines)
}

func (n newOrder) check() error {
	switch {
	case n.UserID == "":
		return backend.Invalid("userId is required")
	case len(n.Lines) == 0:
		return backend.Invalid("lines must have an element")
	case n.Note != nil && utf8.RuneCountInString(*n.Note) > maxText:
		return backend.Invalid("note may have %d characters", maxText)
	}
	for i, line := range n.Lines {
		if line.ProductID == "" || line.Quantity < 1 {
			return backend.Invalid("lines[%d] needs a productId and a quantity of at least 1", i)
		}
	}
	return nil
}

// price fills in lines and total from the products' own prices, exactly. All
// products of the data have one currency.
func (o *orders) price(order *Order, lines []newLine) error {
	total := new(big.Rat)
	for _, line := range lines {
		product, ok := o.product(line.ProductID)
		if !ok {
			return backend.Refuse(http.StatusUnprocessableEntity, "UNKNOWN_PRODUCT", "there is no product %q", line.ProductID)
		}
		total.Add(total, times(product.amount, line.Quantity))
		order.Lines = append(order.Lines, OrderLine{
			ProductID: line.ProductID, Quantity: line.Quantity,
			UnitPrice: Money{Amount: decimal(product.amount), Currency: product.Currency},
		})
	}
	order.Total = Money{Amount: decimal(total), Currency: order.Lines[0].UnitPrice.Currency}
	return nil
}

func replyTo(asked []byte, order *Order) (backend.Reply, error) {
	body, err := json.Marshal(order)
	if err != nil {
		return backend.Reply{}, fmt.Errorf("reply to createOrder: %w", err)
	}
	return backend.NewReply(asked, fmt.Sprintf("/orders/%d", order.ID), body), nil
}
