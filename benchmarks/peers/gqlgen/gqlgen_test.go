package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
	mock "github.com/gatehouse-graphql/gatehouse/benchmarks/services"
)

func TestOperations(t *testing.T) {
	for _, op := range operations.All() {
		op.Services.Latency = 0
		backend := httptest.NewServer(mock.New(op.Services))
		t.Cleanup(backend.Close)
		r := httptest.NewRequest(http.MethodPost, "/graphql", bytes.NewReader(op.Request()))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		newServer(backend.URL).ServeHTTP(w, r)
		if err := op.Check(w.Body.Bytes()); w.Code != http.StatusOK || err != nil {
			t.Error(w.Code, err)
		}
	}
}
