package rest

import (
	"maps"
	"net/http"
	"strconv"
	"time"
)

// DeadlineHeader tells a service how long the gateway waits for its response, so that it can give up
// what nothing waits for any more, and tell its own services. The zero value sends nothing.
//
// The time is relative: an absolute one would need clocks that agree.
type DeadlineHeader struct {
	// Name is the canonical name of the header, "" for none.
	Name string
	// Format writes the time that remains, which is at least a millisecond.
	Format func(time.Duration) string
}

// Milliseconds writes 1.5 s as "1500", the format of Envoy's x-envoy-expected-rq-timeout-ms.
func Milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Seconds writes 1.5 s as "1.5", the format of Google's X-Server-Timeout.
func Seconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Milliseconds())/1000, 'f', -1, 64)
}

// GRPC writes 1.5 s as "1500m", the format of grpc-timeout: at most eight digits and a unit.
// See https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md.
func GRPC(d time.Duration) string {
	const maxNumber = 99_999_999
	if ms := d.Milliseconds(); ms <= maxNumber {
		return strconv.FormatInt(ms, 10) + "m"
	}
	return strconv.FormatInt(min(int64(d/time.Second), maxNumber), 10) + "S"
}

// set sets the header by the deadline of the request's context, which is that of one attempt. It
// replaces a header of this name. The attempts of a call share their headers, so that req gets
// headers of its own. Parts of a millisecond are cut off, but never all that remains: for Envoy,
// 0 is no limit.
func (h DeadlineHeader) set(req *http.Request) {
	if h.Name == "" {
		return
	}
	deadline, ok := req.Context().Deadline()
	if !ok {
		return
	}
	remaining := max(time.Until(deadline).Truncate(time.Millisecond), time.Millisecond)
	req.Header = maps.Clone(req.Header)
	req.Header[h.Name] = []string{h.Format(remaining)}
}
