package transport

import (
	"maps"
	"net/http"
	"slices"
	"testing"
)

// A header that the gateway has written for a request stays, whatever services send.
func TestAddHeader(t *testing.T) {
	to := http.Header{"X-Request-Id": {"r1"}, "X-Ratelimit-Limit": {"10"}, "Empty": nil}
	addHeader(to, http.Header{"X-Ratelimit-Limit": {"99", "98"}, "Empty": {"x"}, "Set-Cookie": {"a=1", "b=2"}})
	want := http.Header{"X-Request-Id": {"r1"}, "X-Ratelimit-Limit": {"10"}, "Empty": nil, "Set-Cookie": {"a=1", "b=2"}}
	if !maps.EqualFunc(to, want, slices.Equal) {
		t.Errorf("got %v, want %v", to, want)
	}
	addHeader(to, nil)
	if len(to) != len(want) {
		t.Errorf("got %v", to)
	}
}
