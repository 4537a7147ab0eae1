package backend

import (
	"crypto/sha256"
	"net/http"
)

// Response is a response that may be sent again for its idempotency key.
type Response struct {
	request  [sha256.Size]byte // digest of the request's body
	location string
	body     []byte
}

// NewResponse returns a 201 with body and the header Location, for a request with a body.
func NewResponse(request []byte, location string, body []byte) Response {
	return Response{request: sha256.Sum256(request), location: location, body: body}
}

// IsFor reports whether request is the body that the response was made for.
func (r Response) IsFor(request []byte) bool { return r.request == sha256.Sum256(request) }

// Write sends the response. replayed says that it was sent before.
func (r Response) Write(w http.ResponseWriter, replayed bool) {
	if replayed {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	w.Header().Set("Location", r.location)
	WriteBody(w, http.StatusCreated, r.body)
}

// ResponseCache has the latest responses by idempotency key. Its zero value is ready to use.
// It is not safe for concurrent use: its user looks for a key, acts and stores the response
// under one lock.
type ResponseCache struct {
	responses map[string]Response
	keys      []string // the oldest first
}

// maxResponses is how many responses are kept; the oldest is dropped first.
const maxResponses = 1000

// Get returns the response that is stored for key.
func (r *ResponseCache) Get(key string) (Response, bool) {
	response, ok := r.responses[key]
	return response, ok
}

// Put stores a response. It does nothing for an empty key.
func (r *ResponseCache) Put(key string, answer Response) {
	if key == "" {
		return
	}
	if r.responses == nil {
		r.responses = map[string]Response{}
	}
	if len(r.keys) == maxResponses {
		delete(r.responses, r.keys[0])
		r.keys = r.keys[1:]
	}
	r.responses[key] = answer
	r.keys = append(r.keys, key)
}
