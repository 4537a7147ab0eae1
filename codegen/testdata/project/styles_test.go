package everything

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// echo is a request as the service received it.
type echo struct {
	Path   string  `json:"path"`
	Query  string  `json:"query"`
	Header *string `json:"header"`
	Cookie *string `json:"cookie"`
	Type   *string `json:"type"`
	Body   string  `json:"body"`
}

// echoHandler responds to each request with an echo, and counts requests.
func echoHandler(calls *atomic.Int64) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		body, _ := io.ReadAll(r.Body)
		of := func(name string) *string {
			if values, ok := r.Header[name]; ok {
				return new(strings.Join(values, ","))
			}
			return nil
		}
		json.NewEncoder(w).Encode(echo{r.URL.EscapedPath(), r.URL.RawQuery, of("V"), of("Cookie"), of("Content-Type"), string(body)})
	})
}

// valueReader reads the value out of a request: nil if it is absent, otherwise a string, a []string
// or a map[string]string.
type valueReader func(got echo) any

func unescape(s string) string {
	text, err := url.PathUnescape(s)
	if err != nil {
		return "broken: " + s
	}
	return text
}

func unescaped(s string) string { return s }

// scalarOf, listOf and objectOf read the three shapes of a value, separated as a style has it.
func scalarOf(text string, element func(string) string) any { return element(text) }

func listOf(text, separator string, element func(string) string) any {
	list := []string{}
	for _, part := range strings.Split(text, separator) {
		list = append(list, element(part))
	}
	return list
}

// objectOf reads "k,v,k,v" or, with pairs set, "k=v,k=v".
func objectOf(text, separator string, pairs bool, element func(string) string) any {
	object := map[string]string{}
	parts := strings.Split(text, separator)
	for i := 0; i < len(parts); i++ {
		name, value, _ := strings.Cut(parts[i], "=")
		if !pairs && i+1 < len(parts) {
			value = parts[i+1]
			i++
		}
		object[element(name)] = element(value)
	}
	return object
}

func readShape(shape, text, separator string, pairs bool, element func(string) string) any {
	switch shape {
	case "List":
		return listOf(text, separator, element)
	case "Object":
		return objectOf(text, separator, pairs, element)
	}
	return scalarOf(text, element)
}

// inPath reads the last segment of the path. The prefix stands before the value, and before each
// exploded element.
func inPath(shape, prefix, separator string, pairs, named bool) valueReader {
	return func(got echo) any {
		text := got.Path[strings.LastIndex(got.Path, "/")+1:]
		if !strings.HasPrefix(text, prefix) {
			return "no " + prefix + " in " + text
		}
		text = text[len(prefix):]
		if named && shape == "List" && pairs { // v=a;v=b
			text = strings.ReplaceAll(text, "v=", "")
		} else if named && (shape != "Object" || !pairs) {
			text = strings.TrimPrefix(text, "v=")
		}
		return readShape(shape, text, separator, pairs, unescape)
	}
}

// named reads the parameters of a query or the cookies: all values of one name or, for an exploded
// object, all parameters.
func named(shape, text, between, separator string, explode bool) any {
	var values []string
	object := map[string]string{}
	for _, pair := range strings.Split(text, between) {
		name, value, _ := strings.Cut(pair, "=")
		object[unescape(name)] = unescape(value)
		if name == "v" {
			values = append(values, value)
		}
	}
	switch {
	case text == "":
		return nil
	case shape == "Object" && explode:
		return object
	case shape == "List" && explode:
		return listOf(strings.Join(values, "\n"), "\n", unescape)
	case len(values) != 1:
		return fmt.Sprintf("%d values in %s", len(values), text)
	}
	return readShape(shape, values[0], separator, false, unescape)
}

func inQuery(shape, separator string, explode bool) valueReader {
	return func(got echo) any { return named(shape, got.Query, "&", separator, explode) }
}

func inCookie(shape string, explode bool) valueReader {
	return func(got echo) any {
		if got.Cookie == nil {
			return nil
		}
		return named(shape, *got.Cookie, "; ", ",", explode)
	}
}

func inHeader(shape string, explode bool) valueReader {
	return func(got echo) any {
		switch {
		case got.Header == nil:
			return nil
		case shape == "Scalar":
			return scalarOf(*got.Header, unescaped)
		}
		return readShape(shape, *got.Header, ",", explode, unescape)
	}
}

// deep reads v[name]=value.
func deep(got echo) any {
	if got.Query == "" {
		return nil
	}
	object := map[string]string{}
	for _, pair := range strings.Split(got.Query, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name = strings.TrimSuffix(strings.TrimPrefix(unescape(name), "v["), "]")
		object[name] = unescape(value)
	}
	return object
}

// inJSON reads a JSON text into the shape.
func inJSON(shape, text string) any {
	var err error
	var scalar string
	var list []string
	object := map[string]string{}
	switch {
	case text == "":
		return nil
	case shape == "List":
		err = json.Unmarshal([]byte(text), &list)
	case shape == "Object":
		err = json.Unmarshal([]byte(text), &object)
	default:
		err = json.Unmarshal([]byte(text), &scalar)
	}
	if err != nil {
		return err.Error()
	}
	return map[string]any{"List": list, "Object": object, "Scalar": scalar}[shape]
}

func jsonQuery(shape string) valueReader {
	return func(got echo) any {
		value, ok := strings.CutPrefix(got.Query, "v=")
		if !ok {
			return nil
		}
		return inJSON(shape, unescape(value))
	}
}

// styled is an operation that exists for each shape of value, with the shape as the suffix of its
// name.
type styled struct {
	name        string
	shapes      []string
	valueReader func(shape string) valueReader
}

var allShapes = []string{"Scalar", "List", "Object"}

var parameters = []styled{
	{"pathSimple", allShapes, func(s string) valueReader { return inPath(s, "", ",", false, false) }},
	{"pathSimpleExploded", allShapes, func(s string) valueReader { return inPath(s, "", ",", true, false) }},
	{"pathLabel", allShapes, func(s string) valueReader { return inPath(s, ".", ",", false, false) }},
	{"pathLabelExploded", allShapes, func(s string) valueReader { return inPath(s, ".", ".", true, false) }},
	{"pathMatrix", allShapes, func(s string) valueReader { return inPath(s, ";", ",", false, true) }},
	{"pathMatrixExploded", allShapes, func(s string) valueReader { return inPath(s, ";", ";", true, true) }},
	{"queryForm", allShapes, func(s string) valueReader { return inQuery(s, ",", false) }},
	{"queryFormExploded", allShapes, func(s string) valueReader { return inQuery(s, ",", true) }},
	{"querySpaceDelimited", allShapes[1:], func(s string) valueReader { return inQuery(s, "%20", false) }},
	{"querySpaceDelimitedExploded", allShapes[1:2], func(s string) valueReader { return inQuery(s, "%20", true) }},
	{"queryPipeDelimited", allShapes[1:], func(s string) valueReader { return inQuery(s, "%7C", false) }},
	{"queryPipeDelimitedExploded", allShapes[1:2], func(s string) valueReader { return inQuery(s, "%7C", true) }},
	{"queryDeepObjectExploded", allShapes[2:], func(string) valueReader { return deep }},
	{"queryJson", allShapes, jsonQuery},
	{"headerSimple", allShapes, func(s string) valueReader { return inHeader(s, false) }},
	{"headerSimpleExploded", allShapes, func(s string) valueReader { return inHeader(s, true) }},
	{"cookieForm", allShapes, func(s string) valueReader { return inCookie(s, false) }},
	{"cookieFormExploded", allShapes, func(s string) valueReader { return inCookie(s, true) }},
}

// hostile are texts that mean something in one place or another of a request.
var hostile = []string{
	"plain", "", " ", "a b", " a ", "a/b", "/", "..", ".", "a/../b", `a\..\b`, "a.b", "a,b", ",", "a|b", "|", "a&b=c", "&", "=", "a;b", ";v=c", "a?b#c", "%2F", "%", "a+b",
	`"quoted"`, "'", "é\u200b日本😀", "a\nb", "a\r\nX-Evil: 1", "\t", "\x00", "v", "[r]", "{}", "null", "true", "1e3",
}

// valuesOf returns the hostile values of a shape, as encoding/json decodes them.
func valuesOf(shape string) []any {
	var values []any
	for _, h := range hostile {
		switch shape {
		case "Scalar":
			values = append(values, h)
		case "List":
			values = append(values, []string{h}, []string{h, "x", h})
		case "Object":
			values = append(values, map[string]string{"r": h}, map[string]string{"r": h, "g": "x"}, map[string]string{"r": "x", "g": h})
		}
	}
	return values
}

// sends queries one field with a variable, and returns what the service received. refused means
// that no call was made, since the value cannot be written in its place.
func (c *courier) sends(field, variable string, value any) (got echo, refused bool) {
	c.t.Helper()
	c.calls.Store(0)
	text := post(c.t, c.gateway, map[string]any{
		"query":     c.kind + `($v: ` + variable + `) {echo: ` + field + ` {path query header cookie type body}}`,
		"variables": map[string]any{"v": value},
	})
	var answer struct {
		Data   struct{ Echo *echo }
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		c.t.Fatalf("%s: %v", text, err)
	}
	switch {
	case len(answer.Errors) == 0 && answer.Data.Echo != nil && c.calls.Load() == 1:
		return *answer.Data.Echo, false
	case len(answer.Errors) == 1 && answer.Errors[0].Extensions.Code == "BAD_USER_INPUT" && c.calls.Load() == 0:
		return got, true
	}
	c.t.Errorf("%s of %q: %d calls, and the answer %s", field, value, c.calls.Load(), text)
	return got, true
}

// courier sends values through a gateway.
type courier struct {
	t             *testing.T
	kind, gateway string
	calls         *atomic.Int64
}

func newCourier(t *testing.T, kind string) *courier {
	calls := &atomic.Int64{}
	return &courier{t, kind, startGateway(t, echoHandler(calls), nil), calls}
}

// Every value arrives unchanged, in every style, or the call is rejected before it is made.
func TestParameterStyles(t *testing.T) {
	c := newCourier(t, "query")
	for _, p := range parameters {
		variable := map[string]string{"Scalar": "String", "List": "[String!]", "Object": "PairIn"}
		for _, shape := range p.shapes {
			must := ""
			if strings.HasPrefix(p.name, "path") {
				must = "!"
			}
			arrived := 0
			for _, value := range valuesOf(shape) {
				got, refused := c.sends(p.name+shape+"(v: $v)", variable[shape]+must, value)
				if refused {
					continue
				}
				arrived++
				if read := p.valueReader(shape)(got); !reflect.DeepEqual(read, value) {
					t.Errorf("%s%s: %q arrives as %q, in %+v", p.name, shape, value, read, got)
				}
			}
			if total := len(valuesOf(shape)); arrived < total/3 {
				t.Errorf("%s%s refuses all but %d of %d values", p.name, shape, arrived, total)
			}
			c.absent(p, shape, variable[shape], must == "!")
		}
	}
}

// absent sends what has no value: null, an empty list, and an object without members. A path cannot
// leave it out.
func (c *courier) absent(p styled, shape, variable string, inPath bool) {
	c.t.Helper()
	none := map[string][]any{"Scalar": {nil}, "List": {nil, []string{}}, "Object": {nil, map[string]any{}, map[string]any{"r": nil}}}[shape]
	if inPath {
		none, variable = none[1:], variable+"!"
	}
	for _, value := range none {
		got, refused := c.sends(p.name+shape+"(v: $v)", variable, value)
		if refused != inPath {
			c.t.Errorf("%s%s of %v: refused is %t", p.name, shape, value, refused)
		}
		if read := p.valueReader(shape)(got); !refused && p.name != "queryJson" && read != nil {
			c.t.Errorf("%s%s: %v arrives as %q", p.name, shape, value, read)
		}
	}
}

// The same values are rejected in every place of a kind.
func TestRefusedValues(t *testing.T) {
	c := newCourier(t, "query")
	for field, want := range map[string][]string{
		"pathSimpleScalar(v: $v)":         {"", "..", ".", "a/../b", `a\..\b`, "a\nb", "a\r\nX-Evil: 1", "\t", "\x00"},
		"pathLabelScalar(v: $v)":          {"", "..", ".", "a/../b", `a\..\b`, "a\nb", "a\r\nX-Evil: 1", "\t", "\x00"},
		"queryFormScalar(v: $v)":          nil,
		"queryJsonScalar(v: $v)":          nil,
		"cookieFormScalar(v: $v)":         nil,
		"headerSimpleScalar(v: $v)":       {" ", " a ", "a\nb", "a\r\nX-Evil: 1", "\t", "\x00"},
		"queryPipeDelimitedList(v: [$v])": {"a|b", "|"},
	} {
		var refused []string
		for _, h := range hostile {
			if _, no := c.sends(field, "String!", h); no {
				refused = append(refused, h)
			}
		}
		if !slices.Equal(refused, want) {
			t.Errorf("%s refuses %q, want %q", field, refused, want)
		}
	}
}

// form reads a form body.
func form(got echo) any {
	object := map[string]string{}
	for _, pair := range strings.FieldsFunc(got.Body, func(r rune) bool { return r == '&' }) {
		name, value, _ := strings.Cut(pair, "=")
		object[unescape(name)] = unescape(value)
	}
	return object
}

func multiparts(got echo) any {
	_, params, err := mime.ParseMediaType(*got.Type)
	if err != nil {
		return err.Error()
	}
	object := map[string]string{}
	for reader := multipart.NewReader(strings.NewReader(got.Body), params["boundary"]); ; {
		part, err := reader.NextRawPart()
		if err == io.EOF {
			return object
		}
		if err != nil {
			return err.Error()
		}
		text, _ := io.ReadAll(part)
		object[part.FormName()] = string(text)
	}
}

func bodyJSON(shape string) valueReader { return func(got echo) any { return inJSON(shape, got.Body) } }

// Every value arrives unchanged, in every kind of body.
func TestBodyEncodings(t *testing.T) {
	c := newCourier(t, "mutation")
	for _, b := range []struct {
		field, variable, shape, media string
		valueReader                   valueReader
	}{
		{"bodyJson(body: $v)", "PairIn", "Object", "application/json", bodyJSON("Object")},
		{"bodyJsonScalar(body: $v)", "String", "Scalar", "application/json", bodyJSON("Scalar")},
		{"bodyJsonList(body: $v)", "[String!]", "List", "application/json", bodyJSON("List")},
		{"bodyPatch(body: $v)", "PairIn", "Object", "application/merge-patch+json", bodyJSON("Object")},
		{"bodyForm(body: $v)", "PairIn", "Object", "application/x-www-form-urlencoded", form},
		{"bodyMultipart(body: $v)", "PairIn", "Object", "multipart/form-data; boundary=", multiparts},
		{"bodyText(body: $v)", "String", "Scalar", "text/plain; charset=utf-8", func(got echo) any { return got.Body }},
	} {
		for _, value := range valuesOf(b.shape) {
			got, refused := c.sends(b.field, b.variable, value)
			if refused || got.Type == nil || !strings.HasPrefix(*got.Type, b.media) || !reflect.DeepEqual(b.valueReader(got), value) {
				t.Errorf("%s: %q arrives as %+v", b.field, value, got)
			}
		}
	}
}

// Arguments become a body: an argument that the client leaves out is absent, and null is null.
func TestBodiesOfArguments(t *testing.T) {
	c := newCourier(t, "mutation")
	for _, b := range []struct{ field, media, want string }{
		{`bodyOfArguments(r: $v, g: "x")`, "application/json", `{"r":"v","g":"x"}`},
		{`bodyOfArguments(r: $v)`, "application/json", `{"r":"v","g":"green"}`},
		{`bodyOfArguments(r: $v, g: null)`, "application/json", `{"r":"v","g":null}`},
		{`bodyOfArguments(g: $v)`, "application/json", `{"g":"v"}`},
		{`bodyFormOfArguments(g: $v)`, "application/x-www-form-urlencoded", `g=v`},
	} {
		got, _ := c.sends(b.field, "String", "v")
		if got.Body != b.want || got.Type == nil || *got.Type != b.media {
			t.Errorf("%s sends %+v, want %s", b.field, got, b.want)
		}
	}
	for _, field := range []string{"bodyNone", "bodyJson", "bodyText", "bodyPatch(body: null)"} {
		calls := c.calls
		calls.Store(0)
		text := string(post(t, c.gateway, map[string]any{"query": "mutation {" + field + " {type body}}"}))
		name, _, _ := strings.Cut(field, "(")
		if want := `{"data":{"` + name + `":{"type":null,"body":""}}}`; text != want {
			t.Errorf("%s\n got %s\nwant %s", field, text, want)
		}
	}
}
