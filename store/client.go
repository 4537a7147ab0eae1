package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxFailures is the number of failures in a row after which Redis is not asked any more. A single slow
	// answer is not enough.
	maxFailures = 5
	// maxWaiting is how many operations wait for Redis at the same time. Each of them has a goroutine.
	maxWaiting = 4096
	// firstCheck and maxCheck are the shortest and the longest time between two checks of a Redis that
	// does not answer.
	firstCheck = 50 * time.Millisecond
	maxCheck   = time.Second
	// steadyTime is how long Redis has to be up before checks begin with firstCheck again.
	steadyTime = 10 * time.Second
	// minIOTimeout is the shortest time after which a connection is closed on which Redis does not
	// answer.
	minIOTimeout = time.Second
	// startTime is how long newClient waits for the first connection.
	startTime = time.Second
)

// errTimeout is the error of an operation that Redis has not answered within the bound.
var errTimeout = fmt.Errorf("%w: no answer in time", ErrUnavailable)

// client is the client of one Redis, and a circuit that opens when Redis stops answering. A goroutine
// of its own then checks until it answers again.
type client struct {
	options Redis
	log     *slog.Logger
	redis   redis.UniversalClient

	up       atomic.Bool  // the circuit is closed
	failures atomic.Int32 // since the last success
	waiting  atomic.Int32 // operations that have not ended
	broken   chan error   // tells the goroutine that the circuit has opened, and why

	ok, failed, timedOut, skipped, lost atomic.Int64

	stop    context.CancelFunc
	running sync.WaitGroup
}

var silence sync.Once

// newClient returns a client that is connected, or that tries to connect in the background.
func newClient(o Redis, log *slog.Logger) (*client, error) {
	connect, err := o.connect()
	if err != nil {
		return nil, err
	}
	silence.Do(func() { redis.SetLogger(discard{}) }) // it writes each failed dial to stderr
	ctx, stop := context.WithCancel(context.Background())
	c := &client{options: o, log: log, redis: redis.NewUniversalClient(connect), broken: make(chan error, 1), stop: stop}
	first := make(chan struct{})
	c.running.Go(func() { c.watch(ctx, first) })
	select {
	case <-first:
	case <-time.After(startTime):
	}
	return c, nil
}

type discard struct{}

func (discard) Printf(context.Context, string, ...any) {}

// ioTimeout is how long a connection waits for Redis. It is much longer than operations do, so that
// a pause does not cost the connections.
func (c *client) ioTimeout() time.Duration { return max(minIOTimeout, 20*c.options.timeout()) }

// begin reports whether an operation may be sent. If so, end must be called.
func (c *client) begin() bool {
	if c.up.Load() && c.waiting.Add(1) <= maxWaiting {
		return true
	} else if c.up.Load() {
		c.waiting.Add(-1)
	}
	c.skipped.Add(1)
	return false
}

func (c *client) end() { c.waiting.Add(-1) }

// record counts the outcome of an operation and returns its error, as ErrUnavailable if Redis could
// not execute it.
func (c *client) record(err error) error {
	if !isFailure(err) {
		c.ok.Add(1)
		if c.failures.Load() != 0 { // a load, since a store by each operation would be contended
			c.failures.Store(0)
		}
		return err
	}
	if errors.Is(err, errTimeout) {
		c.timedOut.Add(1)
	} else {
		c.failed.Add(1)
		err = fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if c.failures.Add(1) >= maxFailures && c.up.CompareAndSwap(true, false) {
		c.lost.Add(1)
		c.broken <- err // has room: the goroutine reads it before it sets up again
	}
	return err
}

// isFailure reports whether an error says that Redis cannot be used, and not that the operation was
// wrong. Redis refuses all writes while it loads its data, follows another server or has no memory.
func isFailure(err error) bool {
	if err == nil || errors.Is(err, ErrNotFound) || errors.Is(err, redis.Nil) {
		return false
	}
	if refusal, ok := errors.AsType[redis.Error](err); ok {
		code, _, _ := strings.Cut(refusal.Error(), " ")
		switch code {
		case "LOADING", "READONLY", "OOM", "MISCONF", "NOAUTH", "WRONGPASS", "NOPERM", "CLUSTERDOWN", "MASTERDOWN", "NOREPLICAS", "TRYAGAIN", "BUSY":
			return true
		}
		return false
	}
	return true
}

// watch connects, and checks Redis while the circuit is open. It closes first after the first check.
func (c *client) watch(ctx context.Context, first chan<- struct{}) {
	err := c.check(ctx)
	if err == nil {
		c.up.Store(true)
	}
	close(first)
	var since time.Time // when Redis came up
	if err == nil {
		since = time.Now()
		if err = c.awaitBreak(ctx); err == nil {
			return
		}
	}
	pause := firstCheck
	for ctx.Err() == nil {
		if time.Since(since) > steadyTime {
			pause = firstCheck
		}
		c.log.Warn("Redis does not answer, and is not asked until it does", "error", err.Error())
		lostAt := time.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(pause + rand.N(pause/4)): // replicas do not check at the same moments
			}
			pause = min(2*pause, maxCheck)
			if c.check(ctx) == nil {
				break
			}
		}
		since = time.Now()
		c.failures.Store(0)
		c.log.Info("Redis answers again", "after", since.Sub(lostAt).Round(time.Millisecond).String())
		c.up.Store(true)
		if err = c.awaitBreak(ctx); err == nil {
			return
		}
	}
}

// awaitBreak returns why the circuit has opened, or nil when ctx has ended.
func (c *client) awaitBreak(ctx context.Context) error {
	select {
	case err := <-c.broken:
		return err
	case <-ctx.Done():
		return nil
	}
}

// check reports whether Redis takes writes and answers within the bound. The first write makes the
// connection, which may take longer.
func (c *client) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.ioTimeout())
	defer cancel()
	write := func() error { return c.redis.Set(ctx, c.options.prefix()+"check", "1", time.Second).Err() }
	if err := write(); err != nil {
		return err
	}
	start := time.Now()
	if err := write(); err != nil {
		return err
	}
	if took := time.Since(start); took > c.options.timeout() {
		return fmt.Errorf("it answers after %s, later than store.redis.timeout, %s", took.Round(time.Millisecond), c.options.timeout())
	}
	return nil
}

// close ends the connections and waits for the goroutine. c may be nil.
func (c *client) close() {
	if c == nil {
		return
	}
	c.stop()
	c.up.Store(false)
	c.redis.Close() //nolint:errcheck // nothing is left to do; it ends a check that is waiting
	c.running.Wait()
}

// closeAfter closes c after a time.
func (c *client) closeAfter(d time.Duration) {
	time.Sleep(d)
	c.close()
}
