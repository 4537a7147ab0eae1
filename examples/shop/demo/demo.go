// Package demo runs the shop's services inside the gateway's process: gateway --demo.
//
// It starts them on free loopback ports, points the gateway's settings at them, signs tokens
// for the sample callers, and prints where everything is.
package demo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/operations"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// Demo is the running shop. A nil Demo is one that was not asked for: its methods do nothing.
type Demo struct {
	running *services.Running
	secret  []byte
	tokens  map[string]string // by the name of the identity
	chaos   *Chaos            // nil without
}

// Start starts the shop's services, whose tokens are signed with GATEWAY_DEMO_SECRET, or a random
// key. Close stops the services; the end of ctx does not, because requests that still run need
// them.
func Start(ctx context.Context) (*Demo, error) {
	secret, err := services.DemoSecret(os.Getenv("GATEWAY_DEMO_SECRET"))
	if err != nil {
		return nil, err
	}
	shop := services.New(services.Options{Secret: secret})
	running, err := shop.Start(context.WithoutCancel(ctx), services.Addresses{})
	if err != nil {
		return nil, err
	}
	d := &Demo{running: running, secret: secret, tokens: map[string]string{}}
	for _, identity := range services.Identities() {
		if d.tokens[identity.Name], err = shop.Token(identity); err != nil {
			running.Close()
			return nil, err
		}
	}
	return d, nil
}

// Configure changes the settings to use the services: the sources' URLs, one issuer with the key of
// the tokens, and the key of cursors unless c has one.
func (d *Demo) Configure(c *config.Config) { Configure(c, d.running, d.secret) }

// Configure changes the settings to those of a gateway before the running shop, whose tokens
// are signed with secret. Settings of the sources other than their URLs and forwarded headers
// stay as they are.
func Configure(c *config.Config, running *services.Running, secret []byte) {
	c.Auth.Issuers = []auth.Issuer{{
		Issuer: services.DemoIssuer, Audiences: []string{services.DemoAudience},
		Algorithms: []string{"HS256"}, Secret: string(secret),
	}}
	c.Cursors.Secret = cmp.Or(c.Cursors.Secret, string(secret))
	if c.Sources == nil {
		c.Sources = config.Sources{}
	}
	for name, urls := range map[string][]string{
		"users":    {running.Users},
		"orders":   {running.Orders},
		"products": running.Products[:],
	} {
		source := c.Sources[name]
		source.URLs = upstreams.URLs(urls...)
		if name != "products" { // which is public
			source.Forward = []string{"Authorization"}
		}
		c.Sources[name] = source
	}
}

// Close stops the services.
func (d *Demo) Close() {
	if d != nil {
		d.chaos.close()
		d.running.Close()
	}
}

// Playground returns what the playground opens with: the sample operations, in a demo with
// tokens that may run them.
func (d *Demo) Playground() playground.Options {
	o := playground.Options{Headers: d.headers(services.Customer)}
	for _, op := range operations.All() {
		identity := services.Customer
		if op.Admin {
			identity = services.Admin
		}
		o.Examples = append(o.Examples, playground.Example{Name: op.Name, Query: op.Text, Headers: d.headers(identity)})
	}
	return o
}

// headers returns the request headers of a caller as the playground shows them, "" without a demo.
func (d *Demo) headers(identity services.Identity) string {
	if d == nil {
		return ""
	}
	text, _ := json.MarshalIndent(map[string]string{"Authorization": "Bearer " + d.tokens[identity.Name]}, "", "  ") // cannot fail
	return string(text)
}

// Announce prints the URLs of the gateway and its services, and the tokens.
func (d *Demo) Announce(out io.Writer, gatewayURL string) {
	if d == nil {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nGatehouse, with the shop's services inside.\n\n")
	fmt.Fprintf(w, "  Playground\t%s/\n", gatewayURL)
	fmt.Fprintf(w, "  GraphQL\t%s/graphql\n", gatewayURL)
	fmt.Fprintf(w, "  Services, live\t%s/services\n", gatewayURL)
	fmt.Fprintf(w, "  users\t%s\n  orders\t%s\n", d.running.Users, d.running.Orders)
	for i, url := range d.running.Products {
		fmt.Fprintf(w, "  products, replica %d\t%s\n", i+1, url)
	}
	w.Flush()
	fmt.Fprintf(out, "\nTokens, to paste into a shell, for the header \"Authorization: Bearer $TOKEN\":\n\n")
	for _, identity := range services.Identities() {
		fmt.Fprintf(out, "  %s (%s; %s)\n  export TOKEN=%s\n\n", identity.Name, identity.Subject, identity.Scope, d.tokens[identity.Name])
	}
	fmt.Fprintf(out, "Stop with Ctrl-C.\n\n")
}
