// Package attempt names what can become of one attempt: one sending of a call to one endpoint. The
// client that makes attempts judges them, and policies, health checks and metrics hear the outcome.
package attempt

import (
	"errors"
	"net"
)

// Outcome is what became of an attempt.
type Outcome uint8

// The outcomes of attempts.
const (
	// Unjudged is a complete response whose body has not been decoded yet. It says nothing: Success
	// or Malformed follows.
	Unjudged Outcome = iota
	// Success is a response that the service meant to give: every status below 500 except 429.
	Success
	// Throttled is a 429: the service is healthy, and asks for fewer calls.
	Throttled
	// ServerError is a status of 500 and above.
	ServerError
	// Unreachable is a connection that could not be made. Nothing of the request was sent.
	Unreachable
	// Stale is a reused connection that the server had most likely closed before the request came.
	// It says nothing about the endpoint: see StaleError.
	Stale
	// Reset is a connection that ended before a response began.
	Reset
	// BrokenOff is a response that ended before it was complete.
	BrokenOff
	// Malformed is a complete response that cannot be read: it is not HTTP, or its body is not what
	// its headers say, or not JSON where the binding expects that.
	Malformed
	// TimedOut is an attempt that had no response when its time had passed.
	TimedOut
	// Slow is an attempt that was given up because another one, which began later, had a response in
	// a small part of its time. It speaks against the endpoint, but less than a failure does: a call
	// may be slow by chance.
	Slow
	// Canceled is an attempt that the gateway gave up, because its caller left or another attempt
	// was faster. It says nothing about the endpoint.
	Canceled
	// Refused is a response that the gateway did not want to read: too large, or without memory for
	// it. It says nothing about the endpoint.
	Refused

	// Outcomes is how many outcomes there are.
	Outcomes = int(iota)
)

var names = [...]string{
	"unjudged", "success", "throttled", "server_error", "unreachable", "stale", "reset", "broken_off", "malformed", "timed_out", "slow", "canceled", "refused",
}

// String returns the outcome as metrics and logs write it: "server_error".
func (o Outcome) String() string { return names[o] }

// Failed reports whether the outcome speaks against the endpoint.
func (o Outcome) Failed() bool {
	switch o {
	case ServerError, Unreachable, Reset, BrokenOff, Malformed, TimedOut:
		return true
	}
	return false
}

// Unsent reports whether the service has certainly not received the request.
func (o Outcome) Unsent() bool { return o == Unreachable }

// StaleError is the error of a request on a reused connection on which no byte of a response came.
// The server has most likely closed it while it was idle, and has not seen the request. But this is
// not certain, so that only a request for which replay.Allowed reports true is sent again.
type StaleError struct{ Err error }

func (e *StaleError) Error() string { return e.Err.Error() }
func (e *StaleError) Unwrap() error { return e.Err }

// ConnectError is the error of a request for which no connection could be made: connecting failed, or
// the TLS handshake, or the way through a proxy. Nothing of the request was sent.
type ConnectError struct{ Err error }

func (e *ConnectError) Error() string { return e.Err.Error() }
func (e *ConnectError) Unwrap() error { return e.Err }

// IsConnectError reports whether err comes from connecting, before a byte of the request was sent: it
// is a *ConnectError, or a *net.OpError of dialing.
func IsConnectError(err error) bool {
	if _, ok := errors.AsType[*ConnectError](err); ok {
		return true
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}
