package replay_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/upstreams/replay"
)

func TestAllowed(t *testing.T) {
	header := func(name string, values ...string) http.Header { return http.Header{name: values} }
	for name, test := range map[string]struct {
		method    string
		header    http.Header
		forbidden bool
		want      bool
	}{
		"GET":                  {method: "GET", want: true},
		"no method":            {method: "", want: true},
		"HEAD":                 {method: "HEAD", want: true},
		"OPTIONS":              {method: "OPTIONS", want: true},
		"TRACE":                {method: "TRACE", want: true},
		"POST":                 {method: "POST"},
		"PUT":                  {method: "PUT"},
		"PATCH":                {method: "PATCH"},
		"DELETE":               {method: "DELETE"},
		"another method":       {method: "PURGE"},
		"GET, forbidden":       {method: "GET", forbidden: true},
		"POST, key":            {method: "POST", header: header("Idempotency-Key", "k"), want: true},
		"PATCH, other key":     {method: "PATCH", header: header("X-Idempotency-Key", "k"), want: true},
		"DELETE, no value":     {method: "DELETE", header: header("Idempotency-Key"), want: true},
		"PUT, empty key":       {method: "PUT", header: header("Idempotency-Key", "")},
		"GET, forbidden, key":  {method: "GET", forbidden: true, header: header("Idempotency-Key", "k"), want: true},
		"GET, forbidden, none": {method: "GET", forbidden: true, header: header("Idempotency-Key", "")},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://service", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Method, req.Header = test.method, test.header
		if test.forbidden {
			req = req.WithContext(replay.Forbid(req.Context()))
		}
		if got := replay.Allowed(req); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}

func TestRewind(t *testing.T) {
	req, err := http.NewRequest("POST", "http://service", strings.NewReader("body"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		rewound, err := replay.Rewind(req)
		if err != nil || !replay.CanRewind(req) {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(rewound.Body); err != nil || string(body) != "body" {
			t.Errorf("the body is %q, %v", body, err)
		}
	}
	broken := errors.New("the file is gone")
	req.GetBody = func() (io.ReadCloser, error) { return nil, broken }
	if _, err := replay.Rewind(req); !errors.Is(err, broken) {
		t.Errorf("got %v, want the error of GetBody", err)
	}
	req.GetBody = nil
	if _, err := replay.Rewind(req); err == nil || replay.CanRewind(req) {
		t.Error("a body without GetBody was rewound")
	}
}

func TestRewindWithoutBody(t *testing.T) {
	for name, body := range map[string]io.ReadCloser{"nil": nil, "NoBody": http.NoBody} {
		req := &http.Request{Method: "GET", Body: body}
		if rewound, err := replay.Rewind(req); err != nil || rewound != req || !replay.CanRewind(req) {
			t.Errorf("%s: got %v, %v, want the request itself", name, rewound, err)
		}
	}
}
