package bindingtest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// read reads a file of tests. Its error has a line for each mistake in the file.
func read(file string) (*suite, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the tests cannot be read: %w", err)
	}
	r := &suiteReader{mistakes: mistakes{file: file}, suite: &suite{env: map[string]*string{}}}
	if root := r.parse(text); root != nil && len(r.list) == 0 {
		r.readFile(root)
	}
	return r.suite, r.err()
}

// suiteReader turns the values of a file into a suite.
type suiteReader struct {
	mistakes
	suite  *suite
	caller *auth.Identity    // the caller of tests without claims
	ids    map[string]string // see connectorIDs; nil until it is called
}

// readFile reads the top level of the file.
func (r *suiteReader) readFile(root *yaml.Node) {
	var settings, sources, tests *yaml.Node
	r.object(root, "a file of tests", fields{
		"config": func(n *yaml.Node) { settings = n },
		"tests":  func(n *yaml.Node) { tests = n },
	})
	if settings != nil {
		r.object(settings, "config", fields{
			"claims":  r.claims(&r.caller),
			"sources": func(n *yaml.Node) { sources = n },
			"env":     r.env(r.suite.env),
		})
	}
	if sources != nil { // behind env, whose variables they may use
		r.readSources(sources)
	}
	if tests == nil {
		r.add(root, "there are no tests; list them under tests:")
		return
	}
	r.items(tests, "tests", r.test)
}

// readSources reads the settings of sources, as gateway.yaml has them. Their urls may be missing, since
// no test uses them.
func (r *suiteReader) readSources(n *yaml.Node) {
	if n.Kind != yaml.Mapping {
		r.add(n, "sources are an object of sources by their names, not %s", kindOf(n))
		return
	}
	reader := config.SourcesReader{
		Path:   r.file,
		URL:    "http://localhost",
		Lookup: r.lookup,
		Report: func(line, column int, text string) { r.list = append(r.list, mistake{line, column, text}) },
	}
	r.suite.sources = reader.Read(n)
}

// lookup returns a variable of the environment that the file sets for all of its tests, or else of the
// process.
func (r *suiteReader) lookup(name string) (string, bool) {
	value, ok := r.suite.env[name]
	switch {
	case !ok:
		return os.LookupEnv(name)
	case value == nil:
		return "", false
	}
	return *value, true
}

// claims reads the claims of the caller. null is an anonymous caller.
func (r *suiteReader) claims(to **auth.Identity) decoder {
	return func(n *yaml.Node) {
		switch claims := plainValue(n).(type) {
		case nil:
			*to = nil
		case map[string]any:
			*to = auth.NewIdentity(claims, "")
		default:
			r.add(n, "claims are an object, such as {sub: u1, scope: \"users:read\"}, or null for an anonymous caller")
		}
	}
}

// test reads a test. The members apiResponse... and expect.connectorRequest of the test itself describe
// the call of its connector. If all of them are absent, only the calls in calls are expected.
func (r *suiteReader) test(n *yaml.Node) {
	t := &test{line: n.Line, caller: r.caller, headers: http.Header{}, env: maps.Clone(r.suite.env)}
	var connector string
	connectorCall := &call{line: n.Line, response: cannedResponse{status: http.StatusOK, header: http.Header{}}}
	hasCall := false
	f := fields{
		"name":           r.text(&t.name),
		"connector":      r.text(&connector),
		"query":          r.text(&t.query),
		"variables":      func(n *yaml.Node) { t.variables = plainValue(n) },
		"claims":         r.claims(&t.caller),
		"requestHeaders": r.header(t.headers),
		"env":            r.env(t.env),
		"calls":          func(n *yaml.Node) { r.items(n, "calls", func(n *yaml.Node) { t.calls = append(t.calls, r.call(n)) }) },
		"expect":         func(n *yaml.Node) { hasCall = r.expect(n, t, connectorCall) || hasCall },
	}
	for name, decode := range r.cannedResponse(&connectorCall.response) {
		f[name] = func(n *yaml.Node) { hasCall = true; decode(n) }
	}
	if !r.object(n, "a test", f) {
		return
	}
	if hasCall {
		t.calls = append(t.calls, connectorCall)
	}
	r.checkTest(n, t, connector)
	r.suite.tests = append(r.suite.tests, t)
}

// env reads variables of the environment. null unsets a variable for the time of the test.
func (r *suiteReader) env(to map[string]*string) decoder {
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

// findConnector returns the match of coordinatePattern for a connector, which is Type.field or the id
// of a binding, or nil if it is neither.
func (r *suiteReader) findConnector(connector string) []string {
	if field, ok := r.connectorIDs()[connector]; ok {
		connector = field
	}
	return coordinatePattern.FindStringSubmatch(connector)
}

// coordinatePattern matches Type.field.
var coordinatePattern = regexp.MustCompile(`^(\w+)\.(\w+)$`)

// checkTest reports what a test lacks. A test without expectations could never fail.
func (r *suiteReader) checkTest(n *yaml.Node, t *test, connector string) {
	parts := r.findConnector(connector)
	switch {
	case t.name == "":
		r.add(n, "a test has a name, which says what it shows")
	case parts == nil:
		r.add(n, "a test names the field whose binding it is about, as connector: Query.user, or the id of its @connect")
	case t.query == "":
		r.add(n, "a test has a query: the operation that is run")
	case t.response == nil && t.data == nil && len(t.errors) == 0 && len(t.degraded) == 0:
		r.add(n, "a test expects something; write expect: {connectorResponse: ...}, or data, or errors")
	default:
		t.connector = [2]string(parts[1:])
	}
}

// call reads one of the calls: the expected request and the canned response.
func (r *suiteReader) call(n *yaml.Node) *call {
	c := &call{line: n.Line, response: cannedResponse{status: http.StatusOK, header: http.Header{}}}
	f := r.cannedResponse(&c.response)
	f["connectorRequest"] = func(n *yaml.Node) { c.want = r.request(n) }
	if r.object(n, "a call", f) && c.want == nil {
		r.add(n, "a call has the expected request, as connectorRequest: {method: GET, url: /users/u1}")
	}
	return c
}

// cannedResponse returns the decoders of a canned response. Its status is 200 by default.
func (r *suiteReader) cannedResponse(a *cannedResponse) fields {
	return fields{
		"apiResponseStatus":  r.status(&a.status),
		"apiResponseHeaders": r.header(a.header),
		"apiResponseBody":    r.body(&a.body),
	}
}

// status reads an HTTP status. 1xx is not a final response.
func (r *suiteReader) status(to *int) decoder {
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
func (r *suiteReader) header(to http.Header) decoder {
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

// body reads the body of a response: text as it is, and any other value as JSON.
func (r *suiteReader) body(to *string) decoder {
	return func(n *yaml.Node) {
		if n.Kind == yaml.String {
			*to = n.Value
			return
		}
		text, err := json.Marshal(plainValue(n))
		if err != nil {
			r.add(n, "this is not JSON: %v", err)
		}
		*to = string(text)
	}
}

// expect reads the expectations of a test, and reports whether the connector must make a call.
func (r *suiteReader) expect(n *yaml.Node, t *test, connectorCall *call) (hasCall bool) {
	r.object(n, "expect", fields{
		"connectorRequest":  func(n *yaml.Node) { connectorCall.want, connectorCall.line, hasCall = r.request(n), n.Line, true },
		"connectorResponse": r.json(&t.response),
		"data":              r.json(&t.data),
		"errors": func(n *yaml.Node) {
			r.items(n, "errors", func(n *yaml.Node) { t.errors = append(t.errors, r.expectedError(n)) })
		},
		"degraded": func(n *yaml.Node) {
			r.items(n, "degraded", func(n *yaml.Node) { t.degraded = append(t.degraded, r.expectedDegraded(n)) })
		},
	})
	return hasCall
}

// expectedError reads an expected error.
func (r *suiteReader) expectedError(n *yaml.Node) expectedError {
	w := expectedError{line: n.Line}
	r.object(n, "an error", fields{
		"code":       r.text(&w.code),
		"message":    r.text(&w.message),
		"path":       value(&w.path),
		"extensions": value(&w.extensions),
	})
	return w
}

// expectedDegraded reads an expected degraded field.
func (r *suiteReader) expectedDegraded(n *yaml.Node) expectedDegraded {
	w := expectedDegraded{line: n.Line}
	r.object(n, "a degraded field", fields{
		"mode":    r.mode(&w.mode),
		"code":    r.text(&w.code),
		"service": r.text(&w.service),
		"path":    value(&w.path),
	})
	return w
}

// mode decodes a value of onError. YAML reads NULL without quotes as null.
func (r *suiteReader) mode(to *string) decoder {
	text := r.text(to)
	return func(n *yaml.Node) {
		if n.Kind == yaml.Null {
			*to = "NULL"
			return
		}
		text(n)
	}
}

// request reads an expected request.
func (r *suiteReader) request(n *yaml.Node) *expectedRequest {
	want := &expectedRequest{}
	var url string
	r.object(n, "connectorRequest", fields{
		"source":  r.text(&want.source),
		"method":  r.text(&want.method),
		"url":     r.text(&url),
		"headers": r.expectedHeaders(want),
		"body":    value(&want.body),
	})
	var err error
	if want.target, err = parseTarget(url); err != nil {
		r.add(n, "%v", err)
	}
	return want
}

// expectedHeaders reads headers. null is a header that must not be sent.
func (r *suiteReader) expectedHeaders(want *expectedRequest) decoder {
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
