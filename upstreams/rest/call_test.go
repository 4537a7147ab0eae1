package rest_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

type role string

type level int

func ptr[T any](v T) *T { return &v }

func get(literal string) *rest.Call { return rest.New("GET", literal) }

func TestSegmentStaysInItsPlace(t *testing.T) {
	for value, want := range map[any]string{
		"u1":             "/users/u1/orders",
		"a/b":            "/users/a%2Fb/orders",
		"a?x=1#y":        "/users/a%3Fx%3D1%23y/orders",
		"a b+c":          "/users/a%20b%2Bc/orders",
		"%2e%2e":         "/users/%252e%252e/orders",
		"%2F":            "/users/%252F/orders",
		"a;b,c:d@e":      "/users/a%3Bb%2Cc%3Ad%40e/orders",
		"...":            "/users/.../orders",
		".a":             "/users/.a/orders",
		"a..b":           "/users/a..b/orders",
		"Käse €":         "/users/K%C3%A4se%20%E2%82%AC/orders",
		"//evil.test":    "/users/%2F%2Fevil.test/orders",
		"-._~":           "/users/-._~/orders",
		7:                "/users/7/orders",
		int64(1 << 62):   "/users/4611686018427387904/orders",
		role("ADMIN"):    "/users/ADMIN/orders",
		json.Number("9"): "/users/9/orders",
		true:             "/users/true/orders",
	} {
		c := get("/users/").Segment(value).Literal("/orders")
		if got := c.Key(); got != "GET "+want || c.Err() != nil {
			t.Errorf("%#v: %s (%v), want %s", value, got, c.Err(), want)
		}
	}
}

func TestSegmentRefuses(t *testing.T) {
	values := map[string]any{
		"nil": nil, "typed nil": (*string)(nil), "empty": "", "dot": ".", "dots": "..",
		"pointer to dots": ptr(".."), "dots first": "../admin", "dots within": "a/../b", "dots last": "a/..",
		"backslashes": `..\admin`, "NUL": "a\x00b", "line break": "a\r\nHost: x", "C1 control": "a\u0085b",
		"invalid UTF-8": "a\xff", "dots as JSON": json.RawMessage(`".."`), "JSON null": json.RawMessage("null"),
		"no bytes": json.RawMessage(nil), "not a number": math.NaN(), "infinite": math.Inf(1),
	}
	for name, value := range values {
		err := get("/users/").Segment(value).Literal("/orders").Err()
		want := fault.BadUserInput
		if f, ok := value.(float64); ok && (math.IsNaN(f) || math.IsInf(f, 0)) {
			want = fault.Internal // GraphQL has no such numbers, so that it is not the client's mistake
		}
		if fault.CodeOf(err) != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
	}
}

func TestLiteralIsAlwaysAValidPath(t *testing.T) {
	for literal, want := range map[string]string{
		"/a/b":       "/a/b",
		"/a%2Fb":     "/a%2Fb",
		"/a%zz":      "/a%25zz",
		"/a%2":       "/a%252",
		"/a b?c#d":   "/a%20b%3Fc%23d",
		"/users:all": "/users:all",
		"/ü":         "/%C3%BC",
		"/a;v=1,2@x": "/a;v=1,2@x",
	} {
		if got := get(literal).Key(); got != "GET "+want {
			t.Errorf("%q: %s, want %s", literal, got, want)
		}
	}
}

func TestQuery(t *testing.T) {
	type build = func(*rest.Call) *rest.Call
	query := func(v any) build { return func(c *rest.Call) *rest.Call { return c.Query("q", v) } }
	queryEach := func(v any) build { return func(c *rest.Call) *rest.Call { return c.QueryExploded("q", v) } }
	for _, test := range []struct {
		name  string
		build build
		want  string
	}{
		{"string", query("tea"), "?q=tea"},
		{"empty string is given", query(""), "?q="},
		{"space and plus", query("a b+c"), "?q=a%20b%2Bc"},
		{"separators", query("a&b=c;d#e?f"), "?q=a%26b%3Dc%3Bd%23e%3Ff"},
		{"line break", query("a\r\nb\x00"), "?q=a%0D%0Ab%00"},
		{"nil", query(nil), ""},
		{"nil *string", query((*string)(nil)), ""},
		{"nil *int", query((*int)(nil)), ""},
		{"nil *float64", query((*float64)(nil)), ""},
		{"nil *bool", query((*bool)(nil)), ""},
		{"*string", query(ptr("x")), "?q=x"},
		{"*int", query(ptr(3)), "?q=3"},
		{"*float64", query(ptr(0.5)), "?q=0.5"},
		{"*bool", query(ptr(false)), "?q=false"},
		{"**string", query(ptr(ptr("x"))), "?q=x"},
		{"*enum", query(ptr(role("ADMIN"))), "?q=ADMIN"},
		{"small int types", query(level(-4)), "?q=-4"},
		{"unsigned", query(uint8(200)), "?q=200"},
		{"integral float", query(1e6), "?q=1000000"},
		{"2^53", query(math.Pow(2, 53)), "?q=9007199254740992"},
		{"shortest float", query(0.1), "?q=0.1"},
		{"float32", query(float32(0.5)), "?q=0.5"},
		{"huge float", query(1e300), "?q=1e%2B300"},
		{"tiny float", query(1e-9), "?q=1e-09"},
		{"number", query(json.Number("12345678901234567890")), "?q=12345678901234567890"},
		{"raw string", query(json.RawMessage(`"a,b"`)), "?q=a%2Cb"},
		{"raw number", query(json.RawMessage(`1.50`)), "?q=1.50"},
		{"raw null", query(json.RawMessage(`null`)), ""},
		{"list", query([]any{"a", 1, true}), "?q=a,1,true"},
		{"comma within an element", query([]any{"a,b", "c"}), "?q=a%2Cb,c"},
		{"strings", query([]string{"x", "y z"}), "?q=x,y%20z"},
		{"pointers", query([]*string{ptr("x"), nil, ptr("y")}), "?q=x,y"},
		{"raw list", query(json.RawMessage(`["a,b",1]`)), "?q=a%2Cb,1"},
		{"raw object", query(json.RawMessage(`{"a":1}`)), "?q=a,1"},
		{"raw object of each", queryEach(json.RawMessage(`{"a":1,"b":["x","y"]}`)), "?a=1&b=x&b=y"},
		{"nil element first", query([]any{nil, "x"}), "?q=x"},
		{"ints", query([]int{1, 2}), "?q=1,2"},
		{"pointer to a list", query(&[]string{"x", "y"}), "?q=x,y"},
		{"nil pointer to a list", query((*[]string)(nil)), ""},
		{"empty list", query([]any{}), ""},
		{"nil list", query([]string(nil)), ""},
		{"list of nothing", query([]any{nil}), ""},
		{"list with empty strings", query([]string{"", ""}), "?q=,"},
		{"each", queryEach([]string{"a,b", "c"}), "?q=a%2Cb&q=c"},
		{"each of none", queryEach([]any{}), ""},
		{"each of one", queryEach("x"), "?q=x"},
		{"hostile name", func(c *rest.Call) *rest.Call { return c.Query("a[b]&c=", 1) }, "?a%5Bb%5D%26c%3D=1"},
	} {
		c := test.build(get("/p"))
		if got, want := c.Key(), "GET /p"+test.want; got != want || c.Err() != nil {
			t.Errorf("%s: %s (%v), want %s", test.name, got, c.Err(), want)
		}
	}
}

func TestQueryRefuses(t *testing.T) {
	for _, test := range []struct {
		name  string
		value any
		want  fault.Code
	}{
		{"invalid UTF-8", "a\xff", fault.BadUserInput},
		{"invalid UTF-8 in a list", []string{"ok", "\xff"}, fault.BadUserInput},
		{"object in an object", encode.Object{{Name: "a", Value: encode.Object{}}}, fault.Internal},
		{"map", map[string]any{"a": 1}, fault.Internal},
		{"list of lists", []any{[]any{1}}, fault.Internal},
		{"raw object in an object", json.RawMessage(`{"a":{}}`), fault.Internal},
		{"broken raw", json.RawMessage(`1,2`), fault.Internal},
	} {
		if err := get("/p").Query("q", test.value).Err(); fault.CodeOf(err) != test.want {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

func TestHeader(t *testing.T) {
	for _, test := range []struct {
		name, header string
		value        any
		want         string
	}{
		{"string", "If-Match", `"v1"`, `"v1"`},
		{"pointer", "X-Limit", ptr(3), "3"},
		{"nil", "If-Match", nil, ""},
		{"typed nil", "If-Match", (*string)(nil), ""},
		{"tab", "X-Note", "a\tb", "a\tb"},
		{"unicode", "X-Note", "Käse", "Käse"},
	} {
		req, err := get("/p").Header(test.header, test.value).Request(t.Context(), "svc")
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		} else if got := req.Header.Get(test.header); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
}

func TestHeaderRefuses(t *testing.T) {
	for _, test := range []struct {
		name, header string
		value        any
		want         fault.Code
	}{
		{"CRLF", "X-Note", "a\r\nX-Admin: 1", fault.BadUserInput},
		{"LF", "X-Note", "a\nb", fault.BadUserInput},
		{"NUL", "X-Note", "a\x00", fault.BadUserInput},
		{"DEL", "X-Note", "a\x7f", fault.BadUserInput},
		{"invalid UTF-8", "X-Note", "\xff", fault.BadUserInput},
		{"list", "X-Note", []string{"a"}, fault.Internal},
		{"host", "host", "evil.test", fault.Internal},
		{"framing", "transfer-encoding", "chunked", fault.Internal},
		{"no name", "X Note", "a", fault.Internal},
		{"empty name", "", "a", fault.Internal},
	} {
		if err := get("/p").Header(test.header, test.value).Err(); fault.CodeOf(err) != test.want {
			t.Errorf("%s: %v, want %s", test.name, err, test.want)
		}
	}
}

func TestBodies(t *testing.T) {
	post := func() *rest.Call { return rest.New("POST", "/p") }
	for _, test := range []struct {
		name       string
		call       *rest.Call
		mime, body string
	}{
		{"none", post(), "", ""},
		{"json", post().JSON(encode.Object{{Name: "b", Value: 1}, {Name: "a", Value: nil}}), "application/json", `{"b":1,"a":null}`},
		{"json null", post().JSON(nil), "", ""},
		{
			"merge-patch, header first", post().Header("content-type", "application/merge-patch+json").JSON(encode.Object{}),
			"application/merge-patch+json", `{}`,
		},
		{
			"merge-patch, header last", post().JSON(encode.Object{}).Header("Content-Type", "application/merge-patch+json"),
			"application/merge-patch+json", `{}`,
		},
		{
			"form", post().Form(encode.Object{{Name: "a b", Value: "c&d= e"}, {Name: "no", Value: nil}, {Name: "n", Value: []any{1, "2,3"}}}),
			"application/x-www-form-urlencoded", "a%20b=c%26d%3D%20e&n=1&n=2%2C3",
		},
		{"empty form", post().Form(nil), "application/x-www-form-urlencoded", ""},
	} {
		req, err := test.call.Request(t.Context(), "svc")
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		body := ""
		if req.Body != nil {
			read, _ := io.ReadAll(req.Body)
			body = string(read)
		}
		if got := req.Header.Get("Content-Type"); got != test.mime || body != test.body {
			t.Errorf("%s: %q %q, want %q %q", test.name, got, body, test.mime, test.body)
		}
	}
	for name, c := range map[string]*rest.Call{
		"json":   post().JSON(encode.Object{{Name: "a", Value: math.Inf(1)}}),
		"object": post().Form(encode.Object{{Name: "a", Value: encode.Object{}}}),
	} {
		if fault.CodeOf(c.Err()) != fault.Internal {
			t.Errorf("%s: %v, want an internal fault", name, c.Err())
		}
	}
}

// A head that servers would refuse is not sent: the mistake is the client's, and would look
// like that of a replica.
func TestURLAndHeadersAreBounded(t *testing.T) {
	long := strings.Repeat("a", 40<<10)
	for name, call := range map[string]*rest.Call{
		"a path":          get("/p/").Segment(strings.Repeat("ä", 11<<10)), // six bytes each
		"parameters":      get("/p").Query("a", long).Query("b", long),
		"a list":          get("/p").Query("a", []string{long, long}),
		"a header":        get("/p").Header("A", long+long),
		"all of them":     get("/p/").Segment(strings.Repeat("a", 30<<10)).Header("A", long),
		"once idempotent": get("/p/").Segment(long + long).Idempotent(),
	} {
		if err := call.Err(); fault.CodeOf(err) != fault.BadUserInput || len(err.Error()) > 200 {
			t.Errorf("%s: %.200v", name, err)
		}
	}
	for name, call := range map[string]*rest.Call{
		"a path": get("/p/").Segment(long), "a header": get("/p").Header("A", long), "a body": rest.New("POST", "/p").JSON(long + long),
	} {
		if err := call.Err(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFirstMistakeStays(t *testing.T) {
	c := get("/users/").Segment("..").Header("Host", "x").Query("q", map[string]int{}).JSON(math.NaN())
	f, ok := errors.AsType[*fault.Error](c.Err())
	if !ok || f.Code != fault.BadUserInput || f.Service != "" {
		t.Fatalf("got %#v, want the segment's fault, of no service", f)
	}
	if !strings.Contains(f.Cause.Error(), "GET /users/") {
		t.Errorf("cause %v does not name the call", f.Cause)
	}
}

func TestKeyIsTheIdentityOfACall(t *testing.T) {
	same := [][2]*rest.Call{
		{get("/p").Query("b", 1).Query("a", 2), get("/p").Query("a", 2).Query("b", 1)},
		{get("/users/").Segment("u1"), get("/users/u1")},
		{get("/p").Header("A", 1).Header("B", 2), get("/p").Header("B", 2).Header("A", 1)},
	}
	for _, pair := range same {
		if pair[0].Key() != pair[1].Key() {
			t.Errorf("differ:\n%q\n%q", pair[0].Key(), pair[1].Key())
		}
	}
	different := []*rest.Call{
		get("/p"), rest.New("HEAD", "/p"), get("/p/"), get("/p").Query("a", ""), get("/p").Query("a", "b"),
		get("/p").QueryExploded("a", []int{1, 2}), get("/p").QueryExploded("a", []int{2, 1}), get("/p").Query("a", []int{1, 2}),
		get("/p").Query("a", "1,2"), get("/p").Header("A", "b"), get("/pA").Header("B", "b"), get("/p").Header("AB", "b"),
		get("/p").JSON("A"), get("/p").JSON(encode.Object(nil)), get("/p").Form(nil), get("/p").Segment(".."), get("/a").Literal("%2Fb"), get("/a/b"),
	}
	seen := map[string]int{}
	for i, c := range different {
		if j, ok := seen[c.Key()]; ok {
			t.Errorf("calls %d and %d have the key %q", j, i, c.Key())
		}
		seen[c.Key()] = i
	}
}

func TestTemplateShowsNoValue(t *testing.T) {
	for want, c := range map[string]*rest.Call{
		"/users":                 get("/users").Query("token", "secret"),
		"/users/{}":              get("/users/").Segment("secret"),
		"/users/{}/orders/{}.md": get("/users/").Segment("secret").Literal("/orders/").Segment(7).Literal(".md"),
		"/{}{}":                  get("/").Segment("a").Segment("b"),
		"/%7B%7D":                get("/{}"),
	} {
		if got := c.Template(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestRequestIsTheCallersOwn(t *testing.T) {
	c := rest.New("POST", "/p").Header("A", "b").JSON("x").Idempotent()
	first, err := c.Request(t.Context(), "svc")
	if err != nil {
		t.Fatal(err)
	}
	first.Header.Set("A", "changed")
	first.Header.Del("Content-Type")
	second, _ := c.Request(t.Context(), "svc")
	want := map[string][]string{"A": {"b"}, "Content-Type": {"application/json"}, "Idempotency-Key": nil}
	if diff := cmp.Diff(want, map[string][]string(second.Header)); diff != "" {
		t.Error(diff)
	}
	if second.URL.Host != "svc" || second.GetBody == nil {
		t.Errorf("host %q, or a body that cannot be read again", second.URL.Host)
	}
}

func TestMethodOfTheSchemaIsChecked(t *testing.T) {
	if _, err := rest.New("GE T", "/").Request(t.Context(), "svc"); err == nil {
		t.Error("a method with a space was accepted")
	}
}
