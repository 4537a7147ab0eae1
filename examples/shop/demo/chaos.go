package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
)

// The times of the chaos: a replica has a fault for faultTime, and then all are healthy for calmTime. A
// query is sent each queryInterval.
const (
	faultTime     = 20 * time.Second
	calmTime      = 15 * time.Second
	firstCalm     = 5 * time.Second
	queryInterval = 50 * time.Millisecond
	maxQueries    = 50 // at the same time
)

// chaosOperation is the query of the chaos. The access log leaves it out: see WithoutChaos.
const (
	chaosOperation = "ChaosLoad"
	chaosQuery     = "query " + chaosOperation + " { products(first: 3) { nodes { sku name } } }"
)

// Chaos spoils the replicas of products in turn, each time in another way, and sends queries to the
// gateway meanwhile. A nil Chaos is one that was not asked for: its methods do nothing.
type Chaos struct {
	shop     *services.Shop
	replicas [services.Replicas]string // URLs
	out      io.Writer
	client   *http.Client
	stop     context.CancelFunc
	running  sync.WaitGroup

	sent, succeeded atomic.Int64
	phase           atomic.Pointer[phase]
}

// phase is what happens now.
type phase struct {
	text  string
	until time.Time
}

// StartChaos begins the chaos for the gateway at a URL, and prints to out what it does. Close of the demo
// ends it.
func (d *Demo) StartChaos(gatewayURL string, out io.Writer) *Chaos {
	ctx, stop := context.WithCancel(context.Background())
	c := &Chaos{shop: d.running.Shop(), replicas: d.running.Products, out: out, stop: stop, client: &http.Client{
		Timeout: 30 * time.Second,
		Transport: &http.Transport{
			MaxIdleConnsPerHost: maxQueries,
			// The gateway is in this process, and its certificate may have another name than localhost.
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		},
	}}
	fmt.Fprintf(out, "Chaos: a replica of products fails in turn, while queries go on. Watch %s/services\n\n", gatewayURL)
	c.running.Go(func() { c.spoil(ctx) })
	c.running.Go(func() { c.load(ctx, gatewayURL+"/graphql") })
	d.chaos = c
	return c
}

// spoil gives each replica in turn the next fault, until ctx ends.
func (c *Chaos) spoil(ctx context.Context) {
	c.begin("all replicas of products are healthy", firstCalm)
	if !wait(ctx, firstCalm) {
		return
	}
	faults := services.Faults()
	for i := 0; ; i++ {
		replica, fault := i%services.Replicas+1, faults[i%len(faults)]
		c.shop.Spoil(replica, fault)
		c.begin(fmt.Sprintf("replica %d of products, %s, has a fault: %s", replica, c.replicas[replica-1], fault), faultTime)
		going := wait(ctx, faultTime)
		c.shop.Spoil(replica, services.Healthy)
		if !going {
			return
		}
		c.begin(fmt.Sprintf("replica %d of products is healthy again", replica), calmTime)
		if !wait(ctx, calmTime) {
			return
		}
	}
}

// begin prints what happens from now on.
func (c *Chaos) begin(text string, d time.Duration) {
	c.phase.Store(&phase{text, time.Now().Add(d)})
	fmt.Fprintf(c.out, "Chaos: %s, for %v\n", text, d)
}

// wait reports whether the time passed before ctx ended.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// load sends queries until ctx ends, and waits for those that run.
func (c *Chaos) load(ctx context.Context, url string) {
	var queries sync.WaitGroup
	defer queries.Wait()
	slots := make(chan struct{}, maxQueries)
	ticks := time.NewTicker(queryInterval)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		select {
		case slots <- struct{}{}:
			queries.Go(func() { defer func() { <-slots }(); c.query(ctx, url) })
		default: // the gateway is too slow for more
		}
	}
}

// query sends one query, and counts it if its result is known.
func (c *Chaos) query(ctx context.Context, url string) {
	body, _ := json.Marshal(map[string]string{"query": chaosQuery}) // cannot fail
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.client.Do(request)
	if ctx.Err() != nil {
		return
	}
	c.sent.Add(1)
	if err != nil {
		return
	}
	defer response.Body.Close()
	var result struct{ Errors []any }
	if json.NewDecoder(response.Body).Decode(&result) == nil && response.StatusCode == http.StatusOK && len(result.Errors) == 0 {
		c.succeeded.Add(1)
	}
}

// Notice says what happens, for the page of services.
func (c *Chaos) Notice() string {
	if c == nil {
		return ""
	}
	p := c.phase.Load()
	if p == nil {
		return ""
	}
	left := max(time.Until(p.until).Round(time.Second), 0)
	return fmt.Sprintf("Chaos: %s, for %v more. %d queries were sent, and %d of them succeeded.", p.text, left, c.sent.Load(), c.succeeded.Load())
}

// close ends the chaos and heals the replicas.
func (c *Chaos) close() {
	if c == nil {
		return
	}
	c.stop()
	c.running.Wait()
	c.client.CloseIdleConnections()
}

// WithoutChaos returns a log without the lines of the access log for the queries of the chaos, which
// would hide all others.
func WithoutChaos(log *slog.Logger) *slog.Logger { return slog.New(withoutChaos{log.Handler()}) }

type withoutChaos struct{ slog.Handler }

func (h withoutChaos) Handle(ctx context.Context, r slog.Record) error {
	ofChaos := false
	r.Attrs(func(a slog.Attr) bool {
		ofChaos = ofChaos || a.Key == "operation" && a.Value.String() == chaosOperation
		return !ofChaos
	})
	if ofChaos {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func (h withoutChaos) WithAttrs(attrs []slog.Attr) slog.Handler {
	return withoutChaos{h.Handler.WithAttrs(attrs)}
}

func (h withoutChaos) WithGroup(name string) slog.Handler {
	return withoutChaos{h.Handler.WithGroup(name)}
}
