package backend

import (
	"net/http"
	"time"
)

// pushWithin bounds how long a listener that does not read is borne.
const pushWithin = 10 * time.Second

// BeginStream sends the headers of server-sent events.
func BeginStream(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// Push sends a piece of a stream at once.
func Push(w http.ResponseWriter, message string) error {
	control := http.NewResponseController(w)
	// Not every writer has deadlines; a test's recorder has none to miss.
	_ = control.SetWriteDeadline(time.Now().Add(pushWithin))
	if _, err := w.Write([]byte(message)); err != nil {
		return err
	}
	return control.Flush()
}
