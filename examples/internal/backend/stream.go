package backend

import (
	"net/http"
	"time"
)

// writeTimeout bounds one write to a client that does not read.
const writeTimeout = 10 * time.Second

// StartEventStream sends the headers of a stream of server-sent events.
func StartEventStream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// WriteEvent sends a part of a stream without delay.
func WriteEvent(w http.ResponseWriter, message string) error {
	control := http.NewResponseController(w)
	// The recorders of tests have no deadlines.
	_ = control.SetWriteDeadline(time.Now().Add(writeTimeout))
	if _, err := w.Write([]byte(message)); err != nil {
		return err
	}
	return control.Flush()
}
