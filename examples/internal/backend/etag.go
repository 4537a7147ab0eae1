package backend

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
)

// WriteTagged answers with JSON under an entity tag, or with 304 to a caller who has it
// already.
func WriteTagged(w http.ResponseWriter, r *http.Request, body []byte) {
	tag := entityTag(body)
	w.Header().Set("ETag", tag)
	if matches(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	WriteBody(w, http.StatusOK, body)
}

func entityTag(body []byte) string {
	sum := sha256.Sum256(body)
	return fmt.Sprintf(`"%x"`, sum[:8])
}

// matches compares weakly, as If-None-Match does.
func matches(headers []string, tag string) bool {
	for candidate := range strings.SplitSeq(strings.Join(headers, ","), ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}
