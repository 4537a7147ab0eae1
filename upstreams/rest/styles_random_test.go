package rest_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
	"github.com/gatehouse-graphql/gatehouse/upstreams/http1"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// plainText decodes one element as a server does, without "+" for a space.
func plainText(s string) string {
	text, err := url.PathUnescape(s)
	if err != nil {
		return "undecodable: " + s
	}
	return text
}

// splitList decodes the elements of a list between separators.
func splitList(s, separator string) any {
	var all []any
	for element := range strings.SplitSeq(s, separator) {
		all = append(all, plainText(element))
	}
	return all
}

// splitObject decodes k,v,k,v.
func splitObject(s, separator string) any {
	o := map[string]any{}
	all := strings.Split(s, separator)
	for i := 0; i+1 < len(all); i += 2 {
		o[plainText(all[i])] = plainText(all[i+1])
	}
	return o
}

// splitPairs decodes k=v between separators. A name that is repeated has a list.
func splitPairs(s, separator string) any {
	o := map[string]any{}
	for pair := range strings.SplitSeq(s, separator) {
		name, value, _ := strings.Cut(pair, "=")
		name = plainText(name)
		if list, ok := o[name].([]any); ok {
			o[name] = append(list, plainText(value))
		} else {
			o[name] = []any{plainText(value)}
		}
	}
	return o
}

// ofName returns what splitPairs has for a name.
func ofName(s, separator, name string) any { return splitPairs(s, separator).(map[string]any)[name] }

// deepNode is a value that is decoded from names with brackets, as qs, PHP and Rack do.
type deepNode struct {
	scalar  *string
	members map[string]*deepNode
	items   []*deepNode
}

func decodeDeep(query, name string) any {
	root := &deepNode{}
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		path, found := strings.CutPrefix(key, name)
		if !found {
			continue
		}
		n := root
		for path != "" {
			rest, _ := strings.CutPrefix(path, "%5B")
			step, after, _ := strings.Cut(rest, "%5D")
			n, path = n.step(plainText(step)), after
		}
		text := plainText(value)
		n.scalar = &text
	}
	return root.value()
}

func (n *deepNode) step(name string) *deepNode {
	if name == "" {
		n.items = append(n.items, &deepNode{})
		return n.items[len(n.items)-1]
	}
	if i, err := strconv.Atoi(name); err == nil {
		for len(n.items) <= i {
			n.items = append(n.items, &deepNode{})
		}
		return n.items[i]
	}
	if n.members == nil {
		n.members = map[string]*deepNode{}
	}
	if n.members[name] == nil {
		n.members[name] = &deepNode{}
	}
	return n.members[name]
}

func (n *deepNode) value() any {
	switch {
	case n.scalar != nil:
		return *n.scalar
	case n.items != nil:
		var all []any
		for _, item := range n.items {
			if v := item.value(); v != nil {
				all = append(all, v)
			}
		}
		return all
	case n.members != nil:
		o := map[string]any{}
		for name, member := range n.members {
			o[name] = member.value()
		}
		return o
	}
	return nil
}

// expected returns a value as a service sees it: scalars are texts, and what is null or empty is not
// there.
func expected(v any) any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		var all []any
		for _, e := range v {
			if e = expected(e); e != nil {
				all = append(all, e)
			}
		}
		if all == nil {
			return nil
		}
		return all
	case encode.Object:
		o := map[string]any{}
		for _, m := range v {
			if e := expected(m.Value); e != nil {
				o[m.Name] = e
			}
		}
		if len(o) == 0 {
			return nil
		}
		return o
	}
	return fmt.Sprint(v)
}

// inLists returns an object of scalars and lists with a list for each member.
func inLists(v any) any {
	o := map[string]any{}
	for name, member := range v.(map[string]any) {
		if _, ok := member.([]any); !ok {
			member = []any{member}
		}
		o[name] = member
	}
	return o
}

// randomValues makes values. Without free, texts fit every place.
type randomValues struct {
	*rand.Rand
	free bool
}

func (r *randomValues) scalar() any {
	switch r.IntN(6) {
	case 0:
		return r.IntN(100) - 50
	case 1:
		return r.IntN(2) == 0
	}
	pieces := []string{"a", "Z", "9", "-", "_", "~", "ü", "&", "=", "+", "%", "%2C", "[", "]", "#", "?", "/", ":", "@", `"`, "'", "{", "}", "<", "$", "!", "*"}
	if r.free {
		pieces = append(pieces, ",", " ", "|", ";", ".", "\t", "\n", "😀", "")
	}
	text := ""
	for range 1 + r.IntN(5) {
		text += pieces[r.IntN(len(pieces))]
	}
	return text
}

func (r *randomValues) list() []any {
	var all []any
	for range 1 + r.IntN(4) {
		all = append(all, r.scalar())
	}
	return all
}

func (r *randomValues) object(value func() any) encode.Object {
	var o encode.Object
	for i := range 1 + r.IntN(4) {
		o = append(o, encode.Member{Name: string(rune('a'+i)) + []string{"", "&", "=x", "ü"}[r.IntN(4)], Value: value()})
	}
	return o
}

func (r *randomValues) deep(depth int) any {
	switch kind := r.IntN(6); {
	case depth > 3 || kind < 2:
		return r.scalar()
	case kind == 2:
		return r.list()
	case kind == 3:
		all := []any{r.object(func() any { return r.deep(depth + 1) })}
		for range r.IntN(3) {
			all = append(all, r.object(func() any { return r.deep(depth + 1) }))
		}
		return all
	case kind == 4:
		return []any{}
	}
	return r.object(func() any { return r.deep(depth + 1) })
}

// In every style and place, a service finds the value that was given. A reference decoder for each
// style reads what was written, and a server behind both transports sees the same bytes.
func TestRandomValuesInStyles(t *testing.T) {
	const each = 400
	r := &randomValues{Rand: rand.New(rand.NewPCG(4, 2))}
	query := func(c *rest.Call) string { req, _ := c.Request(t.Context(), "s"); return req.URL.RawQuery }
	path := func(c *rest.Call) string {
		req, _ := c.Request(t.Context(), "s")
		return strings.TrimPrefix(req.URL.EscapedPath(), "/")
	}
	header := func(name string) func(*rest.Call) string {
		return func(c *rest.Call) string { req, _ := c.Request(t.Context(), "s"); return req.Header.Get(name) }
	}
	body := func(c *rest.Call) string {
		req, _ := c.Request(t.Context(), "s")
		text, _ := io.ReadAll(req.Body)
		return string(text)
	}
	scalars, lists := func() any { return r.scalar() }, func() any { return r.list() }
	objects := func() any { return r.object(scalars) }
	flat := func() any {
		return r.object(func() any {
			if r.IntN(3) == 0 {
				return r.list()
			}
			return r.scalar()
		})
	}
	deep := func() any { return r.object(func() any { return r.deep(0) }) }
	deepLists := func() any { return []any{deep(), deep()} }
	same := func(v any) any { return v }
	form := func(style rest.FieldStyle) func(v any) *rest.Call {
		return func(v any) *rest.Call {
			return rest.New("POST", "/").Form(encode.Object{{Name: "q", Value: v}}, rest.Field{Name: "q", Style: style})
		}
	}
	field := func(style string) func(v any) *rest.Call {
		return map[string]func(v any) *rest.Call{
			"commas": form(rest.Commas), "spaces": form(rest.SpaceList), "pipes": form(rest.PipeList), "tabs": form(rest.TabList),
			"repeated": form(rest.Repeated), "brackets": form(rest.Brackets), "indices": form(rest.Indices), "spread": form(rest.Spread), "json": form(rest.JSONText),
		}[style]
	}
	var calls []*rest.Call
	tried := 0
	for _, test := range []struct {
		name   string
		values func() any
		free   bool // texts may have any characters
		build  func(v any) *rest.Call
		text   func(*rest.Call) string
		decode func(s string) any
		want   func(v any) any
	}{
		{"query form, scalar", scalars, true, func(v any) *rest.Call { return get("/").Query("q", v) }, query, func(s string) any { return plainText(s[2:]) }, same},
		{"query form, list", lists, true, func(v any) *rest.Call { return get("/").Query("q", v) }, query, func(s string) any { return splitList(s[2:], ",") }, same},
		{"query form, object", objects, true, func(v any) *rest.Call { return get("/").Query("q", v) }, query, func(s string) any { return splitObject(s[2:], ",") }, same},
		{"query form exploded, list", lists, true, func(v any) *rest.Call { return get("/").QueryExploded("q", v) }, query, func(s string) any { return ofName(s, "&", "q") }, same},
		{"query form exploded, object", flat, true, func(v any) *rest.Call { return get("/").QueryExploded("q", v) }, query, func(s string) any { return splitPairs(s, "&") }, inLists},
		{"query spaces", lists, false, func(v any) *rest.Call { return get("/").QueryDelimited("q", v, rest.Spaces) }, query, func(s string) any { return splitList(s[2:], "%20") }, same},
		{"query pipes", lists, false, func(v any) *rest.Call { return get("/").QueryDelimited("q", v, rest.Pipes) }, query, func(s string) any { return splitList(s[2:], "%7C") }, same},
		{"query tabs", lists, false, func(v any) *rest.Call { return get("/").QueryDelimited("q", v, rest.Tabs) }, query, func(s string) any { return splitList(s[2:], "%09") }, same},
		{"deepObject", deep, true, func(v any) *rest.Call { return get("/").DeepObject("q", v) }, query, func(s string) any { return decodeDeep(s, "q") }, same},
		{"deepObject, list", lists, true, func(v any) *rest.Call { return get("/").DeepObject("q", v) }, query, func(s string) any { return decodeDeep(s, "q") }, same},
		{"deepObject, list of objects", deepLists, true, func(v any) *rest.Call { return get("/").DeepObject("q", v) }, query, func(s string) any { return decodeDeep(s, "q") }, same},
		{"query JSON", deep, true, func(v any) *rest.Call { return get("/").Query("q", encode.JSONText(v)) }, query, func(s string) any { return parseJSON(plainText(s[2:])) }, throughJSON},
		{"header JSON", deep, true, func(v any) *rest.Call { return get("/").Header("Q", encode.ASCII(encode.JSONText(v))) }, header("Q"), parseJSON, throughJSON},
		{"path simple, list", lists, false, func(v any) *rest.Call { return get("/").SegmentList(v, false) }, path, func(s string) any { return splitList(s, ",") }, same},
		{"path simple exploded, object", objects, false, func(v any) *rest.Call { return get("/").SegmentList(v, true) }, path, func(s string) any { return splitPairs(s, ",") }, inLists},
		{"path label, list", lists, false, func(v any) *rest.Call { return get("/").Label(v, true) }, path, func(s string) any { return splitList(s[1:], ".") }, same},
		{"path matrix, list", lists, false, func(v any) *rest.Call { return get("/").Matrix("q", v, true) }, path, func(s string) any { return ofName(s[1:], ";", "q") }, same},
		{"path matrix, object", objects, false, func(v any) *rest.Call { return get("/").Matrix("q", v, true) }, path, func(s string) any { return splitPairs(s[1:], ";") }, inLists},
		{"path pipes", lists, false, func(v any) *rest.Call { return get("/").SegmentDelimited(v, rest.Pipes) }, path, func(s string) any { return splitList(s, "%7C") }, same},
		{"path tabs", lists, false, func(v any) *rest.Call { return get("/").SegmentDelimited(v, rest.Tabs) }, path, func(s string) any { return splitList(s, "%09") }, same},
		{"header, list", lists, false, func(v any) *rest.Call { return get("/").HeaderList("Q", v, false) }, header("Q"), func(s string) any { return splitList(s, ",") }, same},
		{"header pipes", lists, false, func(v any) *rest.Call { return get("/").HeaderDelimited("Q", v, rest.Pipes) }, header("Q"), func(s string) any { return splitList(s, "|") }, same},
		{"header exploded, object", objects, false, func(v any) *rest.Call { return get("/").HeaderList("Q", v, true) }, header("Q"), func(s string) any { return splitPairs(s, ",") }, inLists},
		{"cookie, list", lists, true, func(v any) *rest.Call { return get("/").Cookie("q", v, false) }, header("Cookie"), func(s string) any { return splitList(s[2:], ",") }, same},
		{"cookie exploded, list", lists, true, func(v any) *rest.Call { return get("/").Cookie("q", v, true) }, header("Cookie"), func(s string) any { return ofName(s, "; ", "q") }, same},
		{"form repeated", lists, true, field("repeated"), body, func(s string) any { return ofName(s, "&", "q") }, same},
		{"form commas", lists, true, field("commas"), body, func(s string) any { return splitList(s[2:], ",") }, same},
		{"form spaces", lists, false, field("spaces"), body, func(s string) any { return splitList(s[2:], "%20") }, same},
		{"form pipes", lists, false, field("pipes"), body, func(s string) any { return splitList(s[2:], "%7C") }, same},
		{"form tabs", lists, false, field("tabs"), body, func(s string) any { return splitList(s[2:], "%09") }, same},
		{"form brackets", deep, true, field("brackets"), body, func(s string) any { return decodeDeep(s, "q") }, same},
		{"form indices", deep, true, field("indices"), body, func(s string) any { return decodeDeep(s, "q") }, same},
		{"form indices, lists", deepLists, true, field("indices"), body, func(s string) any { return decodeDeep(s, "q") }, same},
		{"form spread", flat, true, field("spread"), body, func(s string) any { return splitPairs(s, "&") }, inLists},
		{"form JSON", deep, true, field("json"), body, func(s string) any { return parseJSON(plainText(s[2:])) }, throughJSON},
	} {
		failures := 0
		for i := range each {
			r.free = test.free
			v := test.values()
			if expected(v) == nil {
				continue
			}
			tried++
			c := test.build(v)
			if err := c.Err(); err != nil {
				t.Errorf("%s of %#v: %v", test.name, v, err)
				break
			}
			want := expected(v)
			if i%20 == 0 {
				calls = append(calls, c)
			}
			if throughJSONName(test.name) {
				want = test.want(v)
			} else {
				want = test.want(want)
			}
			if diff := cmp.Diff(want, test.decode(test.text(c))); diff != "" && failures < 2 {
				failures++
				t.Errorf("%s of %.300v: %.500s: -want +got\n%.1500s", test.name, v, test.text(c), diff)
			}
		}
	}
	t.Logf("%d values", tried)
	sameBytes(t, calls)
}

func throughJSONName(name string) bool { return strings.HasSuffix(name, "JSON") }

func parseJSON(text string) any {
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return err.Error()
	}
	return v
}

func throughJSON(v any) any {
	text, _ := json.Marshal(v)
	return parseJSON(string(text))
}

// sameBytes checks that both transports send the same request.
func sameBytes(t *testing.T, calls []*rest.Call) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s\n", r.Method, r.RequestURI)
		for _, name := range slices.Sorted(maps.Keys(r.Header)) {
			if name != "Accept-Encoding" && name != "User-Agent" {
				fmt.Fprintf(w, "%s: %q\n", name, r.Header[name])
			}
		}
		w.Write(text)
	}))
	defer server.Close()
	ours, standard := http1.New(http1.Options{}), &http.Transport{}
	defer ours.CloseIdleConnections()
	defer standard.CloseIdleConnections()
	host := strings.TrimPrefix(server.URL, "http://")
	for _, c := range calls {
		var seen [2]string
		for i, transport := range []http.RoundTripper{ours, standard} {
			req, err := c.Request(t.Context(), host)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := transport.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			seen[i] = string(text)
		}
		if seen[0] != seen[1] || !strings.Contains(seen[0], " /") {
			t.Errorf("http1 sends %q\nnet/http sends %q", seen[0], seen[1])
		}
	}
	t.Logf("%d calls by both transports", len(calls))
}
