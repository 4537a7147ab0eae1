package upstreams_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// abort breaks the connection.
func abort() { panic(http.ErrAbortHandler) }

// faults are what a broken replica may do with a request that it has read.
var faults = map[string]http.HandlerFunc{
	"500":        func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) },
	"502":        func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(502) },
	"503":        func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) },
	"503, later": func(w http.ResponseWriter, r *http.Request) { w.Header().Set("Retry-After", "1"); w.WriteHeader(503) },
	"504":        func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(504) },
	"reset":      func(w http.ResponseWriter, r *http.Request) { abort() },
	"broken off": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, `{"id":`)
		w.(http.Flusher).Flush()
		abort()
	},
	"truncated": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"id":"u`) },
	"truncated JSON": func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"id":"u`)
	},
	"no JSON": func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `<html>sorry</html>`) },
	"empty":   func(w http.ResponseWriter, r *http.Request) {},
	"no HTTP": func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			fmt.Fprint(conn, "SSH-2.0-OpenSSH\r\n\r\n")
			conn.Close()
		}
	},
	"bad chunks": func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n")
			conn.Close()
		}
	},
	"hangs": hang,
	"hangs in the body": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(200)
		w.(http.Flusher).Flush()
		hang(w, r)
	},
}

// hang waits until the client has left, which the server notices once the body has been read.
func hang(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// startReplicas starts a replica for each handler, of which nil is healthy, and returns their source.
func startReplicas(t *testing.T, handlers ...http.HandlerFunc) (source upstreams.Source, replicas []*replica) {
	t.Helper()
	for _, handler := range handlers {
		if handler == nil {
			handler = func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"id":"u1"}`)
			}
		}
		p := newReplica(t, handler)
		p.Config.ErrorLog = log.New(io.Discard, "", 0)
		replicas = append(replicas, p)
		source.URLs = append(source.URLs, upstreams.URL{URL: p.URL})
	}
	return source, replicas
}

var readID = decode.Member("id", (*decode.Decoder).String)

// Every read succeeds while one replica of three is broken, and none takes long.
func TestReadsSurviveOneReplica(t *testing.T) {
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, replicas := startReplicas(t, nil, fault, nil)
			source.Retry.Budget.Burst = 100 // no replica is ejected here that takes more calls than the budget
			services := newServices(t, source)
			for range 20 {
				began := time.Now()
				id, err := upstreams.Fetch(t.Context(), services, "users", rest.New("GET", "/users/u1"), readID)
				if err != nil || id != "u1" || time.Since(began) > 5*time.Second {
					t.Errorf("%q after %s: %v", id, time.Since(began), err)
				}
			}
			if replicas[1].calls.Load() == 0 {
				t.Error("the broken replica was not called")
			}
		})
	}
}

// A call that changes something reaches one replica once, whatever that does with it.
func TestChangesReachServiceOnce(t *testing.T) {
	calls := map[string]func() *rest.Call{
		"POST":   func() *rest.Call { return rest.New("POST", "/users").JSON(json.RawMessage("1")) },
		"PUT":    func() *rest.Call { return rest.New("PUT", "/users/u1").JSON(json.RawMessage("1")) },
		"PATCH":  func() *rest.Call { return rest.New("PATCH", "/users/u1").JSON(json.RawMessage("1")) },
		"DELETE": func() *rest.Call { return rest.New("DELETE", "/users/u1") },
		"GET":    func() *rest.Call { return rest.New("GET", "/users/u1/lock").NonIdempotent() },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, replicas := startReplicas(t, fault, fault, fault)
			source.Timeout = 300 * time.Millisecond
			services := newServices(t, source)
			sent := int64(0)
			for method, call := range calls {
				for _, send := range []func() error{
					func() error { return upstreams.Send(t.Context(), services, "users", call()) },
					func() error {
						_, err := upstreams.Fetch(t.Context(), services, "users", call(), readID)
						return err
					},
				} {
					err := send()
					sent++
					total := int64(0)
					for _, p := range replicas {
						total += p.calls.Load()
					}
					if total != sent {
						t.Fatalf("%s: %d requests, want %d: %v", method, total, sent, err)
					}
				}
			}
		})
	}
}

// A client that leaves ends its call at the service at once.
func TestDisconnectCancelsCall(t *testing.T) {
	began, ended := make(chan struct{}, 9), make(chan struct{}, 9)
	hangs := func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		<-r.Context().Done()
		ended <- struct{}{}
	}
	source, _ := startReplicas(t, hangs, hangs)
	services := newServices(t, source)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := upstreams.Fetch(ctx, services, "users", rest.New("GET", "/users/u1"), readID); err == nil {
			t.Error("no error")
		}
	})
	<-began
	<-began // the hedge
	cancel()
	left := time.Now()
	<-ended
	<-ended
	if took := time.Since(left); took > 200*time.Millisecond {
		t.Errorf("the service heard of it after %s", took)
	}
	wg.Wait()
}

// Statuses that a binding reads as null or as data are neither failures nor retried.
func TestExpectedStatusIsNotRetried(t *testing.T) {
	for name, rules := range map[string]*upstreams.Rules{
		"nullOn":    {NullOn: []int{404, 503}},
		"isSuccess": {Success: func(r *upstreams.Response) bool { return r.Status == 503 }},
	} {
		gone := func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(503)
			fmt.Fprint(w, `{"id":"u1"}`)
		}
		source, replicas := startReplicas(t, gone, gone)
		services := newServices(t, source)
		_, err := upstreams.Fetch(t.Context(), services, "users", rest.New("GET", "/users/u1"), readID, rules)
		if calls := replicas[0].calls.Load() + replicas[1].calls.Load(); err != nil || calls != 1 {
			t.Errorf("%s: %d calls: %v", name, calls, err)
		}
	}
}

// Two places of an operation that share a call share its repetition as well, and the faults of the
// first response do not remain.
func TestSharedCallIsRepeatedOnce(t *testing.T) {
	source, replicas := startReplicas(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"id":1,"more":}`) }, nil)
	services := newServices(t, source)
	ctx := engine.StartOperation(t.Context(), engine.Options{}, true)
	engine.SetSharedCalls(ctx, &engine.SharedCalls{All: true})
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			id, err := upstreams.Fetch(ctx, services, "users", rest.New("GET", "/users/u1").Shared("users"), readID)
			if err != nil || id != "u1" {
				t.Errorf("%q, %v", id, err)
			}
		})
	}
	wg.Wait()
	if bad, good := replicas[0].calls.Load(), replicas[1].calls.Load(); bad != 1 || good != 1 {
		t.Errorf("%d and %d calls, want one each", bad, good)
	}
	if !engine.FaultsOf(ctx).Empty() {
		t.Error("faults of the malformed response remain")
	}
}
