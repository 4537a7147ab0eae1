package upstreams

import (
	"testing"
	"time"
)

// CheckTLSEvery has TLS files read more often during a test.
func CheckTLSEvery(t *testing.T, d time.Duration) {
	before := tlsCheckInterval
	tlsCheckInterval = d
	t.Cleanup(func() { tlsCheckInterval = before })
}
