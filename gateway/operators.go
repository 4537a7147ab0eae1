package gateway

import (
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/admin"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/listen"
	"github.com/gatehouse-graphql/gatehouse/gateway/metrics"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground"
	"github.com/gatehouse-graphql/gatehouse/gateway/redact"
	"github.com/gatehouse-graphql/gatehouse/gateway/reload"
	"github.com/gatehouse-graphql/gatehouse/store"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/observe"
)

// operators has what operators and developers see of the gateway: metrics, the pages of the admin
// listener, and the page of services. Without any of them nothing is counted.
type operators struct {
	start    command.Start
	started  time.Time
	notice   func() string // of the page of services; nil for none
	secrets  *redact.Secrets
	stats    *observe.Stats      // nil if nothing shows it
	services *upstreams.Services // set by watch
	counters *metrics.Metrics    // nil without metrics
	stops    []func()
}

func newOperators(start command.Start, notice func() string, secrets *redact.Secrets) *operators {
	o := &operators{start: start, started: time.Now(), notice: notice, secrets: secrets}
	if o.hasMetrics() || o.hasPage() {
		o.stats = &observe.Stats{}
	}
	return o
}

// hasMetrics reports whether the settings have a place for metrics.
func (o *operators) hasMetrics() bool {
	c := o.start.Config
	return c.Metrics.Public || c.Metrics.Listen != "" || c.Admin.Listen != ""
}

// hasPage reports whether the page of services is served. It shows the addresses of services to any
// client.
func (o *operators) hasPage() bool { return o.start.Mode.Dev || o.start.Mode.Demo }

// observers returns the observers of the services.
func (o *operators) observers() []observe.Observer {
	if o.stats == nil {
		return nil
	}
	return []observe.Observer{o.stats}
}

// watch shows the services, and connects metrics and the page of services with the front.
func (o *operators) watch(s *upstreams.Services, d *front.Deps) (err error) {
	o.services = s
	if o.hasPage() {
		d.Services = playground.ServicesHandler(admin.JSON(func() any { return o.servicesState() }))
	}
	if !o.hasMetrics() {
		return nil
	}
	if o.counters, err = metrics.New(d.Log); err != nil {
		return err
	}
	d.OnOperation, d.OnDegraded, d.OnRefused = o.counters.CountOperation, o.counters.CountDegraded, o.counters.CountRefused
	d.OnDocument = o.counters.CountDocument
	d.OnCost = o.counters.CountCost
	if o.start.Config.Metrics.Public {
		d.Metrics = o.counters.Handler()
	}
	o.counters.ObserveSources(o.sources)
	return nil
}

// serve serves metrics and the pages of operators on the addresses that the settings have for them, and
// shows the load of the front, connections, and what reloads have done. Of those, t and r may be nil.
func (o *operators) serve(f *front.Front, shared *store.Store, t *listen.Terminator, r *reload.Reloader, log *slog.Logger) error {
	o.counters.ObserveRateLimits(f.RateLimits, shared.Stats)
	o.counters.ObserveLoad(func() metrics.Load { return loadOf(f, o.start) })
	o.counters.ObserveConnections(func() metrics.Connections { return connectionsOf(f, t) })
	if r != nil {
		o.counters.ObserveReloads(func() metrics.Reloads { return reloadsOf(r.State()) })
	}
	if address := o.start.Config.Metrics.Listen; address != "" {
		stop, err := o.counters.Serve(address, log)
		if err != nil {
			return err
		}
		o.stops = append(o.stops, stop)
	}
	if address := o.start.Config.Admin.Listen; address != "" {
		stop, err := admin.Server{Name: "the admin listener", Setting: "admin.listen", Address: address, Handler: o.pages(r)}.Start(log)
		if err != nil {
			return err
		}
		o.stops = append(o.stops, stop)
	}
	return nil
}

// close stops the listeners.
func (o *operators) close() {
	for _, stop := range o.stops {
		stop()
	}
}

// connectionsOf returns what the metrics show of connections. t is nil without TLS.
func connectionsOf(f *front.Front, t *listen.Terminator) metrics.Connections {
	c := f.Load().Connections
	return metrics.Connections{
		Open: c.Open, Max: c.Max, Refused: c.Refused, Evicted: c.Evicted, Reset: c.Reset,
		FailedHandshakes: t.FailedHandshakes(), Certificates: t.Expiry(),
	}
}

// reloadsOf returns what the metrics show of reloads.
func reloadsOf(s reload.State) metrics.Reloads {
	return metrics.Reloads{
		Applied: s.Applied, Refused: s.Refused,
		LastApplied: s.LoadedAt, LastWasApplied: s.Last == nil || s.Last.Outcome == reload.Applied,
	}
}

// pages returns the pages of the admin listener. r is nil if settings cannot be loaded again.
func (o *operators) pages(r *reload.Reloader) http.Handler {
	p := admin.New()
	p.HandleJSON("GET /sources", "services and their endpoints: health, load, last errors", func() any { return o.servicesState() })
	p.HandleJSON("GET /build", "the version that runs, and since when", func() any { return o.build() })
	if r != nil {
		p.HandleJSON("GET /settings", "which settings are in use, and the last reload", func() any { return r.State() })
		p.Handle("POST "+reload.Path, "loads the settings again", r.Handler())
	}
	p.Handle("GET "+metrics.Path, "metrics in the format of Prometheus", o.counters.Handler())
	return p
}

// servicesState is the state of the services, as the admin listener and the page show it.
type servicesState struct {
	// Time is when the state was read.
	Time time.Time `json:"time"`
	// Notice is a text for the reader.
	Notice string `json:"notice,omitempty"`
	// Bounds are the upper bounds of the buckets of durations, in seconds.
	Bounds []float64 `json:"bounds"`
	// Sources are the services.
	Sources []upstreams.SourceStatus `json:"sources"`
}

func (o *operators) servicesState() servicesState {
	s := servicesState{Time: time.Now(), Bounds: observe.Bounds(), Sources: o.sources()}
	if o.notice != nil {
		s.Notice = o.notice()
	}
	return s
}

// maxReason is how many bytes are shown of the reason for a failed attempt.
const maxReason = 300

// sources returns the status of the services without secrets.
func (o *operators) sources() []upstreams.SourceStatus {
	all := o.services.Status(o.stats)
	for i := range all {
		for j := range all[i].Endpoints {
			if last := all[i].Endpoints[j].LastError; last != nil && last.Reason != "" {
				shown := *last
				shown.Reason = o.secrets.Text(last.Reason)
				shown.Reason = shown.Reason[:min(len(shown.Reason), maxReason)]
				all[i].Endpoints[j].LastError = &shown
			}
		}
	}
	return all
}

// build identifies what runs.
type build struct {
	Version string    `json:"version"`
	Go      string    `json:"go"`
	Started time.Time `json:"started"`
}

func (o *operators) build() build { return build{o.start.Version, runtime.Version(), o.started} }
