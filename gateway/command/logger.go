package command

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// newLogger writes JSON for machines, with the keys time, level and msg, and lines
// for people; which of them "auto" means depends on who is listening.
func newLogger(w io.Writer, o config.Log, plain bool) *slog.Logger {
	terminal := isTerminal(w)
	if o.Format == config.LogText || o.Format != config.LogJSON && terminal {
		return slog.New(tint.NewTextHandler(w, &tint.Options{
			Level: o.Level, TimeFormat: time.TimeOnly, NoColor: plain || !terminal,
		}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: o.Level}))
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}
