package metrics_test

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/metrics"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newMetrics(t testing.TB, log *slog.Logger) *metrics.Metrics {
	t.Helper()
	m, err := metrics.New(log)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// page is what a reader gets, and its lines about operations with their values.
func page(t testing.TB, m *metrics.Metrics) (text string, operations map[string]string) {
	t.Helper()
	got := httptest.NewRecorder()
	m.Handler().ServeHTTP(got, httptest.NewRequest(http.MethodGet, metrics.Path, nil))
	if got.Code != http.StatusOK {
		t.Fatalf("status %d: %s", got.Code, got.Body)
	}
	operations = map[string]string{}
	for line := range strings.Lines(got.Body.String()) {
		if at := strings.LastIndex(line, " "); strings.HasPrefix(line, "gateway_operations_total{") {
			operations[line[len("gateway_operations_total"):at]] = strings.TrimSpace(line[at:])
		}
	}
	return got.Body.String(), operations
}

func TestOperations(t *testing.T) {
	m := newMetrics(t, slog.New(slog.DiscardHandler))
	var callers sync.WaitGroup
	for range 4 {
		callers.Go(func() {
			for range 100 {
				m.CountOperation(ast.Query, "")
				m.CountOperation(ast.Mutation, engine.FallbackDirectives)
			}
		})
	}
	callers.Wait()
	text, got := page(t, m)
	want := map[string]string{
		`{executor="plan",graphql_operation_type="query"}`:                                                        "400",
		`{executor="plan",graphql_operation_type="mutation"}`:                                                     "0",
		`{executor="gqlgen",graphql_operation_type="mutation",reason="directives other than @skip and @include"}`: "400",
	}
	if !maps.Equal(got, want) {
		t.Errorf("operations are %v, want %v", got, want)
	}
	for _, name := range []string{"# TYPE gateway_operations_total counter", "\ngo_goroutines ", "\nprocess_resident_memory_bytes "} {
		if !strings.Contains(text, name) {
			t.Errorf("the page lacks %q", name)
		}
	}
}

// Whatever is counted, the series are those that there is room for.
func TestSeriesDoNotGrow(t *testing.T) {
	m := newMetrics(t, slog.New(slog.DiscardHandler))
	for i := range 1000 {
		m.CountOperation(ast.Query, engine.FallbackReason(fmt.Sprintf("because\n%d", i)))
		m.CountOperation(ast.Operation(fmt.Sprint(i)), "")
	}
	_, got := page(t, m)
	want := map[string]string{
		`{executor="plan",graphql_operation_type="query"}`:                  "0",
		`{executor="plan",graphql_operation_type="mutation"}`:               "0",
		`{executor="plan",graphql_operation_type="other"}`:                  "1000",
		`{executor="gqlgen",graphql_operation_type="query",reason="other"}`: "1000",
	}
	if !maps.Equal(got, want) {
		t.Errorf("operations are %v, want %v", got, want)
	}
}

// Every reason there is has a series of its own.
func TestReasons(t *testing.T) {
	m := newMetrics(t, slog.New(slog.DiscardHandler))
	for _, reason := range engine.FallbackReasons() {
		m.CountOperation(ast.Query, reason)
	}
	_, got := page(t, m)
	for _, reason := range engine.FallbackReasons() {
		if labels := fmt.Sprintf(`{executor="gqlgen",graphql_operation_type="query",reason=%q}`, reason); got[labels] != "1" {
			t.Errorf("%s is %q in %v", labels, got[labels], got)
		}
	}
}

func TestServe(t *testing.T) {
	var log strings.Builder
	m := newMetrics(t, slog.New(slog.DiscardHandler))
	stop, err := m.Serve("127.0.0.1:0", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ := strings.Cut(strings.TrimSpace(log.String()), "address=")
	for path, want := range map[string]int{"/metrics": http.StatusOK, "/": http.StatusNotFound, "/graphql": http.StatusNotFound} {
		response, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != want {
			t.Errorf("%s answers %d, want %d", path, response.StatusCode, want)
		}
	}
	if _, err := m.Serve(address, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "metrics.listen") {
		t.Errorf("a second server on %s: %v", address, err)
	}
	stop()
	if _, err := http.Get("http://" + address + "/metrics"); err == nil {
		t.Error("it serves after it was stopped")
	}
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
}

func BenchmarkOperation(b *testing.B) {
	m := newMetrics(b, slog.New(slog.DiscardHandler))
	for name, reason := range map[string]engine.FallbackReason{"plan": "", "gqlgen": engine.FallbackTooLarge} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.CountOperation(ast.Mutation, reason)
			}
		})
	}
}

// Refused operations are counted by reason. The series of all reasons are there from the beginning, and
// an unknown reason adds one at most.
func TestRefusedOperations(t *testing.T) {
	m := newMetrics(t, slog.New(slog.DiscardHandler))
	series := func() map[string]string {
		text, _ := page(t, m)
		found := map[string]string{}
		for _, line := range regexp.MustCompile(`(?m)^gateway_operations_refused_total\{reason="(.*)"\} (.*)$`).FindAllStringSubmatch(text, -1) {
			found[line[1]] = line[2]
		}
		return found
	}
	want := map[string]string{"blocked": "0", "cost": "0", "rate_limit": "0", "document": "0", "network": "0", "csrf": "0", "overload": "0"}
	if got := series(); !maps.Equal(got, want) {
		t.Errorf("before the first refusal: %v, want %v", got, want)
	}
	for i := range 20 {
		m.CountRefused("blocked")
		m.CountRefused(fmt.Sprintf("because\n%d", i))
	}
	want["blocked"], want["other"] = "20", "20"
	if got := series(); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// Requests by ids are counted by their result, from the first one on.
func TestDocuments(t *testing.T) {
	m := newMetrics(t, slog.New(slog.DiscardHandler))
	if text, _ := page(t, m); strings.Contains(text, "gateway_documents_requests_total{") {
		t.Error("there are series before the first request")
	}
	m.CountDocument(documents.Known)
	m.CountDocument(documents.Known)
	m.CountDocument("other")
	text, _ := page(t, m)
	for _, outcome := range documents.Outcomes() {
		want := 0
		if outcome == documents.Known {
			want = 2
		}
		if line := fmt.Sprintf("gateway_documents_requests_total{result=%q} %d\n", outcome, want); !strings.Contains(text, line) {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
	if strings.Contains(text, "other") && strings.Contains(text, `result="other"`) {
		t.Error("an unknown result makes a series")
	}
}

// Degraded fields are counted by source and mode, from the first one on.
func TestDegradedFields(t *testing.T) {
	m := newMetrics(t, slog.New(slog.DiscardHandler))
	if text, _ := page(t, m); strings.Contains(text, "gateway_fields_degraded_total{") {
		t.Error("there are series before the first field")
	}
	m.CountDegraded(engine.DegradedBy{Service: "users", Mode: engine.DegradedToStale}, 3)
	m.CountDegraded(engine.DegradedBy{Service: "users", Mode: engine.DegradedToNull}, 1)
	m.CountDegraded(engine.DegradedBy{Service: "users", Mode: engine.DegradedToStale}, 2)
	text, _ := page(t, m)
	for _, line := range []string{
		`gateway_fields_degraded_total{mode="STALE",source="users"} 5`, `gateway_fields_degraded_total{mode="NULL",source="users"} 1`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("%s is missing in\n%s", line, text)
		}
	}
}

// The load of each class of callers has its own series, and what was refused has one by cause. Without
// classes there is no label for them.
func TestLoad(t *testing.T) {
	m := newMetrics(t, slog.New(slog.DiscardHandler))
	load := metrics.Load{
		Operations: map[string]metrics.Operations{"partner": {Running: 1, Waiting: 2, Queued: 3}, "other": {Running: 4}},
		Limit:      128,
		Refused:    map[string]int64{"operations": 5, "cpu_watermark": 6},
	}
	m.ObserveLoad(func() metrics.Load { return load })
	text, _ := page(t, m)
	for _, want := range []string{
		`gateway_operations_running{class="partner"} 1`, `gateway_operations_waiting{class="partner"} 2`, `gateway_operations_queued{class="partner"} 3`,
		`gateway_operations_running{class="other"} 4`, "gateway_operations_limit 128",
		`gateway_refused_total{cause="operations"} 5`, `gateway_refused_total{cause="cpu_watermark"} 6`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	load.Operations = map[string]metrics.Operations{"": {Running: 7}}
	if text, _ = page(t, m); !strings.Contains(text, "gateway_operations_running 7\n") || strings.Contains(text, "class=") {
		t.Errorf("without classes:\n%s", text)
	}
}
