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

// request is what a call shall be. What is empty is not compared.
type request struct {
	source, method string
	target         *target
	headers        http.Header // a nil value is a header that must not be sent
	body           *expected
}

// target is where a call goes, within its service.
type target struct {
	path  []string // its segments, unescaped
	query []string // its parameters as name=value, unescaped, sorted
}

// parseTarget reads path and query, escaped or not; nil for none.
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
		t.path = append(t.path, unescaped(segment, url.PathUnescape))
	}
	for parameter := range strings.SplitSeq(query, "&") {
		if parameter != "" {
			t.query = append(t.query, unescaped(parameter, url.QueryUnescape))
		}
	}
	slices.Sort(t.query)
	return t, nil
}

// escapedPath shows which slashes part segments.
func (t *target) escapedPath() string {
	segments := make([]string, len(t.path))
	for i, s := range t.path {
		segments[i] = url.PathEscape(s)
	}
	return strings.Join(segments, "/")
}

// unescaped leaves what is no escape as it is, so that a url can be written plainly.
func unescaped(text string, unescape func(string) (string, error)) string {
	if plain, err := unescape(text); err == nil {
		return plain
	}
	return text
}

// sent is a call that was made.
type sent struct {
	source, method, url string
	target              *target
	header              http.Header
	body                string
}

// String is the call for people.
func (s *sent) String() string {
	text := fmt.Sprintf("%s %s to %q", s.method, s.url, s.source)
	if s.body != "" {
		text += " with the body " + short(s.body)
	}
	return text
}

// sameCall tells whether s may be meant, although it may differ.
func (r *request) sameCall(s *sent) bool {
	return (r.source == "" || r.source == s.source) && (r.method == "" || strings.EqualFold(r.method, s.method)) &&
		(r.target == nil || slices.Equal(r.target.path, s.target.path))
}

// differences tells how the call is not as wanted.
func (r *request) differences(s *sent) []string {
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
		all = append(all, parameters("query", r.target.query, s.target.query)...)
	}
	for _, name := range slices.Sorted(maps.Keys(r.headers)) {
		if name == "Cookie" && r.headers[name] != nil {
			all = append(all, parameters("cookie", cookies(r.headers[name]), cookies(s.header.Values(name)))...)
			continue
		}
		if want, got := r.headers[name], s.header.Values(name); !slices.Equal(want, got) {
			add("header %s: want %s, got %s", name, shownHeader(want), shownHeader(got))
		}
	}
	if r.body != nil {
		for _, line := range bodyDifferences(r.body, s) {
			add("body: %s", line)
		}
	}
	return all
}

// cookies are the pairs of Cookie headers, whose order means nothing.
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

func shownHeader(values []string) string {
	if len(values) == 0 {
		return "none"
	}
	return fmt.Sprintf("%q", strings.Join(values, ", "))
}

// parameters compares multisets that are sorted.
func parameters(what string, want, got []string) []string {
	var lines []string
	for _, p := range without(want, got) {
		lines = append(lines, fmt.Sprintf("%s: want %s, but it is missing", what, p))
	}
	for _, p := range without(got, want) {
		lines = append(lines, fmt.Sprintf("%s: not expected, got %s", what, p))
	}
	return lines
}

// without are those of all that others does not have, as often as it lacks them.
func without(all, others []string) []string {
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

// bodyDifferences reads a body by its media type: JSON and forms by what they mean,
// anything else as text.
func bodyDifferences(want *expected, s *sent) []string {
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

// formDifferences compares a form with an object of its fields, or with the form's text.
func formDifferences(want *expected, body string) []string {
	var wanted []string
	switch v := want.value.(type) {
	case string:
		wanted = formFields(v)
	case map[string]any:
		for name, value := range v {
			wanted = append(wanted, fieldsOf(name, value)...)
		}
	default:
		return []string{"a form was sent; expect an object of its fields"}
	}
	slices.Sort(wanted)
	return parameters("field", wanted, formFields(body))
}

func formFields(text string) []string {
	t, _ := parseTarget("/?" + strings.TrimSpace(text)) // which is a target
	return t.query
}

// fieldsOf are the fields of a form for one name, of which a list is several.
func fieldsOf(name string, value any) []string {
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

// multipartDifferences compares parts with an object of them by name: a field is its
// text, or the value that it is as JSON, a file {filename, contentType, content}.
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
		got[part.FormName()] = shownPart(part, content.String())
	}
}

func shownPart(part *multipart.Part, content string) any {
	media := part.Header.Get("Content-Type")
	if value, err := decodeJSON(content); err == nil && strings.HasPrefix(media, "application/json") && part.FileName() == "" {
		return value
	}
	if part.FileName() == "" {
		return content
	}
	return map[string]any{"filename": part.FileName(), "contentType": media, "content": content}
}
