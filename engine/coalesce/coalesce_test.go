package coalesce_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine/coalesce"
)

// never is the deadline of runs that have none.
var never time.Time

// caller asks in a goroutine of its own.
type caller struct {
	cancel context.CancelFunc
	share  coalesce.Share[string]
	err    error
	gone   chan struct{} // closed when share and err are there
}

func (c *caller) left() bool {
	select {
	case <-c.gone:
		return true
	default:
		return false
	}
}

func call(ctx context.Context, g *coalesce.Group[string], key string, until time.Time, run func(context.Context) (string, error)) *caller {
	c := &caller{gone: make(chan struct{})}
	ctx, c.cancel = context.WithCancel(ctx)
	go func() {
		c.share, c.err = g.Do(ctx, []byte(key), until, run)
		close(c.gone)
	}()
	synctest.Wait()
	return c
}

// blocked is a run that ends when it is told to, or when its context ends.
type blocked struct {
	runs    atomic.Int32
	release chan string
	ended   error
}

func (b *blocked) run(ctx context.Context) (string, error) {
	b.runs.Add(1)
	select {
	case v := <-b.release:
		return v, nil
	case <-ctx.Done():
		b.ended = ctx.Err()
		return "", ctx.Err()
	}
}

func newBlocked() *blocked { return &blocked{release: make(chan string)} }

func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released []string
		g := &coalesce.Group[string]{Release: func(v string) { released = append(released, v) }}
		b := newBlocked()
		callers := []*caller{call(t.Context(), g, "a", never, b.run), call(t.Context(), g, "a", never, b.run), call(t.Context(), g, "a", never, b.run)}
		other := call(t.Context(), g, "b", never, func(context.Context) (string, error) { return "other", nil })
		b.release <- "same"
		synctest.Wait()
		if n := b.runs.Load(); n != 1 {
			t.Errorf("%d runs", n)
		}
		for i, c := range callers {
			if c.err != nil || c.share.Value != "same" || c.share.Joined != (i > 0) {
				t.Errorf("caller %d: %+v %v", i, c.share, c.err)
			}
		}
		if other.share.Value != "other" || other.share.Joined {
			t.Errorf("another key: %+v", other.share)
		}
		for _, c := range callers {
			if len(released) > 0 {
				t.Errorf("released %v before all were done", released)
			}
			c.share.Done()
		}
		other.share.Done()
		if fmt.Sprint(released) != "[same other]" {
			t.Errorf("released %v", released)
		}
		again := call(t.Context(), g, "a", never, func(context.Context) (string, error) { return "new", nil })
		if again.share.Value != "new" || again.share.Joined {
			t.Errorf("something was kept: %+v", again.share)
		}
	})
}

// Who leaves has the error of its own context at once; the others go on, and when nobody is
// left, the run is cancelled and cannot be joined.
func TestLeaving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &coalesce.Group[string]{Release: func(v string) { t.Errorf("released %q, which is no value", v) }}
		b := newBlocked()
		first, second := call(t.Context(), g, "a", never, b.run), call(t.Context(), g, "a", never, b.run)
		first.cancel()
		synctest.Wait()
		if !first.left() || !errors.Is(first.err, context.Canceled) || b.ended != nil || second.left() {
			t.Fatalf("first %v, run %v, second %v", first.err, b.ended, second.left())
		}
		third := call(t.Context(), g, "a", never, b.run)
		second.cancel()
		third.cancel()
		synctest.Wait()
		if !errors.Is(b.ended, context.Canceled) || b.runs.Load() != 1 {
			t.Errorf("run %v, %d runs", b.ended, b.runs.Load())
		}
	})
}

// A run that ends well though it was cancelled has a value, which nobody takes; who comes
// meanwhile does not get it.
func TestAbandoned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released []string
		g := &coalesce.Group[string]{Release: func(v string) { released = append(released, v) }}
		stubborn := make(chan string)
		c := call(t.Context(), g, "a", never, func(context.Context) (string, error) { return <-stubborn, nil })
		c.cancel()
		synctest.Wait()
		next := call(t.Context(), g, "a", never, func(context.Context) (string, error) { return "next", nil })
		if next.share.Value != "next" {
			t.Errorf("%+v %v", next.share, next.err)
		}
		stopping, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Wait(stopping); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waited for a run that has not ended: %v", err)
		}
		stubborn <- "late"
		if err := g.Wait(t.Context()); err != nil {
			t.Error(err)
		}
		if fmt.Sprint(released) != "[late]" {
			t.Errorf("released %v", released)
		}
		next.share.Done()
	})
}

func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &coalesce.Group[string]{}
		b := newBlocked()
		broken := func(ctx context.Context) (string, error) { b.run(ctx); panic("broken") }
		first, second := call(t.Context(), g, "a", never, broken), call(t.Context(), g, "a", never, broken)
		b.release <- ""
		synctest.Wait()
		var thrown *coalesce.PanicError
		if !errors.As(first.err, &thrown) || thrown.Value != "broken" || len(thrown.Stack) == 0 || !errors.Is(second.err, first.err) {
			t.Errorf("%v and %v", first.err, second.err)
		}
		gone := call(t.Context(), g, "a", never, func(context.Context) (string, error) { runtime.Goexit(); return "", nil })
		if gone.err == nil {
			t.Error("a run without a return has a value")
		}
	})
}

// A run keeps the values of its first caller's context, and its own deadline. A caller whose
// time ends with the run's hears what became of it; one whose time ends before does not wait.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		g := &coalesce.Group[string]{}
		until := time.Now().Add(time.Minute)
		ctx, cancel := context.WithDeadline(context.WithValue(t.Context(), key{}, "value"), until)
		defer cancel()
		partly := func(ctx context.Context) (string, error) {
			<-ctx.Done()
			time.Sleep(time.Millisecond)
			return fmt.Sprint(ctx.Value(key{})), nil
		}
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		first := call(ctx, g, "a", until, partly)
		second := call(hasty, g, "a", until, partly)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !errors.Is(second.err, context.DeadlineExceeded) || first.left() {
			t.Errorf("the hasty one has %v; the first has left: %v", second.err, first.left())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if first.err != nil || first.share.Value != "value" {
			t.Errorf("%+v %v", first.share, first.err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.Do(ended, nil, never, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("who has gone already gets %v", err)
		}
	})
}

// leaver is a context that tells of its caller's leaving without its deadline.
type leaver struct {
	context.Context
	left chan struct{}
	done atomic.Int32 // how often Done was called
}

func (l *leaver) Canceled() <-chan struct{} { return l.left }

func (l *leaver) Done() <-chan struct{} {
	l.done.Add(1)
	return l.Context.Done()
}

// Who can say that its caller has left is not asked for more where the run's time ends no later
// than its own, and is free to go before; elsewhere its deadline counts.
func TestCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &coalesce.Group[string]{}
		b := newBlocked()
		within := func(d time.Duration) (*leaver, *caller) {
			c := &caller{gone: make(chan struct{})}
			ctx, cancel := context.WithTimeout(t.Context(), d)
			l := &leaver{Context: ctx, left: make(chan struct{})}
			c.cancel = func() { cancel(); close(l.left) }
			go func() {
				c.share, c.err = g.Do(l, []byte("a"), time.Now().Add(time.Minute), b.run)
				close(c.gone)
			}()
			synctest.Wait()
			return l, c
		}
		first, stays := within(time.Minute)
		_, leaves := within(2 * time.Minute)
		hasty, hurries := within(time.Second)
		leaves.cancel()
		synctest.Wait()
		if !errors.Is(leaves.err, context.Canceled) || stays.left() || hurries.left() {
			t.Errorf("who left has %v; the others have left: %v, %v", leaves.err, stays.left(), hurries.left())
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !errors.Is(hurries.err, context.DeadlineExceeded) || stays.left() {
			t.Errorf("the hasty one has %v; the first has left: %v", hurries.err, stays.left())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !errors.Is(b.ended, context.DeadlineExceeded) || stays.err != b.ended {
			t.Errorf("the run has %v, who waited for it %v", b.ended, stays.err)
		}
		if first.done.Load() != 0 || hasty.done.Load() != 1 {
			t.Errorf("Done was called %d times, and %d", first.done.Load(), hasty.done.Load())
		}
		stays.cancel()
		hurries.cancel()
	})
}

// Values are released when nobody reads them any more, and each caller's is its key's.
func TestManyCallers(t *testing.T) {
	free := sync.Pool{New: func() any { return new([]byte) }}
	g := &coalesce.Group[*[]byte]{Release: func(b *[]byte) { free.Put(b) }}
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for n := range 200 {
				ctx, cancel := context.WithCancel(t.Context())
				key := strconv.Itoa((i + n) % 5)
				if n%7 == 0 {
					go cancel()
				}
				share, err := g.Do(ctx, []byte(key), never, func(context.Context) (*[]byte, error) {
					b := free.Get().(*[]byte)
					*b = (*b)[:0]
					for range 100 {
						*b = append(*b, key...)
						runtime.Gosched()
					}
					return b, nil
				})
				if err == nil {
					for _, c := range *share.Value {
						if string(c) != key {
							t.Errorf("key %s has %q", key, *share.Value)
							break
						}
					}
					share.Done()
				}
				cancel()
			}
		})
	}
	all.Wait()
	if err := g.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

// A run that does not end when its time is over holds no caller.
func TestStuckRunHoldsNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g coalesce.Group[int]
		stuck := make(chan struct{})
		until := time.Now().Add(time.Minute)
		ctx, cancel := context.WithDeadline(t.Context(), until)
		defer cancel()
		_, err := g.Do(ctx, []byte("key"), until, func(context.Context) (int, error) {
			<-stuck
			return 1, nil
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(until) != time.Second {
			t.Errorf("got %v, %s after its time", err, time.Since(until))
		}
		close(stuck)
	})
}
