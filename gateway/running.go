package gateway

import (
	"context"
	"log/slog"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/listen"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
	"github.com/gatehouse-graphql/gatehouse/gateway/redact"
	"github.com/gatehouse-graphql/gatehouse/gateway/reload"
	"github.com/gatehouse-graphql/gatehouse/store"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// running has the parts of a gateway that runs. Each of them takes up changed settings by itself.
type running struct {
	start    command.Start
	graph    Graph
	log      *slog.Logger
	secrets  *redact.Secrets // of log
	schema   graphql.ExecutableSchema
	backends *upstreams.Services
	store    *store.Store
	verifier *auth.Verifier
	shown    *operators
	deps     front.Deps // those that no settings change
	front    *front.Front
	tls      *listen.Terminator // nil for plain HTTP
	proxied  *listen.Proxied
	reloader *reload.Reloader // nil if settings cannot be loaded again
	stops    []func()         // of the parts, in the order in which they were built
}

// newRunning builds the parts from the settings. If it fails, it stops those that are built already.
func newRunning(ctx context.Context, start command.Start, g Graph) (_ *running, err error) {
	settings := start.Config
	secrets := redact.NewSecrets(settings.Secrets())
	r := &running{start: start, graph: g, secrets: secrets, log: redact.Logger(start.Log, secrets, upstreams.ClientCredentials)}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	logStart(r.log, start)
	r.shown = newOperators(start, g.Notice, secrets)
	if r.backends, err = upstreams.New(upstreams.Options(settings.Sources), r.log, r.shown.observers()...); err != nil {
		return nil, err
	}
	r.stops = append(r.stops, r.backends.Close)
	if err := g.checkSources(settings, r.backends.Sources(), r.log); err != nil {
		return nil, err
	}

	if r.tls, err = listen.NewTerminator(settings.TLS, r.log); err != nil {
		return nil, err
	}
	r.stops = append(r.stops, r.tls.Close)
	r.proxied = listen.NewProxied(r.log)
	if err := r.proxied.Set(settings.ProxyProtocol); err != nil {
		return nil, err
	}

	verifierCtx, stopVerifier := context.WithCancel(context.WithoutCancel(ctx))
	r.stops = append(r.stops, stopVerifier)
	if r.verifier, err = auth.NewVerifier(verifierCtx, r.authOptions(settings)); err != nil {
		return nil, err
	}
	r.stops = append(r.stops, func() { stopVerifier(); r.verifier.Wait() })

	if r.store, err = store.New(store.Options(settings.Store), r.log); err != nil {
		return nil, err
	}
	r.stops = append(r.stops, r.store.Close)

	r.schema = g.Schema(r.backends)
	r.deps = front.Deps{Schema: r.schema, Store: r.store, Verify: r.verifier.Verify, Log: r.log}
	if err := r.shown.watch(r.backends, &r.deps); err != nil {
		return nil, err
	}
	if r.front, err = front.New(settings.Front(), r.depsOf(settings, r.backends.Sources())); err != nil {
		return nil, err
	}
	warnGuards(r.log, settings, r.schema)
	if start.Load != nil {
		r.reloader = reload.New(reload.Options{
			Running: settings, Load: start.Load, Apply: r.apply,
			File: start.ConfigFile, Hangups: start.Hangups, Log: r.log,
		})
	}
	r.stops = append(r.stops, r.shown.close)
	if err := r.shown.serve(r.front, r.store, r.tls, r.reloader, r.log); err != nil {
		return nil, err
	}
	return r, nil
}

// close stops the parts.
func (r *running) close() {
	for i := len(r.stops) - 1; i >= 0; i-- {
		r.stops[i]()
	}
}

func (r *running) authOptions(c *config.Config) auth.Options {
	o := auth.Options(c.Auth)
	o.Log = r.log
	return o
}

// depsOf returns what the front needs for requests whose calls go to sources.
func (r *running) depsOf(c *config.Config, sources *upstreams.Sources) front.Deps {
	page := r.graph.Playground
	if c.Introspection {
		page.Schema = front.SchemaPath
	}
	d := r.deps
	d.Forwarded, d.NoVary = sources.ForwardedHeaders(), sources.NoVaryHeaders()
	d.ResponseHeaders = sources.ResponseHeaders()
	d.WithClientHeaders = sources.WithClientHeaders
	d.Playground = playground.Handler(page)
	return d
}

// startReloading takes up changed settings until ctx ends or stop is called. stop waits for a reload that
// is running.
func (r *running) startReloading(ctx context.Context) (stop func()) {
	if r.reloader == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var reloading sync.WaitGroup
	reloading.Go(func() { r.reloader.Run(ctx) })
	return func() { cancel(); reloading.Wait() }
}

// apply has all parts take up settings, or none of them: each prepares what it needs, and says what is
// wrong, before the first one changes.
//
// The parts change one after the other, but a request sees one version of them: the front gives it the
// sources that were prepared with the version of the front that serves it.
func (r *running) apply(c *config.Config) (err error) {
	r.secrets.Add(c.Secrets()) // before anything is logged that may have them
	sources, err := r.backends.Prepare(upstreams.Options(c.Sources))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			sources.Discard()
		}
	}()
	if err := r.graph.checkSources(c, sources, r.log); err != nil {
		return err
	}
	useIssuers, err := r.verifier.Prepare(r.authOptions(c))
	if err != nil {
		return err
	}
	useStore, discardStore, err := r.store.Prepare(store.Options(c.Store))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			discardStore()
		}
	}()
	useFront, err := r.front.Prepare(c.Front(), r.depsOf(c, sources))
	if err != nil {
		return err
	}
	useTLS, err := r.tls.Prepare(c.TLS)
	if err != nil {
		return err
	}
	if err := r.proxied.Set(c.ProxyProtocol); err != nil { // the last one that may fail
		return err
	}
	for _, warning := range c.Warnings {
		r.log.Warn(warning)
	}
	warnGuards(r.log, c, r.schema)

	useTLS()
	useIssuers()
	useStore()
	useFront()
	r.backends.Use(sources)
	r.front.SetServeOptions(serveOptions(c))
	if r.start.SetLogLevel != nil {
		r.start.SetLogLevel(c.Log.Level)
	}
	return nil
}
