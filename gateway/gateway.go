// Package gateway runs a graph: it builds all parts of the program from the settings and connects them.
// The main package of a project passes the graph.
//
// It promises that a failed start stops what it has begun, and that stopping takes no longer than the
// settings allow.
package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/listen"
	"github.com/gatehouse-graphql/gatehouse/gateway/metrics"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
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
	// Notice returns a text that the page of services shows above them, "" for none. It must be safe for
	// concurrent use. Default none.
	Notice func() string
	// Ready is called once with the URL of the gateway, before the first request is accepted.
	// Default nil, which is not called.
	Ready func(url string)
}

// Serve builds each part from the settings, serves until ctx ends, and stops. Meanwhile it takes up
// changed settings, if start.Load is set. It returns an error if the gateway could not start or did
// not stop in time.
func Serve(ctx context.Context, start command.Start, g Graph) error {
	r, err := newRunning(ctx, start, g)
	if err != nil {
		return err
	}
	defer r.close()
	listener, err := r.listen("listen, or --listen", start.Config.Listen)
	if err != nil {
		return err
	}
	stopRedirecting, err := r.redirect(listener.Addr())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer stopRedirecting()
	scheme := "http"
	if r.tls != nil {
		scheme = "https"
	}
	if g.Ready != nil {
		g.Ready(scheme + "://" + browserAddress(listener.Addr()))
	}
	defer r.startReloading(ctx)()
	r.log.Info("serving", "address", listener.Addr().String(), "scheme", scheme, "playground", start.Config.Playground)
	options := serveOptions(start.Config)
	options.TLS = r.tls
	if err := r.front.Serve(ctx, listener, options); err != nil {
		return err
	}
	r.log.Info("stopped")
	return nil
}

// listen listens for clients on an address, which a setting has.
func (r *running) listen(setting, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w; choose another address with %s", err, setting)
	}
	return r.proxied.Listener(listener, r.front.HeaderTimeout()), nil
}

// redirect redirects plain HTTP to HTTPS, which is served at an address, if the settings say so, until stop is
// called.
func (r *running) redirect(https net.Addr) (stop func(), err error) {
	if r.start.Config.TLS.Redirect == "" {
		return func() {}, nil
	}
	listener, err := r.listen("tls.redirect", r.start.Config.TLS.Redirect)
	if err != nil {
		return nil, err
	}
	return r.tls.ServeRedirect(listen.Redirect{Listener: listener, HTTPS: https, Health: r.front.Health()}, r.log), nil
}

// serveOptions returns how the front stops.
func serveOptions(c *config.Config) front.ServeOptions {
	return front.ServeOptions{Delay: c.Shutdown.Delay, Grace: c.Shutdown.Grace}
}

// logStart logs what is started: version, settings file and sources.
func logStart(log *slog.Logger, start command.Start) {
	sources := map[string][]string{}
	for name, source := range start.Config.Sources {
		for _, replica := range source.URLs {
			sources[name] = append(sources[name], replica.URL)
		}
	}
	log.Info("starting", "version", cmp.Or(start.Version, "unknown"), "config", start.ConfigFile, "sources", sources)
}

// warnGuards warns of a graph whose guarded fields no caller can read, since no token is accepted.
func warnGuards(log *slog.Logger, settings *config.Config, schema graphql.ExecutableSchema) {
	guarded, ok := schema.(interface{ HasGuards() bool }) // as generated schemas are
	if len(settings.Auth.Issuers) == 0 && ok && guarded.HasGuards() {
		log.Warn("the graph has fields for authenticated callers, but no issuer is configured, so that every token is refused; add the issuer of your tokens under auth.issuers")
	}
}

// loadOf returns what the metrics show of the gateway's load.
func loadOf(f *front.Front, start command.Start) metrics.Load {
	load := f.Load()
	refused := load.Operations.Refused
	shown := metrics.Load{
		Operations: map[string]metrics.Operations{},
		Limit:      int64(load.Operations.Limit),
		Refused: map[string]int64{
			"operations": refused.Queue + refused.Wait, "caller": refused.Caller, "memory": load.Memory.Refused,
			"cpu_watermark": refused.CPU, "memory_watermark": refused.Memory,
		},
		Memory: load.Memory.Used, MaxMemory: load.Memory.Max,
	}
	for class, n := range load.Classes {
		if len(load.Classes) == 1 {
			class = "" // no class has turns of its own
		}
		shown.Operations[class] = metrics.Operations{Running: int64(n.Running), Waiting: int64(n.Waiting), Queued: int64(n.Queued)}
	}
	if start.LostLogLines != nil {
		shown.LostLogLines = start.LostLogLines()
	}
	return shown
}

// browserAddress returns an address that a browser on this machine can open.
func browserAddress(a net.Addr) string {
	host, port, _ := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); ip != nil && (ip.IsUnspecified() || ip.IsLoopback()) {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
