package upstreams

import (
	"net/http"
	"slices"
	"testing"
)

// ClientCredentials finds all headers with credentials, whatever their names.
func TestClientCredentials(t *testing.T) {
	h := http.Header{}
	for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie", "X-Api-Key", "X-ApiKey", "X-APIKEY", "X-AccessToken", "X-Auth", "X-SessId", "X-Jwt", "X-Passphrase"} {
		h.Set(name, "secret")
	}
	want := len(h)
	for _, name := range []string{"Idempotency-Key", "Sec-WebSocket-Key", "Accept", "X-Tenant"} {
		h.Set(name, "public")
	}
	got := ClientCredentials(WithClientHeaders(t.Context(), h, "id"))
	if len(got) != want || slices.Contains(got, "public") {
		t.Errorf("got %d of %d credentials: %q", len(got), want, got)
	}
}
