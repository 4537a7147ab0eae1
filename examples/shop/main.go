// Command shop serves the sample services without a gateway, on the ports that their OpenAPI
// documents name, until it is interrupted. It prints the URLs and two tokens.
//
// GATEWAY_DEMO_SECRET (32 bytes or more) is the key that signs the tokens; without it, the key
// is random. SHOP_WEBHOOK_URL receives the status changes of orders, signed with
// SHOP_WEBHOOK_SECRET.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Stdout, os.Getenv, services.DocumentedAddresses()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, out io.Writer, getenv func(string) string, at services.Addresses) error {
	secret, err := services.DemoSecret(getenv("GATEWAY_DEMO_SECRET"))
	if err != nil {
		return err
	}
	shop := services.New(services.Options{
		Secret:        secret,
		WebhookURL:    getenv("SHOP_WEBHOOK_URL"),
		WebhookSecret: []byte(getenv("SHOP_WEBHOOK_SECRET")),
		Log:           slog.Default(),
	})
	running, err := shop.Start(ctx, at)
	if err != nil {
		return err
	}
	defer running.Close()
	if err := greet(out, shop, running); err != nil {
		return err
	}
	return running.Wait()
}

// greet prints the URLs of the services and the tokens for them.
func greet(out io.Writer, shop *services.Shop, at *services.Running) error {
	fmt.Fprintf(out, "users     %s\norders    %s\n", at.Users, at.Orders)
	for i, url := range at.Products {
		fmt.Fprintf(out, "products  %s (replica %d)\n", url, i+1)
	}
	for _, id := range services.Identities() {
		token, err := shop.Token(id)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n%s (%s)\n  export TOKEN=%s\n", id.Name, id.Subject, token)
	}
	return nil
}
