// Package services is a pet store as one REST service, with every operation of
// examples/petstore/schema/openapi/petstore.yaml. It is a plain http.Handler over data in
// memory, made for the example's gateway and its tests.
//
// Each New begins from the same data again. The service counts its calls by operation
// (GET /_calls). It believes any valid token and does not ask whose user or order it is:
// that is the gateway's work. What it asks for is what the document's security says: a
// token, the scope write_pets, or the API key.
//
// Everything exported is safe for concurrent use.
package services

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// Base is the path before those of the document, as its servers have it.
const Base = "/v1"

// ProblemTypes comes before the codes of problems in their types, such as
// "https://petstore.example/problems/no-such-pet".
const ProblemTypes = "https://petstore.example/problems/"

// Options say how a Store is made. The zero value is a store that works: ask it for
// tokens with Store.Token.
type Options struct {
	// Secret is the HS256 key of the bearer tokens. Default: 32 random bytes.
	Secret []byte
	// Issuer is the "iss" that a token must have. Default: DemoIssuer.
	Issuer string
	// Audience is the "aud" that a token must have. Default: DemoAudience.
	Audience string
	// APIKey is the X-API-Key that listInventory asks for. Default: DemoAPIKey.
	APIKey string
	// WebhookURL receives the document's webhooks. Default: none are sent.
	WebhookURL string
	// WebhookSecret signs webhooks and callbacks with the headers of Standard Webhooks.
	WebhookSecret []byte
	// Callbacks lets callbackExample have orders sent to the URL that a caller names.
	// Default: the call is accepted and nothing is sent, since a service that calls
	// whatever it is told to is a way into the network it stands in.
	Callbacks bool
	// Log hears of webhooks and callbacks that were not delivered. Default: nobody does.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if len(o.Secret) == 0 {
		o.Secret = backend.RandomSecret()
	}
	if o.Issuer == "" {
		o.Issuer = DemoIssuer
	}
	if o.Audience == "" {
		o.Audience = DemoAudience
	}
	if o.APIKey == "" {
		o.APIKey = DemoAPIKey
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Store is the service and its state.
type Store struct {
	options Options
	pets    *pets
	orders  *orders
	users   *users
	hooks   *backend.Webhooks // nil when nothing is to be sent
	service *backend.Service
	closing sync.Once
}

// New makes a store with the data of data.json. It starts a goroutine only when there
// is something to send; Close ends it.
func New(o Options) *Store {
	o = o.withDefaults()
	s := &Store{options: o}
	if o.WebhookURL != "" || o.Callbacks {
		s.hooks = backend.NewWebhooks(o.WebhookSecret, o.Log)
	}
	data := load()
	s.pets = newPets(data.Pets, s.announce)
	s.users = newUsers(data.Users, data.Keepers, o)
	s.orders = newOrders(data.Orders, s.pets, s.users.exists, s.callBack)
	s.service = backend.New(s.operations(), backend.Options{Base: Base, ProblemTypes: ProblemTypes})
	return s
}

// operations are those of the document, in its order.
func (s *Store) operations() []backend.Operation {
	door := &backend.Bearer{
		Secret: s.options.Secret, Issuer: s.options.Issuer, Audience: s.options.Audience,
		Realm: "petstore", Revoked: s.users.revoked.has,
	}
	return slices.Concat(
		s.pets.operations(door, s.options.APIKey),
		s.orders.operations(door),
		s.users.operations(door),
		[]backend.Operation{{ID: "createChatCompletion", Route: "POST /chat/completions", Answer: door.Guard(s.chat)}},
	)
}

// announce sends a webhook, if somebody receives them.
func (s *Store) announce(event any, about string) {
	if s.options.WebhookURL != "" {
		s.hooks.Send(s.options.WebhookURL, about, event)
	}
}

// callBack sends an order to whoever asked for it.
func (s *Store) callBack(url string, order *Order) {
	if s.options.Callbacks {
		s.hooks.Send(url, fmt.Sprintf("order %s is %s", order.ID, order.Status), order)
	}
}

// Handler is the service, below Base.
func (s *Store) Handler() http.Handler { return s.service }

// Calls tells by operationId how often each operation was called, as GET /_calls does.
func (s *Store) Calls() map[string]int { return s.service.Calls() }

// ResetCalls sets the counts to zero.
func (s *Store) ResetCalls() { s.service.ResetCalls() }

// Photo returns the picture that was last uploaded for a pet, nil when none was.
func (s *Store) Photo(petID string) []byte { return s.pets.photo(petID) }

// ChangeStatus moves an order along, as those who pack and send would. It fails when
// there is no such order or no such status.
func (s *Store) ChangeStatus(orderID, to string) error {
	if !slices.Contains(orderStatuses, to) {
		return fmt.Errorf("services: there is no status %q", to)
	}
	return s.orders.change(orderID, to)
}

// Token signs a token for id that the service, and a gateway with the same secret,
// accept for a day.
func (s *Store) Token(id Identity) (string, error) {
	return s.users.sign(id.Subject, id.Scope, 24*time.Hour)
}

// Close ends the sender of webhooks, which gets a moment to deliver what is queued. The
// handler goes on answering. It may be called twice.
func (s *Store) Close() { s.closing.Do(s.hooks.Close) }
