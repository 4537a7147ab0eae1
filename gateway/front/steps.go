package front

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

const (
	headerRequestID = "X-Request-Id" // as net/http writes it
	maxRequestID    = 128
)

// nameRequest gives the request the name it has in logs and at the services: the
// client's, when that can stand in a log, or a new one. The answer repeats it.
func (f *Front) nameRequest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(headerRequestID)
		if !saneID(id) {
			id = newID()
		}
		w.Header().Set(headerRequestID, id)
		next.ServeHTTP(w, r.WithContext(&requestContext{Context: r.Context(), client: r.Context(), begun: time.Now(), record: record{id: id}}))
	})
}

// newID gives a name that no other request has. It is no secret.
func newID() string {
	const letters, each = "abcdefghijklmnopqrstuvwxyz234567", 5 // bits
	var id [24]byte
	for half := range 2 {
		bits := rand.Uint64()
		for i := range 12 {
			id[12*half+i] = letters[bits>>(each*i)&(1<<each-1)]
		}
	}
	return string(id[:])
}

func saneID(id string) bool {
	strange := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("._-", c)
	}
	return id != "" && len(id) <= maxRequestID && !strings.ContainsFunc(id, strange)
}

// limitBody bounds how much of a body is read, and for how long it is waited for. A
// server's ReadTimeout would do the second, but it also ends a request that runs.
func (f *Front) limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		setReadDeadline(w, contextOf(r).begun.Add(f.options.Deadline))
		if r.ContentLength > f.options.BodyBytes {
			w.Header().Set("Connection", "close") // or the server would read on, to use the connection again
		}
		r.Body = http.MaxBytesReader(w, r.Body, f.options.BodyBytes)
		next.ServeHTTP(w, r)
	})
}

// setReadDeadline does nothing for a ResponseWriter that has no deadlines. Those of a server do.
func setReadDeadline(w http.ResponseWriter, at time.Time) {
	if direct, ok := w.(interface{ SetReadDeadline(time.Time) error }); ok {
		_ = direct.SetReadDeadline(at)
	} else if _, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
		_ = http.NewResponseController(w).SetReadDeadline(at)
	}
}

// recoverPanic makes a 500 of a panic. Those in resolvers do not come here: gqlgen
// gives them to presenter.recovered.
func (f *Front) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			thrown := recover()
			if thrown == nil {
				return
			}
			if thrown == http.ErrAbortHandler {
				panic(thrown) // net/http's way to drop a connection
			}
			f.refuse(w, r, because(f.executor.present.recovered(thrown, debug.Stack())))
		}()
		next.ServeHTTP(w, r)
	})
}

func (f *Front) crossOrigin(next http.Handler) http.Handler {
	if f.cors == nil {
		return next
	}
	return f.cors.Wrap(next)
}

// limitTime bounds the whole operation. Backend calls see the deadline in the context.
func (f *Front) limitTime(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := contextOf(r)
		d := &deadlineContext{Context: c.Context, at: c.begun.Add(f.options.Deadline)}
		defer d.end()
		c.Context = d
		next.ServeHTTP(w, r)
	})
}

func (f *Front) refuseEncoding(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, encoding := range r.Header["Content-Encoding"] {
			if encoding != "" && !strings.EqualFold(encoding, "identity") {
				no := newRefusal(http.StatusUnsupportedMediaType, fault.BadRequest, "send the body without Content-Encoding")
				no.header = http.Header{"Accept-Encoding": {"identity"}}
				f.refuse(w, r, no)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

// identify refuses the whole request for a bad token: an answer as if there were none
// would hide from the caller that the token is no good.
func (f *Front) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent := r.Header["Authorization"]
		if len(sent) > 1 {
			f.refuse(w, r, because(fault.New(fault.Unauthenticated, "send one Authorization header")))
			return
		}
		c := contextOf(r)
		caller, err := f.verify(c.asItIs(), strings.Join(sent, ""))
		if err != nil {
			f.refuse(w, r, because(err))
			return
		}
		if caller != nil { // without one, From gives nil as well
			c.Context = auth.With(c.Context, caller)
		}
		next.ServeHTTP(w, r)
	})
}

// rememberClient keeps the headers that a source may ask for. It sends on our name of
// the request, also when the client's was not taken.
func (f *Front) rememberClient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := contextOf(r)
		c.Context = upstreams.WithClientHeaders(c.Context, r.Header, c.record.id)
		next.ServeHTTP(w, r)
	})
}

// panicError is a recovered panic on its way to the log. It unwraps to nothing: a panic
// is ours, whatever was thrown.
type panicError struct {
	value any
	stack []byte
}

func (p *panicError) Error() string { return fmt.Sprintf("panic: %v", p.value) }
