package backend

import (
	"fmt"
	"testing"
)

func TestOldRepliesAreForgotten(t *testing.T) {
	var r Replies
	for i := range maxReplies + 1 {
		r.Keep(fmt.Sprint(i), Reply{})
	}
	r.Keep("", Reply{})
	_, oldest := r.Of("0")
	_, next := r.Of("1")
	if len(r.byKey) != maxReplies || len(r.keys) != maxReplies || oldest || !next {
		t.Errorf("%d replies, the oldest among them: %v, the next: %v", len(r.byKey), oldest, next)
	}
}
