package backend

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
)

// WriteTagged responds with JSON and its entity tag, or with 304 if the request has that tag
// in If-None-Match.
func WriteTagged(w http.ResponseWriter, r *http.Request, body []byte) {
	tag := entityTag(body)
	w.Header().Set("ETag", tag)
	if matchesETag(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	WriteBody(w, http.StatusOK, body)
}

func entityTag(body []byte) string {
	sum := sha256.Sum256(body)
	return fmt.Sprintf(`"%x"`, sum[:8])
}

// matchesETag reports whether If-None-Match has the tag, by weak comparison (RFC 9110, 13.1.2).
func matchesETag(headers []string, tag string) bool {
	for candidate := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}
