package engine

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// executing returns a share of m that is executed.
func executing(m *Memory) *MemoryShare {
	s := &MemoryShare{Memory: m}
	s.BeginExecution()
	return s
}

func wantReserved(t *testing.T, s *MemoryShare, n int64, want fault.Code) {
	t.Helper()
	if got := fault.CodeOf(s.Reserve(t.Context(), n)); got != want {
		t.Errorf("reserving %d bytes: code %q, want %q", n, got, want)
	}
}

func TestMemoryIsReturned(t *testing.T) {
	m := NewMemory(1<<20, time.Second)
	for range 100 {
		s := executing(m)
		wantReserved(t, s, 10<<10, "") // free
		wantReserved(t, s, 500<<10, "")
		s.EndExecution()
		s.Release()
		wantReserved(t, s, 500<<10, "") // by what goes on for others; it is not counted
	}
	if got := m.Stats(); got.Used != 0 || got.Refused != 0 || len(m.holders) != 0 {
		t.Errorf("%+v", got)
	}
}

// Operations that all need more than there is end one after the other: the oldest never waits, and
// none waits for ever.
func TestHoldersDoNotBlockEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(1<<20, time.Second)
		const n = 50
		done := make(chan fault.Code, n)
		begin := time.Now()
		for range n {
			go func() {
				s := executing(m)
				defer s.Release()
				defer s.EndExecution()
				for range 15 { // nearly the limit
					if err := s.Reserve(t.Context(), 64<<10); err != nil {
						done <- fault.CodeOf(err)
						return
					}
					time.Sleep(time.Millisecond)
				}
				done <- ""
			}()
		}
		outcomes := map[fault.Code]int{}
		for range n {
			outcomes[<-done]++
		}
		if outcomes[""] < 10 || outcomes[""]+outcomes[fault.Overloaded] != n || time.Since(begin) > 10*time.Second {
			t.Errorf("%v after %s", outcomes, time.Since(begin))
		}
		if got := m.Stats(); got.Used != 0 || len(m.waiters) != 0 || len(m.holders) != 0 {
			t.Errorf("%+v", got)
		}
	})
}

// Requests whose bodies arrive slowly cannot keep others from being executed.
func TestArrivingBodiesGetHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(1<<20, time.Second)
		refused := 0
		for range 20 {
			s := &MemoryShare{Memory: m}
			if fault.CodeOf(s.Reserve(t.Context(), 100<<10)) == fault.Overloaded {
				refused++
			}
		}
		if got := m.Stats(); got.Used > 512<<10 || refused < 15 || got.Refused != int64(refused) {
			t.Errorf("%+v, %d refused", got, refused)
		}
		waiting := &MemoryShare{Memory: m}
		go func() { _ = waiting.Reserve(t.Context(), 100<<10) }()
		synctest.Wait()
		begin := time.Now()
		wantReserved(t, executing(m), 200<<10, "")
		if time.Since(begin) > 0 {
			t.Error("an operation waited behind a body")
		}
		time.Sleep(2 * time.Second)
	})
}

func TestWaitForMemoryEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(1<<20, time.Hour)
		oldest, next := executing(m), executing(m)
		wantReserved(t, oldest, 900<<10, "")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := next.Reserve(ctx, 400<<10); fault.CodeOf(err) != fault.Overloaded { // not a service that took too long
			t.Errorf("got %v", err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := next.Reserve(ctx, 400<<10); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		go func() {
			time.Sleep(time.Second)
			oldest.EndExecution()
			oldest.Release()
		}()
		begin := time.Now()
		wantReserved(t, next, 400<<10, "")
		if time.Since(begin) != time.Second {
			t.Errorf("waited %s", time.Since(begin))
		}
		wantReserved(t, next, 3<<20, fault.MaxResponse) // more than there will ever be
	})
}

// A call that goes on for other requests may wait for memory when its own request ends. It goes on
// without, since nothing would be returned any more.
func TestReleaseEndsWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(1<<20, time.Hour)
		oldest, next := executing(m), executing(m)
		wantReserved(t, oldest, 600<<10, "")
		wantReserved(t, next, 100<<10, "")
		ended := make(chan error)
		go func() { ended <- next.Reserve(context.WithoutCancel(t.Context()), 400<<10) }()
		synctest.Wait()
		next.EndExecution()
		next.Release()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		oldest.EndExecution()
		oldest.Release()
		if got := m.Stats(); got.Used != 0 || len(m.waiters) != 0 || len(m.holders) != 0 {
			t.Errorf("%+v, %d wait, %d hold", got, len(m.waiters), len(m.holders))
		}
	})
}

// What was refused is not held: the next call of a mutation gets its memory.
func TestRefusedMemoryIsNotHeld(t *testing.T) {
	m := NewMemory(1<<20, time.Millisecond)
	other, s := executing(m), executing(m)
	wantReserved(t, other, 900<<10, "")
	wantReserved(t, s, 3<<20, fault.MaxResponse)
	wantReserved(t, s, 500<<10, fault.Overloaded)
	wantReserved(t, s, freeMemory, "")
	other.EndExecution()
	other.Release()
	wantReserved(t, s, 500<<10, "")
	s.EndExecution()
	s.Release()
	if got := m.Stats(); got.Used != 0 || got.Refused != 2 || len(m.holders) != 0 {
		t.Errorf("%+v", got)
	}
}

// A limit that changes while requests hold bytes and wait for some.
func TestSetLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(1<<20, time.Minute)
		first, second := executing(m), executing(m)
		wantReserved(t, first, 700<<10, "")
		reserved := make(chan fault.Code)
		go func() { reserved <- fault.CodeOf(second.Reserve(t.Context(), 700<<10)) }()
		synctest.Wait()
		begin := time.Now()
		m.SetLimit(4<<20, time.Minute)
		if code := <-reserved; code != "" || time.Since(begin) > 0 {
			t.Errorf("%q after %s, though the limit was raised", code, time.Since(begin))
		}
		m.SetLimit(1<<20, time.Second) // less than what is held
		wantReserved(t, executing(m), 700<<10, fault.Overloaded)
		m.SetLimit(-1, time.Second)
		unlimited := executing(m)
		wantReserved(t, unlimited, 100<<20, "")
		if got := m.Stats(); got.Max != 0 || got.Used == 0 {
			t.Errorf("%+v", got)
		}
		m.SetLimit(1<<20, time.Second)
		for _, s := range []*MemoryShare{first, second, unlimited} {
			s.EndExecution()
			s.Release()
		}
		if got := m.Stats(); got.Used != 0 {
			t.Errorf("%+v at the end", got)
		}
	})
}

// When to come again follows from how fast memory becomes free while requests wait for it.
func TestMemoryRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(1<<20, 10*time.Second)
		holder := executing(m)
		wantReserved(t, holder, 700<<10, "")
		refused := func() time.Duration {
			err := executing(m).Reserve(t.Context(), 512<<10)
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Code != fault.Overloaded {
				t.Fatal(err)
			}
			return f.RetryAfter
		}
		if got := refused(); got < 10*time.Second {
			t.Errorf("%s, though nothing became free in ten seconds", got)
		}
		var returning sync.WaitGroup
		returning.Go(func() { // 64 KB a second
			for range 10 {
				time.Sleep(time.Second)
				s := &MemoryShare{Memory: m}
				m.mu.Lock()
				s.limited.Store(true)
				m.grant(s, 64<<10)
				m.mu.Unlock()
				s.Release()
			}
		})
		if got := refused(); got < 7*time.Second || got > 9*time.Second {
			t.Errorf("%s at 64 KB a second, want about 8s", got)
		}
		returning.Wait()
		holder.Release()
	})
}
