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

// noDeadline is the deadline of runs that have none.
var noDeadline time.Time

// caller calls Do in a goroutine of its own.
type caller struct {
	cancel context.CancelFunc
	share  coalesce.Share[string]
	err    error
	done   chan struct{} // closed when share and err are set
}

func (c *caller) returned() bool {
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

func call(ctx context.Context, g *coalesce.Group[string], key string, deadline time.Time, run func(context.Context) (string, error)) *caller {
	c := &caller{done: make(chan struct{})}
	ctx, c.cancel = context.WithCancel(ctx)
	go func() {
		c.share, c.err = g.Do(ctx, []byte(key), deadline, run)
		close(c.done)
	}()
	synctest.Wait()
	return c
}

// blocked is a run that ends when the test releases it, or when its context ends.
type blocked struct {
	runs    atomic.Int32
	release chan string
	ctxErr  error // of its context, nil when it was released
}

func (b *blocked) run(ctx context.Context) (string, error) {
	b.runs.Add(1)
	select {
	case v := <-b.release:
		return v, nil
	case <-ctx.Done():
		b.ctxErr = ctx.Err()
		return "", ctx.Err()
	}
}

func newBlocked() *blocked { return &blocked{release: make(chan string)} }

func TestCallersShareOneRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released []string
		g := &coalesce.Group[string]{Release: func(v string) { released = append(released, v) }}
		b := newBlocked()
		callers := []*caller{call(t.Context(), g, "a", noDeadline, b.run), call(t.Context(), g, "a", noDeadline, b.run), call(t.Context(), g, "a", noDeadline, b.run)}
		other := call(t.Context(), g, "b", noDeadline, func(context.Context) (string, error) { return "other", nil })
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
				t.Errorf("released %v before all callers called Done", released)
			}
			c.share.Done()
		}
		other.share.Done()
		if fmt.Sprint(released) != "[same other]" {
			t.Errorf("released %v", released)
		}
		again := call(t.Context(), g, "a", noDeadline, func(context.Context) (string, error) { return "new", nil })
		if again.share.Value != "new" || again.share.Joined {
			t.Errorf("a result was kept: %+v", again.share)
		}
	})
}

// A caller that leaves gets the error of its own context at once, and the others go on. When the
// last one leaves, the run is cancelled and cannot be joined any more.
func TestLastCallerToLeaveCancelsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &coalesce.Group[string]{Release: func(v string) { t.Errorf("released %q, which is not the value of a run", v) }}
		b := newBlocked()
		first, second := call(t.Context(), g, "a", noDeadline, b.run), call(t.Context(), g, "a", noDeadline, b.run)
		first.cancel()
		synctest.Wait()
		if !first.returned() || !errors.Is(first.err, context.Canceled) || b.ctxErr != nil || second.returned() {
			t.Fatalf("first %v, run %v, second %v", first.err, b.ctxErr, second.returned())
		}
		third := call(t.Context(), g, "a", noDeadline, b.run)
		second.cancel()
		third.cancel()
		synctest.Wait()
		if !errors.Is(b.ctxErr, context.Canceled) || b.runs.Load() != 1 {
			t.Errorf("run %v, %d runs", b.ctxErr, b.runs.Load())
		}
	})
}

// The value of a run that succeeds although it was cancelled is released. A caller that comes in the
// meantime does not get it.
func TestAbandonedRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var released []string
		g := &coalesce.Group[string]{Release: func(v string) { released = append(released, v) }}
		stubborn := make(chan string)
		c := call(t.Context(), g, "a", noDeadline, func(context.Context) (string, error) { return <-stubborn, nil })
		c.cancel()
		synctest.Wait()
		next := call(t.Context(), g, "a", noDeadline, func(context.Context) (string, error) { return "next", nil })
		if next.share.Value != "next" {
			t.Errorf("%+v %v", next.share, next.err)
		}
		stopping, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Wait(stopping); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait returned before the run had ended: %v", err)
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

func TestRunThatDoesNotReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &coalesce.Group[string]{}
		b := newBlocked()
		broken := func(ctx context.Context) (string, error) { b.run(ctx); panic("broken") }
		first, second := call(t.Context(), g, "a", noDeadline, broken), call(t.Context(), g, "a", noDeadline, broken)
		b.release <- ""
		synctest.Wait()
		var panicErr *coalesce.PanicError
		if !errors.As(first.err, &panicErr) || panicErr.Value != "broken" || len(panicErr.Stack) == 0 || !errors.Is(second.err, first.err) {
			t.Errorf("%v and %v", first.err, second.err)
		}
		exited := call(t.Context(), g, "a", noDeadline, func(context.Context) (string, error) { runtime.Goexit(); return "", nil })
		if exited.err == nil {
			t.Error("a run that ended its goroutine has a value")
		}
	})
}

// A run has the values of its first caller's context, and its own deadline. A caller whose deadline
// is that of the run gets the run's own result; one with an earlier deadline does not wait for it.
func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		g := &coalesce.Group[string]{}
		deadline := time.Now().Add(time.Minute)
		ctx, cancel := context.WithDeadline(context.WithValue(t.Context(), key{}, "value"), deadline)
		defer cancel()
		partly := func(ctx context.Context) (string, error) {
			<-ctx.Done()
			time.Sleep(time.Millisecond)
			return fmt.Sprint(ctx.Value(key{})), nil
		}
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		first := call(ctx, g, "a", deadline, partly)
		second := call(hasty, g, "a", deadline, partly)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !errors.Is(second.err, context.DeadlineExceeded) || first.returned() {
			t.Errorf("the caller with the early deadline got %v; the first has returned: %v", second.err, first.returned())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if first.err != nil || first.share.Value != "value" {
			t.Errorf("%+v %v", first.share, first.err)
		}
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := g.Do(ended, nil, noDeadline, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("a caller whose context has ended got %v", err)
		}
	})
}

// cancelable is a context with a channel that is closed when it is cancelled, but not at its
// deadline.
type cancelable struct {
	context.Context
	canceled  chan struct{}
	doneCalls atomic.Int32 // number of calls of Done
}

func (l *cancelable) Canceled() <-chan struct{} { return l.canceled }

func (l *cancelable) Done() <-chan struct{} {
	l.doneCalls.Add(1)
	return l.Context.Done()
}

// Do waits for Canceled and does not call Done if the run's deadline is not after that of the caller.
// Otherwise it calls Done.
func TestDoWaitsForCanceled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &coalesce.Group[string]{}
		b := newBlocked()
		within := func(d time.Duration) (*cancelable, *caller) {
			c := &caller{done: make(chan struct{})}
			ctx, cancel := context.WithTimeout(t.Context(), d)
			l := &cancelable{Context: ctx, canceled: make(chan struct{})}
			c.cancel = func() { cancel(); close(l.canceled) }
			go func() {
				c.share, c.err = g.Do(l, []byte("a"), time.Now().Add(time.Minute), b.run)
				close(c.done)
			}()
			synctest.Wait()
			return l, c
		}
		first, stays := within(time.Minute)
		_, leaves := within(2 * time.Minute)
		hasty, hurries := within(time.Second)
		leaves.cancel()
		synctest.Wait()
		if !errors.Is(leaves.err, context.Canceled) || stays.returned() || hurries.returned() {
			t.Errorf("the caller that left got %v; the others have returned: %v, %v", leaves.err, stays.returned(), hurries.returned())
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if !errors.Is(hurries.err, context.DeadlineExceeded) || stays.returned() {
			t.Errorf("the caller with the early deadline got %v; the first has returned: %v", hurries.err, stays.returned())
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !errors.Is(b.ctxErr, context.DeadlineExceeded) || stays.err != b.ctxErr {
			t.Errorf("the run ended with %v, its caller got %v", b.ctxErr, stays.err)
		}
		if first.doneCalls.Load() != 0 || hasty.doneCalls.Load() != 1 {
			t.Errorf("Done was called %d times, and %d", first.doneCalls.Load(), hasty.doneCalls.Load())
		}
		stays.cancel()
		hurries.cancel()
	})
}

// A value is not released while a caller reads it, and each caller gets the value of its key.
func TestValuesAreNotReleasedWhileInUse(t *testing.T) {
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
				share, err := g.Do(ctx, []byte(key), noDeadline, func(context.Context) (*[]byte, error) {
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

// A run that does not end at its deadline does not keep its callers waiting.
func TestRunThatIgnoresItsDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g coalesce.Group[int]
		stuck := make(chan struct{})
		deadline := time.Now().Add(time.Minute)
		ctx, cancel := context.WithDeadline(t.Context(), deadline)
		defer cancel()
		_, err := g.Do(ctx, []byte("key"), deadline, func(context.Context) (int, error) {
			<-stuck
			return 1, nil
		})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(deadline) != time.Second {
			t.Errorf("got %v, %s after the deadline", err, time.Since(deadline))
		}
		close(stuck)
	})
}
