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

// newLogger returns a logger that writes JSON with the keys time, level and msg, or lines of text. The
// format "auto" is text on a terminal and JSON elsewhere. plain switches colours off.
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
