package bindingtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"

	goyaml "github.com/goccy/go-yaml"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// suite is a file of tests.
type suite struct {
	sources map[string]upstreams.Source // what the settings would say of them
	env     map[string]*string          // the environment; nil is a variable that is not set
	tests   []*test
}

// test is an operation with what shall become of it.
type test struct {
	line      int
	name      string
	connector [2]string // type and field
	query     string
	variables any
	caller    *auth.Identity // nil is anonymous
	headers   http.Header    // of the client's request
	env       map[string]*string
	calls     []*call   // in the order they are written; that of the connector is the last
	response  *expected // what the connector's field shall answer; nil says nothing
	data      *expected // what the whole operation shall answer; nil says nothing
	errors    []wantError
}

// call is one that shall be made, with its canned answer.
type call struct {
	line   int
	want   *request // nil: any
	answer answer
}

// answer is what a service says.
type answer struct {
	status int
	header http.Header
	body   string
}

// wantError is an error that shall be in the answer. What is empty is not compared.
type wantError struct {
	line             int
	code, message    string
	path, extensions *expected
}

// read reads a file of tests. Its error has a line for each mistake.
func read(file string) (*suite, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the tests cannot be read: %w", err)
	}
	r := &reader{mistakes: mistakes{file: file}, suite: &suite{sources: map[string]upstreams.Source{}, env: map[string]*string{}}}
	if root := r.parse(text); root != nil && len(r.list) == 0 {
		r.file(root)
	}
	return r.suite, r.err()
}

// reader makes a suite of a file's tree.
type reader struct {
	mistakes
	suite  *suite
	caller *auth.Identity    // whoever asks unless a test says otherwise
	ids    map[string]string // see bindings
}

func (r *reader) file(root *yaml.Node) {
	var config, tests *yaml.Node
	r.object(root, "a file of tests", fields{
		"config": func(n *yaml.Node) { config = n },
		"tests":  func(n *yaml.Node) { tests = n },
	})
	if config != nil {
		r.object(config, "config", fields{"claims": r.claims(&r.caller), "sources": r.sources, "env": r.env(r.suite.env)})
	}
	if tests == nil {
		r.add(root, "there are no tests; list them under tests:")
		return
	}
	r.items(tests, "tests", r.test)
}

// sources are what gateway.yaml may say of them, without their urls.
func (r *reader) sources(n *yaml.Node) {
	if n.Kind != yaml.Mapping {
		r.add(n, "sources are an object of sources by their names, not %s", kindOf(n))
		return
	}
	for _, m := range n.Members {
		text, err := goyaml.Marshal(plainValue(m.Value))
		var source upstreams.Source
		if err == nil {
			err = goyaml.UnmarshalWithOptions(text, &source, goyaml.Strict())
		}
		if err != nil {
			r.add(m.Key, "this is not what gateway.yaml says of a source: %s", message(err))
		}
		r.suite.sources[m.Key.Value] = source
	}
}

// message returns an error of the library without its place and excerpt.
func message(err error) string {
	if known, ok := errors.AsType[goyaml.Error](err); ok {
		return known.GetMessage()
	}
	return err.Error()
}

func (r *reader) claims(to **auth.Identity) decoder {
	return func(n *yaml.Node) {
		switch claims := plainValue(n).(type) {
		case nil:
			*to = nil
		case map[string]any:
			*to = auth.Identify(claims, "")
		default:
			r.add(n, "claims are an object, such as {sub: u1, scope: \"users:read\"}, or null for nobody")
		}
	}
}

func (r *reader) test(n *yaml.Node) {
	t := &test{line: n.Line, caller: r.caller, headers: http.Header{}, env: maps.Clone(r.suite.env)}
	var connector string
	main := &call{line: n.Line, answer: answer{status: http.StatusOK, header: http.Header{}}}
	made := false
	f := fields{
		"name":           r.text(&t.name),
		"connector":      r.text(&connector),
		"query":          r.text(&t.query),
		"variables":      func(n *yaml.Node) { t.variables = plainValue(n) },
		"claims":         r.claims(&t.caller),
		"requestHeaders": r.header(t.headers),
		"env":            r.env(t.env),
		"calls":          func(n *yaml.Node) { r.items(n, "calls", func(n *yaml.Node) { t.calls = append(t.calls, r.call(n)) }) },
		"expect":         func(n *yaml.Node) { made = r.expect(n, t, main) || made },
	}
	for name, read := range r.answer(&main.answer) {
		f[name] = func(n *yaml.Node) { made = true; read(n) }
	}
	if !r.object(n, "a test", f) {
		return
	}
	if made {
		t.calls = append(t.calls, main)
	}
	r.complete(n, t, connector)
	r.suite.tests = append(r.suite.tests, t)
}

// env reads variables of the environment, of which null is one that is not set.
func (r *reader) env(to map[string]*string) decoder {
	return func(n *yaml.Node) {
		if n.Kind != yaml.Mapping {
			r.add(n, "the environment is an object of values by name, such as {REGION: eu}, not %s", kindOf(n))
		}
		for _, m := range n.Members {
			to[m.Key.Value] = nil
			if m.Value.Kind != yaml.Null {
				to[m.Key.Value] = new(string)
				r.text(to[m.Key.Value])(at(m))
			}
		}
	}
}

// coordinate finds the type and the field of a binding by their names or by its id, with the
// whole before them; nil when the text is neither.
func (r *reader) coordinate(connector string) []string {
	if field, ok := r.bindings()[connector]; ok {
		connector = field
	}
	return coordinate.FindStringSubmatch(connector)
}

var coordinate = regexp.MustCompile(`^(\w+)\.(\w+)$`)

// complete reports what a test lacks. One that expects nothing could never fail.
func (r *reader) complete(n *yaml.Node, t *test, connector string) {
	parts := r.coordinate(connector)
	switch {
	case t.name == "":
		r.add(n, "a test has a name: what it shows")
	case parts == nil:
		r.add(n, "a test names the field whose binding it is about, as connector: Query.user, or the id of its @connect")
	case t.query == "":
		r.add(n, "a test has a query: the operation that is run")
	case t.response == nil && t.data == nil && len(t.errors) == 0:
		r.add(n, "a test expects something; write expect: {connectorResponse: ...}, or data, or errors")
	default:
		t.connector = [2]string(parts[1:])
	}
}

// call reads one of the calls: what is asked, and what is answered.
func (r *reader) call(n *yaml.Node) *call {
	c := &call{line: n.Line, answer: answer{status: http.StatusOK, header: http.Header{}}}
	f := r.answer(&c.answer)
	f["connectorRequest"] = func(n *yaml.Node) { c.want = r.request(n) }
	if r.object(n, "a call", f) && c.want == nil {
		r.add(n, "a call says what is asked, as connectorRequest: {method: GET, url: /users/u1}")
	}
	return c
}

// answer reads a canned answer.
func (r *reader) answer(a *answer) fields {
	return fields{
		"apiResponseStatus":  r.status(&a.status),
		"apiResponseHeaders": r.header(a.header),
		"apiResponseBody":    r.body(&a.body),
	}
}

func (r *reader) status(to *int) decoder {
	return func(n *yaml.Node) {
		status, err := strconv.Atoi(n.Value)
		if err != nil || n.Kind != yaml.Int || status < 200 || status > 599 {
			r.add(n, "a status is a number from 200 to 599")
			return
		}
		*to = status
	}
}

// header reads the values of headers, each one text or a list of them.
func (r *reader) header(to http.Header) decoder {
	return func(n *yaml.Node) {
		if n.Kind != yaml.Mapping {
			r.add(n, "headers are an object of values by name, not %s", kindOf(n))
		}
		for _, m := range n.Members {
			items := []*yaml.Node{at(m)}
			if m.Value.Kind == yaml.List {
				items = m.Value.Items
			}
			for _, item := range items {
				var value string
				r.text(&value)(item)
				to.Add(m.Key.Value, value)
			}
		}
	}
}

// body reads what a service sends: text as it is, anything else as JSON.
func (r *reader) body(to *string) decoder {
	return func(n *yaml.Node) {
		if n.Kind == yaml.String {
			*to = n.Value
			return
		}
		text, err := json.Marshal(plainValue(n))
		if err != nil {
			r.add(n, "this is no JSON: %v", err)
		}
		*to = string(text)
	}
}

// expect tells whether the connector shall make a call.
func (r *reader) expect(n *yaml.Node, t *test, main *call) (made bool) {
	r.object(n, "expect", fields{
		"connectorRequest":  func(n *yaml.Node) { main.want, main.line, made = r.request(n), n.Line, true },
		"connectorResponse": r.json(&t.response),
		"data":              r.json(&t.data),
		"errors": func(n *yaml.Node) {
			r.items(n, "errors", func(n *yaml.Node) { t.errors = append(t.errors, r.wantError(n)) })
		},
	})
	return made
}

func (r *reader) wantError(n *yaml.Node) wantError {
	w := wantError{line: n.Line}
	r.object(n, "an error", fields{
		"code":       r.text(&w.code),
		"message":    r.text(&w.message),
		"path":       value(&w.path),
		"extensions": value(&w.extensions),
	})
	return w
}

// request reads what a call shall ask.
func (r *reader) request(n *yaml.Node) *request {
	want := &request{}
	var url string
	r.object(n, "connectorRequest", fields{
		"source":  r.text(&want.source),
		"method":  r.text(&want.method),
		"url":     r.text(&url),
		"headers": r.wantHeaders(want),
		"body":    value(&want.body),
	})
	var err error
	if want.target, err = parseTarget(url); err != nil {
		r.add(n, "%v", err)
	}
	return want
}

// wantHeaders reads headers of which null is one that must not be sent.
func (r *reader) wantHeaders(want *request) decoder {
	return func(n *yaml.Node) {
		want.headers = http.Header{}
		sent := *n
		sent.Members = slices.DeleteFunc(slices.Clone(n.Members), func(m yaml.Member) bool {
			if m.Value.Kind != yaml.Null {
				return false
			}
			want.headers[http.CanonicalHeaderKey(m.Key.Value)] = nil
			return true
		})
		r.header(want.headers)(&sent)
	}
}
