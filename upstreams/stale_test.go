package upstreams_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
	"github.com/gatehouse-graphql/gatehouse/upstreams/stale"
)

// newFailing returns services whose one source sends a text that has everything it received, or the
// status that the test has set. Authorization and X-Tenant are forwarded.
func newFailing(t *testing.T, change ...func(*upstreams.Source)) (*upstreams.Services, *atomic.Int64) {
	t.Helper()
	status := &atomic.Int64{}
	users := newReplica(t, func(w http.ResponseWriter, r *http.Request) {
		if s := status.Load(); s != 0 {
			w.WriteHeader(int(s))
			return
		}
		_ = json.NewEncoder(w).Encode(fmt.Sprint(r.URL, r.Header["Authorization"], r.Header["X-Tenant"]))
	})
	source := upstreams.Source{URLs: upstreams.URLs(users.URL), Forward: []string{"Authorization", "X-Tenant"}}
	for _, c := range change {
		c(&source)
	}
	return newServices(t, source), status
}

// as returns a context of a client with headers.
func as(t *testing.T, id string, headers ...string) context.Context {
	h := http.Header{}
	for i := 0; i < len(headers); i += 2 {
		h.Add(headers[i], headers[i+1])
	}
	return engine.StartOperation(upstreams.WithClientHeaders(t.Context(), h, id), engine.Options{}, true)
}

// A client is shown an older value only of a call that sends the same, its own headers included.
func TestStaleValueBelongsToOneCall(t *testing.T) {
	kept := upstreams.Stale{MaxAge: time.Minute}
	call := func() *rest.Call { return rest.New("GET", "/users/").Segment("1").Query("q", "x") }
	first := []string{"Authorization", "Bearer a", "X-Tenant", "t", "X-Other", "o"}
	for name, test := range map[string]struct {
		headers []string
		call    *rest.Call
		kept    upstreams.Stale
		known   bool
	}{
		"the same":                        {first, call(), kept, true},
		"a header that is not forwarded":  {[]string{"Authorization", "Bearer a", "X-Tenant", "t", "X-Other", "p"}, call(), kept, true},
		"another client":                  {[]string{"Authorization", "Bearer b", "X-Tenant", "t"}, call(), kept, false},
		"no client":                       {nil, call(), kept, false},
		"another tenant":                  {[]string{"Authorization", "Bearer a", "X-Tenant", "u"}, call(), kept, false},
		"values in other headers":         {[]string{"X-Tenant", "Bearer a", "Authorization", "t"}, call(), kept, false},
		"another path":                    {first, rest.New("GET", "/users/").Segment("2").Query("q", "x"), kept, false},
		"another parameter":               {first, rest.New("GET", "/users/").Segment("1").Query("q", "y"), kept, false},
		"another header of the binding":   {first, call().Header("X-Version", "2"), kept, false},
		"other rules":                     {first, call(), upstreams.Stale{MaxAge: time.Minute, Rules: "other"}, false},
		"a value that is too old by then": {first, call(), upstreams.Stale{MaxAge: time.Nanosecond}, false},
	} {
		t.Run(name, func(t *testing.T) {
			services, status := newFailing(t)
			want, err := upstreams.FetchStale(as(t, "1", first...), services, "users", call(), kept, (*decode.Decoder).String)
			if err != nil {
				t.Fatal(err)
			}
			status.Store(503)
			got, err := upstreams.FetchStale(as(t, "2", test.headers...), services, "users", test.call, test.kept, (*decode.Decoder).String)
			degraded := engine.AsDegraded(err)
			if test.known && (degraded == nil || got != want || degraded.Value != want || degraded.Degradations[0].Mode != engine.DegradedToStale) {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
			if !test.known && (degraded != nil || got != "" || fault.CodeOf(err) != fault.DownstreamService) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// What a service refuses, or has no more, is not shown afterwards. A failure forgets nothing.
func TestRefusalForgetsStaleValue(t *testing.T) {
	for status, forgets := range map[int64]bool{401: true, 403: true, 404: true, 409: true, 500: false, 502: false, 429: false} {
		services, current := newFailing(t)
		fetch := func() (string, error) {
			return upstreams.FetchStale(as(t, "1", "Authorization", "Bearer a"), services, "users", get(), upstreams.Stale{MaxAge: time.Minute}, (*decode.Decoder).String)
		}
		if _, err := fetch(); err != nil {
			t.Fatal(err)
		}
		current.Store(status)
		_, err := fetch()
		if isDegraded := engine.AsDegraded(err) != nil; isDegraded == forgets {
			t.Errorf("%d: got %v", status, err)
		}
		current.Store(503)
		if _, err := fetch(); (engine.AsDegraded(err) == nil) != forgets {
			t.Errorf("after %d: got %v", status, err)
		}
	}
}

// A response with a cookie for the client is not kept, and what was kept before is forgotten: its body
// may belong to the session of the cookie.
func TestStaleKeepsNoSession(t *testing.T) {
	cookie, fails := &atomic.Bool{}, &atomic.Bool{}
	users := newReplica(t, func(w http.ResponseWriter, _ *http.Request) {
		if fails.Load() {
			w.WriteHeader(503)
			return
		}
		if cookie.Load() {
			w.Header().Set("Set-Cookie", "a=b")
		}
		io.WriteString(w, `"value"`)
	})
	for name, test := range map[string]struct {
		headers  []upstreams.ResponseHeader
		cookies  []bool // of the good responses
		degraded bool
	}{
		"no cookie":               {[]upstreams.ResponseHeader{{Name: "Set-Cookie"}}, []bool{false}, true},
		"a cookie":                {[]upstreams.ResponseHeader{{Name: "Set-Cookie"}}, []bool{true}, false},
		"a cookie later":          {[]upstreams.ResponseHeader{{Name: "Set-Cookie"}}, []bool{false, true}, false},
		"a cookie for no client":  {nil, []bool{true}, true},
		"another header of a set": {[]upstreams.ResponseHeader{{Name: "X-A"}}, []bool{true}, true},
	} {
		services := newServices(t, upstreams.Source{URLs: upstreams.URLs(users.URL), ResponseHeaders: test.headers})
		fetch := func() error {
			_, err := upstreams.FetchStale(as(t, "1"), services, "users", get(), upstreams.Stale{MaxAge: time.Minute}, (*decode.Decoder).String)
			return err
		}
		fails.Store(false)
		for _, c := range test.cookies {
			cookie.Store(c)
			if err := fetch(); err != nil {
				t.Fatal(err)
			}
		}
		fails.Store(true)
		if err := fetch(); (engine.AsDegraded(err) != nil) != test.degraded {
			t.Errorf("%s: %v, want an older value: %t", name, err, test.degraded)
		}
	}
}

// An answer that cannot be read is a failure as well, and does not replace the last good one.
func TestStaleValueForUnreadableAnswer(t *testing.T) {
	body := &atomic.Value{}
	body.Store(`"good"`)
	users := newReplica(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body.Load().(string)) })
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(users.URL)})
	for _, text := range []string{`"good"`, `{"brok`, ``, `5`, `<html>`} {
		body.Store(text)
		got, err := upstreams.FetchStale(as(t, "1"), services, "users", get(), upstreams.Stale{MaxAge: time.Minute}, (*decode.Decoder).String)
		if got != "good" || (engine.AsDegraded(err) != nil) != (text != `"good"`) {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
}

// Bindings that do not ask for it keep nothing, and a store that is full keeps the last values.
func TestStaleIsBounded(t *testing.T) {
	services, status := newFailing(t, func(s *upstreams.Source) { s.Stale = stale.Options{MaxEntries: 2} })
	fetch := func(id string) error {
		_, err := upstreams.FetchStale(as(t, "1"), services, "users", rest.New("GET", "/users/").Segment(id), upstreams.Stale{MaxAge: time.Minute}, (*decode.Decoder).String)
		return err
	}
	if _, err := upstreams.Fetch(as(t, "1"), services, "users", rest.New("GET", "/users/0"), (*decode.Decoder).String); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"1", "2", "3"} {
		if err := fetch(id); err != nil {
			t.Fatal(err)
		}
	}
	status.Store(503)
	for id, known := range map[string]bool{"0": false, "1": false, "2": true, "3": true} {
		if err := fetch(id); (engine.AsDegraded(err) != nil) != known {
			t.Errorf("%s: got %v", id, err)
		}
	}
}

type item struct{ ID string }

var itemShape = decode.NewShape("Item", decode.Field{Name: "id", Required: true})

func readItem(d *decode.Decoder) *item {
	o := d.Object(itemShape)
	v := decode.New[item](&o)
	for o.Next() {
		if o.Field() == 0 {
			v.ID = d.ID()
		}
	}
	if !o.OK() {
		return nil
	}
	return v
}

// Of a batch that fails, those keys have older values that an earlier batch has fetched, whichever it
// was, and a key that the service did not know then has none. A batch whose URL is too long is split.
func TestFetchKeysStale(t *testing.T) {
	status := &atomic.Int64{}
	users := newReplica(t, func(w http.ResponseWriter, r *http.Request) {
		if s := status.Load(); s != 0 {
			w.WriteHeader(int(s))
			return
		}
		list := []any{}
		for id := range strings.SplitSeq(r.URL.Query().Get("ids"), ",") {
			switch id {
			case "missing":
			case "broken":
				list = append(list, map[string]any{"id": []int{}})
			default:
				list = append(list, map[string]any{"id": id})
			}
		}
		_ = json.NewEncoder(w).Encode(list)
	})
	services := newServices(t, upstreams.Source{URLs: upstreams.URLs(users.URL)})
	fetch := func(keys ...string) (map[string]*item, error) {
		call := func(keys []string) *rest.Call {
			return rest.New("GET", "/users").Query("ids", keys).Batch(len(keys), 8000)
		}
		return upstreams.FetchKeysStale(as(t, "1"), services, "users", keys, call, upstreams.Stale{MaxAge: time.Minute},
			decode.ByKey("id", readItem, func(i *item) string { return i.ID }))
	}
	for _, keys := range [][]string{{"a", "b", "missing"}, {"c"}} {
		if _, err := fetch(keys...); err != nil {
			t.Fatal(err)
		}
	}
	// A batch with an item that cannot be read is good for the keys that have a value.
	if values, err := fetch("d", "broken"); err == nil || values["d"] == nil {
		t.Fatal(values, err)
	}
	status.Store(503)
	values, err := fetch("a", "c", "d", "missing", "broken", "unknown")
	degraded, ok := errors.AsType[*engine.DegradedKeys](err)
	if !ok || fault.CodeOf(degraded.Err) != fault.DownstreamService {
		t.Fatalf("got %v", err)
	}
	for key, want := range map[string]struct{ value, degraded bool }{
		"a": {true, true}, "c": {true, true}, "d": {true, true}, "missing": {false, true}, "broken": {}, "unknown": {},
	} {
		_, isDegraded := degraded.Keys[key]
		if (values[key] != nil) != want.value || isDegraded != want.degraded {
			t.Errorf("%s: got %v, degraded %t", key, values[key], isDegraded)
		}
	}
	status.Store(414)
	if _, err := fetch("a", "b"); err == nil {
		t.Error("a batch that is too long has older values, and is not split")
	} else if _, isDegraded := errors.AsType[*engine.DegradedKeys](err); isDegraded {
		t.Errorf("got %v", err)
	}
	status.Store(404)
	if _, err := fetch("a"); fault.CodeOf(err) != fault.NotFound {
		t.Errorf("got %v", err)
	}
	status.Store(503)
	if _, err := fetch("a"); fault.CodeOf(err) != fault.DownstreamService || engine.AsDegraded(err) != nil {
		t.Errorf("what is gone is shown: %v", err)
	}
}
