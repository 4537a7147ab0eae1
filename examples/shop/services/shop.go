// Package services has the REST services of a small shop: users, orders and products, each with
// all operations of its OpenAPI document under schema/openapi. They are http.Handlers over
// data in memory, for the gateway's demo, tests and benchmarks.
//
// Each New starts with the same data, so that tests share nothing. A service counts its calls
// by operation (GET /_calls), so that a test can check how many round trips a query costs. The
// services accept any valid token and do not check who owns an order: guarding fields by
// owner and scope is the task of the gateway.
//
// Everything exported is safe for concurrent use.
package services

import (
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/auth/devtoken"
	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// Replicas is how many replicas of the products service a Shop has.
const Replicas = 3

// Options configure a Shop. The zero value is useful; Shop.Token returns tokens for it.
type Options struct {
	// Secret is the HS256 key of the bearer tokens. Default: 32 random bytes.
	Secret []byte
	// Issuer is the "iss" that a token must have. Default: DemoIssuer.
	Issuer string
	// Audience is the "aud" that a token must have. Default: DemoAudience.
	Audience string
	// APIKey is the X-API-Key that uploadProductImage requires. Default: DemoAPIKey.
	APIKey string
	// WebhookURL receives each status change of an order. Default: none is sent.
	WebhookURL string
	// WebhookSecret signs these webhooks, by Standard Webhooks.
	WebhookSecret []byte
	// Log receives a warning for each webhook that is not delivered. Default: none.
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

// Shop has the three services and their common state.
type Shop struct {
	options  Options
	orders   *orders
	products *products
	hooks    *backend.Webhooks // nil without a receiver

	users    *backend.Service
	ordering *backend.Service
	replicas [Replicas]*backend.Service
	faults   [Replicas]atomic.Pointer[Fault] // of the replicas; nil without a fault

	closing sync.Once
	closed  chan struct{} // closed by Close
}

// New returns a shop with the data of data.json. It starts a goroutine only if there is a
// receiver of webhooks; Close ends it.
func New(o Options) *Shop {
	o = o.withDefaults()
	data := load()
	s := &Shop{options: o, closed: make(chan struct{})}
	if o.WebhookURL != "" {
		s.hooks = backend.NewWebhooks(o.WebhookSecret, o.Log)
	}
	s.products = newProducts(data.Products, data.Stock)
	users := newUsers(data.Users)
	s.orders = newOrders(data.Orders, users.exists, s.products.find, s.announce)

	auth := &backend.Bearer{Secret: o.Secret, Issuer: o.Issuer, Audience: o.Audience, Realm: "shop"}
	s.users = backend.New(users.operations(auth), backend.Options{})
	s.ordering = backend.New(s.orders.operations(auth), backend.Options{})
	for i := range s.replicas {
		s.replicas[i] = backend.New(s.products.operations(o.APIKey, s.closed), backend.Options{Replica: i + 1})
	}
	return s
}

// announce sends a webhook, if there is a receiver.
func (s *Shop) announce(change StatusChange) {
	s.hooks.Send(s.options.WebhookURL, fmt.Sprintf("order %d is %s", change.OrderID, change.To), change)
}

// Users returns the service of users.yaml.
func (s *Shop) Users() http.Handler { return s.users }

// Orders returns the service of orders.yaml.
func (s *Shop) Orders() http.Handler { return s.ordering }

// Products returns a replica of the service of products.yaml, from 1 to Replicas. All replicas
// have the same state; each counts its own calls.
func (s *Shop) Products(replica int) http.Handler {
	return spoilable{s.replicas[replica-1], &s.faults[replica-1]}
}

// Calls returns how often the operations of "users", "orders" or "products" (all replicas
// together) were called, by operationId. It returns nil for another name.
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

// Image returns the image that was last uploaded for sku, nil if none was.
func (s *Shop) Image(sku string) []byte { return s.products.image(sku) }

// ChangeStatus sets the status of an order, as a warehouse would. Event streams and the webhook
// report it. It returns an error for an unknown order or status, and does nothing if the order
// has that status already.
func (s *Shop) ChangeStatus(orderID int64, to OrderStatus) error {
	if !slices.Contains(statuses, to) {
		return fmt.Errorf("services: there is no status %q", to)
	}
	_, err := s.orders.setStatus(orderID, to, nil)
	return err
}

// Token returns a token for id that the services, and a gateway with the same secret, accept
// for a day. It returns an error if Options.Secret has fewer than 32 bytes.
func (s *Shop) Token(id Identity) (string, error) {
	return devtoken.Sign(s.options.Secret, devtoken.Claims{
		Issuer: s.options.Issuer, Audience: s.options.Audience, Subject: id.Subject,
		Scope: id.Scope, Roles: id.Roles, TTL: 24 * time.Hour,
	})
}

// Close ends the event streams, and the webhook sender after a moment for queued events. The
// handlers continue to respond, but /healthz with 503. It may be called twice.
func (s *Shop) Close() {
	s.closing.Do(func() {
		close(s.closed)
		s.orders.feed.close()
		s.hooks.Close()
	})
}
