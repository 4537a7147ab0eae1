//go:build unix

package reload

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// A pipe or a terminal cannot be read again, which would wait for ever.
func TestStreamsAreNotReadAgain(t *testing.T) {
	p := newProgram(t, nil)
	must(t, os.Remove(p.path), syscall.Mkfifo(p.path, 0o600))
	if got := p.Reload(causeSignal); got.Outcome != Refused || !strings.Contains(got.Error, "not a regular file") {
		t.Errorf("%+v", got)
	}
	p.run() // watches nothing
}
