package request

import (
	"net/http"
	"time"
)

// SetReadDeadline sets the time until which the server waits for the request's body; the zero
// time means no deadline. It does nothing for a ResponseWriter without deadlines: those of a
// server have them.
func SetReadDeadline(w http.ResponseWriter, deadline time.Time) {
	if direct, ok := w.(interface{ SetReadDeadline(time.Time) error }); ok {
		_ = direct.SetReadDeadline(deadline)
	} else if _, ok := w.(interface{ Unwrap() http.ResponseWriter }); ok {
		_ = http.NewResponseController(w).SetReadDeadline(deadline)
	}
}
