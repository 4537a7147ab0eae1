package services

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	localURL  = "http://localhost:9400/v1" // one of the document's servers
	asJSON    = "Content-Type: application/json"
	key       = "X-API-Key: " + DemoAPIKey
	anonymous = "Authorization: "
	whiskers  = "019b4132-70aa-764f-b315-e2803d882a24" // a cat to adopt
	firstPaid = "ord_4Pz3KJT6UNKHFYgN"                 // placed by u1, not paid yet
)

// house is a store and a client that may do everything unless told otherwise. Whatever it
// is answered is held against the document.
type house struct {
	*Store
	document *openapi3.T
	keeper   string // the keeper's token
}

func newHouse(t *testing.T, o Options) *house {
	t.Helper()
	h := &house{Store: New(o), document: readDocument(t)}
	t.Cleanup(h.Close)
	h.keeper = h.token(t, Keeper)
	return h
}

func readDocument(t *testing.T) *openapi3.T {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromFile("../schema/openapi/petstore.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func (h *house) token(t *testing.T, id Identity) string {
	t.Helper()
	token, err := h.Token(id)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// req is a request in a table: method and path, a body, header lines as "Name: value".
// An Authorization line takes the place of the keeper's, and an empty one sends none.
type req struct {
	line, body string
	header     []string
}

type answered struct {
	status int
	header http.Header
	body   string
}

func (h *house) request(a req) *http.Request {
	method, path, _ := strings.Cut(a.line, " ")
	r := httptest.NewRequest(method, localURL+path, strings.NewReader(a.body))
	r.Header.Set("Authorization", "Bearer "+h.keeper)
	for _, line := range a.header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	if r.Header.Get("Authorization") == "" {
		r.Header.Del("Authorization")
	}
	return r
}

// raw sends a request that the document may not allow.
func (h *house) raw(a req) answered {
	got, _ := h.serve(a)
	return got
}

// serve also returns the route that handled the request.
func (h *house) serve(a req) (got answered, route string) {
	recorder, r := httptest.NewRecorder(), h.request(a)
	h.Handler().ServeHTTP(recorder, r)
	return answered{recorder.Code, recorder.Header(), recorder.Body.String()}, r.Pattern
}

// do sends a body as JSON unless header says otherwise.
func (h *house) do(t *testing.T, line, body string, header ...string) answered {
	t.Helper()
	if body != "" && len(header) == 0 {
		header = []string{asJSON}
	}
	got, route := h.serve(req{line, body, header})
	if err := h.hold(route, body, got); err != nil {
		t.Errorf("%s is not as the document says: %v", line, err)
	}
	return got
}

// hold holds an answer, and the body of a request that was accepted, against the
// document. The route that took the request tells which operation it was.
func (h *house) hold(route, sent string, got answered) error {
	method, path, _ := strings.Cut(route, " "+Base)
	item := h.document.Paths.Value(path)
	if item == nil {
		return nil // no operation: 404 or 405
	}
	operation := item.GetOperation(method)
	if got.status < 300 && operation.RequestBody != nil {
		if media := operation.RequestBody.Value.GetMediaType("application/json"); media != nil {
			if err := visit(media, sent, openapi3.VisitAsRequest()); err != nil {
				return fmt.Errorf("accepted: %w", err)
			}
		}
	}
	return h.holdAnswer(operation.Responses, got)
}

func (h *house) holdAnswer(responses *openapi3.Responses, got answered) error {
	documented := cmp.Or(responses.Status(got.status), responses.Default())
	switch {
	case documented == nil && got.status >= 400:
		return h.holdProblem(got) // 401 and the like are not named at each operation
	case documented == nil:
		return fmt.Errorf("status %d is not documented", got.status)
	}
	for name := range documented.Value.Headers {
		if got.status < 300 && got.header.Get(name) == "" {
			return fmt.Errorf("the header %s is missing", name)
		}
	}
	if len(documented.Value.Content) == 0 {
		if got.body != "" {
			return fmt.Errorf("there is a body: %s", got.body)
		}
		return nil
	}
	media := documented.Value.Content.Get(got.header.Get("Content-Type"))
	if media == nil {
		return fmt.Errorf("Content-Type %q is not documented", got.header.Get("Content-Type"))
	}
	return visit(media, got.body, openapi3.VisitAsResponse())
}

func (h *house) holdProblem(got answered) error {
	return visit(openapi3.NewMediaType().WithSchemaRef(h.document.Components.Schemas["Error"]), got.body, openapi3.VisitAsResponse())
}

func visit(media *openapi3.MediaType, body string, as openapi3.SchemaValidationOption) error {
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		return err
	}
	return media.Schema.Value.VisitJSON(v, as, openapi3.EnableFormatValidation())
}

// want fails unless the response has this status.
func (a answered) want(t *testing.T, status int) answered {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	return a
}

// problem fails unless the response is a problem whose type ends so, and returns it.
func (a answered) problem(t *testing.T, status int, code string) backend.Problem {
	t.Helper()
	a.want(t, status)
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("Content-Type %q, want application/problem+json", got)
	}
	p := read[backend.Problem](t, a)
	if p.Status != status || p.Type != ProblemTypes+code || p.Title != http.StatusText(status) || p.Detail == "" || p.Code != "" {
		t.Errorf("problem %+v, want status %d and type %s", p, status, ProblemTypes+code)
	}
	return p
}

func read[T any](t *testing.T, a answered) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatalf("%v in %s", err, a.body)
	}
	return v
}

func names[T any](items []T, name func(T) string) string {
	var all []string
	for _, item := range items {
		all = append(all, name(item))
	}
	return strings.Join(all, " ")
}
