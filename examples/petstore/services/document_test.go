package services

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var pathParameter = regexp.MustCompile(`\{[^}]*\}`)

// Every operation of the document has its route, and no other route counts as it.
func TestDocumentAndRoutesAgree(t *testing.T) {
	store := New(Options{})
	documented := 0
	for path, item := range readDocument(t).Paths.Map() {
		for method, operation := range item.Operations() {
			documented++
			store.ResetCalls()
			r := httptest.NewRequest(method, Base+pathParameter.ReplaceAllString(path, "1"), nil)
			store.Handler().ServeHTTP(httptest.NewRecorder(), r)
			if got := store.Calls(); got[operation.OperationID] != 1 || len(got) != 1 {
				t.Errorf("%s %s counts as %v, want one %s", method, path, got, operation.OperationID)
			}
		}
	}
	if got := len(store.operations()); documented != got || got != 19 {
		t.Errorf("%d operations are documented and %d are there, want 19", documented, got)
	}
}

// The store listens at the document's address, and its paths begin as in the document.
func TestDocumentedAddress(t *testing.T) {
	want := "http://" + strings.Replace(DocumentedAddress, "127.0.0.1", "localhost", 1) + Base
	for _, server := range readDocument(t).Servers {
		if server.URL == want {
			return
		}
	}
	t.Errorf("the document has no server %s", want)
}

// What the other tests rely on: an answer that the document does not allow is found.
func TestDocumentIsChecked(t *testing.T) {
	h := newHouse(t, Options{})
	good := h.do(t, "GET /pets/"+whiskers, "").want(t, 200)
	const get = "GET " + Base + "/pets/{id}"
	tests := []struct {
		name, route, sent string
		change            func(a *answered)
	}{
		{"an enum", get, "", func(a *answered) { a.body = strings.Replace(a.body, `"CAT"`, `"FISH"`, 1) }},
		{"a required member", get, "", func(a *answered) { a.body = strings.Replace(a.body, `"name"`, `"named"`, 1) }},
		{"a null", get, "", func(a *answered) { a.body = strings.Replace(a.body, `"MEDIUM"`, `null`, 1) }},
		{"a moment", get, "", func(a *answered) { a.body = strings.Replace(a.body, `"2025-09-01T08:00:00Z"`, `"2025-09-01"`, 1) }},
		{"a status", get, "", func(a *answered) { a.status = 201 }},
		{"a media type", get, "", func(a *answered) { a.header.Set("Content-Type", "text/plain") }},
		{"a header", get, "", func(a *answered) { a.header.Del("ETag") }},
		{"a body where none is", "DELETE " + Base + "/pets/{id}", "", func(a *answered) { a.status = 204 }},
		{"a problem", get, "", func(a *answered) { a.status = 404 }},
		{"an undocumented refusal", "GET " + Base + "/orders/{id}", "", func(a *answered) { a.status = 401 }},
		{"an accepted request", "PUT " + Base + "/pets/{id}", `{"name":"x"}`, func(*answered) {}},
		{"a password shown", "GET " + Base + "/users/{id}", "", func(a *answered) { a.body = `{"username":"x","email":"x@example.com","password":"x"}` }},
		{"a variant", "POST " + Base + "/orders/{id}/payment", `{"amount":1,"currency":"USD","source":{"object":"cash"}}`, func(a *answered) {
			a.body = `{"amount":1,"currency":"USD","source":{"object":"card","name":"J","number":"1","expMonth":1,"expYear":2030}}`
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			bad := good
			bad.header = bad.header.Clone()
			test.change(&bad)
			if err := h.hold(test.route, test.sent, bad); err == nil {
				t.Errorf("not detected: %d %s", bad.status, bad.body)
			}
		})
	}
	if err := h.hold("PUT "+Base+"/pets/{id}", `{"name":"x","species":"CAT"}`, good); err != nil {
		t.Errorf("what is right is minded: %v", err)
	}
}
