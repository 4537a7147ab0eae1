package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/admission"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// These tests have services fail in every way, with counts and without times: `go run
// ./benchmarks/faults` measures those.

// faultyGateway is a gateway before three replicas of users that fail on purpose.
type faultyGateway struct {
	*gatewayUnderTest
	replicas []*faulty.Server
	token    string
}

// newFaultyGateway starts replicas and a gateway before them. change, if any, changes the settings of
// users.
func newFaultyGateway(t *testing.T, change ...func(*config.Config)) *faultyGateway {
	t.Helper()
	f := &faultyGateway{}
	var urls []string
	for range 3 {
		server, err := faulty.Start(faulty.Service(), faulty.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(server.Close)
		f.replicas = append(f.replicas, server)
		urls = append(urls, server.URL())
	}
	f.gatewayUnderTest = newGateway(t, append(change, func(c *config.Config) {
		// The replicas end first: the gateway waits for calls that hang.
		t.Cleanup(func() { f.play(t, faulty.Fault{Mode: faulty.Refuse}, f.replicas...) })
		source := c.Sources["users"]
		source.URLs = upstreams.URLs(urls...)
		c.Sources["users"] = source
	})...)
	f.token = f.gatewayUnderTest.token(t, services.Admin)
	return f
}

// usersTimeout returns a change of the timeout of users, a third of which connecting may take.
func usersTimeout(d time.Duration) func(*config.Config) {
	return func(c *config.Config) {
		source := c.Sources["users"]
		source.Timeout, source.ConnectTimeout = d, d/3
		c.Sources["users"] = source
	}
}

// play has replicas play a fault.
func (f *faultyGateway) play(t *testing.T, fault faulty.Fault, replicas ...*faulty.Server) {
	t.Helper()
	for _, r := range replicas {
		if err := r.Play(fault); err != nil {
			t.Error(err)
		}
	}
}

// calls returns how many calls replicas had in all.
func calls(replicas ...*faulty.Server) (n int) {
	for _, r := range replicas {
		n += r.Counts().Total()
	}
	return n
}

// results are what became of requests.
type results struct {
	mu        sync.Mutex
	succeeded int            // guarded by mu
	codes     map[string]int // guarded by mu; of errors
	improper  []string       // guarded by mu; responses without data and code, or with a service's text or address
}

// burst sends a query count times by some clients. %d in the query is the number of the request.
func (f *faultyGateway) burst(ctx context.Context, query string, clients, count int) *results {
	r := &results{codes: map[string]int{}}
	var next atomic.Int64
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for n := next.Add(1); n <= int64(count) && ctx.Err() == nil; n = next.Add(1) {
				body, err := f.send(ctx, strings.ReplaceAll(query, "%d", fmt.Sprint(n)))
				if ctx.Err() == nil {
					r.add(f, body, err)
				}
			}
		})
	}
	all.Wait()
	return r
}

func (f *faultyGateway) send(ctx context.Context, query string) ([]byte, error) {
	text, err := json.Marshal(map[string]any{"query": query})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL+"/graphql", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+f.token)
	res, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

// add judges a response.
func (r *results) add(f *faultyGateway, body []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var a response
	if err == nil {
		err = json.Unmarshal(body, &a)
	}
	hidden := []string{faulty.Secret}
	for _, replica := range f.replicas {
		hidden = append(hidden, replica.Address())
	}
	leaks := func(text string) bool { return strings.Contains(string(body), text) }
	switch codes := a.codes(); {
	case err != nil || slices.ContainsFunc(hidden, leaks) || len(a.Errors) > 0 && strings.TrimSpace(codes) == "":
		r.improper = append(r.improper, fmt.Sprintf("%.300s %v", body, err))
	case len(a.Errors) > 0:
		r.codes[codes]++
	default:
		r.succeeded++
	}
}

const (
	readUsers  = `{ user(id: "U-%d") { id name } }`
	createUser = `mutation { createUser(input: {name: "C-%d", email: "a@example.com", password: "long enough 1"}) { id } }`
	updateUser = `mutation { updateUser(id: "M-%d", input: {name: "A"}) { id } }`
	deleteUser = `mutation { deleteUser(id: "D-%d") }`
)

// With one bad replica of three and no settings, nearly all reads succeed, few calls go to it, and the log
// says why.
func TestOneBadReplica(t *testing.T) {
	for _, test := range []struct {
		fault  faulty.Fault
		logged string // of the error for which the replica is ejected
	}{
		{faulty.Fault{Mode: faulty.Status500}, "status 500 Internal Server Error"},
		{faulty.Fault{Mode: faulty.Status503}, "status 503 Service Unavailable"},
		{faulty.Fault{Mode: faulty.BreakMidBody}, "broke off"},
		{faulty.Fault{Mode: faulty.TruncatedJSON}, "malformed"},
		{faulty.Fault{Mode: faulty.HTML}, "could not be decoded"},
		{faulty.Fault{Mode: faulty.HangBeforeHeaders}, ""},
		{faulty.Fault{Mode: faulty.HangMidBody}, ""},
		{faulty.Fault{Mode: faulty.Latency, Delay: 3 * time.Second}, ""},
		{faulty.Fault{Mode: faulty.ResetBeforeHeaders}, "reset"},
		{faulty.Fault{Mode: faulty.ResetMidBody}, "reset"},
		{faulty.Fault{Mode: faulty.Refuse}, "connection refused"},
		{faulty.Fault{Mode: faulty.Blackhole}, ""},
	} {
		t.Run(string(test.fault.Mode), func(t *testing.T) {
			t.Parallel()
			f := newFaultyGateway(t)
			f.play(t, test.fault, f.replicas[0])
			const reads = 400
			r := f.burst(t.Context(), readUsers, 8, reads)
			if r.succeeded < reads*99/100 || len(r.improper) > 0 {
				t.Errorf("%d of %d reads succeeded; %v %q", r.succeeded, reads, r.codes, r.improper)
			}
			if bad, all := calls(f.replicas[0]), calls(f.replicas...); bad*10 >= all {
				t.Errorf("the bad replica got %d of %d calls", bad, all)
			}
			f.wantEjected(t, f.replicas[0], test.logged)
		})
	}
}

// wantEjected fails unless the log says of one replica, once for each time, that it was ejected for an error.
func (f *faultyGateway) wantEjected(t *testing.T, replica *faulty.Server, text string) {
	t.Helper()
	var lines []string
	for line := range strings.Lines(f.Log.String()) {
		if strings.Contains(line, "ejected") {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 || len(lines) > 10 {
		t.Errorf("%d lines say that a replica was ejected", len(lines))
	}
	for _, line := range lines {
		if !strings.Contains(line, replica.Address()) || !strings.Contains(line, text) {
			t.Errorf("%s does not say %q of %s", line, text, replica.Address())
		}
	}
}

// When each replica fails for a tenth of its calls, few reads do.
func TestErrorsOfAllReplicas(t *testing.T) {
	for _, mode := range []faulty.Mode{faulty.Status503, faulty.ResetBeforeHeaders, faulty.BreakMidBody} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := newFaultyGateway(t)
			f.play(t, faulty.Fault{Mode: mode, Share: 0.1}, f.replicas...)
			const reads = 600
			if r := f.burst(t.Context(), readUsers, 8, reads); r.succeeded < reads*97/100 {
				t.Errorf("%d of %d reads succeeded; %v", r.succeeded, reads, r.codes)
			}
		})
	}
}

// A change is carried out once, whatever becomes of its response, and reaches another replica only if it
// cannot have reached the first.
func TestChangesAreMadeOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for many timeouts, and no executor matters")
	}
	for _, mode := range faulty.Modes(false) {
		for _, bad := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d bad", mode, bad), func(t *testing.T) {
				t.Parallel()
				f := newFaultyGateway(t, usersTimeout(1500*time.Millisecond))
				f.play(t, faulty.Fault{Mode: mode}, f.replicas[:bad]...)
				var all sync.WaitGroup
				for _, query := range []string{createUser, updateUser, deleteUser} {
					all.Go(func() { f.burst(t.Context(), query, 3, 3) })
				}
				all.Wait()
				times := map[string]int{}
				for _, r := range f.replicas {
					for change, n := range r.Counts().Changes {
						if times[change] += n; times[change] > 1 {
							t.Errorf("%q was carried out %d times", change, times[change])
						}
					}
				}
				// A connection that was reset before the request was read looks like one reset after it.
				if bad == 1 && mode != faulty.ResetOnAccept && len(times) != 9 {
					t.Errorf("%d of 9 changes were carried out", len(times))
				}
			})
		}
	}
}

// Whatever all replicas of a service do, clients get data or an error with a code, which shows nothing of
// the service, and the gateway goes on to serve.
func TestEveryFaultHasItsError(t *testing.T) {
	// The right response is among what is sent; users have no numbers.
	right := []faulty.Mode{faulty.Healthy, faulty.Flap, faulty.SecondResponse, faulty.StringForNumber}
	for _, mode := range faulty.Modes(false) {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := newFaultyGateway(t, usersTimeout(time.Second))
			fault := faulty.Fault{Mode: mode}
			if mode == faulty.Flap {
				fault.Delay = time.Hour // in its first state
			}
			f.play(t, fault, f.replicas...)
			const reads = 6
			r := f.burst(t.Context(), readUsers, 3, reads)
			want := 0
			if slices.Contains(right, mode) {
				want = reads
			}
			if r.succeeded != want || len(r.improper) > 0 {
				t.Errorf("%d of %d reads succeeded, want %d; %v %q", r.succeeded, reads, want, r.codes, r.improper)
			}
			wantData(t, f.query(t, "", `{ __typename }`, nil), `{"__typename":"Query"}`)
		})
	}
}

// A replica that has healed is used again, and so is a service all of whose replicas have.
func TestHealedReplicasAreUsed(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for many timeouts, and no executor matters")
	}
	for _, mode := range []faulty.Mode{faulty.Status500, faulty.TruncatedJSON, faulty.Refuse, faulty.Blackhole} {
		for _, bad := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s/%d bad", mode, bad), func(t *testing.T) {
				t.Parallel()
				f := newFaultyGateway(t, usersTimeout(1500*time.Millisecond))
				f.play(t, faulty.Fault{Mode: mode}, f.replicas[:bad]...)
				f.burst(t.Context(), readUsers, 8, 40)
				f.play(t, faulty.Fault{}, f.replicas[:bad]...)
				for _, r := range f.replicas {
					r.Reset()
				}
				healed := func() bool {
					r := f.burst(t.Context(), readUsers, 4, 20)
					for _, replica := range f.replicas {
						if calls(replica) == 0 {
							return false
						}
					}
					return r.succeeded == 20
				}
				for end := time.Now().Add(long); !healed(); time.Sleep(100 * time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("calls after healing: %d, %d, %d", calls(f.replicas[0]), calls(f.replicas[1]), calls(f.replicas[2]))
					}
				}
			})
		}
	}
}

// Retries do not multiply the calls to a service that cannot answer.
func TestRetriesHaveABudget(t *testing.T) {
	for _, mode := range []faulty.Mode{faulty.Status503, faulty.Status503Plain, faulty.Status429, faulty.ResetBeforeHeaders} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := newFaultyGateway(t)
			f.play(t, faulty.Fault{Mode: mode}, f.replicas...)
			const reads = 400
			r := f.burst(t.Context(), readUsers, 8, reads)
			if got := calls(f.replicas...); got*2 > reads*3 || r.succeeded > 0 {
				t.Errorf("%d reads took %d calls; %d succeeded", reads, got, r.succeeded)
			}
		})
	}
}

// The call of a client that leaves is cancelled, wherever it hangs.
func TestDisconnectCancelsCalls(t *testing.T) {
	for _, mode := range []faulty.Mode{faulty.HangBeforeHeaders, faulty.HangInHeaders, faulty.HangAfterHeaders, faulty.HangMidBody} {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			f := newFaultyGateway(t, usersTimeout(long), func(c *config.Config) { c.Execution.Deadline = 2 * long })
			f.play(t, faulty.Fault{Mode: mode}, f.replicas...)
			ctx, leave := context.WithCancel(t.Context())
			defer leave()
			done := make(chan struct{})
			go func() {
				defer close(done)
				f.burst(ctx, readUsers, 10, 10)
			}()
			waiting := func() (n int) {
				for _, r := range f.replicas {
					n += r.Counts().Waiting
				}
				return n
			}
			eventually(t, func() bool { return waiting() >= 10 })
			leave()
			eventually(t, func() bool { return waiting() == 0 })
			<-done
		})
	}
}

// eventually fails unless a condition holds soon.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(long); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("what should happen has not happened")
		}
	}
}

// Queries that hang leave others alone, however many there are: with the defaults of one processor, and
// where there are many more than may be executed and wait. Those are refused, since too many wait for
// their service.
func TestHangingQueriesDelayNoOthers(t *testing.T) {
	const hanging = 200
	for name, c := range map[string]struct {
		admission admission.Options
		most      int // of the queries that hang
	}{
		"defaults of one processor": {admission.Options{MaxOperations: admission.DefaultOperationsPerProcessor, MaxWaiting: admission.DefaultWaitingPerProcessor}, hanging},
		"few places":                {admission.Options{MaxOperations: 8, MaxWaiting: 40}, 8 + 40/2},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFaultyGateway(t, usersTimeout(long), func(settings *config.Config) { settings.Admission = c.admission })
			f.play(t, faulty.Fault{Mode: faulty.HangBeforeHeaders}, f.replicas...)
			ctx, leave := context.WithCancel(t.Context())
			done := make(chan struct{})
			var refused atomic.Int64
			go func() {
				var all sync.WaitGroup
				for i := range hanging {
					all.Go(func() {
						body, err := f.send(ctx, strings.ReplaceAll(readUsers, "%d", fmt.Sprint(i)))
						if err != nil { // the client has left
							return
						}
						if !strings.Contains(string(body), "too many operations wait for the service") {
							t.Errorf("%s", body)
						}
						refused.Add(1)
					})
				}
				all.Wait()
				close(done)
			}()
			waiting := func() (n int64) {
				for _, replica := range f.replicas {
					n += int64(replica.Counts().Waiting)
				}
				return n
			}
			for range 20 { // while they come, too
				f.wantOthers(t)
			}
			eventually(t, func() bool { return waiting()+refused.Load() >= hanging }) // more, since a call may have two attempts
			if n := refused.Load(); n < int64(hanging-c.most) || c.most == hanging && n > 0 {
				t.Errorf("%d are refused, but %d of %d may hang", n, c.most, hanging)
			}
			for range 20 {
				f.wantOthers(t)
			}
			leave()
			<-done
		})
	}
}

// wantOthers checks that queries which do not need users neither fail nor wait. The bound on the time is
// for a machine that does other things as well.
func (f *faultyGateway) wantOthers(t *testing.T) {
	t.Helper()
	begin := time.Now()
	wantData(t, f.query(t, "", `{ __typename }`, nil), `{"__typename":"Query"}`)
	wantData(t, f.query(t, "", `{ product(sku: "B-100") { sku } }`, nil), `{"product":{"sku":"B-100"}}`)
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("the others took %s", took)
	}
}
