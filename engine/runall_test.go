package engine

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

func TestRunAll(t *testing.T) {
	// Each function waits for the other, so that they must run at the same time.
	a, b := make(chan int), make(chan int)
	got := 0
	err := RunAll(t.Context(),
		func(context.Context) error { a <- 1; got = <-b; return nil },
		func(context.Context) error { b <- <-a + 1; return nil })
	if err != nil || got != 2 {
		t.Error(got, err)
	}

	broken := errors.New("broken")
	ended := false
	err = RunAll(t.Context(),
		func(context.Context) error { return broken },
		func(ctx context.Context) error { <-ctx.Done(); ended = true; return ctx.Err() })
	if !errors.Is(err, broken) || !ended {
		t.Error("the first error ends the others:", err, ended)
	}

	err = RunAll(t.Context(), func(context.Context) error { panic("oh") })
	if fault.CodeOf(err) != fault.Internal || !strings.Contains(errors.Unwrap(err).Error(), "oh") {
		t.Error("a panic:", err)
	}
	if err := RunAll(t.Context()); err != nil {
		t.Error(err)
	}
}
