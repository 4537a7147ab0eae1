// Package gateway runs a graph. It knows every part of the running program and no service:
// the program's own main hands in the graph.
//
// It promises that what a failed start has begun is stopped again, and that stopping ends
// within the settings' bounds.
package gateway

import (
	"context"
	"fmt"
	"net"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/metrics"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
	"github.com/gatehouse-graphql/gatehouse/gateway/redact"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// Graph is what a gateway serves.
type Graph struct {
	// Schema makes the graph over its services. Required.
	Schema func(*upstreams.Services) graphql.ExecutableSchema
	// Requirements is what the graph's bindings need of the settings, without which the gateway
	// does not start: resolvers.Requirements.
	Requirements upstreams.Requirements
	// Playground is what the page opens with. Default no examples.
	Playground playground.Options
	// Ready hears once where the gateway listens, as an address to type into a browser,
	// before the first request is taken. Default nobody does.
	Ready func(url string)
}

// Serve builds each part by the settings, serves until ctx ends, then stops. Its error says
// why it could not start, or did not stop in time.
func Serve(ctx context.Context, start command.Start, g Graph) error {
	settings := start.Config
	log := redact.Logger(start.Log, settings.Secrets(), upstreams.ClientCredentials)
	backends, err := upstreams.New(upstreams.Options(settings.Sources), log)
	if err != nil {
		return err
	}
	defer backends.Close()
	if err := backends.CheckRequirements(g.Requirements); err != nil {
		return err
	}

	verifying, stopVerifying := context.WithCancel(context.WithoutCancel(ctx))
	tokens := auth.Options(settings.Auth)
	tokens.Log = log
	verifier, err := auth.NewVerifier(verifying, tokens)
	if err != nil {
		stopVerifying()
		return err
	}
	defer verifier.Wait()
	defer stopVerifying()

	deps := front.Deps{
		Schema:     g.Schema(backends),
		Verify:     verifier.Verify,
		Forwarded:  backends.Forwarded(),
		Log:        log,
		Playground: playground.Handler(g.Playground),
	}
	stopMetrics, err := newMetrics(&deps, settings.Metrics)
	if err != nil {
		return err
	}
	defer stopMetrics()
	served, err := front.New(settings.Front(), deps)
	if err != nil {
		return err
	}

	listener, err := net.Listen("tcp", settings.Listen)
	if err != nil {
		return fmt.Errorf("cannot listen: %w; choose another address with --listen", err)
	}
	if g.Ready != nil {
		g.Ready("http://" + browserAddress(listener.Addr()))
	}
	log.Info("serving", "address", listener.Addr().String(), "playground", settings.Playground)
	return served.Serve(ctx, listener, front.ServeOptions{Delay: settings.Shutdown.Delay, Grace: settings.Shutdown.Grace})
}

// newMetrics has the front's operations counted, where the counts are shown to somebody.
func newMetrics(d *front.Deps, o config.Metrics) (stop func(), err error) {
	stop = func() {}
	if !o.Public && o.Listen == "" {
		return stop, nil
	}
	m, err := metrics.New(d.Log)
	if err != nil {
		return nil, err
	}
	d.OnOperation = m.CountOperation
	if o.Public {
		d.Metrics = m.Handler()
	}
	if o.Listen != "" {
		stop, err = m.Serve(o.Listen, d.Log)
	}
	return stop, err
}

// browserAddress is an address to type into a browser.
func browserAddress(a net.Addr) string {
	host, port, _ := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
