package command

import (
	"os"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// gcPercent is how much the heap may grow, of what is alive, before it is collected. A
// gateway has little alive and makes much that dies with its request: at Go's own 100 it
// spends a fifth of its time collecting a few megabytes. See docs/decisions/0016.
const gcPercent = 400

// memoryLimitRatio is how much of a container's memory the heap may take before it is collected
// whatever gcPercent says.
const memoryLimitRatio = 0.9

// TuneMemory sets the garbage collector for a gateway's kind of work, and a memory limit
// from the container's, unless the environment says otherwise with GOGC or GOMEMLIMIT. A
// program calls it once, before it serves.
func TuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	// Where there is no container, or one without a limit, nothing is limited.
	_, _ = memlimit.Set(memlimit.WithRatio(memoryLimitRatio))
}
