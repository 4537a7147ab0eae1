// Package backend is what the examples' REST services are made of: routes that count
// their calls, parameters, bodies, problems, tokens, events to receivers, and servers
// that stop together. A service says what its operations answer and leaves the rest to it.
//
// Everything exported is safe for concurrent use unless it says otherwise.
package backend

import (
	"net/http"
	"strconv"
	"strings"
)

// maxBody bounds the request bodies of operations that name no bound.
const maxBody = 1 << 20

// Answer is a handler whose error becomes a problem.
type Answer func(w http.ResponseWriter, r *http.Request) error

// Operation is one entry of an OpenAPI document.
type Operation struct {
	// ID is its operationId, by which its calls are counted.
	ID string
	// Route is method and path, as http.ServeMux reads them; the path follows Options.Base.
	Route string
	// Answer answers it.
	Answer Answer
	// MaxBody bounds the request's body, in bytes. Default: 1 MB.
	MaxBody int64
}

// Options say how a Service is made. The zero value is useful.
type Options struct {
	// Base comes before the path of every route, such as "/v1". Default: none.
	Base string
	// ProblemTypes is the URL before a problem's code, which together are its type.
	// Default: the type is about:blank, and the code a member of its own.
	ProblemTypes string
	// Replica is named in the header X-Replica of every answer. Default: no header.
	Replica int
}

// Service is one REST service, or one replica of it.
type Service struct {
	options Options
	mux     *http.ServeMux
	calls   calls
}

// New makes a service of operations. GET /_calls tells how often each was called,
// DELETE /_calls sets that to zero; both are there with and without the base.
func New(operations []Operation, o Options) *Service {
	s := &Service{options: o, mux: http.NewServeMux(), calls: calls{counts: map[string]int{}}}
	for _, operation := range operations {
		method, path, _ := strings.Cut(operation.Route, " ")
		s.mux.HandleFunc(method+" "+o.Base+path, s.counted(operation))
	}
	s.showCalls("")
	if o.Base != "" {
		s.showCalls(o.Base)
	}
	return s
}

func (s *Service) showCalls(base string) {
	s.mux.HandleFunc("GET "+base+"/_calls", s.plain(s.calls.show))
	s.mux.HandleFunc("DELETE "+base+"/_calls", s.plain(s.calls.forget))
}

// Calls tells by operationId how often each operation was called, as GET /_calls does.
func (s *Service) Calls() map[string]int { return s.calls.snapshot() }

// ResetCalls sets the counts to zero.
func (s *Service) ResetCalls() { s.calls.reset() }

// counted counts before anything can refuse the call, and bounds the body before
// anything reads it.
func (s *Service) counted(o Operation) http.HandlerFunc {
	limit := o.MaxBody
	if limit == 0 {
		limit = maxBody
	}
	run := s.plain(o.Answer)
	return func(w http.ResponseWriter, r *http.Request) {
		s.calls.add(o.ID)
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		run(w, r)
	}
}

func (s *Service) plain(a Answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := a(w, r); err != nil {
			s.writeError(w, err)
		}
	}
}

// ServeHTTP names the replica on every answer, refusals and unknown routes included.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.options.Replica > 0 {
		w.Header().Set("X-Replica", strconv.Itoa(s.options.Replica))
	}
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.unmatched(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// unmatched says as a problem what the mux would say as text: 404, or 405 with
// the methods that the path has.
func (s *Service) unmatched(w http.ResponseWriter, r *http.Request) {
	verdict := verdict{header: http.Header{}}
	s.mux.ServeHTTP(&verdict, r)
	if allow := verdict.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
		s.writeError(w, Refuse(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "this path takes %s", allow))
		return
	}
	s.writeError(w, Refuse(http.StatusNotFound, "NO_SUCH_ROUTE", "there is nothing at this path"))
}

// verdict keeps the headers of an answer and drops the rest.
type verdict struct{ header http.Header }

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) WriteHeader(int)             {}
func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }
