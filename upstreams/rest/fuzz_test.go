package rest_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

var hostile = []string{
	"u1", "", ".", "..", "...", "/", "//evil.test", "../../etc", "a/../b", `..\x`, "%2e%2e", "%2F", "%", "%zz", "?", "?a=b", "#", "&a=b", "=",
	";", ",", "+", " ", "\t", "\x00", "\r\n", "a\r\nX-Admin: 1\r\n\r\nGET /admin HTTP/1.1", "@evil.test", ":80", "[::1]", "{}", "*", "a|b", `"a`, `b"`, "1.5", "--",
	"\u2025", "\uff0e\uff0e\uff0f", "Käse", "\u202e", "\u2028", "\xff", "\xc0\xae", "\u0085", "http://evil.test/", strings.Repeat("a", 5000),
}

// seen is the request that a service received, if any.
type seen struct{ *http.Request }

// newWitness starts a service that records the request of a call.
func newWitness(f testing.TB) func(t *testing.T, c *rest.Call) (seen, error) {
	var got *http.Request
	client, server := newService(f, func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		got = r
	})
	host := server.Listener.Addr().String()
	return func(t *testing.T, c *rest.Call) (seen, error) {
		t.Helper()
		got = nil
		_, err := client.Do(t.Context(), c)
		switch {
		case err != nil && got != nil:
			t.Fatalf("%v, but the service got %s", err, got.RequestURI)
		case err != nil && fault.CodeOf(err) != fault.BadUserInput:
			t.Fatalf("refused for a wrong reason: %v", err)
		case err == nil && got.Host != host:
			t.Fatalf("host %q, want %q", got.Host, host)
		}
		return seen{got}, err
	}
}

// onlyHeaders fails if the request has other headers than every call has.
func (s seen) onlyHeaders(t *testing.T, more ...string) {
	t.Helper()
	want := slices.Sorted(slices.Values(append(more, "Accept", "Accept-Encoding", "User-Agent")))
	if got := slices.Sorted(maps.Keys(s.Header)); !slices.Equal(got, want) {
		t.Fatalf("headers %v, want %v", got, want)
	}
}

func FuzzSegmentStaysInItsPlace(f *testing.F) {
	send := newWitness(f)
	for _, value := range hostile {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := send(t, rest.New("GET", "/users/").Segment(value).Literal("/orders").Query("q", 1))
		if err != nil {
			return
		}
		got.onlyHeaders(t)
		path, query, _ := strings.Cut(got.RequestURI, "?")
		if query != "q=1" || strings.Count(path, "/") != 3 {
			t.Fatalf("%q went out as %s", value, got.RequestURI)
		}
		segment := strings.Split(path, "/")[2]
		if back, err := url.PathUnescape(segment); err != nil || back != value || segment == "." || segment == ".." {
			t.Fatalf("%q arrived as %q (%v)", value, segment, err)
		}
	})
}

func FuzzQueryStaysInItsPlace(f *testing.F) {
	send := newWitness(f)
	for i, value := range hostile {
		f.Add(value, hostile[len(hostile)-1-i])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		got, err := send(t, rest.New("GET", "/users").Query("one", a).Query("list", []string{a, b}).QueryExploded("each", []string{a, b}))
		if err != nil {
			if utf8.ValidString(a) && utf8.ValidString(b) {
				t.Fatalf("%q and %q were refused: %v", a, b, err)
			}
			return
		}
		got.onlyHeaders(t)
		path, query, _ := strings.Cut(got.RequestURI, "?")
		pairs := strings.Split(query, "&")
		if path != "/users" || len(pairs) != 4 {
			t.Fatalf("%q and %q went out as %s", a, b, got.RequestURI)
		}
		list := strings.Split(strings.TrimPrefix(pairs[1], "list="), ",")
		if len(list) != 2 || unescaped(t, list[0]) != a || unescaped(t, list[1]) != b {
			t.Fatalf("%q and %q arrived as the list %q", a, b, list)
		}
		values := got.URL.Query()
		if values.Get("one") != a || !slices.Equal(values["each"], []string{a, b}) {
			t.Fatalf("%q and %q arrived as %v", a, b, values)
		}
	})
}

func unescaped(t *testing.T, s string) string {
	t.Helper()
	plain, err := url.QueryUnescape(s)
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

func FuzzHeaderStaysInItsPlace(f *testing.F) {
	send := newWitness(f)
	for _, value := range hostile {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := send(t, rest.New("GET", "/users").Header("X-Value", value))
		if err != nil {
			return
		}
		got.onlyHeaders(t, "X-Value")
		want := []string{strings.Trim(value, " \t")} // as HTTP trims it
		if got.RequestURI != "/users" || !slices.Equal(got.Header["X-Value"], want) {
			t.Fatalf("%q arrived as %q at %s", value, got.Header["X-Value"], got.RequestURI)
		}
	})
}

func FuzzFormStaysInItsPlace(f *testing.F) {
	send := newWitness(f)
	for i, value := range hostile {
		f.Add(value, hostile[len(hostile)-1-i])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		got, err := send(t, rest.New("POST", "/p").Form(encode.Object{{Name: "a", Value: a}, {Name: "b", Value: []any{b}}}))
		if err != nil {
			return
		}
		got.onlyHeaders(t, "Content-Type", "Content-Length")
		body, _ := io.ReadAll(got.Body)
		form, err := url.ParseQuery(string(body))
		want := url.Values{"a": {a}, "b": {b}}
		if err != nil || fmt.Sprint(form) != fmt.Sprint(want) {
			t.Fatalf("%v arrived as %s (%v)", want, body, err)
		}
	})
}
