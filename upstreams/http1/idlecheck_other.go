//go:build !unix

package http1

import "net"

// CanCheckIdle reports whether the system can tell if an idle connection is still open and
// empty. Without that, no connection can be reused safely.
const CanCheckIdle = false

type idleChecker struct{}

func newIdleChecker(net.Conn) (*idleChecker, error) { return &idleChecker{}, nil }

func (*idleChecker) idle() bool { return false }
