package services

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

type heard struct {
	path   string
	header http.Header
	body   string
}

// receiver receives webhooks and callbacks.
func receiver(t *testing.T) (string, <-chan heard) {
	t.Helper()
	all := make(chan heard, 16)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		all <- heard{r.URL.Path, r.Header, string(body)}
	}))
	t.Cleanup(server.Close)
	return server.URL, all
}

func TestWebhooks(t *testing.T) {
	url, all := receiver(t)
	secret := []byte("a webhook secret")
	h := newHouse(t, Options{WebhookURL: url + "/hook", WebhookSecret: secret})
	made := h.do(t, "POST /pets", `{"name":"Mica","species":"CAT"}`).want(t, 201)
	h.do(t, "POST /pets", `{"name":"Onyx","species":"CAT","status":"NOT_AVAILABLE"}`).want(t, 201) // not announced
	h.do(t, "PUT /pets/"+whiskers, `{"name":"W","species":"CAT","status":"ADOPTED"}`).want(t, 200)
	if err := h.ChangeStatus(firstPaid, Approved); err != nil {
		t.Fatal(err)
	}

	got := <-all
	id, timestamp := got.header.Get(backend.WebhookID), got.header.Get(backend.WebhookTimestamp)
	if want := backend.SignWebhook(secret, id, timestamp, []byte(got.body)); got.header.Get(backend.WebhookSignature) != want {
		t.Errorf("headers %v, want the signature %s", got.header, want)
	}
	if want := `{"event":"pet.available","pet":` + made.body + `}`; got.body != want {
		t.Errorf("heard %s, want %s", got.body, want)
	}
	adoptedAlone, adoptedBy := read[adopted](t, answered{body: (<-all).body}), read[adopted](t, answered{body: (<-all).body})
	if adoptedAlone.Event != "pet.adopted" || adoptedAlone.Pet.ID != whiskers || adoptedAlone.Order != nil {
		t.Errorf("heard %+v", adoptedAlone)
	}
	if adoptedBy.Event != "pet.adopted" || adoptedBy.Order == nil || adoptedBy.Order.ID != firstPaid || adoptedBy.Order.Status != Approved || adoptedBy.Pet.ID != adoptedBy.Order.PetID {
		t.Errorf("heard %+v", adoptedBy)
	}
}

func TestCallbacks(t *testing.T) {
	url, all := receiver(t)
	h := newHouse(t, Options{Callbacks: true})
	for range 2 { // a URL that comes twice is called once
		h.do(t, "POST /orders/callback", `{"callbackUrl":"`+url+`/orders"}`).want(t, 202)
	}
	placed := read[Order](t, h.do(t, "POST /orders", `{"petId":"`+whiskers+`"}`).want(t, 201))
	if err := h.ChangeStatus(placed.ID, Cancelled); err != nil {
		t.Fatal(err)
	}
	for _, status := range []string{Placed, Cancelled} {
		got := <-all
		order := read[Order](t, answered{body: got.body})
		if got.path != "/orders" || order.ID != placed.ID || order.Status != status || order.Links != nil {
			t.Errorf("called back at %s with %s", got.path, got.body)
		}
		if err := h.document.Components.Schemas["Order"].Value.VisitJSON(read[any](t, answered{body: got.body}), openapi3.VisitAsRequest(), openapi3.DisableReadOnlyValidation()); err != nil {
			t.Error(err)
		}
	}
}

// Callbacks are sent only if they are enabled.
func TestCallbacksAreOffByDefault(t *testing.T) {
	url, all := receiver(t)
	h := newHouse(t, Options{WebhookURL: url + "/hook"})
	h.do(t, "POST /orders/callback", `{"callbackUrl":"`+url+`/orders"}`).want(t, 202)
	h.do(t, "POST /orders", `{"petId":"`+whiskers+`"}`).want(t, 201)
	h.do(t, "POST /pets", `{"name":"Mica","species":"CAT"}`).want(t, 201)
	if got := <-all; got.path != "/hook" {
		t.Errorf("called back at %s", got.path)
	}
}

func TestOldCallbacksAreDropped(t *testing.T) {
	o := New(Options{}).orders
	for i := range maxCallbacks + 1 {
		o.addCallback(fmt.Sprint(i))
	}
	if len(o.callbacks) != maxCallbacks || o.callbacks[0] != "1" {
		t.Errorf("callbacks %v", o.callbacks)
	}
}
