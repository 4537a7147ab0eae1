package main

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
)

// demo is the shop inside the gateway's process, for trying out.
type demo struct {
	running *services.Running
	tokens  map[string]string // by the name of the identity
}

// startDemo starts the shop's services on free ports and points the settings at them:
// the sources' urls, one issuer with a key of its own, and the same for cursors.
func startDemo(ctx context.Context, c *config.Config) (*demo, error) {
	secret, err := services.DemoSecret(os.Getenv("GATEWAY_DEMO_SECRET"))
	if err != nil {
		return nil, err
	}
	shop := services.New(services.Options{Secret: secret})
	// The services outlive the signal to stop: what runs then still needs them.
	running, err := shop.Start(context.WithoutCancel(ctx), services.Addresses{})
	if err != nil {
		return nil, err
	}
	d := &demo{running: running, tokens: map[string]string{}}
	for _, who := range services.Identities() {
		if d.tokens[who.Name], err = shop.Token(who); err != nil {
			running.Close()
			return nil, err
		}
	}
	c.Auth.Issuers = []auth.Issuer{{
		Issuer: services.DemoIssuer, Audiences: []string{services.DemoAudience},
		Algorithms: []string{"HS256"}, Secret: string(secret),
	}}
	c.Cursors.Secret = cmp.Or(c.Cursors.Secret, string(secret))
	d.pointAt(c)
	return d, nil
}

// pointAt makes the settings' sources those of the demo: their urls, and who gets the
// caller's token. What else the settings say of them stays.
func (d *demo) pointAt(c *config.Config) {
	if c.Sources == nil {
		c.Sources = config.Sources{}
	}
	for name, urls := range map[string][]string{
		"users":    {d.running.Users},
		"orders":   {d.running.Orders},
		"products": d.running.Products[:],
	} {
		source := c.Sources[name]
		source.URLs = urls
		if name != "products" {
			source.Forward = []string{"Authorization"}
		}
		c.Sources[name] = source
	}
}

// Close stops the services. A nil demo has none.
func (d *demo) Close() {
	if d != nil {
		d.running.Close()
	}
}

// playground is what the page opens with: ready queries, in a demo with tokens that may
// run them.
func (d *demo) playground() playground.Options {
	o := playground.Options{Headers: d.headers(services.Customer)}
	for _, op := range operations.All() {
		who := services.Customer
		if op.Admin {
			who = services.Admin
		}
		o.Examples = append(o.Examples, playground.Example{Name: op.Name, Query: op.Text, Headers: d.headers(who)})
	}
	return o
}

// headers are those of a caller, as the playground shows them; "" without a demo.
func (d *demo) headers(who services.Identity) string {
	if d == nil {
		return ""
	}
	text, _ := json.MarshalIndent(map[string]string{"Authorization": "Bearer " + d.tokens[who.Name]}, "", "  ") // cannot fail
	return string(text)
}

// announce tells people where everything is. A nil demo has nothing to tell.
func (d *demo) announce(out io.Writer, gateway string) {
	if d == nil {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nGatehouse, with the shop's services inside.\n\n")
	fmt.Fprintf(w, "  Playground\t%s/\n", gateway)
	fmt.Fprintf(w, "  GraphQL\t%s/graphql\n", gateway)
	fmt.Fprintf(w, "  users\t%s\n  orders\t%s\n", d.running.Users, d.running.Orders)
	for i, url := range d.running.Products {
		fmt.Fprintf(w, "  products, replica %d\t%s\n", i+1, url)
	}
	w.Flush()
	fmt.Fprintf(out, "\nTokens, for the header \"Authorization: Bearer ...\":\n\n")
	for _, who := range services.Identities() {
		fmt.Fprintf(out, "  %s (%s; %s)\n  %s\n\n", who.Name, who.Subject, who.Scope, d.tokens[who.Name])
	}
	fmt.Fprintf(out, "Stop with Ctrl-C.\n\n")
}
