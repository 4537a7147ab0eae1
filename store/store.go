// Package store is the state that replicas of the gateway share: Redis, behind one client with one
// health and one bound on waiting.
//
// It promises that no operation waits longer than Redis.Timeout, whatever Redis or the network do. A
// Redis that has stopped answering is not asked any more, so that operations fail at once, until
// checks in the background find that it answers in time again. What the callers do meanwhile is their
// decision: the package knows keys and bytes, and not what they mean.
package store

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrUnavailable is the error of an operation that Redis has not answered within the bound, or for
// which it was not asked, because it does not answer at present. Errors are compared with errors.Is.
// A write that has failed by it may still have been, or be, executed.
var ErrUnavailable = errors.New("the store is unavailable")

// ErrNotFound is the error of Get for a key without a value.
var ErrNotFound = errors.New("the store has no such key")

// ErrNotConfigured is the error of all operations without Redis in the settings.
var ErrNotConfigured = errors.New("no store is configured")

// Store is a client of Redis that settings may replace. It is safe for concurrent use.
type Store struct {
	log     *slog.Logger
	current atomic.Pointer[client] // nil without Redis
}

// New returns a store. The error says which setting is wrong; a Redis that cannot be reached is not
// an error. New waits up to a second for the first connection, so that the first requests find it.
// Close must be called.
func New(o Options, log *slog.Logger) (*Store, error) {
	s := &Store{log: log}
	apply, _, err := s.Prepare(o)
	if err != nil {
		return nil, err
	}
	apply()
	return s, nil
}

// Prepare connects by other options. After apply the store uses them; discard gives up what was
// prepared. One of the two must be called. The error says which setting is wrong.
func (s *Store) Prepare(o Options) (apply, discard func(), err error) {
	if running := s.current.Load(); running != nil && running.options.equal(o.Redis) {
		return func() {}, func() {}, nil
	}
	var next *client
	if o.Redis.configured() {
		if next, err = newClient(o.Redis, s.log); err != nil {
			return nil, nil, err
		}
	}
	apply = func() {
		if before := s.current.Swap(next); before != nil {
			go before.closeAfter(drainTime)
		}
	}
	return apply, func() { next.close() }, nil
}

// drainTime is how long a client that was replaced still ends what it has begun.
const drainTime = time.Second

// Close ends the connections. Operations fail from then on.
func (s *Store) Close() { s.current.Load().close() }

// Configured reports whether the settings have a Redis.
func (s *Store) Configured() bool { return s != nil && s.current.Load() != nil }

// Get returns the value of a key, or ErrNotFound.
func (s *Store) Get(ctx context.Context, key string) ([]byte, error) {
	return run(ctx, s, func(ctx context.Context, c *client) ([]byte, error) {
		value, err := c.redis.Get(ctx, c.options.prefix()+key).Bytes()
		if errors.Is(err, redis.Nil) {
			return nil, ErrNotFound
		}
		return value, err
	})
}

// Set sets the value of a key, which Redis forgets after ttl. A ttl of 0 keeps it.
func (s *Store) Set(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	_, err := run(ctx, s, func(ctx context.Context, c *client) (struct{}, error) {
		return struct{}{}, c.redis.Set(ctx, c.options.prefix()+key, value, ttl).Err()
	})
	return err
}

// Script is a program in Lua that Redis executes as one step. It is sent once, and named by its digest
// from then on.
type Script struct{ script *redis.Script }

// NewScript returns a script with this text.
func NewScript(text string) *Script { return &Script{redis.NewScript(text)} }

// Eval executes a script and returns its result, whose types are those of go-redis: int64, string,
// []any, nil. In a cluster all keys must have the same hash tag. Keys and args must not be changed
// afterwards, since the operation may go on after Eval has returned ErrUnavailable.
func (s *Store) Eval(ctx context.Context, script *Script, keys []string, args ...any) (any, error) {
	return run(ctx, s, func(ctx context.Context, c *client) (any, error) {
		prefixed := make([]string, len(keys))
		for i, key := range keys {
			prefixed[i] = c.options.prefix() + key
		}
		result, err := script.script.Run(ctx, c.redis, prefixed, args...).Result()
		if errors.Is(err, redis.Nil) {
			return nil, nil
		}
		return result, err
	})
}

// outcome is what an operation returned.
type outcome[T any] struct {
	value T
	err   error
}

// run executes an operation within the bound on waiting. The operation has a goroutine of its own, so
// that the bound holds whatever it waits for: a connection of the pool, a handshake, or the answer. It
// is not cancelled at the bound, because that would close the connection, and the moment at which Redis
// is slow is the worst one to make new connections.
func run[T any](ctx context.Context, s *Store, operation func(context.Context, *client) (T, error)) (T, error) {
	var none T
	if s == nil {
		return none, ErrNotConfigured
	}
	c := s.current.Load()
	if c == nil {
		return none, ErrNotConfigured
	}
	if !c.begin() {
		return none, ErrUnavailable
	}
	done := make(chan outcome[T], 1)
	go func() {
		defer c.end()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.ioTimeout())
		defer cancel()
		value, err := operation(ctx, c)
		done <- outcome[T]{value, err}
	}()
	bound := time.NewTimer(c.options.timeout())
	defer bound.Stop()
	select {
	case o := <-done:
		return o.value, c.record(o.err)
	case <-bound.C:
		return none, c.record(errTimeout)
	case <-ctx.Done():
		return none, ctx.Err()
	}
}

// Stats is the state of a store.
type Stats struct {
	// Configured is whether there is a Redis, and Up whether it is asked.
	Configured, Up bool
	// OK, Failed and TimedOut count the operations that Redis answered in time, that ended in an error,
	// and that it did not answer in time. Skipped ones were not sent, since Redis was not Up, or
	// too many operations were waiting.
	OK, Failed, TimedOut, Skipped int64
	// Lost counts how often Redis stopped being Up.
	Lost int64
}

// Stats returns the state of the store. The counts begin again when settings replace Redis.
func (s *Store) Stats() Stats {
	c := s.current.Load()
	if c == nil {
		return Stats{}
	}
	return Stats{
		Configured: true, Up: c.up.Load(),
		OK: c.ok.Load(), Failed: c.failed.Load(), TimedOut: c.timedOut.Load(), Skipped: c.skipped.Load(), Lost: c.lost.Load(),
	}
}
