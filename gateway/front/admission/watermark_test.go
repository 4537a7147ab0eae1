package admission

import (
	"bytes"
	"log/slog"
	"math"
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// readings are what a limiter measures.
type readings struct {
	cpu, memory usage
	n           int // how often it has measured
}

// newShedder returns a limiter of watermarks that measures what the readings have, and its log.
func newShedder(w Watermarks) (*Limiter, *readings, *bytes.Buffer) {
	log, use := &bytes.Buffer{}, &readings{}
	l := New(Options{}, slog.New(slog.NewTextHandler(log, nil)))
	l.shedder.measure = func() (cpu, memory usage) {
		use.n++
		return use.cpu, use.memory
	}
	l.SetOptions(Options{Watermarks: w})
	return l, use, log
}

// admitted returns whether an operation of each cost is executed, as one letter: y or n.
func admitted(t *testing.T, l *Limiter, costs ...int64) (letters string) {
	t.Helper()
	for _, cost := range costs {
		turn := &Turn{}
		switch err := l.Acquire(t.Context(), turn, costing(cost)); {
		case err == nil:
			turn.Release()
			letters += "y"
		case fault.CodeOf(err) == fault.Overloaded:
			letters += "n"
		default:
			t.Fatal(err)
		}
	}
	return letters
}

// Beyond a watermark the most expensive operations are refused first, and then those that cost half of
// it, until the use falls. Cheap ones are served all the time. Between the watermark and ten points
// below, nothing changes; below, more is served again.
func TestWatermarks(t *testing.T) {
	for resource, w := range map[string]Watermarks{"cpu": {CPUPercent: 80, MemoryPercent: -1}, "memory": {MemoryPercent: 80}} {
		synctest.Test(t, func(t *testing.T) {
			l, use, log := newShedder(w)
			set := func(percent usage) {
				if use.cpu = percent; resource == "memory" {
					use.cpu, use.memory = 0, percent
				}
			}
			costs := []int64{0, 10, 11, 100, 1000, 1010}
			for i, step := range []struct {
				percent usage
				want    string
			}{
				{79.9, "yyyyyy"},
				{80, "yyyyyy"},
				{79, "yyyyyy"}, // once is not enough
				{80, "yyyyyy"},
				{80, "yyyynn"}, // what operations cost is known by now
				{95, "yyyynn"}, // none of half the cost is there
				{95, "yyyynn"},
				{95, "yyynnn"},
				{75, "yyynnn"}, // nothing changes
				{70, "yyynnn"},
				{85, "yyynnn"},
				{85, "yyynnn"},
				{85, "yynnnn"},
				{85, "yynnnn"}, // cheap ones go on
				{85, "yynnnn"},
				{69.9, "yyynnn"},
				{60, "yyynnn"},
				{60, "yyynnn"},
				{60, "yyyynn"},
				{60, "yyyynn"},
				{60, "yyyynn"},
				{60, "yyyyyy"},
				{79, "yyyyyy"}, // on again at the watermark only
			} {
				set(step.percent)
				if got := admitted(t, l, costs...); got != step.want {
					t.Errorf("%s, step %d, at %v: %s, want %s", resource, i, step.percent, got, step.want)
				}
				time.Sleep(sampleEvery)
			}
			refused := l.Stats().Refused
			if (refused.CPU > 0) != (resource == "cpu") || (refused.Memory > 0) != (resource == "memory") || sum(refused) != 48 {
				t.Errorf("%s: %+v", resource, refused)
			}
			lines := strings.Split(strings.TrimSpace(log.String()), "\n")
			if len(lines) != 2 || !strings.Contains(lines[0], "level=WARN") || !strings.Contains(lines[1], "refused=48 duration=8.5s") || strings.Count(log.String(), "resource="+resource) != 2 {
				t.Errorf("%s: the log has %s", resource, log)
			}
		})
	}
}

// The use is measured twice a second at most, and not without operations; what has not been measured for
// long is over.
func TestSamples(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, use, _ := newShedder(Watermarks{CPUPercent: 80})
		use.cpu = 90
		for range 1000 {
			admitted(t, l, 100)
			time.Sleep(time.Millisecond)
		}
		if use.n < 2 || use.n > 3 || admitted(t, l, 100) != "n" {
			t.Errorf("%d samples in a second", use.n)
		}
		before := use.n
		time.Sleep(time.Hour)
		if use.cpu = 0; use.n != before || admitted(t, l, 100) != "y" {
			t.Errorf("%d samples, though nothing arrived", use.n-before)
		}
	})
}

// A client is told to come again after the time for which operations have been shed.
func TestRetryAfterShedding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, use, _ := newShedder(Watermarks{CPUPercent: 80})
		use.cpu = 90
		admitted(t, l, 100)
		time.Sleep(sampleEvery)
		for _, want := range []time.Duration{time.Second, 20 * time.Second} {
			if got := mustRefuse(t, l, costing(100)).RetryAfter; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			time.Sleep(20 * time.Second)
		}
	})
}

// Watermarks can be set, moved and removed while operations are shed.
func TestWatermarksChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, use, _ := newShedder(Watermarks{CPUPercent: 80, MemoryPercent: -1})
		use.cpu = 90
		want := func(what, want string) {
			t.Helper()
			if got := admitted(t, l, 100); got != want {
				t.Errorf("%s: %s, want %s", what, got, want)
			}
			time.Sleep(sampleEvery)
		}
		want("passed once", "y")
		want("passed", "n")
		l.SetOptions(Options{Watermarks: Watermarks{CPUPercent: 85, MemoryPercent: -1}})
		want("still passed", "n")
		l.SetOptions(Options{Watermarks: Watermarks{CPUPercent: 85, MemoryPercent: -1, CheapCost: 100}})
		want("cheap by now", "y")
		l.SetOptions(Options{Watermarks: Watermarks{MemoryPercent: -1}})
		want("removed", "y")
		if n := use.n; n != 4 {
			t.Errorf("%d samples, want none without a watermark", n)
		}
		l.SetOptions(Options{Watermarks: Watermarks{CPUPercent: 85, MemoryPercent: -1}})
		want("set again", "y")
		want("still set", "n")
	})
}

// What the process itself measures is in its range: a busy processor, and a heap that the limit is near
// to.
func TestProcess(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	debug.SetMemoryLimit(math.MaxInt64)
	var p process
	if cpu, memory := p.measure(); cpu >= 0 || memory >= 0 {
		t.Errorf("%v %v before anything is known", cpu, memory)
	}
	debug.SetMemoryLimit(256 << 20)
	held := make([]byte, 128<<20)
	held[0] = 1
	debug.FreeOSMemory()
	var n int
	for begin := time.Now(); time.Since(begin) < 300*time.Millisecond; n++ { // a processor is busy, unless others use it
		held[n%len(held)]++
	}
	cpu, memory := p.measure()
	if cpu <= 1 || cpu > 130 || memory < 50 || memory > 80 {
		t.Errorf("%v%% of the processors, %v%% of the memory, want some and 50 to 80", cpu, memory)
	}
	held = nil
	debug.FreeOSMemory()
	if _, memory := p.measure(); memory > 40 {
		t.Errorf("%v%% of the memory though it is free", memory)
	}
}

func TestParseQuota(t *testing.T) {
	for text, want := range map[string]float64{
		"50000 100000\n": 0.5, "250000 100000": 2.5, "max 100000": 0, "-1\n 100000\n": 0, "": 0, "1": 0, "1 0": 0, "x y": 0, "1 2 3": 0,
	} {
		if got := parseQuota(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	if _, err := os.Stat("/sys/fs/cgroup/cpu.max"); err == nil && (cpuQuota() < 0 || availableCPU() <= 0) {
		t.Errorf("%v of %v processors", availableCPU(), cpuQuota())
	}
}
