package services

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// DeclinedCard is the number of a card that is always declined.
const DeclinedCard = "4000000000000002"

var (
	currencies   = []string{"USD", "EUR", "GBP"}
	accountTypes = []string{"individual", "company"}
)

// Payment is the document's OrderPayment.
type Payment struct {
	ID        string      `json:"id"`
	Amount    float64     `json:"amount"`
	Currency  string      `json:"currency"`
	Source    any         `json:"source"` // a Card or an Account
	Status    string      `json:"status"`
	CreatedAt time.Time   `json:"createdAt"`
	Links     *OrderLinks `json:"links"`
}

// Card is the document's BankCard. Responses mask its number and omit its CVC.
type Card struct {
	Object          string  `json:"object"`
	Name            string  `json:"name"`
	Number          string  `json:"number"`
	CVC             *string `json:"cvc,omitempty"`
	ExpMonth        int64   `json:"expMonth"`
	ExpYear         *int64  `json:"expYear"`
	Brand           string  `json:"brand,omitempty"`
	AddressCountry  string  `json:"addressCountry,omitempty"`
	AddressPostCode string  `json:"addressPostCode,omitempty"`
}

// Account is the document's BankAccount. Responses mask its number.
type Account struct {
	Object      string `json:"object"`
	Name        string `json:"name"`
	Number      string `json:"number"`
	SortCode    string `json:"sortCode,omitempty"`
	AccountType string `json:"accountType"`
	BankName    string `json:"bankName,omitempty"`
	Country     string `json:"country"`
}

// paymentRequest is the body of payOrder.
type paymentRequest struct {
	Amount   float64         `json:"amount"`
	Currency string          `json:"currency"`
	Source   json.RawMessage `json:"source"`

	card    *Card // Source, when it is one
	account *Account
}

func (o *orders) pay(w http.ResponseWriter, r *http.Request) error {
	req, err := readPayment(r)
	if err != nil {
		return err
	}
	order, err := o.takePayment(r.PathValue("id"), req)
	if err != nil {
		return err
	}
	payment := req.payment()
	payment.Links = orderLinks(r, order)
	return backend.WriteJSON(w, http.StatusOK, payment)
}

func readPayment(r *http.Request) (req paymentRequest, err error) {
	if err := readJSON(r, &req); err != nil {
		return req, err
	}
	if err := req.readSource(); err != nil {
		return req, err
	}
	return req, req.validate()
}

// readSource decodes the variant that the discriminator names.
func (n *paymentRequest) readSource() error {
	var c validation
	var kind struct{ Object string }
	if len(n.Source) == 0 {
		c.require(false, "source", "is required")
		return c.err()
	}
	if err := backend.ParseJSON(n.Source, &kind); err != nil {
		return err
	}
	switch kind.Object {
	case "card":
		return backend.ParseJSON(n.Source, &n.card)
	case "bank_account":
		return backend.ParseJSON(n.Source, &n.account)
	}
	c.require(false, "source.object", "must be card or bank_account")
	return c.err()
}

func (n *paymentRequest) validate() error {
	var c validation
	c.require(n.Amount > 0, "amount", "must be more than 0")
	c.require(n.Currency != "", "currency", "is required")
	c.requireOneOf("currency", n.Currency, currencies)
	if n.card != nil {
		n.card.validate(&c)
	} else {
		n.account.validate(&c)
	}
	return c.err()
}

func (card *Card) validate(c *validation) {
	c.require(card.Name != "", "source.name", "is required")
	c.require(card.Number != "", "source.number", "is required")
	c.require(card.ExpMonth >= 1 && card.ExpMonth <= 12, "source.expMonth", "must be 1 to 12")
	c.require(card.ExpYear != nil, "source.expYear", "is required")
	if card.CVC != nil {
		length := utf8.RuneCountInString(*card.CVC)
		c.require(length == 3 || length == 4, "source.cvc", "must have 3 or 4 characters")
	}
}

func (a *Account) validate(c *validation) {
	c.require(a.Name != "", "source.name", "is required")
	c.require(a.Number != "", "source.number", "is required")
	c.require(a.Country != "", "source.country", "is required")
	c.require(a.AccountType != "", "source.accountType", "is required")
	c.requireOneOf("source.accountType", a.AccountType, accountTypes)
}

// takePayment takes the money. A card pays at once, and the order is approved; from an
// account the money is on its way, and the order stays as it is.
func (o *orders) takePayment(id string, req paymentRequest) (*Order, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.index(id)
	if err != nil {
		return nil, err
	}
	if o.all[i].Status != Placed || o.paid[id] {
		return nil, backend.NewProblem(http.StatusConflict, "NOT_PAYABLE", "this order was paid for or cancelled")
	}
	if err := o.checkPayment(o.all[i], req); err != nil {
		return nil, err
	}
	o.paid[id] = true
	if req.card != nil {
		return o.setStatus(i, Approved), nil
	}
	return o.all[i], nil
}

// checkPayment returns a problem if the payment does not cover the order.
func (o *orders) checkPayment(order *Order, req paymentRequest) error {
	pet, err := o.pets.find(order.PetID)
	if err == nil && pet.Currency != "" && pet.Currency != req.Currency {
		return backend.NewInvalid("this order is paid in %s", pet.Currency)
	}
	if order.TotalAmount != nil && req.Amount < *order.TotalAmount {
		return backend.NewProblem(http.StatusPaymentRequired, "TOO_LITTLE", "this order costs %.2f", *order.TotalAmount)
	}
	if req.card != nil && req.card.Number == DeclinedCard {
		return backend.NewProblem(http.StatusPaymentRequired, "CARD_DECLINED", "the bank declined this card")
	}
	return nil
}

// payment returns the payment for the response, without anything that could be used to pay
// again.
func (n paymentRequest) payment() *Payment {
	payment := &Payment{ID: newID(), Amount: n.Amount, Currency: n.Currency, CreatedAt: time.Now().UTC().Truncate(time.Second)}
	if n.card == nil {
		account := *n.account
		account.Number = mask(account.Number)
		payment.Source, payment.Status = account, "PENDING"
		return payment
	}
	card := *n.card
	card.Brand, card.CVC, card.Number = brands[card.Number[0]], nil, mask(card.Number)
	payment.Source, payment.Status = card, "SUCCEEDED"
	return payment
}

// brands are the brands of cards by the first digit of the number.
var brands = map[byte]string{'3': "AMEX", '4': "VISA", '5': "MASTERCARD"}

// mask replaces a number by asterisks, except for the last four characters of a long one.
func mask(number string) string {
	shown := max(0, min(4, len(number)-4))
	return strings.Repeat("*", len(number)-shown) + number[len(number)-shown:]
}
