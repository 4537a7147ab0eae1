package services

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// DeclinedCard is the number of a card that no bank takes.
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

// Card is the document's BankCard. Its number comes back masked, its cvc never.
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

// Account is the document's BankAccount. Its number comes back masked.
type Account struct {
	Object      string `json:"object"`
	Name        string `json:"name"`
	Number      string `json:"number"`
	SortCode    string `json:"sortCode,omitempty"`
	AccountType string `json:"accountType"`
	BankName    string `json:"bankName,omitempty"`
	Country     string `json:"country"`
}

// newPayment is the body of payOrder.
type newPayment struct {
	Amount   float64         `json:"amount"`
	Currency string          `json:"currency"`
	Source   json.RawMessage `json:"source"`

	card    *Card // Source, when it is one
	account *Account
}

func (o *orders) pay(w http.ResponseWriter, r *http.Request) error {
	asked, err := readPayment(r)
	if err != nil {
		return err
	}
	order, err := o.settle(r.PathValue("id"), asked)
	if err != nil {
		return err
	}
	payment := asked.taken()
	payment.Links = linksAround(r, order)
	return backend.WriteJSON(w, http.StatusOK, payment)
}

func readPayment(r *http.Request) (asked newPayment, err error) {
	if err := readInto(r, &asked); err != nil {
		return asked, err
	}
	if err := asked.readSource(); err != nil {
		return asked, err
	}
	return asked, asked.check()
}

// readSource reads the variant that the discriminator names.
func (n *newPayment) readSource() error {
	var c check
	var kind struct{ Object string }
	if len(n.Source) == 0 {
		c.that(false, "source", "is required")
		return c.err()
	}
	if err := backend.Parse(n.Source, &kind); err != nil {
		return err
	}
	switch kind.Object {
	case "card":
		return backend.Parse(n.Source, &n.card)
	case "bank_account":
		return backend.Parse(n.Source, &n.account)
	}
	c.that(false, "source.object", "must be card or bank_account")
	return c.err()
}

func (n *newPayment) check() error {
	var c check
	c.that(n.Amount > 0, "amount", "must be more than 0")
	c.that(n.Currency != "", "currency", "is required")
	c.oneOf("currency", n.Currency, currencies)
	if n.card != nil {
		n.card.check(&c)
	} else {
		n.account.check(&c)
	}
	return c.err()
}

func (card *Card) check(c *check) {
	c.that(card.Name != "", "source.name", "is required")
	c.that(card.Number != "", "source.number", "is required")
	c.that(card.ExpMonth >= 1 && card.ExpMonth <= 12, "source.expMonth", "must be 1 to 12")
	c.that(card.ExpYear != nil, "source.expYear", "is required")
	if card.CVC != nil {
		length := utf8.RuneCountInString(*card.CVC)
		c.that(length == 3 || length == 4, "source.cvc", "must have 3 or 4 characters")
	}
}

func (a *Account) check(c *check) {
	c.that(a.Name != "", "source.name", "is required")
	c.that(a.Number != "", "source.number", "is required")
	c.that(a.Country != "", "source.country", "is required")
	c.that(a.AccountType != "", "source.accountType", "is required")
	c.oneOf("source.accountType", a.AccountType, accountTypes)
}

// settle takes the money. A card pays at once, and the order is approved; from an
// account the money is on its way, and the order stays as it is.
func (o *orders) settle(id string, asked newPayment) (*Order, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, err := o.index(id)
	if err != nil {
		return nil, err
	}
	if o.all[i].Status != Placed || o.paid[id] {
		return nil, backend.Refuse(http.StatusConflict, "NOT_PAYABLE", "this order was paid for or cancelled")
	}
	if err := o.afford(o.all[i], asked); err != nil {
		return nil, err
	}
	o.paid[id] = true
	if asked.card != nil {
		return o.move(i, Approved), nil
	}
	return o.all[i], nil
}

// afford refuses a payment that does not pay the order.
func (o *orders) afford(order *Order, asked newPayment) error {
	pet, err := o.pets.find(order.PetID)
	if err == nil && pet.Currency != "" && pet.Currency != asked.Currency {
		return backend.Invalid("this order is paid in %s", pet.Currency)
	}
	if order.TotalAmount != nil && asked.Amount < *order.TotalAmount {
		return backend.Refuse(http.StatusPaymentRequired, "TOO_LITTLE", "this order costs %.2f", *order.TotalAmount)
	}
	if asked.card != nil && asked.card.Number == DeclinedCard {
		return backend.Refuse(http.StatusPaymentRequired, "CARD_DECLINED", "the bank declined this card")
	}
	return nil
}

// taken is the payment as it is shown, with nothing in it that could pay again.
func (n newPayment) taken() *Payment {
	payment := &Payment{ID: newID(), Amount: n.Amount, Currency: n.Currency, CreatedAt: time.Now().UTC().Truncate(time.Second)}
	if n.card == nil {
		account := *n.account
		account.Number = masked(account.Number)
		payment.Source, payment.Status = account, "PENDING"
		return payment
	}
	card := *n.card
	card.Brand, card.CVC, card.Number = brands[card.Number[0]], nil, masked(card.Number)
	payment.Source, payment.Status = card, "SUCCEEDED"
	return payment
}

// brands are told by a number's first digit.
var brands = map[byte]string{'3': "AMEX", '4': "VISA", '5': "MASTERCARD"}

// masked keeps the last four characters of a long number.
func masked(number string) string {
	shown := max(0, min(4, len(number)-4))
	return strings.Repeat("*", len(number)-shown) + number[len(number)-shown:]
}
