package proc

import (
	"os"
	"runtime"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const behind = " S 1 10 10 0 -1 4194560 2055 0 0 0 150 25 0 0 20 0 9 0 100 1 2 3"
	for _, name := range []string{"(posts)", "(a b)", "(a) (b)", "(\n)"} {
		if got, err := parseStat("10 " + name + behind); err != nil || got != 1750*time.Millisecond {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	for _, wrong := range []string{"", "10 (posts", "10 (posts) S 1 2", "10 (posts) S 1 10 10 0 -1 4194560 2055 0 0 0 x 25 0"} {
		if _, err := parseStat(wrong); err == nil {
			t.Errorf("%q is read", wrong)
		}
	}
}

func TestParseStatus(t *testing.T) {
	for name, want := range map[string]int64{"VmHWM": 12 << 10, "VmRSS": 1 << 10} {
		if got, err := parseStatus("Name:\tposts\nVmPeak:\t 200 kB\nVmHWM:\t   12 kB\nVmRSS:\t 1 kB\n", name); err != nil || got != want {
			t.Error(name, got, err)
		}
	}
	for _, wrong := range []string{"", "VmHWM:\tx kB\n"} {
		if _, err := parseStatus(wrong, "VmHWM"); err == nil {
			t.Errorf("%q is read", wrong)
		}
	}
}

// The files of the kernel can be parsed.
func TestSelf(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux accounts under /proc")
	}
	for _, pid := range []int{Self, os.Getpid()} {
		var cpu time.Duration
		for cpu == 0 { // until this loop has taken a step of the kernel's
			var err error
			if cpu, err = CPU(pid); err != nil {
				t.Fatal(err)
			}
		}
		if peak, err := PeakMemory(pid); err != nil || peak < 1<<20 {
			t.Error(peak, err)
		}
		if now, err := Memory(pid); err != nil || now < 1<<20 {
			t.Error(now, err)
		}
		if open, err := Descriptors(pid); err != nil || open < 3 {
			t.Error(open, err)
		}
	}
}
