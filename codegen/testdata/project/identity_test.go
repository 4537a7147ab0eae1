package everything

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// mirror responds with the request that it received, and counts its calls.
type mirror struct {
	nodes  string
	status int

	mu       sync.Mutex
	name     string // the last value that was set
	requests []string
}

func (m *mirror) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m.mu.Lock()
	defer m.mu.Unlock()
	asked := strings.TrimSpace(r.Method + " " + r.RequestURI + " " + string(body))
	if name := r.URL.Query().Get("name"); name != "" {
		m.name = name
	}
	leaf := func(id string) string {
		return fmt.Sprintf(`{"id": %[1]q, "alias": %[1]q, "name": %[2]q, "text": "of the text", "other": "of the other", "yes": true, "inner": {"id": "inner", "alias": "x", "name": %[2]q}}`, id, m.name+asked)
	}
	switch r.URL.Path {
	case "/nodes":
		io.WriteString(w, m.nodes)
		return
	case "/rename":
		io.WriteString(w, `{"id": "k", "twin": "k", "two": "l", "kind": "A"}`)
		return
	}
	m.requests = append(m.requests, asked)
	if m.status != 0 {
		w.WriteHeader(m.status)
	}
	keys := strings.Split(r.URL.Query().Get("ids"), ",")
	items := make([]string, len(keys))
	switch r.URL.Path {
	case "/echo":
		json.NewEncoder(w).Encode(asked)
	case "/batch":
		for i, key := range keys {
			items[i] = leaf(key)
		}
		fmt.Fprintf(w, "[%s]", strings.Join(items, ","))
	case "/map":
		for i, key := range keys {
			items[i] = fmt.Sprintf("%q: %s", key, leaf(key))
		}
		fmt.Fprintf(w, "{%s}", strings.Join(items, ","))
	default:
		io.WriteString(w, leaf("k"))
	}
}

const oneNode = `[{"id": "k", "twin": "k", "two": "l", "kind": "A", "ids": ["k"], "meta": {"name": "m", "list": [1, 2.50]}, "more": 7.0}]`

// fields queries fields of all nodes.
func fields(t *testing.T, m *mirror, selected string) (data map[string]json.RawMessage, errors map[string]string) {
	t.Helper()
	var got struct {
		Data   struct{ Nodes []map[string]json.RawMessage }
		Errors []struct {
			Message string
			Path    []any
		}
	}
	text := post(t, startGateway(t, m, nil), map[string]any{"query": "{nodes{" + selected + "}}"})
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	errors = map[string]string{}
	for _, err := range got.Errors {
		if len(err.Path) < 3 {
			t.Fatalf("%s", text)
		}
		errors[fmt.Sprint(err.Path[2])] = err.Message
	}
	if len(got.Data.Nodes) > 0 {
		data = got.Data.Nodes[0]
	}
	return data, errors
}

// Two fields share a call if they send the same request, and only then. Each has the value that it
// has alone, whatever else of the two bindings differs.
func TestWhatIsShared(t *testing.T) {
	for _, c := range []struct {
		first, second string
		shared        bool
	}{
		{"single", "singleEqual", true},
		{"single", "singleOfTwin", true},
		{"single", "singleMust", true},
		{"single", "singleSource", false},
		{"single", "singlePath", false},
		{"single", "singleQuery", false},
		{"single", "singleHeader", false},
		{"single", "singleSelection", true},
		{"single", "singleFields", true},
		{"single", "singleType", true},
		{"singleArgument(q: 1)", "singleArgument(q: 1)", true},
		{"singleArgument(q: 1)", "singleArgument(q: 2)", false},
		{"singleArgument(q: 1)", "singleArgument(r: 1)", false},
		{`singleRead(q: "1")`, `singleRead(q: "1")`, true},
		{`singleRead(q: "1")`, `singleRead(q: "2")`, true},
		{`singleRead(q: "1")`, `singleReadOther(r: "1")`, true},
		{"single", "message", true},
		{"message", "messageEqual", true},
		{"message", "messageOther", true},
		{"message", "messageMore", true},
		{"single", "success", true},
		{"success", "successOther", true},
		{"body", "bodyOther", false},
		{"body", "bodyMethod", false},
		{"changed", "changedEqual", true},
		{"changed", "changedOther", false},
		{"pair", "pairTurned", false},
		{"pairTwice", "pairOnce", false},
		{"read", "readTurned", false},
		{`argumentFirst(x: "k")`, `argumentLast(x: "k")`, true},
		{"batch", "batchEqual", true},
		{"batch", "batchOfTwin", true},
		{"batch", "batchMust", true}, // an item is never null
		{"batch", "batchEach", true},
		{"batchSize", "batchSizeOther", true},
		{"batch", "batchSize", true},
		{"batch", "batchKey", true},
		{"batch", "batchGroup", true},
		{"batch", "batchSelection", true},
		{"batch", "batchMessage", true},
		{"batchMap", "batchMapMust", true},
	} {
		m := &mirror{nodes: oneNode}
		data, errs := fields(t, m, fmt.Sprintf("a: %s{id name} b: %s{id name}", c.first, c.second))
		for name, field := range map[string]string{"a": c.first, "b": c.second} {
			alone, errsAlone := fields(t, &mirror{nodes: oneNode}, fmt.Sprintf("%s: %s{id name}", name, field))
			if string(data[name]) != string(alone[name]) || errs[name] != errsAlone[name] {
				t.Errorf("%s and %s: %s is %s %s, alone %s %s", c.first, c.second, name, data[name], errs[name], alone[name], errsAlone[name])
			}
		}
		if shared := len(m.requests) == 1; shared != c.shared {
			t.Errorf("%s and %s share: %t; calls: %q", c.first, c.second, shared, m.requests)
		}
	}
}

// Fields that look alike have the response to their own call.
func TestEachFieldHasItsOwnAnswer(t *testing.T) {
	m := &mirror{nodes: oneNode}
	data, errs := fields(t, m, `pair{name} pairTurned{name} pairTwice{name} pairOnce{name} changed{name} changedOther{name}
		read{id name} readTurned{id name} argumentFirst(x: "_"){name} argumentLast(x: "_"){name}`)
	for field, want := range map[string]string{
		"pair": "GET /pair/k/l", "pairTurned": "GET /pair/l/k", "pairTwice": "GET /pair/k/k?z=l", "pairOnce": "GET /pair/k/l?z=k",
		"changed": `POST /changed {"kind":"x"}`, "changedOther": `POST /changed {"kind":"y"}`,
		"read": "GET /pair/k/l", "readTurned": "GET /pair/l/k", "argumentFirst": "GET /pair/_/k", "argumentLast": "GET /pair/k/_",
	} {
		var leaf struct{ ID, Name string }
		if err := json.Unmarshal(data[field], &leaf); err != nil || leaf.Name != want || leaf.ID != "" && leaf.ID != "k" {
			t.Errorf("%s: got %s, want %q", field, data[field], want)
		}
	}
	if len(errs) > 0 {
		t.Error(errs)
	}
}

// Fields that share a call each have the rules of their own binding.
func TestEachFieldHasItsOwnRules(t *testing.T) {
	all := "single{id} message{id} messageEqual{id} messageOther{id} batch{id} batchMessage{id}"
	for range 5 {
		_, errs := fields(t, &mirror{nodes: oneNode, status: 500}, all)
		for field, want := range map[string]string{
			"single": "the service failed", "message": "of the text", "messageEqual": "of the text", "messageOther": "of the other",
			"batch": "the service failed",
		} {
			if errs[field] != want {
				t.Errorf("%s: got %q, want %q", field, errs[field], want)
			}
		}
		data, errs := fields(t, &mirror{nodes: oneNode}, "single{id} success{id} successOther{id}")
		if string(data["single"]) != `{"id":"k"}` || string(data["success"]) != `{"id":"k"}` || string(data["successOther"]) != "null" || len(errs) != 1 {
			t.Errorf("got %s, %v", data, errs)
		}
	}
}

// A call can have JSON of the parent as its key: equal values share the call.
func TestKeysOfJSON(t *testing.T) {
	m := &mirror{nodes: "[" + oneNode[1:len(oneNode)-1] + "," + oneNode[1:]}
	data, errs := fields(t, m, "id byMeta byAll single{name}")
	for field, want := range map[string]string{
		"byMeta": `POST /echo {"name":"m","list":[1,2.50]}`,
		"byAll":  `POST /echo {"id":"k","meta":{"name":"m","list":[1,2.50]},"more":7.0,"name":{"key":"name","value":"m"}}`,
	} {
		var got string
		if err := json.Unmarshal(data[field], &got); err != nil || got != want {
			t.Errorf("%s: got %s, want %s", field, data[field], want)
		}
	}
	if len(m.requests) != 3 || len(errs) > 0 {
		t.Errorf("calls: %q, errors %v", m.requests, errs)
	}
}

// A failure in a batch is an error of its own fields: others have their values, and so has the next
// field that uses the same loader.
func TestBrokenBatchesHoldNobody(t *testing.T) {
	data, errs := fields(t, &mirror{nodes: oneNode}, "id badKey again: badKey second: badKey(second: true) badBatch one: badBatch single{id}")
	for field, want := range map[string]string{"id": `"k"`, "badKey": "null", "again": "null", "second": `"fine"`, "badBatch": "null", "one": "null", "single": `{"id":"k"}`} {
		if string(data[field]) != want {
			t.Errorf("%s: got %s, want %s", field, data[field], want)
		}
		if message := errs[field]; (message != "") != (want == "null") || want == "null" && message != "internal error" {
			t.Errorf("%s: got the error %q", field, message)
		}
	}
}

// A root field of a mutation sees what the fields before it have changed, by joins too.
func TestSerialFieldsSeeWhatWasWritten(t *testing.T) {
	m := &mirror{}
	text := post(t, startGateway(t, m, nil), map[string]any{"query": `mutation {
		a: rename(name: "First ") { single { name } batch { name } again: single { name } }
		b: rename(name: "Second ") { single { name } batch { name } again: single { name } }
	}`})
	of := func(name string) string {
		return fmt.Sprintf(`{"single":{"name":"%[1]s GET /single/k"},"batch":{"name":"%[1]s GET /batch?ids=k"},"again":{"name":"%[1]s GET /single/k"}}`, name)
	}
	if want := `{"data":{"a":` + of("First") + `,"b":` + of("Second") + `}}`; strings.TrimSpace(string(text)) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if len(m.requests) != 4 {
		t.Errorf("calls: %q", m.requests)
	}
}
