package codegen

import (
	"context"
	"errors"
	"testing"
)

// A method waits for its turn no longer than its context lasts.
func TestTurnEndsWithContext(t *testing.T) {
	runSlot <- struct{}{}
	defer func() { <-runSlot }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := new(Project).Check(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want that of the context", err)
	}
}
