package bindingtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// expectedRequest is the request that a call must send. Empty fields are not compared.
type expectedRequest struct {
	source, method string
	target         *target
	headers        http.Header // a nil value is a header that must not be sent
	body           *expected
}

// target is the path and query of a call within its service.
type target struct {
	path  []string // segments, unescaped: an escaped slash does not separate segments
	query []string // parameters as name=value, unescaped and sorted: their order does not count
}

// parseTarget parses a path with a query, which may be escaped or plain. It returns nil for "".
func parseTarget(text string) (*target, error) {
	if text == "" {
		return nil, nil
	}
	if !strings.HasPrefix(text, "/") {
		return nil, errors.New(`url is path and query, and begins with "/"; the service is said by source: users`)
	}
	path, query, _ := strings.Cut(text, "?")
	t := &target{query: []string{}}
	for segment := range strings.SplitSeq(path, "/") {
		t.path = append(t.path, unescapeOrKeep(segment, url.PathUnescape))
	}
	for parameter := range strings.SplitSeq(query, "&") {
		if parameter != "" {
			t.query = append(t.query, unescapeOrKeep(parameter, url.QueryUnescape))
		}
	}
	slices.Sort(t.query)
	return t, nil
}

// escapedPath returns the path with the slashes within segments escaped.
func (t *target) escapedPath() string {
	segments := make([]string, len(t.path))
	for i, s := range t.path {
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}

// unescapeOrKeep unescapes a text, or returns it as it is if it has a stray "%", so that a test can have
// plain text in a url.
func unescapeOrKeep(text string, unescape func(string) (string, error)) string {
	if plain, err := unescape(text); err == nil {
		return plain
	}
	return text
}

// sentRequest is a request that a service got.
type sentRequest struct {
	source, method, url string
	target              *target
	header              http.Header
	body                string
}

// String describes the request in a message.
func (s *sentRequest) String() string {
	text := fmt.Sprintf("%s %s to %q", s.method, s.url, s.source)
	if s.body != "" {
		text += " with the body " + formatJSON(s.body)
	}
	return text
}

// isSameEndpoint reports whether s has the expected source, method and path.
func (r *expectedRequest) isSameEndpoint(s *sentRequest) bool {
	return (r.source == "" || r.source == s.source) && (r.method == "" || strings.EqualFold(r.method, s.method)) &&
		(r.target == nil || slices.Equal(r.target.path, s.target.path))
}

// differences returns how s differs from the expected request, and nothing if it fits.
func (r *expectedRequest) differences(s *sentRequest) []string {
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if r.source != "" && r.source != s.source {
		add("source: want %q, got %q", r.source, s.source)
	}
	if r.method != "" && !strings.EqualFold(r.method, s.method) {
		add("method: want %s, got %s", r.method, s.method)
	}
	if r.target != nil {
		if !slices.Equal(r.target.path, s.target.path) {
			add("path: want %s, got %s", r.target.escapedPath(), s.target.escapedPath())
		}
		all = append(all, compareMultisets("query", r.target.query, s.target.query)...)
	}
	for _, name := range slices.Sorted(maps.Keys(r.headers)) {
		if name == "Cookie" && r.headers[name] != nil {
			all = append(all, compareMultisets("cookie", cookies(r.headers[name]), cookies(s.header.Values(name)))...)
			continue
		}
		if want, got := r.headers[name], s.header.Values(name); !slices.Equal(want, got) {
			add("header %s: want %s, got %s", name, formatHeader(want), formatHeader(got))
		}
	}
	if r.body != nil {
		for _, line := range bodyDifferences(r.body, s) {
			add("body: %s", line)
		}
	}
	return all
}

// cookies returns the sorted pairs of Cookie headers, since their order does not count.
func cookies(values []string) []string {
	var pairs []string
	for pair := range strings.SplitSeq(strings.Join(values, ";"), ";") {
		if pair = strings.TrimSpace(pair); pair != "" {
			pairs = append(pairs, pair)
		}
	}
	slices.Sort(pairs)
	return pairs
}

// formatHeader returns the values of a header for a message.
func formatHeader(values []string) string {
	if len(values) == 0 {
		return "none"
	}
	return fmt.Sprintf("%q", strings.Join(values, ", "))
}

// compareMultisets returns the differences of two sorted lists, in which an element may occur repeatedly.
func compareMultisets(what string, want, got []string) []string {
	var lines []string
	for _, p := range subtract(want, got) {
		lines = append(lines, fmt.Sprintf("%s: want %s, but it is missing", what, p))
	}
	for _, p := range subtract(got, want) {
		lines = append(lines, fmt.Sprintf("%s: not expected, got %s", what, p))
	}
	return lines
}

// subtract returns the elements of all without those of others, each as often as others lacks it.
func subtract(all, others []string) []string {
	counts := map[string]int{}
	for _, p := range others {
		counts[p]++
	}
	var rest []string
	for _, p := range all {
		if counts[p]--; counts[p] < 0 {
			rest = append(rest, p)
		}
	}
	return rest
}

// bodyDifferences compares a body by its media type: forms and multipart by their fields, JSON by its
// value, and any other body as text.
func bodyDifferences(want *expected, s *sentRequest) []string {
	media, params, _ := mime.ParseMediaType(s.header.Get("Content-Type"))
	switch {
	case media == "application/x-www-form-urlencoded":
		return formDifferences(want, s.body)
	case media == "multipart/form-data":
		return multipartDifferences(want, s.body, params["boundary"])
	case s.body == "":
		return differences(want.value, nil)
	}
	wanted := want.value
	got, err := decodeJSON(s.body)
	if err != nil {
		return differences(wanted, s.body)
	}
	if text, ok := wanted.(string); ok {
		if value, err := decodeJSON(text); err == nil {
			wanted = value
		}
	}
	return differences(wanted, got)
}

// formDifferences compares a form with an object of its fields, or with an encoded form.
func formDifferences(want *expected, body string) []string {
	var wanted []string
	switch v := want.value.(type) {
	case string:
		wanted = formFields(v)
	case map[string]any:
		for name, value := range v {
			wanted = append(wanted, formPairs(name, value)...)
		}
	default:
		return []string{"a form was sent; expect an object of its fields"}
	}
	slices.Sort(wanted)
	return compareMultisets("field", wanted, formFields(body))
}

func formFields(text string) []string {
	t, _ := parseTarget("/?" + strings.TrimSpace(text)) // which is a target
	return t.query
}

// formPairs returns the pairs of a form for one name, several for a list.
func formPairs(name string, value any) []string {
	items, ok := value.([]any)
	if !ok {
		items = []any{value}
	}
	fields := make([]string, len(items))
	for i, item := range items {
		fields[i] = fmt.Sprintf("%s=%v", name, item)
	}
	return fields
}

// multipartDifferences compares a multipart body with an object of its parts by name; see partValue.
func multipartDifferences(want *expected, body, boundary string) []string {
	if !strings.HasSuffix(strings.TrimSpace(body), "--"+boundary+"--") {
		return []string{"the parts break off"}
	}
	got := map[string]any{}
	for parts := multipart.NewReader(strings.NewReader(body), boundary); ; {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return differences(want.value, got)
		}
		if err != nil {
			return []string{fmt.Sprintf("the parts cannot be read: %v", err)}
		}
		var content bytes.Buffer
		if _, err := content.ReadFrom(part); err != nil {
			return []string{fmt.Sprintf("the parts cannot be read: %v", err)}
		}
		got[part.FormName()] = partValue(part, content.String())
	}
}

// partValue returns the value that stands for a part: {filename, contentType, content} for a file, the
// value of a JSON part, and the text of any other field.
func partValue(part *multipart.Part, content string) any {
	media := part.Header.Get("Content-Type")
	if value, err := decodeJSON(content); err == nil && strings.HasPrefix(media, "application/json") && part.FileName() == "" {
		return value
	}
	if part.FileName() == "" {
		return content
	}
	return map[string]any{"filename": part.FileName(), "contentType": media, "content": content}
}
