// Package backend has the common parts of the examples' REST services: routes that count their
// calls, parameters, bodies, problems, tokens, event streams, webhooks, and servers that stop
// together.
//
// Everything exported is safe for concurrent use unless it says otherwise.
package backend

import (
	"net/http"
	"strconv"
	"strings"
)

// maxBody is the default of Operation.MaxBody.
const maxBody = 1 << 20

// HandlerFunc is a handler that responds with the problem of its error.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Operation is an operation of an OpenAPI document.
type Operation struct {
	// ID is its operationId, by which its calls are counted.
	ID string
	// Route is method and path, as in a pattern of http.ServeMux; Options.Base is put before the
	// path.
	Route string
	// Handler handles its requests.
	Handler HandlerFunc
	// MaxBody bounds the request's body, in bytes. Default: 1 MB.
	MaxBody int64
}

// Options configure a Service. The zero value is useful.
type Options struct {
	// Base is put before the path of every route, such as "/v1". Default: none.
	Base string
	// ProblemTypes is the URL that is put before the code of a problem to form its type.
	// Default: the type is about:blank, and the code is a member of its own.
	ProblemTypes string
	// Replica is sent as X-Replica with every response. Default: no header.
	Replica int
}

// Service is one REST service, or one replica of it.
type Service struct {
	options Options
	mux     *http.ServeMux
	calls   calls
}

// New returns a service with these operations. GET /_calls returns how often each was called,
// and DELETE /_calls resets the counts; both exist with and without the base.
func New(operations []Operation, o Options) *Service {
	s := &Service{options: o, mux: http.NewServeMux(), calls: calls{counts: map[string]int{}}}
	for _, operation := range operations {
		method, path, _ := strings.Cut(operation.Route, " ")
		s.mux.HandleFunc(method+" "+o.Base+path, s.countCalls(operation))
	}
	s.handleCalls("")
	if o.Base != "" {
		s.handleCalls(o.Base)
	}
	return s
}

func (s *Service) handleCalls(base string) {
	s.mux.HandleFunc("GET "+base+"/_calls", s.withProblems(s.calls.serveGet))
	s.mux.HandleFunc("DELETE "+base+"/_calls", s.withProblems(s.calls.serveDelete))
}

// Calls returns how often each operation was called, by operationId.
func (s *Service) Calls() map[string]int { return s.calls.snapshot() }

// ResetCalls sets the counts to zero.
func (s *Service) ResetCalls() { s.calls.reset() }

// countCalls counts a call before it can be refused, and bounds its body before it is read.
func (s *Service) countCalls(o Operation) http.HandlerFunc {
	limit := o.MaxBody
	if limit == 0 {
		limit = maxBody
	}
	run := s.withProblems(o.Handler)
	return func(w http.ResponseWriter, r *http.Request) {
		s.calls.add(o.ID)
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		run(w, r)
	}
}

// withProblems responds with the problem of an error that a returns.
func (s *Service) withProblems(a HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := a(w, r); err != nil {
			s.writeError(w, err)
		}
	}
}

// ServeHTTP sets X-Replica on every response, also for unknown routes.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.options.Replica > 0 {
		w.Header().Set("X-Replica", strconv.Itoa(s.options.Replica))
	}
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.serveUnmatched(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// serveUnmatched responds with a problem where the mux would respond with text: 404, or 405
// with the methods of the path.
func (s *Service) serveUnmatched(w http.ResponseWriter, r *http.Request) {
	recorder := headerRecorder{header: http.Header{}}
	s.mux.ServeHTTP(&recorder, r)
	if allow := recorder.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
		s.writeError(w, NewProblem(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "this path takes %s", allow))
		return
	}
	s.writeError(w, NewProblem(http.StatusNotFound, "NO_SUCH_ROUTE", "there is nothing at this path"))
}

// headerRecorder is an http.ResponseWriter that keeps the headers alone.
type headerRecorder struct{ header http.Header }

func (v *headerRecorder) Header() http.Header         { return v.header }
func (v *headerRecorder) WriteHeader(int)             {}
func (v *headerRecorder) Write(b []byte) (int, error) { return len(b), nil }
