// Command gateway serves the shop's graph over its REST services. This file builds each
// part once, starts it, waits and stops; nothing else knows all of them.
package main

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
	"github.com/gatehouse-graphql/gatehouse/graph"
	"github.com/gatehouse-graphql/gatehouse/resolvers"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

func main() {
	os.Exit(command.Main(command.Program{
		Short:    "The shop's GraphQL gateway",
		Issuer:   services.DemoIssuer,
		Audience: services.DemoAudience,
		Run:      run,
	}))
}

// run serves until ctx ends, then stops within the settings' bounds.
func run(ctx context.Context, start command.Start) error {
	settings := start.Config
	var shop *demo
	if start.Mode.Demo {
		var err error
		if shop, err = startDemo(ctx, settings); err != nil {
			return err
		}
		defer shop.Close()
	}

	backends, err := upstreams.New(upstreams.Options(settings.Sources), start.Log)
	if err != nil {
		return err
	}
	defer backends.Close()
	if err := backends.Need(resolvers.Needs); err != nil {
		return err
	}

	verifying, stopVerifying := context.WithCancel(context.WithoutCancel(ctx))
	verifier, err := auth.NewVerifier(verifying, auth.Options(settings.Auth))
	if err != nil {
		stopVerifying()
		return err
	}
	defer verifier.Wait()
	defer stopVerifying()

	served, err := front.New(settings.Front(), front.Deps{
		Schema:     graph.NewSchema(&resolvers.Resolver{Services: backends}),
		Verify:     verifier.Verify,
		Log:        start.Log,
		Playground: playground.Handler(shop.playground()),
	})
	if err != nil {
		return err
	}

	listener, err := net.Listen("tcp", settings.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen: %w; choose another address with --listen", err)
	}
	if shop != nil {
		shop.announce(start.Out, "http://"+reachable(listener.Addr()))
	}
	start.Log.Info("serving", "address", listener.Addr().String(), "playground", settings.Playground)
	return served.Serve(ctx, listener, front.ServeOptions{Delay: settings.Shutdown.Delay, Grace: settings.Shutdown.Grace})
}

// reachable is an address to type into a browser.
func reachable(a net.Addr) string {
	host, port, _ := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
