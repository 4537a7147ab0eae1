package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/services"
)

func TestResponses(t *testing.T) {
	r := responseReader{from: bufio.NewReaderSize(strings.NewReader(
		"HTTP/1.1 200 OK\r\nContent-Type: x\r\ncontent-length: 3\r\n\r\none"+
			"HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ntw\r\nA;x=y\r\no thousand\r\n0\r\n\r\n"+
			"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), 64)}
	for _, want := range []struct {
		status int
		body   string
	}{{200, "one"}, {502, "two thousand"}, {200, ""}} {
		status, body, err := r.readResponse()
		if err != nil || status != want.status || string(body) != want.body {
			t.Errorf("%d %q %v, want %v", status, body, err, want)
		}
	}
	if _, _, err := r.readResponse(); err == nil {
		t.Error("a response after the last one")
	}
}

func TestWrongResponses(t *testing.T) {
	for _, wrong := range []string{
		"", "HTTP/1.1\r\n\r\n", "HTTP/1.1 x\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\nendless",
		"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\none",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\none",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
	} {
		r := responseReader{from: bufio.NewReader(strings.NewReader(wrong))}
		if status, body, err := r.readResponse(); err == nil {
			t.Errorf("%q is read as %d %q", wrong, status, body)
		}
	}
}

// ask runs a load for a moment against a server that sends these responses.
func ask(t *testing.T, op operations.Operation, answer http.HandlerFunc) (loadResult, error) {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return newLoad(op, strings.TrimPrefix(server.URL, "http://"), 4).run(t.Context(), time.Millisecond)
}

// Every connection receives at least one response, and wrong ones are detected.
func TestLoad(t *testing.T) {
	users := operations.All()[2]
	users.Services = services.Options{Users: 200}
	seen, err := ask(t, users, func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); string(body) != string(users.Request()) {
			t.Errorf("asked %s", body)
		}
		w.Write(users.Expected(1))
	})
	if err != nil || len(seen.latencies) < 4 || seen.took <= 0 {
		t.Error(len(seen.latencies), seen.took, err)
	}
	for _, wrong := range []struct {
		status int
		body   string
	}{{200, `{"data":{"posts":[]}}`}, {200, `{"data":`}, {500, string(users.Expected(0))}} {
		_, err := ask(t, users, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(wrong.status)
			io.WriteString(w, wrong.body)
		})
		if err == nil {
			t.Errorf("%v is right", wrong)
		}
	}
}
