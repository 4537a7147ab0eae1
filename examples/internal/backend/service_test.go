package backend

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func serve(handler http.Handler, method, target string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, httptest.NewRequest(method, target, nil))
	return recorder
}

func readProblem(t *testing.T, r *httptest.ResponseRecorder) (p Problem) {
	t.Helper()
	if got := r.Header().Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q, want application/problem+json", got)
	}
	if err := json.Unmarshal(r.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// An error that is not the caller's must not show its cause.
func TestInternalErrorsAreHidden(t *testing.T) {
	s := New([]Operation{{ID: "x", Route: "GET /x", Handler: func(w http.ResponseWriter, _ *http.Request) error {
		return WriteJSON(w, http.StatusOK, func() {})
	}}}, Options{})
	recorder := serve(s, "GET", "/x")
	want := Problem{Type: "about:blank", Title: "Internal Server Error", Status: 500, Detail: "something went wrong", Code: "INTERNAL"}
	if diff := cmp.Diff(want, readProblem(t, recorder), cmp.AllowUnexported(Problem{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if strings.Contains(recorder.Body.String(), "func") {
		t.Errorf("the cause is shown: %s", recorder.Body)
	}
}

// The problems of a service with a base path have types.
func TestBaseAndProblemTypes(t *testing.T) {
	s := New([]Operation{{ID: "x", Route: "GET /x", Handler: func(http.ResponseWriter, *http.Request) error {
		return NewProblem(http.StatusNotFound, "NO_SUCH_PET", "there is no pet %d", 1)
	}}}, Options{Base: "/v1", ProblemTypes: "https://example.com/problems/"})
	want := Problem{Type: "https://example.com/problems/no-such-pet", Title: "Not Found", Status: 404, Detail: "there is no pet 1"}
	if diff := cmp.Diff(want, readProblem(t, serve(s, "GET", "/v1/x")), cmp.AllowUnexported(Problem{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := readProblem(t, serve(s, "GET", "/x")).Type; got != "https://example.com/problems/no-such-route" {
		t.Errorf("without the base: %s", got)
	}
	for _, path := range []string{"/_calls", "/v1/_calls"} {
		if got := serve(s, "GET", path).Body.String(); got != `{"x":1}` {
			t.Errorf("%s: %s", path, got)
		}
	}
}
