package backend

import (
	"fmt"
	"testing"
)

func TestOldResponsesAreDropped(t *testing.T) {
	var r ResponseCache
	for i := range maxResponses + 1 {
		r.Put(fmt.Sprint(i), Response{})
	}
	r.Put("", Response{})
	_, oldest := r.Get("0")
	_, next := r.Get("1")
	if len(r.responses) != maxResponses || len(r.keys) != maxResponses || oldest || !next {
		t.Errorf("%d replies, the oldest among them: %v, the next: %v", len(r.responses), oldest, next)
	}
}
