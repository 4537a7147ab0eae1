package codegen

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// A second run waits for the lock of a first one, with one warning, until that ends or its context does.
func TestLock(t *testing.T) {
	dir, warnings := t.TempDir(), []string{}
	first := &run{Project: &Project{}, root: dir}
	second := &run{Project: &Project{Warn: func(text string) { warnings = append(warnings, text) }}, root: dir}
	unlock, err := first.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := first.lock(t.Context()); err != nil {
		t.Errorf("a run that has the lock: %v", err)
	} else {
		again()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*lockInterval)
	defer cancel()
	if _, err := second.lock(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the first run has the lock, the second gets %v", err)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0], "another gatehouse writes the files of this project") {
		t.Errorf("the warnings are %q", warnings)
	}
	time.AfterFunc(2*lockInterval, unlock)
	unlock, err = second.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
