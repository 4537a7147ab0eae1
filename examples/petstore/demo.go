package main

import (
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/examples/petstore/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// demo is the pet store's service inside the process of the gateway.
type demo struct {
	running *services.Running
	secret  []byte
	tokens  map[string]string // by the name of the identity
}

// startDemo starts the service on a free port, with a key of its own for tokens.
func startDemo(ctx context.Context) (*demo, error) {
	secret, err := services.DemoSecret(os.Getenv("GATEWAY_DEMO_SECRET"))
	if err != nil {
		return nil, err
	}
	store := services.New(services.Options{Secret: secret})
	// The service runs until the gateway has stopped, since running operations still need it.
	running, err := store.Start(context.WithoutCancel(ctx), "")
	if err != nil {
		return nil, err
	}
	d := &demo{running: running, secret: secret, tokens: map[string]string{}}
	for _, who := range services.Identities() {
		if d.tokens[who.Name], err = store.Token(who); err != nil {
			running.Close()
			return nil, err
		}
	}
	return d, nil
}

// configure changes the settings accordingly: the source, one issuer, and the same key for cursors.
func (d *demo) configure(c *config.Config) { configure(c, d.running.URL, d.secret) }

// configure changes the settings to those of a service at url with this secret.
func configure(c *config.Config, url string, secret []byte) {
	c.Sources = config.Sources{"petstore": upstreams.Source{
		URLs:    upstreams.URLs(url),
		Forward: []string{"Authorization"},
		Config:  map[string]string{"apiKey": services.DemoAPIKey},
	}}
	c.Auth.Issuers = []auth.Issuer{{
		Issuer: services.DemoIssuer, Audiences: []string{services.DemoAudience},
		Algorithms: []string{"HS256"}, Secret: string(secret),
	}}
	c.Cursors.Secret = cmp.Or(c.Cursors.Secret, string(secret))
}

// Close stops the service. On a nil demo it does nothing.
func (d *demo) Close() {
	if d != nil {
		d.running.Close()
	}
}

//go:embed operations/*.graphql
var operations embed.FS

// samples are the sample operations of the playground, in order, each with an identity that may
// run it.
var samples = []struct {
	name string
	who  services.Identity
}{{"Pets", services.Customer}, {"Order", services.Customer}, {"Keep", services.Keeper}}

// playground returns the options of the page: sample operations, and in a demo tokens for them.
func (d *demo) playground() playground.Options {
	o := playground.Options{Title: "Pet store", Headers: d.headers(services.Customer)}
	for _, r := range samples {
		o.Examples = append(o.Examples, playground.Example{Name: r.name, Query: operation(r.name), Headers: d.headers(r.who)})
	}
	return o
}

// operation reads an embedded file. It panics if the file is missing, which a test rules out.
func operation(name string) string {
	text, err := operations.ReadFile("operations/" + name + ".graphql")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// headers returns the headers of a caller in the form of the playground; "" without a demo.
func (d *demo) headers(who services.Identity) string {
	if d == nil {
		return ""
	}
	text, _ := json.MarshalIndent(map[string]string{"Authorization": "Bearer " + d.tokens[who.Name]}, "", "  ") // cannot fail
	return string(text)
}

// print prints the URLs and the tokens. On a nil demo it does nothing.
func (d *demo) print(out io.Writer, gateway string) {
	if d == nil {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nThe pet store's gateway, with its service inside.\n\n")
	fmt.Fprintf(w, "  Playground\t%s/\n  GraphQL\t%s/graphql\n  service\t%s\n", gateway, gateway, d.running.URL)
	w.Flush()
	fmt.Fprintf(out, "\nTokens, to paste into a shell, for the header \"Authorization: Bearer $TOKEN\":\n\n")
	for _, who := range services.Identities() {
		fmt.Fprintf(out, "  %s (%s; %s)\n  export TOKEN=%s\n\n", who.Name, who.Subject, who.Scope, d.tokens[who.Name])
	}
	fmt.Fprintf(out, "Stop with Ctrl-C.\n\n")
}
