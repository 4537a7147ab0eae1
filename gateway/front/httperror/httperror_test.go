package httperror

import (
	"context"
	"errors"
	"fmt"
	"testing"

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
