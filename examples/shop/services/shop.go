// Package services is a small shop's back office as three REST services: users,
// orders and products, each with every operation of its OpenAPI document under
// schema/openapi. They are plain http.Handlers over data in memory, made for the
// gateway's demo, its tests and its benchmarks.
//
// Each New begins from the same data again, so tests share nothing. A service
// counts its calls by operation (GET /_calls), so that a test can ask how many
// round trips a query cost. The services believe any valid token and do not ask
// whose order it is: guarding fields by owner and scope is the gateway's work.
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

	"github.com/gatehouse-graphql/gatehouse/auth/devtoken"
	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// Replicas is how many replicas of the products service a Shop has.
const Replicas = 3

// Options say how a Shop is made. The zero value is a shop that works: ask it for
// tokens with Shop.Token.
type Options struct {
	// Secret is the HS256 key of the bearer tokens. Default: 32 random bytes.
	Secret []byte
	// Issuer is the "iss" that a token must have. Default: DemoIssuer.
	Issuer string
	// Audience is the "aud" that a token must have. Default: DemoAudience.
	Audience string
	// APIKey is the X-API-Key that uploadProductImage asks for. Default: DemoAPIKey.
	APIKey string
	// WebhookURL receives each change of an order's status. Default: none is sent.
	WebhookURL string
	// WebhookSecret signs what is sent there, with the headers of Standard Webhooks.
	WebhookSecret []byte
	// Log hears of webhooks that were not delivered. Default: nobody does.
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

// Shop is the three services and the state that they share.
type Shop struct {
	options  Options
	orders   *orders
	products *products
	hooks    *backend.Webhooks // nil without a receiver

	users    *backend.Service
	ordering *backend.Service
	replicas [Replicas]*backend.Service

	closing sync.Once
	closed  chan struct{} // closed by Close
}

// New makes a shop with the data of data.json. It starts a goroutine only when
// there is a webhook to send to; Close ends it.
func New(o Options) *Shop {
	o = o.withDefaults()
	data := load()
	s := &Shop{options: o, closed: make(chan struct{})}
	if o.WebhookURL != "" {
		s.hooks = backend.NewWebhooks(o.WebhookSecret, o.Log)
	}
	s.products = newProducts(data.Products, data.Stock)
	people := newUsers(data.Users)
	s.orders = newOrders(data.Orders, people.exists, s.products.find, s.announce)

	door := &backend.Bearer{Secret: o.Secret, Issuer: o.Issuer, Audience: o.Audience, Realm: "shop"}
	s.users = backend.New(people.operations(door), backend.Options{})
	s.ordering = backend.New(s.orders.operations(door), backend.Options{})
	for i := range s.replicas {
		s.replicas[i] = backend.New(s.products.operations(o.APIKey, s.closed), backend.Options{Replica: i + 1})
	}
	return s
}

// announce tells the receiver of webhooks, if there is one.
func (s *Shop) announce(change StatusChange) {
	s.hooks.Send(s.options.WebhookURL, fmt.Sprintf("order %d is %s", change.OrderID, change.To), change)
}

// Users is the service of users.yaml.
func (s *Shop) Users() http.Handler { return s.users }

// Orders is the service of orders.yaml.
func (s *Shop) Orders() http.Handler { return s.ordering }

// Products is one replica of the service of products.yaml, from 1 to Replicas. All
// answer from the same state; each counts its own calls.
func (s *Shop) Products(replica int) http.Handler { return s.replicas[replica-1] }

// Calls tells by operationId how often "users", "orders" or "products" (all its
// replicas together) was called, as GET /_calls does for one server. It is nil for
// another name.
func (s *Shop) Calls(service string) map[string]int {
	switch service {
	case "users":
		return s.users.Calls()
	case "orders":
		return s.ordering.Calls()
	case "products":
		return s.productCalls()
	}
	return nil
}

func (s *Shop) productCalls() map[string]int {
	sum := map[string]int{}
	for _, replica := range s.replicas {
		for operation, n := range replica.Calls() {
			sum[operation] += n
		}
	}
	return sum
}

// ReplicaCalls is Calls for one replica of products, from 1 to Replicas.
func (s *Shop) ReplicaCalls(replica int) map[string]int {
	return s.replicas[replica-1].Calls()
}

// ResetCalls sets every service's counts to zero.
func (s *Shop) ResetCalls() {
	s.users.ResetCalls()
	s.ordering.ResetCalls()
	for _, replica := range s.replicas {
		replica.ResetCalls()
	}
}

// Image returns the picture that was last uploaded for sku, nil when none was.
func (s *Shop) Image(sku string) []byte { return s.products.image(sku) }

// ChangeStatus moves an order along, as a warehouse would: event streams and the
// webhook hear of it. It fails when there is no such order or no such status, and
// does nothing when the order stands there already.
func (s *Shop) ChangeStatus(orderID int64, to OrderStatus) error {
	if !slices.Contains(statuses, to) {
		return fmt.Errorf("services: there is no status %q", to)
	}
	_, err := s.orders.change(orderID, to, nil)
	return err
}

// Token signs a token for id that the services, and a gateway with the same
// secret, accept for a day. It fails when Options.Secret has fewer than 32 bytes.
func (s *Shop) Token(id Identity) (string, error) {
	return devtoken.Sign(s.options.Secret, devtoken.Claims{
		Issuer: s.options.Issuer, Audience: s.options.Audience, Subject: id.Subject,
		Scope: id.Scope, Roles: id.Roles, TTL: 24 * time.Hour,
	})
}

// Close ends the event streams and the webhook sender, which gets a moment to
// deliver what is queued. The handlers go on answering, but /healthz says 503.
// It may be called twice.
func (s *Shop) Close() {
	s.closing.Do(func() {
		close(s.closed)
		s.orders.feed.close()
		s.hooks.Close()
	})
}
