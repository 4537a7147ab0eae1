package asynclog

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// reader is a writer that blocks while it does not read.
type reader struct {
	mu   sync.Mutex // held while it does not read
	text bytes.Buffer
	err  error // of each write; guarded by mu
}

func (r *reader) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		n, _ := r.text.Write(p[:len(p)/2])
		return n, r.err
	}
	return r.text.Write(p)
}

func lostLine(n int64) []byte { return fmt.Appendf(nil, "lost %d\n", n) }

func TestLinesKeepTheirOrder(t *testing.T) {
	var r reader
	w := New(&r, Options{Lost: lostLine})
	var want strings.Builder
	for i := range 10_000 {
		line := fmt.Sprintf("line %d\n", i)
		want.WriteString(line)
		if n, err := w.Write([]byte(line)); n != len(line) || err != nil {
			t.Fatal(n, err)
		}
	}
	if !w.Close(time.Minute) || r.text.String() != want.String() || w.Lost() != 0 {
		t.Errorf("%d bytes of %d, %d lines lost", r.text.Len(), want.Len(), w.Lost())
	}
}

// While nothing is read, no line waits for that. When it is read again, the log says where how many
// lines are missing, without any line to come.
func TestReaderStopsAndComesBack(t *testing.T) {
	var r reader
	w := New(&r, Options{MaxBytes: 1000, Lost: lostLine})
	r.mu.Lock()
	begin := time.Now()
	const all = 100_000
	for i := range all {
		fmt.Fprintf(w, "%d\n", i)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("writing to nobody took %s", took)
	}
	lost := w.Lost()
	if lost < all-2000 || lost == all {
		t.Errorf("%d lines are lost", lost)
	}
	r.mu.Unlock()
	text := func() string {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.text.String()
	}
	for sumOfLost(text()) != lost {
		time.Sleep(time.Millisecond)
	}
	fmt.Fprintf(w, "back\n")
	if !w.Close(time.Minute) {
		t.Error("not written")
	}
	next, told := 0, int64(0)
	for line := range strings.Lines(r.text.String()) {
		line = strings.TrimSuffix(line, "\n")
		if n, ok := strings.CutPrefix(line, "lost "); ok {
			missing, _ := strconv.Atoi(n)
			next, told = next+missing, told+int64(missing)
		} else if line != "back" {
			if line != strconv.Itoa(next) {
				t.Fatalf("line %s instead of %d", line, next)
			}
			next++
		}
	}
	if next != all || told != lost || w.Lost() != lost {
		t.Errorf("%d lines, %d reported as lost, %d lost", next, told, lost)
	}
}

func sumOfLost(text string) (sum int64) {
	for line := range strings.Lines(text) {
		if n, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "lost "); ok {
			missing, _ := strconv.Atoi(n)
			sum += int64(missing)
		}
	}
	return sum
}

// A full disk loses lines, which are counted; when there is room again, the log goes on.
func TestWriteErrors(t *testing.T) {
	r := reader{err: errors.New("no space left on device")}
	w := New(&r, Options{Lost: lostLine})
	fmt.Fprintf(w, "a\nb\n")
	for w.Lost() == 0 {
		time.Sleep(time.Millisecond)
	}
	r.mu.Lock()
	r.err = nil
	r.text.Reset()
	r.mu.Unlock()
	if n := w.Lost(); n != 1 { // the first of two was written
		t.Errorf("%d lines are lost", n)
	}
	fmt.Fprintf(w, "c\n")
	if !w.Close(time.Minute) || !strings.HasSuffix(r.text.String(), "c\n") || !strings.Contains(r.text.String(), "lost ") {
		t.Errorf("%q", r.text.String())
	}
}

func TestCloseIsBounded(t *testing.T) {
	var r reader
	w := New(&r, Options{})
	r.mu.Lock()
	fmt.Fprintf(w, "a\n")
	if begin := time.Now(); w.Close(10*time.Millisecond) || time.Since(begin) > 5*time.Second {
		t.Errorf("closed after %s", time.Since(begin))
	}
	fmt.Fprintf(w, "b\n")
	if w.Lost() != 1 {
		t.Errorf("%d lines lost", w.Lost())
	}
	r.mu.Unlock()
	<-w.ended
	if r.text.String() != "a\n" {
		t.Errorf("%q", r.text.String())
	}
	if !New(&r, Options{}).Close(0) {
		t.Error("a writer without lines is not closed")
	}
}

func TestConcurrentLinesAreNotMixed(t *testing.T) {
	var r reader
	w := New(&r, Options{})
	log := slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == slog.LevelKey {
			return slog.Attr{}
		}
		return a
	}}))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				log.Info("x", "a", "b")
			}
		})
	}
	all.Wait()
	w.Close(time.Minute)
	if got := r.text.String(); got != strings.Repeat("msg=x a=b\n", 8000) {
		t.Errorf("%d bytes", len(got))
	}
}

// A pipe of the system that is not read.
func TestUnreadPipe(t *testing.T) {
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	w := New(write, Options{MaxBytes: 1 << 18})
	line := bytes.Repeat([]byte("x"), 999)
	line = append(line, '\n')
	begin := time.Now()
	for range 10_000 {
		_, _ = w.Write(line)
	}
	if w.Close(20*time.Millisecond) || time.Since(begin) > 5*time.Second || w.Lost() == 0 {
		t.Errorf("%s, %d lost", time.Since(begin), w.Lost())
	}
	read.Close() // ends the goroutine's write
	<-w.ended
	write.Close()
}

func BenchmarkWrite(b *testing.B) {
	w := New(&discard{}, Options{})
	defer w.Close(time.Second)
	line := bytes.Repeat([]byte("x"), 200)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = w.Write(line)
	}
}

type discard struct{}

func (*discard) Write(p []byte) (int, error) { return len(p), nil }
