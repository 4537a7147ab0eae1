package observe

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/attempt"
)

// Stats is an Observer that counts, by source and by endpoint. It is safe for concurrent use. Its zero
// value is ready for use.
//
// The endpoints of a source may change for ever, as addresses of pods do. Stats keeps those that
// KeepEndpoints names, and at most maxEndpoints others.
type Stats struct {
	sources atomic.Pointer[map[string]*sourceStats] // replaced as a whole, under mu
	mu      sync.Mutex
}

// maxEndpoints is how many endpoints of a source are counted. The one that was not called for the
// longest time makes room.
const maxEndpoints = 1000

// sourceStats counts the calls of a source.
type sourceStats struct {
	running   atomic.Int64
	duration  durations
	succeeded atomic.Int64
	failed    [len(codes) + 1]atomic.Int64 // by the place of the code in codes; the last for others
	joined    [2]atomic.Int64              // by Sharing

	endpoints atomic.Pointer[map[string]*endpointStats] // by host and port; replaced as a whole, under mu
	mu        sync.Mutex
}

// endpointStats counts the attempts at an endpoint.
type endpointStats struct {
	duration durations
	outcomes [attempt.Outcomes]atomic.Int64
	last     atomic.Int64 // when the last attempt began, Unix time in nanoseconds
}

// codes are those that a call may fail with. Others count together.
var codes = [...]fault.Code{
	fault.BadUserInput, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.Conflict,
	fault.DownstreamService, fault.GatewayTimeout, fault.Overloaded, fault.ServiceUnavailable, fault.Internal,
}

// otherCode is the code of failures that are not in codes.
const otherCode = "OTHER"

// StartCall implements Observer.
func (s *Stats) StartCall(_ context.Context, c CallInfo) Call {
	source := s.source(c.Source)
	source.running.Add(1)
	return source
}

// source returns the counters of a source, and adds them if they are missing. The sources are those
// of the settings, so that there are few.
func (s *Stats) source(name string) *sourceStats {
	if known := s.sources.Load(); known != nil {
		if found := (*known)[name]; found != nil {
			return found
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return loadOrAdd(&s.sources, name)
}

// loadOrAdd returns the value of a key, which it adds to a copy of the map if it is missing. The caller
// holds the lock of the map.
func loadOrAdd[V any](to *atomic.Pointer[map[string]*V], key string) *V {
	known := map[string]*V{}
	if old := to.Load(); old != nil {
		if found := (*old)[key]; found != nil {
			return found
		}
		known = maps.Clone(*old)
	}
	added := new(V)
	known[key] = added
	to.Store(&known)
	return added
}

// StartAttempt implements Call.
func (s *sourceStats) StartAttempt(_ context.Context, a AttemptInfo) Attempt {
	return s.endpoint(a.Endpoint)
}

func (s *sourceStats) endpoint(name string) *endpointStats {
	if known := s.endpoints.Load(); known != nil {
		if found := (*known)[name]; found != nil {
			return found
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.endpoints.Load(); known != nil && len(*known) >= maxEndpoints {
		s.dropOldest()
	}
	return loadOrAdd(&s.endpoints, name)
}

// dropOldest removes the endpoint that was not called for the longest time. The caller holds s.mu.
func (s *sourceStats) dropOldest() {
	known := maps.Clone(*s.endpoints.Load())
	oldest := slices.MinFunc(slices.Collect(maps.Keys(known)), func(a, b string) int {
		return int(known[a].last.Load() - known[b].last.Load())
	})
	delete(known, oldest)
	s.endpoints.Store(&known)
}

// Join implements Call.
func (s *sourceStats) Join(how Sharing, _ Call) { s.joined[how].Add(1) }

// End implements Call.
func (s *sourceStats) End(r CallResult) {
	s.running.Add(-1)
	s.duration.record(r.Duration)
	if r.Err == nil {
		s.succeeded.Add(1)
		return
	}
	code := fault.CodeOf(r.Err)
	at := slices.Index(codes[:], code)
	if at < 0 {
		at = len(codes)
	}
	s.failed[at].Add(1)
}

// End implements Attempt.
func (e *endpointStats) End(r AttemptResult) {
	e.last.Store(r.Start.UnixNano())
	e.duration.record(r.Duration)
	e.outcomes[r.Outcome].Add(1)
}

// KeepEndpoints forgets the endpoints of a source that are not in names and were not called for
// keepFor.
func (s *Stats) KeepEndpoints(source string, names []string) {
	known := s.sources.Load()
	if known == nil || (*known)[source] == nil {
		return
	}
	(*known)[source].keep(names)
}

// keepFor is how long the counts of an endpoint that has left are shown, so that the last ones are
// collected.
const keepFor = 2 * time.Minute

func (s *sourceStats) keep(names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known := s.endpoints.Load()
	if known == nil {
		return
	}
	since := time.Now().Add(-keepFor).UnixNano()
	left := func(name string, e *endpointStats) bool {
		return !slices.Contains(names, name) && e.last.Load() < since
	}
	kept := maps.Clone(*known)
	maps.DeleteFunc(kept, left)
	if len(kept) < len(*known) {
		s.endpoints.Store(&kept)
	}
}

// SourceCounts are the counts of the calls to a source since the start of the gateway.
type SourceCounts struct {
	// Running is how many calls have not ended.
	Running int64 `json:"running"`
	// Calls are the calls that have ended by result: "success", or the code of their error.
	Calls map[string]int64 `json:"calls"`
	// Joined are the calls that shared the response of another one, by how.
	Joined map[string]int64 `json:"joined"`
	// Durations are those of the calls that have ended.
	Durations Histogram `json:"durations"`
}

// EndpointCounts are the counts of the attempts at an endpoint since it was first called.
type EndpointCounts struct {
	// Attempts are the attempts that have ended, by outcome.
	Attempts map[string]int64 `json:"attempts"`
	// Durations are those of these attempts.
	Durations Histogram `json:"durations"`
}

// Source returns the counts of a source. Calls has "success" in any case.
func (s *Stats) Source(name string) SourceCounts {
	counts := SourceCounts{Calls: map[string]int64{"success": 0}, Joined: map[string]int64{}}
	known := s.sources.Load()
	if known == nil || (*known)[name] == nil {
		return counts
	}
	source := (*known)[name]
	counts.Running, counts.Durations = source.running.Load(), source.duration.read()
	counts.Calls["success"] = source.succeeded.Load()
	for i := range source.failed {
		if n := source.failed[i].Load(); n > 0 {
			counts.Calls[codeName(i)] = n
		}
	}
	for i := range source.joined {
		if n := source.joined[i].Load(); n > 0 {
			counts.Joined[Sharing(i).String()] = n
		}
	}
	return counts
}

func codeName(i int) string {
	if i == len(codes) {
		return otherCode
	}
	return string(codes[i])
}

// Endpoint returns the counts of an endpoint of a source. Attempts has "success" in any case.
func (s *Stats) Endpoint(source, name string) EndpointCounts {
	counts := EndpointCounts{Attempts: map[string]int64{attempt.Success.String(): 0}}
	known := s.sources.Load()
	if known == nil || (*known)[source] == nil {
		return counts
	}
	endpoints := (*known)[source].endpoints.Load()
	if endpoints == nil || (*endpoints)[name] == nil {
		return counts
	}
	e := (*endpoints)[name]
	for i := range e.outcomes {
		if n := e.outcomes[i].Load(); n > 0 {
			counts.Attempts[attempt.Outcome(i).String()] = n
		}
	}
	counts.Durations = e.duration.read()
	return counts
}
