package command

import (
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent is the growth of the heap, relative to what is live, that starts a collection. A gateway has
// a small live heap, and most of its allocations end with their request: at Go's default of 100 it
// spends a fifth of its time on collecting a few megabytes. See docs/decisions/0016.
const gcPercent = 400

// memoryLimitRatio is the share of a container's memory at which collections start regardless of
// gcPercent.
const memoryLimitRatio = 0.9

// TuneMemory sets the pace of the garbage collector for a gateway, and a memory limit by that of the
// container. GOGC and GOMEMLIMIT in the environment have precedence. A program calls it once,
// before it serves.
func TuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	// It fails where there is no container or no limit, and nothing is set then.
	_, _ = memlimit.Set(memlimit.WithRatio(memoryLimitRatio))
}
