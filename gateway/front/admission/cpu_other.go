//go:build !unix

package admission

import "time"

// canReadCPU reports whether readCPU works.
const canReadCPU = false

// readCPU returns the processor time that the process has used, and false since it is not known here.
func readCPU() (time.Duration, bool) { return 0, false }
