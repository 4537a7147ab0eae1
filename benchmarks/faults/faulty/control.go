package faulty

import (
	"encoding/json"
	"net/http"
)

// state is what Control shows of a server.
type state struct {
	URL    string `json:"url"`
	Fault  Fault  `json:"fault"`
	Counts Counts `json:"counts"`
}

// Control returns a handler by which servers are switched over HTTP, by their names:
//
//	GET    /        returns the URL, the fault and the counts of each server
//	GET    /modes   returns the names of all modes
//	PUT    /{name}  has a server play the Fault of the body
//	DELETE /        sets all counts to zero
//
// All bodies are JSON, with durations in nanoseconds.
func Control(servers map[string]*Server) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		all := map[string]state{}
		for name, s := range servers {
			all[name] = state{s.URL(), s.fault.Load().Fault, s.Counts()}
		}
		writeJSON(w, http.StatusOK, all)
	})
	mux.HandleFunc("GET /modes", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, Modes(true)) })
	mux.HandleFunc("DELETE /{$}", func(w http.ResponseWriter, _ *http.Request) {
		for _, s := range servers {
			s.Reset()
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("PUT /{name}", func(w http.ResponseWriter, r *http.Request) {
		s, ok := servers[r.PathValue("name")]
		if !ok {
			http.Error(w, "there is no such server", http.StatusNotFound)
			return
		}
		var f Fault
		err := json.NewDecoder(r.Body).Decode(&f)
		if err == nil {
			err = s.Play(f)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}
