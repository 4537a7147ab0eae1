package services

import (
	"bytes"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"
)

// Fault is how a spoiled replica answers.
type Fault string

// The faults of a replica. All operations have them, /healthz too.
const (
	// Healthy is a replica without a fault.
	Healthy Fault = ""
	// ServerErrors answers 500.
	ServerErrors Fault = "server errors"
	// Truncated sends the first half of the JSON of a response, as if it were all.
	Truncated Fault = "truncated JSON"
	// Resets breaks the connection off before a response.
	Resets Fault = "resets"
	// Hangs sends nothing until the client leaves.
	Hangs Fault = "hangs"
	// Slow responds after SlowDelay.
	Slow Fault = "slow"
)

// SlowDelay is how late a slow replica responds.
const SlowDelay = 3 * time.Second

// Faults returns all faults but Healthy.
func Faults() []Fault { return []Fault{ServerErrors, Truncated, Resets, Hangs, Slow} }

// Spoil has a replica of products, from 1 to Replicas, answer with a fault from now on. Healthy heals
// it.
func (s *Shop) Spoil(replica int, f Fault) { s.faults[replica-1].Store(&f) }

// spoilable is a replica that can be spoiled.
type spoilable struct {
	http.Handler
	fault *atomic.Pointer[Fault] // nil without a fault
}

func (s spoilable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := s.fault.Load()
	if fault == nil {
		s.Handler.ServeHTTP(w, r)
		return
	}
	switch *fault {
	case ServerErrors:
		http.Error(w, "this replica is spoiled", http.StatusInternalServerError)
		return
	case Truncated:
		s.truncate(w, r)
		return
	case Resets:
		panic(http.ErrAbortHandler)
	case Hangs:
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	case Slow:
		select {
		case <-time.After(SlowDelay):
		case <-r.Context().Done():
			return
		}
	}
	s.Handler.ServeHTTP(w, r)
}

// truncate sends the first half of the response.
func (s spoilable) truncate(w http.ResponseWriter, r *http.Request) {
	whole := &heldResponse{ResponseWriter: w, status: http.StatusOK}
	s.Handler.ServeHTTP(whole, r)
	half := whole.body.Bytes()[:whole.body.Len()/2]
	w.Header().Set("Content-Length", strconv.Itoa(len(half)))
	w.WriteHeader(whole.status)
	_, _ = w.Write(half)
}

// heldResponse keeps a response. Its headers are those of the ResponseWriter.
type heldResponse struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (h *heldResponse) WriteHeader(status int) { h.status = status }

func (h *heldResponse) Write(p []byte) (int, error) { return h.body.Write(p) }
