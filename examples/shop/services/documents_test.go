package services

import (
	"bytes"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

type openapi struct {
	Paths map[string]map[string]any
}

var pathParameter = regexp.MustCompile(`\{[^}]*\}`)

// Every operation of the documents has its route, and no other route counts as it.
func TestDocumentsAndRoutesAgree(t *testing.T) {
	shop := New(Options{})
	for name, service := range map[string]*backend.Service{"users": shop.users, "orders": shop.ordering, "products": shop.replicas[0]} {
		documented := 0
		for path, methods := range readDocument(t, name).Paths {
			for method, entry := range methods {
				about, _ := entry.(map[string]any)
				id, _ := about["operationId"].(string)
				if id == "" {
					continue // "parameters", which all methods share
				}
				documented++
				service.ResetCalls()
				r := httptest.NewRequest(strings.ToUpper(method), pathParameter.ReplaceAllString(path, "1"), nil)
				service.ServeHTTP(httptest.NewRecorder(), r)
				if got := service.Calls(); got[id] != 1 || len(got) != 1 {
					t.Errorf("%s: %s %s counts as %v, want one %s", name, method, path, got, id)
				}
			}
		}
		if documented < 5 {
			t.Errorf("%s: only %d operations are documented", name, documented)
		}
	}
}

func readDocument(t *testing.T, name string) openapi {
	t.Helper()
	text, err := os.ReadFile("../../../schema/openapi/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document openapi
	if err := yaml.NewDecoder(bytes.NewReader(text)).Decode(&document); err != nil {
		t.Fatal(err)
	}
	return document
}

// The ports in the documents are those of go run ./examples/shop.
func TestDocumentedAddresses(t *testing.T) {
	at := DocumentedAddresses()
	for name, addresses := range map[string][]string{"users": {at.Users}, "orders": {at.Orders}, "products": at.Products[:]} {
		var document struct {
			Servers []struct{ URL string }
		}
		text, err := os.ReadFile("../../../schema/openapi/" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(text, &document); err != nil {
			t.Fatal(err)
		}
		if len(document.Servers) != len(addresses) {
			t.Fatalf("%s: %d servers, %d addresses", name, len(document.Servers), len(addresses))
		}
		for i, server := range document.Servers {
			if want := strings.Replace(server.URL, "http://localhost:", "127.0.0.1:", 1); addresses[i] != want {
				t.Errorf("%s: address %s, want %s", name, addresses[i], want)
			}
		}
	}
}
