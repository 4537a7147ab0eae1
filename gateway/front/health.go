package front

import (
	"io"
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/response"
)

// Health returns a handler of /healthz and /readyz alone, for another listener.
func (f *Front) Health() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", f.serveHealth)
	mux.HandleFunc("GET /readyz", f.serveReadiness)
	return mux
}

// serveHealth reports that the process runs.
func (f *Front) serveHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, `{"status":"up"}`)
}

// serveReadiness reports whether load balancers may send new requests.
func (f *Front) serveReadiness(w http.ResponseWriter, _ *http.Request) {
	if f.drain.Began() {
		writeJSON(w, http.StatusServiceUnavailable, `{"status":"draining"}`)
		return
	}
	writeJSON(w, http.StatusOK, `{"status":"ready"}`)
}

// serveNotFound answers requests for paths that have no route.
func serveNotFound(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusNotFound, `{"errors":[{"message":"there is nothing at this path; GraphQL is at `+endpoint+`","extensions":{"code":"NOT_FOUND"}}]}`)
}

func writeJSON(w http.ResponseWriter, status int, json string) {
	w.Header().Set("Content-Type", response.TypeJSON+"; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, json+"\n")
}
