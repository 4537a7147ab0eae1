package rest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// The tables "Style Values" and "Style Examples" of OpenAPI 3.0 to 3.2.
func TestStylesOfTheSpecification(t *testing.T) {
	const text = "blue"
	list := []string{"blue", "black", "brown"}
	object := encode.Object{{Name: "R", Value: 100}, {Name: "G", Value: 200}, {Name: "B", Value: 150}}
	type values = [3]string // of text, list, object; "-" is not defined
	for _, test := range []struct {
		style         string
		build         func(c *rest.Call, v any, explode bool) *rest.Call
		plain, expand values
	}{
		{
			"simple",
			(*rest.Call).SegmentList,
			values{"/blue", "/blue,black,brown", "/R,100,G,200,B,150"},
			values{"/blue", "/blue,black,brown", "/R=100,G=200,B=150"},
		},
		{
			"label",
			(*rest.Call).Label,
			values{"/.blue", "/.blue,black,brown", "/.R,100,G,200,B,150"},
			values{"/.blue", "/.blue.black.brown", "/.R=100.G=200.B=150"},
		},
		{
			"matrix",
			func(c *rest.Call, v any, explode bool) *rest.Call { return c.Matrix("color", v, explode) },
			values{"/;color=blue", "/;color=blue,black,brown", "/;color=R,100,G,200,B,150"},
			values{"/;color=blue", "/;color=blue;color=black;color=brown", "/;R=100;G=200;B=150"},
		},
		{
			"form",
			query("color"),
			values{"/?color=blue", "/?color=blue,black,brown", "/?color=R,100,G,200,B,150"},
			values{"/?color=blue", "/?color=blue&color=black&color=brown", "/?R=100&G=200&B=150"},
		},
		{
			"spaceDelimited",
			delimited("color", rest.Spaces),
			values{"-", "/?color=blue%20black%20brown", "/?color=R%20100%20G%20200%20B%20150"},
			values{"-", "-", "-"},
		},
		{
			"pipeDelimited",
			delimited("color", rest.Pipes),
			values{"-", "/?color=blue%7Cblack%7Cbrown", "/?color=R%7C100%7CG%7C200%7CB%7C150"},
			values{"-", "-", "-"},
		},
		{
			"deepObject",
			func(c *rest.Call, v any, _ bool) *rest.Call { return c.DeepObject("color", v) },
			values{"-", "-", "-"},
			values{"-", "-", "/?color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150"},
		},
		{
			"header",
			func(c *rest.Call, v any, explode bool) *rest.Call { return c.HeaderList("X-Color", v, explode) },
			values{"/\nX-Color: blue\r\n", "/\nX-Color: blue,black,brown\r\n", "/\nX-Color: R,100,G,200,B,150\r\n"},
			values{"/\nX-Color: blue\r\n", "/\nX-Color: blue,black,brown\r\n", "/\nX-Color: R=100,G=200,B=150\r\n"},
		},
		{
			"cookie",
			func(c *rest.Call, v any, explode bool) *rest.Call { return c.Cookie("color", v, explode) },
			values{"/\nCookie: color=blue\r\n", "/\nCookie: color=blue,black,brown\r\n", "/\nCookie: color=R,100,G,200,B,150\r\n"},
			values{"/\nCookie: color=blue\r\n", "/\nCookie: color=blue; color=black; color=brown\r\n", "/\nCookie: R=100; G=200; B=150\r\n"},
		},
	} {
		for i, v := range []any{text, list, object} {
			for explode, want := range map[bool]string{false: test.plain[i], true: test.expand[i]} {
				c := test.build(get("/"), v, explode)
				if want == "-" {
					continue
				}
				if got := written(t, c); got != want {
					t.Errorf("%s of %v, explode %t: %q, want %q", test.style, v, explode, got, want)
				}
			}
		}
	}
}

// written returns the URL of a call, and its headers if it has any.
func written(t *testing.T, c *rest.Call) string {
	t.Helper()
	req, err := c.Request(t.Context(), "svc")
	if err != nil {
		t.Error(err)
		return ""
	}
	var headers strings.Builder
	if len(req.Header) > 0 {
		headers.WriteString("\n")
		req.Header.Write(&headers)
	}
	return req.URL.RequestURI() + headers.String()
}

func query(name string) func(c *rest.Call, v any, explode bool) *rest.Call {
	return func(c *rest.Call, v any, explode bool) *rest.Call {
		if explode {
			return c.QueryExploded(name, v)
		}
		return c.Query(name, v)
	}
}

func delimited(name string, by rest.Delimiter) func(c *rest.Call, v any, explode bool) *rest.Call {
	return func(c *rest.Call, v any, _ bool) *rest.Call { return c.QueryDelimited(name, v, by) }
}

// Many services do not decode headers, so that only what would end an element is escaped. A
// quote is, too, since two quotes may hide the comma between them.
func TestElementsOfHeaders(t *testing.T) {
	c := get("/").HeaderList("A", []string{`"x`, `y"`, "1,2", "a=b", "100%", "a b; c/ü"}, false)
	if got, want := written(t, c), "/\nA: %22x,y%22,1%2C2,a%3Db,100%25,a b; c/ü\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := written(t, get("/").HeaderList("A", `"1,2" 100%`, true)), "/\nA: \"1,2\" 100%\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Absent values leave no trace, wherever they are in a value.
func TestAbsentValuesOfStyles(t *testing.T) {
	holes := encode.Object{{Name: "a", Value: nil}, {Name: "b", Value: ptr("x")}, {Name: "c", Value: (*string)(nil)}}
	none := encode.Object{{Name: "a", Value: nil}}
	for want, c := range map[string]*rest.Call{
		"/b,x":                 get("/").SegmentList(holes, false),
		"/.b=x":                get("/").Label(holes, true),
		"/.y":                  get("/").Label([]any{nil, "y"}, true),
		"/;n=y":                get("/").Matrix("n", []*string{nil, ptr("y")}, true),
		"/1?b=x":               get("/1").QueryExploded("q", holes).Query("q", none).QueryExploded("q", none).Query("q", encode.Object(nil)),
		"/2?q=b,x":             get("/2").Query("q", holes),
		"/3?a=1":               get("/3").Query("a", 1).Query("q", nil).QueryDelimited("q", []any{nil}, rest.Pipes).DeepObject("q", none).DeepObject("q", nil),
		"/4?q%5Bb%5D=x":        get("/4").DeepObject("q", holes),
		"/5?q%5Ba%5D%5Bb%5D=x": get("/5").DeepObject("q", encode.Object{{Name: "a", Value: holes}, {Name: "e", Value: []any{}}}),
		"/6":                   get("/6").HeaderList("A", []string{}, false).HeaderList("B", none, true).HeaderList("C", nil, false),
		"/7":                   get("/7").Cookie("a", nil, false).Cookie("b", []any{}, true).PlainCookie("c", none, true),
		"/8":                   get("/8").DeepObject("q", json.RawMessage("null")).Query("q", encode.JSONText(nil)),
	} {
		if got := c.Key(); got != "GET "+want || c.Err() != nil {
			t.Errorf("%q (%v), want %q", got, c.Err(), want)
		}
	}
	for name, c := range map[string]*rest.Call{
		"a path of nil": get("/").Label(nil, false), "of an empty list": get("/").SegmentList([]string{}, false),
		"of an empty text": get("/").Matrix("a", "", false), "with an empty element": get("/").SegmentList([]string{"a", ""}, false),
		"of holes": get("/").Matrix("a", none, true),
	} {
		if fault.CodeOf(c.Err()) != fault.BadUserInput {
			t.Errorf("%s: %v", name, c.Err())
		}
	}
}

func TestDeepObject(t *testing.T) {
	nested := encode.Object{
		{Name: "a", Value: "1"},
		{Name: "b", Value: encode.Object{{Name: "c", Value: 2}, {Name: "d", Value: []any{true, nil, "x&y"}}}},
		{Name: "e]f[&=", Value: json.RawMessage(`{"g":"h"}`)},
	}
	want := url.Values{"f[a]": {"1"}, "f[b][c]": {"2"}, "f[b][d][]": {"true", "x&y"}, "f[e]f[&=][g]": {"h"}}
	req, err := get("/").DeepObject("f", nested).Request(t.Context(), "svc")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, req.URL.Query()); diff != "" {
		t.Error(diff)
	}
	for want, v := range map[string]any{
		"f[]=x":                         "x",
		"f[]=1&f[]=2":                   []any{1, nil, 2},
		"f[a][0][b]=1&f[a][1][c]=2":     encode.Object{{Name: "a", Value: []any{encode.Object{{Name: "b", Value: 1}}, nil, encode.Object{{Name: "c", Value: 2}}}}},
		"f[0][]=1&f[0][]=2&f[1][]=3":    []any{[]any{1, 2}, []any{3}},
		"f[0]=1&f[1][a]=2":              json.RawMessage(`[1, {"a": 2}]`),
		"f[a][0][b][]=x&f[a][0][b][]=y": json.RawMessage(`{"a": [{"b": ["x", "y"], "c": [], "d": {}}]}`),
		"":                              json.RawMessage(`{"a": [{}], "b": null}`),
		"f[n]=p":                        encode.Object{{Name: "n", Value: ptr("p")}, {Name: "m", Value: (*string)(nil)}},
	} {
		req, err := get("/").DeepObject("f", v).Request(t.Context(), "svc")
		if err != nil {
			t.Error(err)
			continue
		}
		if got, _ := url.PathUnescape(req.URL.RawQuery); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
}

// Names grow with the depth of an object, so that a small value could make a huge URL.
func TestDeepObjectIsBounded(t *testing.T) {
	deep := strings.Repeat(`{"aaaa":`, 500) + "[" + strings.Repeat("1,", 200_000) + "1]" + strings.Repeat("}", 500)
	c := get("/").DeepObject("f", json.RawMessage(deep))
	if n := len(c.Key()); n > 80<<10 || fault.CodeOf(c.Err()) != fault.BadUserInput {
		t.Errorf("%d bytes: %v", n, c.Err())
	}
}

func TestParametersOfJSON(t *testing.T) {
	object := encode.Object{{Name: "b", Value: []any{1, "&;, /=\r\n"}}, {Name: "a", Value: nil}}
	const want = `{"b":[1,"\u0026;, /=\r\n"],"a":null}`
	text := encode.JSONText(object)
	req, err := get("/").Segment(text).Query("q", text).Header("X", text).Cookie("c", text, true).Request(t.Context(), "svc")
	if err != nil {
		t.Fatal(err)
	}
	path, _ := url.PathUnescape(strings.TrimPrefix(req.URL.EscapedPath(), "/"))
	session, err := req.Cookie("c")
	if err != nil {
		t.Fatal(err)
	}
	for place, got := range map[string]string{
		"path": path, "query": req.URL.Query().Get("q"), "header": req.Header.Get("X"), "cookie": unescaped(t, session.Value),
	} {
		if got != want {
			t.Errorf("%s: %s, want %s", place, got, want)
		}
	}
	if err := get("/").Query("q", encode.JSONText(map[bool]int{true: 1})).Err(); fault.CodeOf(err) != fault.Internal {
		t.Errorf("no JSON: %v", err)
	}
}

func TestCookies(t *testing.T) {
	c := get("/").Cookie("a", "1; b=2", false).Header("Cookie", "c=3").PlainCookie("d", "x=/+", false)
	req, err := c.Request(t.Context(), "svc")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, cookie := range req.Cookies() {
		got = append(got, cookie.Name+"="+cookie.Value)
	}
	if diff := cmp.Diff([]string{"a=1%3B%20b%3D2", "c=3", "d=x=/+"}, got); diff != "" {
		t.Error(diff)
	}
	for _, value := range []string{"1; admin=1", "a,b", "a b", `"`, `\`, "ä", "\x00", "\r\n"} {
		if err := get("/").PlainCookie("a", value, false).Err(); fault.CodeOf(err) != fault.BadUserInput {
			t.Errorf("plain %q: %v", value, err)
		}
	}
	if err := get("/").Header("cookie", "a=1; admin=1").Err(); fault.CodeOf(err) != fault.BadUserInput {
		t.Errorf("a second cookie in a header's value: %v", err)
	}
}

// One value as the service reads it. Names are "" except for members of an object.
type pairs = [][2]string

// dialect is a style, and how a service reads it by the tables of the specification.
type dialect struct {
	name            string
	build           func(c *rest.Call, v any, explode bool) *rest.Call
	read            func(r *http.Request) string // the parameter, as it was sent
	first, sep, sub string                       // before the value; between exploded parts; between other parts
	named           bool
	unescape        func(t *testing.T, s string) string
}

func dialects() []dialect {
	segment := func(r *http.Request) string {
		path, _, _ := strings.Cut(r.RequestURI, "?")
		return strings.TrimSuffix(strings.TrimPrefix(path, "/p/"), "/end")
	}
	rawQuery := func(r *http.Request) string { return r.URL.RawQuery }
	return []dialect{
		{"simple", (*rest.Call).SegmentList, segment, "", ",", ",", false, unescaped},
		{"label", (*rest.Call).Label, segment, ".", ".", ",", false, unescaped},
		{
			"matrix", func(c *rest.Call, v any, explode bool) *rest.Call { return c.Matrix("n", v, explode) },
			segment, ";", ";", ",", true, unescaped,
		},
		{"form", query("n"), rawQuery, "", "&", ",", true, unescaped},
		{"spaceDelimited", delimited("n", rest.Spaces), rawQuery, "", "", "%20", true, unescaped},
		{"pipeDelimited", delimited("n", rest.Pipes), rawQuery, "", "", "%7C", true, unescaped},
		{
			"header", func(c *rest.Call, v any, explode bool) *rest.Call { return c.HeaderList("N", v, explode) },
			func(r *http.Request) string { return r.Header.Get("N") }, "", ",", ",", false, trimmed,
		},
		{
			"cookie", func(c *rest.Call, v any, explode bool) *rest.Call { return c.Cookie("n", v, explode) },
			func(r *http.Request) string { return r.Header.Get("Cookie") }, "", "; ", ",", true, unescaped,
		},
		{
			"plain cookie", func(c *rest.Call, v any, explode bool) *rest.Call { return c.PlainCookie("n", v, explode) },
			func(r *http.Request) string { return r.Header.Get("Cookie") }, "", "; ", ",", true, asItIs,
		},
	}
}

func asItIs(_ *testing.T, s string) string { return s }

// trimmed returns an element of a header, around which white space has no meaning.
func trimmed(t *testing.T, s string) string {
	return strings.Trim(unescaped(t, strings.ReplaceAll(s, "+", "%2B")), " \t")
}

// parse reads the text that was sent for a scalar, a list or an object.
func (d dialect) parse(t *testing.T, sent, shape string, explode bool) pairs {
	t.Helper()
	sent, begun := strings.CutPrefix(sent, d.first)
	if !begun {
		t.Fatalf("%s: %q does not begin with %q", d.name, sent, d.first)
	}
	if shape == "scalar" {
		if d.name == "header" {
			return pairs{{"", sent}}
		}
		return pairs{{"", d.value(t, sent)}}
	}
	between := d.sub
	if explode {
		between = d.sep
	} else {
		sent = d.unnamed(t, sent)
	}
	var got pairs
	pieces := strings.Split(sent, between)
	for i := 0; i < len(pieces); i++ {
		switch {
		case shape == "list" && explode:
			got = append(got, [2]string{"", d.value(t, pieces[i])})
		case shape == "list":
			got = append(got, [2]string{"", d.unescape(t, pieces[i])})
		case explode:
			name, value, _ := strings.Cut(pieces[i], "=")
			got = append(got, [2]string{unescaped(t, name), d.unescape(t, value)})
		case i+1 < len(pieces):
			got = append(got, [2]string{unescaped(t, pieces[i]), d.unescape(t, pieces[i+1])})
			i++
		}
	}
	return got
}

func (d dialect) value(t *testing.T, sent string) string { return d.unescape(t, d.unnamed(t, sent)) }

func (d dialect) unnamed(t *testing.T, sent string) string {
	t.Helper()
	after, ok := strings.CutPrefix(sent, "n=")
	if d.named && !ok {
		t.Fatalf("%s: %q lacks the name", d.name, sent)
	}
	if d.named {
		return after
	}
	return sent
}

// check sends a and b in every kind of value, and compares what arrives.
func (d dialect) check(t *testing.T, send func(*testing.T, *rest.Call) (seen, error), a, b string) (sent int) {
	t.Helper()
	for _, explode := range []bool{false, true} {
		for shape, test := range map[string]struct {
			value any
			want  pairs
		}{
			"scalar": {a, pairs{{"", a}}},
			"list":   {[]string{a, b}, pairs{{"", a}, {"", b}}},
			"object": {encode.Object{{Name: "k", Value: a}, {Name: "l&m;", Value: b}}, pairs{{"k", a}, {"l&m;", b}}},
		} {
			if explode && d.sep == "" {
				continue // not defined
			}
			c := d.build(rest.New("GET", "/p/"), test.value, explode).Literal("/end")
			got, err := send(t, c)
			if err != nil {
				continue
			}
			sent++
			want := test.want
			if d.name == "header" {
				for i := range want {
					want[i][1] = strings.Trim(want[i][1], " \t")
				}
			}
			if diff := cmp.Diff(want, d.parse(t, d.read(got.Request), shape, explode)); diff != "" {
				t.Fatalf("%s of a %s, explode %t: %s", d.name, shape, explode, diff)
			}
			d.staysInItsPlace(t, got, shape, explode)
		}
	}
	return sent
}

// staysInItsPlace fails if the value has changed any other part of the request.
func (d dialect) staysInItsPlace(t *testing.T, got seen, shape string, explode bool) {
	t.Helper()
	own := map[string][]string{"header": {"N"}, "cookie": {"Cookie"}, "plain cookie": {"Cookie"}}
	got.onlyHeaders(t, own[d.name]...)
	path, _, hasQuery := strings.Cut(got.RequestURI, "?")
	inQuery := d.read(got.Request) == got.URL.RawQuery
	if strings.Count(path, "/") != 3 || !strings.HasPrefix(path, "/p/") || !strings.HasSuffix(path, "/end") || hasQuery && !inQuery {
		t.Fatalf("%s: went out as %s", d.name, got.RequestURI)
	}
	if d.sep == "." || d.name == "header" && shape == "scalar" {
		return // the separator of exploded values may occur in other values
	}
	between := d.sub
	if d.sep != "" {
		between = d.sep
	}
	want := 0
	switch {
	case shape == "object" && !explode && between == d.sub:
		want = 3
	case shape != "scalar" && (explode || between == d.sub):
		want = 1
	}
	if sent := strings.TrimPrefix(d.read(got.Request), d.first); strings.Count(sent, between) != want {
		t.Fatalf("%s: a %s with explode %t was sent as %s", d.name, shape, explode, sent)
	}
}

func TestStylesRoundTrip(t *testing.T) {
	send := newWitness(t)
	for _, d := range dialects() {
		sent := 0
		for i, value := range hostile {
			if len(value) < 1000 { // two must fit into maxHead
				sent += d.check(t, send, value, hostile[(i+7)%len(hostile)])
			}
		}
		// Styles without escaping refuse most values. A style that sent none would test nothing.
		if sent < 10 || d.check(t, send, "blue", "black-1_2~3") == 0 {
			t.Errorf("%s: only %d values were sent", d.name, sent)
		}
	}
}

func FuzzStylesStayInTheirPlace(f *testing.F) {
	send := newWitness(f)
	for i, value := range hostile {
		f.Add(value, hostile[len(hostile)-1-i])
	}
	all := dialects()
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, d := range all {
			d.check(t, send, a, b)
		}
	})
}

// HTTP removes white space at the ends of a header, so that it must not be there. An empty
// element counts as an element.
func TestHeaderEnds(t *testing.T) {
	for _, h := range []struct {
		value any
		want  string // "!" is refused
	}{
		{"a b", "a b"},
		{" a", "!"},
		{"a\t", "!"},
		{" ", "!"},
		{"", ""},
		{[]string{" a ", "b c", "\t"}, "%20a%20,b c,%09"},
		{[]string{""}, ""},
	} {
		call := rest.New("GET", "/").HeaderList("X", h.value, false)
		req, err := call.Request(t.Context(), "host")
		if h.want == "!" {
			if err == nil {
				t.Errorf("%q is sent", h.value)
			}
			continue
		}
		if err != nil || len(req.Header["X"]) != 1 || req.Header.Get("X") != h.want {
			t.Errorf("%q: %v, %v", h.value, req, err)
		}
	}
	if req, err := rest.New("GET", "/").HeaderList("X", []string{}, false).Request(t.Context(), "host"); err != nil || req.Header["X"] != nil {
		t.Errorf("an empty list: %v, %v", req, err)
	}
}
