// Package asynclog writes a log without making its callers wait for the reader of the log.
//
// It promises that Write returns at once, even if the pipe that the log is written to is not
// read, or the disk does not respond; that lines keep their order and are never mixed; that the
// memory of lines which wait is bounded, and those for which there is no room are counted, and
// reported in the log as soon as it is written again; and that Close takes a bounded time.
package asynclog

import (
	"bytes"
	"io"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// DefaultMaxBytes is the default of Options.MaxBytes: some ten thousand lines.
	DefaultMaxBytes = 4 << 20
	// maxKept is the size of the largest buffer that is kept for further lines.
	maxKept = 1 << 20
)

// Options configure a Writer.
type Options struct {
	// MaxBytes is how many bytes of lines may wait. Default 4 MiB.
	MaxBytes int
	// Lost returns the line which says that n lines were lost before it. Default none.
	Lost func(n int64) []byte
}

// Writer is an io.Writer whose Write does not wait for the writer below. Each call of Write is one
// line, or several, which are lost or written together. It is safe for concurrent use. One
// goroutine writes, from the first Write until Close.
type Writer struct {
	next    io.Writer
	options Options
	total   atomic.Int64  // lines that were lost
	wake    chan struct{} // has a value if there is something to write
	ended   chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex
	waiting []byte // guarded by mu
	lost    int64  // lines that were lost and not reported; guarded by mu
	closed  bool   // guarded by mu
	started bool   // guarded by mu
}

// New returns a Writer on top of next.
func New(next io.Writer, o Options) *Writer {
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	return &Writer{next: next, options: o, wake: make(chan struct{}, 1), ended: make(chan struct{})}
}

// Lost returns how many lines were lost since the start: for lack of room, by errors of writing, or
// after Close.
func (w *Writer) Lost() int64 { return w.total.Load() }

// Write implements io.Writer. It never fails: a logger could do nothing about it.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reportLost()
	if w.lost > 0 || w.closed || len(w.waiting)+len(p) > w.options.MaxBytes {
		w.lose(p)
		return len(p), nil
	}
	w.waiting = append(w.waiting, p...)
	if !w.started {
		w.started = true
		go w.run()
	}
	w.notify()
	return len(p), nil
}

// lose counts the lines of p as lost. The caller holds w.mu.
func (w *Writer) lose(p []byte) {
	n := int64(max(1, bytes.Count(p, []byte("\n"))))
	w.lost += n
	w.total.Add(n)
}

// reportLost adds the line about lost lines before what follows them, if there is room. A quarter of
// the room must be free, or a reader that is nearly too slow would read of nothing else. The caller
// holds w.mu.
func (w *Writer) reportLost() {
	if w.lost == 0 || w.closed || len(w.waiting) > w.options.MaxBytes/4*3 {
		return
	}
	if w.options.Lost != nil {
		w.waiting = append(w.waiting, w.options.Lost(w.lost)...)
	}
	w.lost = 0
}

// notify wakes the goroutine.
func (w *Writer) notify() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run writes what waits, until Close.
func (w *Writer) run() {
	defer close(w.ended)
	var buf []byte
	for range w.wake {
		for {
			var closed bool
			if buf, closed = w.take(buf); len(buf) > 0 && w.write(buf) {
				continue
			}
			if closed {
				return
			}
			break
		}
	}
}

// take returns all lines that wait, and keeps the memory of written for those to come.
func (w *Writer) take(written []byte) (lines []byte, closed bool) {
	if cap(written) > maxKept {
		written = nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	lines, w.waiting = w.waiting, written[:0]
	if len(lines) == 0 {
		w.reportLost() // there is room now, and there may be no further line for long
		lines, w.waiting = w.waiting, lines[:0]
	}
	return lines, w.closed
}

// write writes lines. After an error, such as that of a full disk, the rest of them is lost, and write
// reports false: the line about that waits for the next one, since it would fail at once.
func (w *Writer) write(lines []byte) bool {
	n, err := w.next.Write(lines)
	if err == nil {
		return true
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lose(lines[min(max(n, 0), len(lines)):])
	return false
}

// Close writes what waits, for timeout at most, and reports whether all of it was written. Lines
// that come after it are lost. The goroutine ends with its present write, which may last longer
// than Close.
func (w *Writer) Close(timeout time.Duration) bool {
	w.mu.Lock()
	w.reportLost()
	w.closed = true
	started := w.started
	w.notify()
	w.mu.Unlock()
	if !started {
		return true
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-w.ended:
		return true
	case <-timer.C:
		return false
	}
}
