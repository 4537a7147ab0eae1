package front_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/blocklist"
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
)

// A document is blocked by the hash of its text however a client sends it, by all of its ids or as a text;
// and by another id where clients refer to it by that.
func TestBlockedDocuments(t *testing.T) {
	const text, other = "query Trusted { n }", "query Another { n }"
	hash := fmt.Sprintf("%x", sha256.Sum256([]byte(text)))
	o := front.Options{Documents: documents.Options{Mode: documents.Log, Manifests: []documents.Manifest{
		manifest(t, "", map[string]string{"custom": text, hash: text, "other": other}),
	}}}
	send := func(t *testing.T, g *gateway, id, document string, want map[bool]int) {
		for name, by := range byID {
			if got := g.do(t, by(t, g, id, "{}")); got.status != want[true] {
				t.Errorf("%s %s: %d %s", name, id, got.status, got.text)
			}
		}
		for name, by := range byText {
			if got := g.do(t, by(t, g, document, "{}")); got.status != want[false] {
				t.Errorf("%s: %d %s", name, got.status, got.text)
			}
		}
	}
	for name, test := range map[string]struct {
		entry              blocklist.Entry
		custom, hash, text int // the statuses of requests by the id, by the hash and with the text
	}{
		"hash":        {blocklist.Entry{DocumentID: hash}, 403, 403, 403},
		"marked hash": {blocklist.Entry{DocumentID: "sha256:" + hash}, 403, 403, 403},
		"id":          {blocklist.Entry{DocumentID: "custom"}, 403, 200, 200},
		"operation":   {blocklist.Entry{Operation: "Trusted"}, 403, 403, 403},
		"another":     {blocklist.Entry{DocumentID: "other"}, 200, 200, 200},
	} {
		t.Run(name, func(t *testing.T) {
			o := o
			o.Blocked = []blocklist.Entry{test.entry}
			g := newGateway(t, o, nil)
			send(t, g, "custom", text, map[bool]int{true: test.custom, false: test.text})
			send(t, g, hash, text, map[bool]int{true: test.hash, false: test.text})
			if test.custom == 403 && test.hash == 403 && g.service.asked.Load() > 0 {
				t.Errorf("%d operations were executed", g.service.asked.Load())
			}
		})
	}
}

// The time of an entry ends while the gateway runs.
func TestBlockedUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // begins on 2000-01-01
		f, _ := newFront(t, front.Options{Blocked: []blocklist.Entry{{Operation: "A", Until: "2000-01-01T06:00:00Z"}}}, &service{})
		ask := func() int {
			w := httptest.NewRecorder()
			f.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/graphql?query=query+A{n}", nil))
			return w.Code
		}
		time.Sleep(6*time.Hour - time.Second)
		if got := ask(); got != http.StatusForbidden {
			t.Errorf("a second before: %d", got)
		}
		time.Sleep(time.Second)
		if got := ask(); got != http.StatusOK {
			t.Errorf("then: %d", got)
		}
	})
}
