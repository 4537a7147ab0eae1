package everything

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// slowService never responds below /hang, and responds to /late after the timeout of the source.
func slowService(calls *atomic.Int32) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/hang"):
			io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		case r.URL.Path == "/late":
			time.Sleep(250 * time.Millisecond)
			io.WriteString(w, `{"v": "late"}`)
		case r.URL.Path == "/parents":
			io.WriteString(w, `[{"id": "1", "part": {"id": "p"}}]`)
		default:
			calls.Add(1)
			io.WriteString(w, `{"v": "name"}`)
		}
	}
}

// A binding's timeout ends each of its calls, whatever the field is resolved by, and it may be longer
// than that of the source.
func TestTimeouts(t *testing.T) {
	const late, hour = 100 * time.Millisecond, time.Hour
	for _, c := range []struct {
		operation string
		source    time.Duration // its timeout
		want      string        // the data; "" for a timeout
	}{
		{`{late}`, late, `{"late":"late"}`},
		{`{lateByDefault}`, late, ""},
		{`{hungByDefault}`, late, ""},
		{`{hung}`, hour, ""},
		{`{hungPage(first: 2) {nodes {__typename}}}`, hour, ""},
		{`{slowParents {names}}`, hour, ""},
		{`{slowParents {name}}`, hour, ""},
		{`{slowParents {part {label}}}`, hour, ""},
		{`{slowParents {quickName}}`, hour, `{"slowParents":[{"quickName":"name"}]}`},
		{`mutation {hungUpload(text: "a")}`, hour, ""},
	} {
		t.Run(c.operation, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			gateway := startGateway(t, slowService(&calls), nil, func(s *upstreams.Source) { s.Timeout = c.source })
			started := time.Now()
			var got struct {
				Data   json.RawMessage
				Errors []struct {
					Extensions struct{ Code, Service string }
				}
			}
			text := post(t, gateway, map[string]any{"query": c.operation})
			if err := json.Unmarshal(text, &got); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(started); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			if c.want != "" {
				if string(got.Data) != c.want || len(got.Errors) > 0 {
					t.Errorf("%s", text)
				}
				return
			}
			if len(got.Errors) != 1 || got.Errors[0].Extensions.Code != "GATEWAY_TIMEOUT" || got.Errors[0].Extensions.Service != "slow" {
				t.Errorf("%s", text)
			}
		})
	}
}

// Equal calls with equal timeouts are made once. One with a longer timeout must not fail by a shorter
// one, and is made as well.
func TestCallsOfOtherTimeouts(t *testing.T) {
	for query, want := range map[string]int32{
		`{slowParents {quickName sameName}}`:             1,
		`{slowParents {quickName patientName}}`:          2,
		`{slowParents {quickName sameName patientName}}`: 2,
	} {
		var calls atomic.Int32
		gateway := startGateway(t, slowService(&calls), nil)
		if text := post(t, gateway, map[string]any{"query": query}); calls.Load() != want || strings.Contains(string(text), "errors") {
			t.Errorf("%s: %d calls, not %d: %s", query, calls.Load(), want, text)
		}
	}
}
