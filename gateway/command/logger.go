package command

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
	"github.com/mattn/go-isatty"

	"github.com/gatehouse-graphql/gatehouse/gateway/asynclog"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// flushTimeout is how long the end of the process waits for the reader of its log.
const flushTimeout = 2 * time.Second

// newAsyncLogger returns a logger that writes to w in the background, and what it writes through. Its
// level is that of level.
func newAsyncLogger(w io.Writer, format string, level slog.Leveler, plain bool) (*slog.Logger, *asynclog.Writer) {
	terminal := isTerminal(w)
	out := asynclog.New(w, asynclog.Options{Lost: func(n int64) []byte {
		var line bytes.Buffer
		newLogger(&line, format, level, plain, terminal).Error("lines of the log were lost here, since they could not be written in time", "lines", n)
		return line.Bytes()
	}})
	return newLogger(out, format, level, plain, terminal), out
}

// newLogger returns a logger that writes JSON with the keys time, level and msg, or lines of text. The
// format "auto" is text on a terminal and JSON elsewhere. plain switches colours off.
func newLogger(w io.Writer, format string, level slog.Leveler, plain, terminal bool) *slog.Logger {
	if format == config.LogText || format != config.LogJSON && terminal {
		return slog.New(tint.NewTextHandler(w, &tint.Options{
			Level: level, TimeFormat: time.TimeOnly, NoColor: plain || !terminal,
		}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}
