package proc

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// Machine returns a description of this computer.
func Machine() string {
	return fmt.Sprintf("%s, %d cores, Linux %s", processor(), runtime.NumCPU(), firstWord("/proc/sys/kernel/osrelease"))
}

// LoadAverage returns how many threads ran or waited to run in the last minute, as a decimal number.
func LoadAverage() string { return firstWord("/proc/loadavg") }

// processor returns the name of the first processor.
func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // without it the name is missing, no more
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown processor"
}

func firstWord(file string) string {
	text, _ := os.ReadFile(file) // likewise
	word, _, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	return word
}
