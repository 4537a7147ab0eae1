package services

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"time"
	"unicode/utf8"
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
	body, err := readBody(r, "application/json")
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
	if again {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	w.Header().Set("Location", placed.location)
	writeBody(w, http.StatusCreated, placed.body)
	return nil
}

// readIdempotencyKey is "" without the header. A key belongs to its caller: nobody
// is answered with what another one ordered.
func readIdempotencyKey(r *http.Request) (string, error) {
	key := r.Header.Get("Idempotency-Key")
	if len(key) > 255 {
		return "", refuse(http.StatusBadRequest, "BAD_KEY", "Idempotency-Key may have 255 bytes")
	}
	if key == "" {
		return "", nil
	}
	return fmt.Sprintf("%q %s", callerOf(r).Subject, key), nil
}

// place stores an order, once for a key: looking for the key, storing the order
// and keeping the reply happen under one lock, so that two calls at the same time
// get one order. A refused order keeps no reply and may be mended.
func (o *orders) place(key string, body []byte) (placed reply, again bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if kept, ok := o.replies.of(key); ok {
		if kept.asked != sha256.Sum256(body) {
			return placed, false, refuse(http.StatusUnprocessableEntity, "KEY_REUSED", "this Idempotency-Key was used for another order")
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
	o.replies.keep(key, placed)
	return placed, false, nil
}

// draft makes the order that body asks for. The caller holds mu.
func (o *orders) draft(body []byte) (*Order, error) {
	var asked newOrder
	if err := parse(body, &asked); err != nil {
		return nil, err
	}
	if err := asked.check(); err != nil {
		return nil, err
	}
	if !o.exists(asked.UserID) {
		return nil, refuse(http.StatusUnprocessableEntity, "UNKNOWN_USER", "there is no user with this id")
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
		return invalid("userId is required")
	case len(n.Lines) == 0:
		return invalid("lines must have an element")
	case n.Note != nil && utf8.RuneCountInString(*n.Note) > maxText:
		return invalid("note may have %d characters", maxText)
	}
	for i, line := range n.Lines {
		if line.ProductID == "" || line.Quantity < 1 {
			return invalid("lines[%d] needs a productId and a quantity of at least 1", i)
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
			return refuse(http.StatusUnprocessableEntity, "UNKNOWN_PRODUCT", "there is no product %q", line.ProductID)
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

// reply is an answer to createOrder, kept as it was sent.
type reply struct {
	asked    [sha256.Size]byte // digest of the request's body
	location string
	body     []byte
}

func replyTo(asked []byte, order *Order) (reply, error) {
	body, err := json.Marshal(order)
	if err != nil {
		return reply{}, fmt.Errorf("reply to createOrder: %w", err)
	}
	return reply{asked: sha256.Sum256(asked), location: fmt.Sprintf("/orders/%d", order.ID), body: body}, nil
}

// replies keeps the last answers by their idempotency key.
type replies struct {
	byKey map[string]reply
	keys  []string // the oldest first
}

// maxReplies is how many keys are remembered; the oldest is forgotten first.
const maxReplies = 1000

func (r *replies) of(key string) (reply, bool) {
	kept, ok := r.byKey[key]
	return kept, ok
}

// keep does nothing without a key.
func (r *replies) keep(key string, answer reply) {
	if key == "" {
		return
	}
	if r.byKey == nil {
		r.byKey = map[string]reply{}
	}
	if len(r.keys) == maxReplies {
		delete(r.byKey, r.keys[0])
		r.keys = r.keys[1:]
	}
	r.byKey[key] = answer
	r.keys = append(r.keys, key)
}
