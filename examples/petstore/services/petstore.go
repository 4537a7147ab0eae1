// Package services has the pet store, one REST service with all operations of
// examples/petstore/schema/openapi/petstore.yaml. It is an http.Handler over data in memory,
// for the example's gateway and its tests.
//
// Each New starts with the same data. The service counts its calls by operation (GET /_calls).
// It accepts any valid token and does not check who owns a user or an order: that is the task
// of the gateway. It requires what the document's security requires: a token, the scope
// write_pets, or the API key.
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

// Base is the path before those of the document, as in its servers.
const Base = "/v1"

// ProblemTypes is put before the code of a problem to form its type, such as
// "https://petstore.example/problems/no-such-pet".
const ProblemTypes = "https://petstore.example/problems/"

// Options configure a Store. The zero value is useful; Store.Token returns tokens for it.
type Options struct {
	// Secret is the HS256 key of the bearer tokens. Default: 32 random bytes.
	Secret []byte
	// Issuer is the "iss" that a token must have. Default: DemoIssuer.
	Issuer string
	// Audience is the "aud" that a token must have. Default: DemoAudience.
	Audience string
	// APIKey is the X-API-Key that listInventory requires. Default: DemoAPIKey.
	APIKey string
	// WebhookURL receives the document's webhooks. Default: none are sent.
	WebhookURL string
	// WebhookSecret signs webhooks and callbacks, by Standard Webhooks.
	WebhookSecret []byte
	// Callbacks has orders sent to the URLs that callers register by callbackExample. Default:
	// such calls are accepted and nothing is sent, since a service that calls any URL gives
	// access to the network in which it runs.
	Callbacks bool
	// Log receives a warning for each webhook and callback that is not delivered. Default:
	// none.
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

// New returns a store with the data of data.json. It starts a goroutine only if there is a
// receiver of webhooks or callbacks; Close ends it.
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

// operations returns the operations of the document, in its order.
func (s *Store) operations() []backend.Operation {
	auth := &backend.Bearer{
		Secret: s.options.Secret, Issuer: s.options.Issuer, Audience: s.options.Audience,
		Realm: "petstore", Revoked: s.users.revoked.has,
	}
	return slices.Concat(
		s.pets.operations(auth, s.options.APIKey),
		s.orders.operations(auth),
		s.users.operations(auth),
		[]backend.Operation{{ID: "createChatCompletion", Route: "POST /chat/completions", Handler: auth.Require(s.chat)}},
	)
}

// announce sends a webhook, if there is a receiver.
func (s *Store) announce(event any, about string) {
	if s.options.WebhookURL != "" {
		s.hooks.Send(s.options.WebhookURL, about, event)
	}
}

// callBack sends an order to a registered URL, if callbacks are enabled.
func (s *Store) callBack(url string, order *Order) {
	if s.options.Callbacks {
		s.hooks.Send(url, fmt.Sprintf("order %s is %s", order.ID, order.Status), order)
	}
}

// Handler returns the service. Its paths begin with Base.
func (s *Store) Handler() http.Handler { return s.service }

// Calls returns how often each operation was called, by operationId.
func (s *Store) Calls() map[string]int { return s.service.Calls() }

// ResetCalls sets the counts to zero.
func (s *Store) ResetCalls() { s.service.ResetCalls() }

// Photo returns the photo that was last uploaded for a pet, nil if none was.
func (s *Store) Photo(petID string) []byte { return s.pets.photo(petID) }

// ChangeStatus sets the status of an order. It returns an error for an unknown order or status.
func (s *Store) ChangeStatus(orderID, to string) error {
	if !slices.Contains(orderStatuses, to) {
		return fmt.Errorf("services: there is no status %q", to)
	}
	return s.orders.changeStatus(orderID, to)
}

// Token returns a token for id that the service, and a gateway with the same secret, accept for
// a day.
func (s *Store) Token(id Identity) (string, error) {
	return s.users.sign(id.Subject, id.Scope, 24*time.Hour)
}

// Close ends the webhook sender after a moment for queued events. The handler continues to
// respond. It may be called twice.
func (s *Store) Close() { s.closing.Do(s.hooks.Close) }
