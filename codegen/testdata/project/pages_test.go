package everything

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shelf has pages of items at the offset of a call. It records its calls.
type shelf struct {
	items    []string
	answer   func(items string, from, size, total int) string
	fixed    map[string]string // answers of other paths
	mu       sync.Mutex
	requests []string
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, r.RequestURI)
	if answer, ok := s.fixed[r.URL.Path]; ok {
		io.WriteString(w, answer)
		return
	}
	from, size := 0, 0
	query := r.URL.Query()
	fmt.Sscan(query.Get("offset")+query.Get("from"), &from)
	fmt.Sscan(query.Get("limit")+query.Get("size")+query.Get("n"), &size)
	if page := query.Get("page"); page != "" {
		fmt.Sscan(page, &from)
		from *= size
	}
	from = min(from, len(s.items))
	io.WriteString(w, s.answer(strings.Join(s.items[from:min(from+size, len(s.items))], ","), from, size, len(s.items)))
}

// onPages are the forms of a page that the services of the project use.
var onPages = map[string]func(items string, from, size, total int) string{
	"payPage": func(items string, _, _, total int) string {
		return fmt.Sprintf(`{"total": %d, "data": [%s]}`, total, items)
	},
	"storyPage": func(items string, _, _, _ int) string { return `{"data": {"items": [` + items + `]}}` },
	"storyNodes": func(items string, from, size, total int) string {
		return fmt.Sprintf(`{"data": [%s], "meta": {"next": "%d", "more": %t}}`, items, from+size, from+size < total)
	},
	"accountPage": func(items string, _, _, _ int) string { return `[` + items + `]` },
	"writers": func(items string, from, size, total int) string {
		return fmt.Sprintf(`{"data": [%s], "more": %t}`, items, from+size < total)
	},
}

// An item that does not fit is an error at its own path, as the node of an edge or among nodes, and
// only where the operation selects it.
func TestPages(t *testing.T) {
	const card, cash = `{"last4": "1", "method": "credit-card"}`, `{"amount": 1.5, "method": 1}`
	story := func(members string) string { return `{"story": {` + members + `}}` }
	writers := map[string]string{"/writers": `[{"id": "w1"}, {"id": "w/2"}]`}
	for _, p := range []struct {
		query    string
		items    []string
		want     string
		paths    []string
		requests []string
	}{
		// Unions, which may be null, as edges and as nodes.
		{
			`{payPage(first: 2) {totalCount edges {node {__typename}} nodes {... on Card {last4}} pageInfo {hasNextPage}}}`,
			[]string{card, cash, card},
			`{"payPage":{"totalCount":3,"edges":[{"node":{"__typename":"Card"}},{"node":{"__typename":"Cash"}}],"nodes":[{"last4":"1"},{}],"pageInfo":{"hasNextPage":true}}}`, nil,
			[]string{"/pays?offset=0&limit=2"},
		},
		{
			`{payPage {edges {node {__typename}} nodes {__typename}}}`,
			[]string{card, `{"method": "x"}`, `null`, `5`, `{"method": "credit-card"}`},
			`{"payPage":{"edges":[{"node":{"__typename":"Card"}},{"node":null},{"node":null},{"node":null},{"node":{"__typename":"Card"}}],"nodes":[{"__typename":"Card"},null,null,null,{"__typename":"Card"}]}}`,
			[]string{"payPage.edges.1.node", "payPage.edges.3.node", "payPage.nodes.1", "payPage.nodes.3"},
			nil,
		},
		{`{payPage {a: nodes {... on Card {last4}} b: nodes {__typename}}}`, []string{`{"method": "credit-card"}`, `5`}, `{"payPage":{"a":[null,null],"b":[{"__typename":"Card"},null]}}`, []string{"payPage.a.0.last4", "payPage.a.1", "payPage.b.1"}, nil},
		{`{payPage {totalCount pageInfo {hasNextPage}}}`, []string{`5`, `{}`}, `{"payPage":{"totalCount":2,"pageInfo":{"hasNextPage":false}}}`, nil, nil},
		{`{payPage(first: 0) {totalCount edges {cursor}}}`, []string{card, cash}, `{"payPage":{"totalCount":2,"edges":[]}}`, nil, []string{"/pays?offset=0&limit=1"}},
		{`{payPage(first: 0) {edges {cursor}}}`, []string{card, cash}, `{"payPage":{"edges":[]}}`, nil, nil},
		// Nodes that are never null: the edge is.
		{
			`{storyPage {edges {node {id title}} pageInfo {hasPreviousPage}}}`,
			[]string{`{"id": 1, "headline": "h"}`, `{"id": 2}`, `{"id": 3}`},
			`{"storyPage":{"edges":[{"node":{"id":"1","title":"h"}},{"node":{"id":"2","title":null}}],"pageInfo":{"hasPreviousPage":false}}}`, nil,
			[]string{"/stories?page=0&size=3"},
		},
		{
			`{storyPage(first: 3) {edges {node {id title}}}}`,
			[]string{`{"id": 1, "headline": []}`, `5`, `null`},
			`{"storyPage":{"edges":[{"node":{"id":"1","title":null}},null,null]}}`,
			[]string{"storyPage.edges.0.node.title", "storyPage.edges.1.node", "storyPage.edges.2.node"},
			nil,
		},
		{`{storyPage {edges {__typename}}}`, []string{`5`, `{}`}, `{"storyPage":{"edges":[{"__typename":"StoryEdge"},{"__typename":"StoryEdge"}]}}`, nil, nil},
		// Nodes alone.
		{
			`{storyNodes(first: 2, at: "2026-01-31T12:00:00Z") {nodes {id}}}`,
			[]string{story(`"id": 1`), story(`"id": 2`), story(`"id": 3`)},
			`{"storyNodes":{"nodes":[{"id":"1"},{"id":"2"}]}}`, nil,
			[]string{"/cursor?n=2&at=2026-01-31T12%3A00%3A00Z"},
		},
		{`{storyNodes {nodes {id}}}`, []string{story(`"id": 1`), `{}`}, `null`, []string{"storyNodes.nodes.1"}, nil},
		{`{storyNodes {nodes {id}}}`, []string{story(`"id": 1`), `5`}, `null`, []string{"storyNodes.nodes.1"}, nil},
		{`{storyNodes {nodes {title}}}`, []string{story(`"id": 1, "title": 5`)}, `{"storyNodes":{"nodes":[{"title":null}]}}`, []string{"storyNodes.nodes.0.title"}, nil},
		{`{storyNodes {pageInfo {hasNextPage}}}`, []string{`5`}, `{"storyNodes":{"pageInfo":{"hasNextPage":false}}}`, nil, nil},
		// Pages of each parent.
		{
			`{writers {stories {nodes {id} pageInfo {hasNextPage}}}}`,
			[]string{`{"id": 1}`, `{"id": 2}`, `{"id": 3}`},
			`{"writers":[{"stories":{"nodes":[{"id":"1"},{"id":"2"}],"pageInfo":{"hasNextPage":true}}},{"stories":{"nodes":[{"id":"1"},{"id":"2"}],"pageInfo":{"hasNextPage":true}}}]}`, nil,
			[]string{"/writers", "/writers/w%2F2/stories?offset=0&limit=2", "/writers/w1/stories?offset=0&limit=2"},
		},
		{`{writers {id stories(first: 1) {nodes {id}}}}`, []string{`{}`}, `{"writers":[{"id":"w1","stories":null},{"id":"w/2","stories":null}]}`, []string{"writers.0.stories.nodes.0.id", "writers.1.stories.nodes.0.id"}, nil},
		// Pages of what is completed.
		{`{accountPage(first: 1) {edges {node {id}} nodes {id}}}`, []string{`{"id": "a1"}`}, `{"accountPage":{"edges":[{"node":{"id":"a1"}}],"nodes":[{"id":"a1"}]}}`, nil, []string{"/accountIds?offset=0&limit=2"}},
		{
			`{accountPage {edges {node {name}} nodes {email}}}`,
			[]string{`{"id": "a1"}`, `5`, `{"id": "zz"}`},
			`{"accountPage":{"edges":[{"node":{"name":"n1"}},{"node":null},{"node":null}],"nodes":[{"email":null},null,null]}}`,
			[]string{"accountPage.edges.1.node", "accountPage.nodes.1"},
			nil,
		},
	} {
		field := strings.FieldsFunc(p.query, func(r rune) bool { return strings.ContainsRune("{ (", r) })[0]
		s := &shelf{items: p.items, answer: onPages[field], fixed: writers}
		s.fixed["/accounts"] = `{"items": [{"id": "a1", "name": "n1"}]}`
		data, paths := queryFaults(t, s, p.query)
		if data != p.want || !slices.Equal(paths, p.paths) {
			t.Errorf("%s\n got %s %v\nwant %s %v", p.query, data, paths, p.want, p.paths)
		}
		slices.Sort(s.requests)
		if diff := cmp.Diff(p.requests, s.requests); p.requests != nil && diff != "" {
			t.Errorf("%s: -want +sent\n%s", p.query, diff)
		}
	}
}

// Pages follow each other until the end. Faults keep their paths where a page consists of parts of
// two pages of the service.
func TestPagesInARow(t *testing.T) {
	items := []string{`{"id": 1, "headline": "a"}`, `5`, `{"id": 3, "headline": 5}`, `{"id": 4}`, `{"id": 5}`}
	gateway := startGateway(t, &shelf{items: items, answer: onPages["storyPage"]}, caller)
	var rows []string
	after := any(nil)
	for _, first := range []int{1, 2, 3} {
		text := post(t, gateway, map[string]any{
			"query":     `query($first: Int, $after: String) {storyPage(first: $first, after: $after) {edges {node {id title}} pageInfo {hasNextPage endCursor}}}`,
			"variables": map[string]any{"first": first, "after": after},
		})
		var got struct {
			Data struct {
				StoryPage struct {
					Edges    json.RawMessage
					PageInfo struct {
						HasNextPage bool
						EndCursor   string
					}
				}
			}
			Errors []struct{ Path []any }
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		row := fmt.Sprint(string(got.Data.StoryPage.Edges), got.Data.StoryPage.PageInfo.HasNextPage)
		var paths []string
		for _, e := range got.Errors {
			paths = append(paths, fmt.Sprint(e.Path))
		}
		slices.Sort(paths)
		row += strings.Join(paths, "")
		rows = append(rows, row)
		after = got.Data.StoryPage.PageInfo.EndCursor
	}
	want := []string{
		`[{"node":{"id":"1","title":"a"}}]true`,
		`[null,{"node":{"id":"3","title":null}}]true[storyPage edges 0 node][storyPage edges 1 node title]`,
		`[{"node":{"id":"4","title":null}},{"node":{"id":"5","title":null}}]false`,
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}
