// Package gateway runs a graph: it builds all parts of the program from the settings and connects them.
// The main package of a project passes the graph.
//
// It promises that a failed start stops what it has begun, and that stopping takes no longer than the
// settings allow.
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

// Graph is the graph that a gateway serves.
type Graph struct {
	// Schema returns the executable schema over the services. It is called with nil for what
	// needs the schema alone. Required.
	Schema func(*upstreams.Services) graphql.ExecutableSchema
	// Requirements are the settings that the bindings of the graph need: resolvers.Requirements.
	// The gateway does not start without them.
	Requirements upstreams.Requirements
	// Playground has the examples of the playground. Default none.
	Playground playground.Options
	// Ready is called once with the URL of the gateway, before the first request is accepted.
	// Default nil, which is not called.
	Ready func(url string)
}

// Serve builds each part from the settings, serves until ctx ends, and stops. It returns an error if the
// gateway could not start or did not stop in time.
func Serve(ctx context.Context, start command.Start, g Graph) error {
	settings := start.Config
	log := redact.Logger(start.Log, settings.Secrets(), upstreams.ClientCredentials)
	backends, err := upstreams.New(upstreams.Options(settings.Sources), log)
	if err != nil {
		return err
	}
	defer backends.Close()
	if err := g.checkSources(settings, backends, log); err != nil {
		return err
	}

	verifierCtx, stopVerifier := context.WithCancel(context.WithoutCancel(ctx))
	authOptions := auth.Options(settings.Auth)
	authOptions.Log = log
	verifier, err := auth.NewVerifier(verifierCtx, authOptions)
	if err != nil {
		stopVerifier()
		return err
	}
	defer verifier.Wait()
	defer stopVerifier()

	deps := front.Deps{
		Schema:     g.Schema(backends),
		Verify:     verifier.Verify,
		Forwarded:  backends.ForwardedHeaders(),
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

// newMetrics connects metrics with the front if the settings have a place for them, and serves them on
// an address of their own if there is one. Without a place nothing is counted.
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

// browserAddress returns an address that a browser on this machine can open.
func browserAddress(a net.Addr) string {
	host, port, _ := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
