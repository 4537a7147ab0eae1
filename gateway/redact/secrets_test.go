package redact

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

// A logger, and those that were derived from it before, know the secrets that are added later.
func TestSecretsThatAreAdded(t *testing.T) {
	var out bytes.Buffer
	secrets := NewSecrets([]string{"the first value"})
	log := Logger(slog.New(slog.NewTextHandler(&out, nil)), secrets, nil)
	derived := log.With("source", "users").WithGroup("g")
	secrets.Add([]string{"the second value"})
	for _, l := range []*slog.Logger{log, derived} {
		l.Info("sent the first value", "now", "it is the second value")
	}
	if text := out.String(); strings.Contains(text, "first") || strings.Contains(text, "second") || strings.Count(text, Mask) != 4 {
		t.Error(text)
	}
}

// Secrets that are rotated for a long time are forgotten at last; a set that is added again counts once.
func TestSecretsAreBounded(t *testing.T) {
	s := NewSecrets([]string{"the first value"})
	for range 100 {
		s.Add([]string{"the second value"})
	}
	if got := Text("the first value", s.variants()...); got != Mask {
		t.Errorf("repeated sets have displaced an older one: %q", got)
	}
	for i := range 100 {
		s.Add([]string{number(i)})
	}
	if got := Text("the first value", s.variants()...); got == Mask {
		t.Error("nothing is forgotten")
	}
	if got := Text(number(99)+", "+number(100-keptSets), s.variants()...); got != Mask+", "+Mask {
		t.Errorf("recent secrets are forgotten: %q", got)
	}
}

// number returns a text that begins like that of no other number.
func number(i int) string { return fmt.Sprintf("%02d is the value", i) }

func TestSecretsAreAddedConcurrently(t *testing.T) {
	var out bytes.Buffer
	var mu sync.Mutex
	s := &Secrets{}
	log := Logger(slog.New(slog.NewTextHandler(writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return out.Write(p)
	}), nil)), s, nil)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for range 50 {
				secret := fmt.Sprintf("the value of %d", i)
				s.Add([]string{secret})
				log.Info(secret)
			}
		})
	}
	all.Wait()
	if strings.Contains(out.String(), "the value of") {
		t.Error("a secret was logged after it was added")
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }
