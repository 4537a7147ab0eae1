package httperror

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

func TestFrom(t *testing.T) {
	teapot := New(418, fault.BadRequest, "50%")
	if e := From(teapot); e != teapot || e.Error() != "50%" {
		t.Errorf("got %v", e)
	}
	for want, err := range map[int]error{
		400: fault.New(fault.BadRequest, "no"),
		401: fmt.Errorf("wrapped: %w", fault.New(fault.Unauthenticated, "no")),
		403: fault.New(fault.Forbidden, "no"),
		500: errors.New("unknown"),
		503: context.Canceled,
		504: fmt.Errorf("wrapped: %w", context.DeadlineExceeded),
	} {
		e := From(err)
		if e.Status != want || !errors.Is(e, err) {
			t.Errorf("%v: status %d, want %d", err, e.Status, want)
		}
		if challenge := e.Header.Get("WWW-Authenticate"); (challenge != "") != (want == 401) {
			t.Errorf("%v: WWW-Authenticate: %q", err, challenge)
		}
	}
}

// Retry-After is what the fault says, in whole seconds from 1 to 60, and not the same for all clients.
func TestRetryAfter(t *testing.T) {
	for _, c := range []struct {
		code        fault.Code
		d           time.Duration
		least, most int
	}{
		{fault.Overloaded, 0, 1, 2},
		{fault.Overloaded, 1001 * time.Millisecond, 2, 3},
		{fault.Overloaded, 10 * time.Second, 10, 15},
		{fault.Overloaded, 50 * time.Second, 50, 60},
		{fault.Overloaded, time.Hour, 60, 60},
		{fault.ServiceUnavailable, 3 * time.Second, 3, 5},
		{fault.ServiceUnavailable, 0, 0, 0}, // none
	} {
		seen := map[string]bool{}
		for range 200 {
			got := From(&fault.Error{Code: c.code, RetryAfter: c.d}).Header.Get("Retry-After")
			seen[got] = true
			if n, err := strconv.Atoi(got); (got == "") != (c.most == 0) || got != "" && (err != nil || n < c.least || n > c.most) {
				t.Errorf("%s after %s: %q, want %d to %d", c.code, c.d, got, c.least, c.most)
			}
		}
		if len(seen) < min(c.most-c.least, 2) {
			t.Errorf("%s: all clients come again after %v", c.d, seen)
		}
	}
}
