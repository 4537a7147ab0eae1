package services

import (
	"net/http"
	"strconv"
)

// maxBody bounds the request bodies of all operations but the upload.
const maxBody = 1 << 20

// answer is a handler whose error becomes a problem.
type answer func(w http.ResponseWriter, r *http.Request) error

// operation is one entry of an OpenAPI document.
type operation struct {
	id      string
	route   string // method and path, as http.ServeMux reads them
	answer  answer
	maxBody int64 // bytes; 0 means the constant of that name
}

// service is one REST service, or one replica of it.
type service struct {
	mux     *http.ServeMux
	calls   calls
	replica int // 0 for a service without replicas
}

func newService(operations []operation) *service {
	s := &service{mux: http.NewServeMux(), calls: calls{counts: map[string]int{}}}
	for _, o := range operations {
		s.mux.HandleFunc(o.route, s.counted(o))
	}
	s.mux.HandleFunc("GET /_calls", plain(s.calls.show))
	s.mux.HandleFunc("DELETE /_calls", plain(s.calls.forget))
	return s
}

// counted counts before anything can refuse the call, and bounds the body before
// anything reads it.
func (s *service) counted(o operation) http.HandlerFunc {
	limit := o.maxBody
	if limit == 0 {
		limit = maxBody
	}
	run := plain(o.answer)
	return func(w http.ResponseWriter, r *http.Request) {
		s.calls.add(o.id)
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		run(w, r)
	}
}

func plain(a answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := a(w, r); err != nil {
			writeError(w, err)
		}
	}
}

// ServeHTTP names the replica on every answer, refusals and unknown routes included.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.replica > 0 {
		w.Header().Set("X-Replica", strconv.Itoa(s.replica))
	}
	if _, pattern := s.mux.Handler(r); pattern == "" {
		s.unmatched(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// unmatched says as a problem what the mux would say as text: 404, or 405 with
// the methods that the path has.
func (s *service) unmatched(w http.ResponseWriter, r *http.Request) {
	verdict := verdict{header: http.Header{}}
	s.mux.ServeHTTP(&verdict, r)
	if allow := verdict.header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
		writeError(w, refuse(http.StatusMethodNotAllowed, "METHOD_NOT_ALLOWED", "this path takes %s", allow))
		return
	}
	writeError(w, refuse(http.StatusNotFound, "NO_SUCH_ROUTE", "there is nothing at this path"))
}

// verdict keeps the headers of an answer and drops the rest.
type verdict struct{ header http.Header }

func (v *verdict) Header() http.Header         { return v.header }
func (v *verdict) WriteHeader(int)             {}
func (v *verdict) Write(b []byte) (int, error) { return len(b), nil }
