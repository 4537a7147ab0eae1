package backend

import (
	"crypto/sha256"
	"net/http"
)

// Reply is an answer that may be sent again under its idempotency key.
type Reply struct {
	asked    [sha256.Size]byte // digest of the request's body
	location string
	body     []byte
}

// NewReply is the answer 201 with body and the header Location to the request asked.
func NewReply(asked []byte, location string, body []byte) Reply {
	return Reply{asked: sha256.Sum256(asked), location: location, body: body}
}

// Answers tells whether asked is the body that the reply was made for.
func (r Reply) Answers(asked []byte) bool { return r.asked == sha256.Sum256(asked) }

// Write sends the reply; again says that it was sent before.
func (r Reply) Write(w http.ResponseWriter, again bool) {
	if again {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	w.Header().Set("Location", r.location)
	WriteBody(w, http.StatusCreated, r.body)
}

// Replies keeps the last replies by their idempotency key. Its zero value is ready. It
// is for one goroutine at a time, so that whoever looks for a key, acts and keeps the
// reply can do so under one lock.
type Replies struct {
	byKey map[string]Reply
	keys  []string // the oldest first
}

// maxReplies is how many keys are remembered; the oldest is forgotten first.
const maxReplies = 1000

// Of finds the reply that was kept for key.
func (r *Replies) Of(key string) (Reply, bool) {
	kept, ok := r.byKey[key]
	return kept, ok
}

// Keep does nothing without a key.
func (r *Replies) Keep(key string, answer Reply) {
	if key == "" {
		return
	}
	if r.byKey == nil {
		r.byKey = map[string]Reply{}
	}
	if len(r.keys) == maxReplies {
		delete(r.byKey, r.keys[0])
		r.keys = r.keys[1:]
	}
	r.byKey[key] = answer
	r.keys = append(r.keys, key)
}
