package middleware

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// A deadlineContext ends as a context of context.WithDeadline does, whether its user waits for Done
// or polls Err, and whenever it begins to.
func TestDeadlineContext(t *testing.T) {
	ways := map[string]func(context.Context) error{
		"waits": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"looks": func(ctx context.Context) error {
			for ctx.Err() == nil {
				time.Sleep(time.Second)
			}
			<-ctx.Done()
			return ctx.Err()
		},
		"below": func(ctx context.Context) error {
			below, cancel := context.WithCancel(ctx)
			defer cancel()
			<-below.Done()
			return below.Err()
		},
	}
	for name, wait := range ways {
		for end, want := range map[string]struct {
			after time.Duration
			err   error
		}{
			"deadline": {10 * time.Second, context.DeadlineExceeded}, "parent": {5 * time.Second, context.Canceled}, "itself": {5 * time.Second, context.Canceled},
			"parent before": {0, context.Canceled}, "itself before": {0, context.Canceled}, "deadline of parent": {3 * time.Second, context.DeadlineExceeded},
		} {
			synctest.Test(t, func(t *testing.T) {
				parent, cancel := context.WithCancel(t.Context())
				defer cancel()
				if end == "deadline of parent" {
					parent, cancel = context.WithTimeout(parent, want.after)
					defer cancel()
				}
				start := time.Now()
				d := &deadlineContext{Context: parent, deadline: start.Add(10 * time.Second)}
				defer d.cancel()
				switch end {
				case "parent":
					time.AfterFunc(want.after, cancel)
				case "itself":
					time.AfterFunc(want.after, d.cancel)
				case "parent before":
					cancel()
				case "itself before":
					d.cancel()
				}
				err := wait(d)
				if late := time.Since(start) - want.after; !errors.Is(err, want.err) || late < 0 || late > time.Second || late > 0 && name != "looks" {
					t.Errorf("%s, %s: %v after %s", name, end, err, time.Since(start))
				}
				if at, ok := d.Deadline(); !ok || end != "deadline of parent" && !at.Equal(start.Add(10*time.Second)) {
					t.Errorf("%s, %s: the deadline is %s", name, end, at)
				}
			})
		}
	}
}

// A context that is not waited for starts no timer, and its children start no goroutine.
func TestDeadlineContextIsLazy(t *testing.T) {
	d := &deadlineContext{Context: context.WithValue(t.Context(), testKey{}, "x"), deadline: time.Now().Add(time.Hour)}
	if d.Err() != nil || d.Value(testKey{}) != "x" || d.timer.Load() != nil {
		t.Error("a timer is set for who only looks")
	}
	synctest.Test(t, func(t *testing.T) {
		d := &deadlineContext{Context: t.Context(), deadline: time.Now().Add(time.Hour)}
		below, cancel := context.WithCancel(d)
		synctest.Wait()
		d.cancel()
		if below.Err() == nil { // at once, in no other goroutine
			t.Error("who derives from it goes on")
		}
		cancel()
	})
}

type testKey struct{}

// deadlineWriter is a ResponseWriter of a connection.
type deadlineWriter struct {
	http.ResponseWriter
	deadline time.Time
}

func (w *deadlineWriter) SetWriteDeadline(at time.Time) error { w.deadline = at; return nil }

func TestWriteDeadline(t *testing.T) {
	w := &deadlineWriter{ResponseWriter: httptest.NewRecorder()}
	var start time.Time
	WriteDeadline(time.Hour)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		start = r.Context().(*request.Context).Start
	})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
	if start.IsZero() || !w.deadline.Equal(start.Add(time.Hour)) {
		t.Errorf("the deadline is %s, the request began %s", w.deadline, start)
	}
}
