package middleware

import (
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/request"
)

// maxRequestID is the length of the longest id that a client may choose, in bytes.
const maxRequestID = 128

// RequestID gives the request the id that it has in the log and in calls to services: that of
// its X-Request-Id header if it is safe to log, and otherwise a new one. The response repeats
// the id.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(request.HeaderID)
		if !isValidID(id) {
			id = newID()
		}
		w.Header().Set(request.HeaderID, id)
		r, c := request.Attach(r)
		c.Log.ID = id
		next.ServeHTTP(w, r)
	})
}

// newID returns a random id of 120 bits. It is not a secret.
func newID() string {
	const letters, bitsPerLetter = "abcdefghijklmnopqrstuvwxyz234567", 5
	var id [24]byte
	for half := range 2 {
		bits := rand.Uint64()
		for i := range 12 {
			id[12*half+i] = letters[bits>>(bitsPerLetter*i)&(1<<bitsPerLetter-1)]
		}
	}
	return string(id[:])
}

// isValidID reports whether an id has 1 to maxRequestID letters, digits, dots, hyphens and
// underscores of ASCII.
func isValidID(id string) bool {
	isInvalid := func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("._-", c)
	}
	return id != "" && len(id) <= maxRequestID && !strings.ContainsFunc(id, isInvalid)
}
