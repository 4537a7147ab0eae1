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

	"github.com/gatehouse-graphql/gatehouse/auth"
)

// library has films and books, and records the calls for them.
type library struct {
	fixed    map[string]string // answers by path, "500" for a failure
	mu       sync.Mutex
	requests []string
}

func (l *library) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	keys := strings.Split(r.URL.Query().Get("ids"), ",")
	slices.Sort(keys)
	l.mu.Lock()
	l.requests = append(l.requests, strings.TrimSpace(r.URL.Path+" "+strings.Join(keys, ",")))
	l.mu.Unlock()
	answer, ok := l.fixed[r.URL.Path]
	switch {
	case answer == "500":
		w.WriteHeader(http.StatusInternalServerError)
		return
	case ok:
	case r.URL.Path == "/films":
		answer = films(keys)
	default:
		isbn := strings.TrimPrefix(r.URL.Path, "/books/")
		answer = fmt.Sprintf(`{"isbn": %[1]q, "title": "Book %[1]s", "notes": ["n"]}`, isbn)
	}
	io.WriteString(w, answer)
}

// films returns the films of keys, except for the key 404.
func films(keys []string) string {
	var items []string
	for _, key := range keys {
		if key != "404" {
			items = append(items, fmt.Sprintf(`{"id": %[1]s, "title": "Film %[1]s", "rating": "PG", "year": 1999, "sequel": {"kind": "film", "id": 1%[1]s}}`, key))
		}
	}
	return "[" + strings.Join(items, ",") + "]"
}

const (
	film7  = `{"kind": "film", "id": 7}`
	film8  = `{"kind": "film", "id": 8}`
	lost   = `{"kind": "film", "id": 404}`
	bookA  = `{"kind": "book", "isbn": "A"}`
	paper  = `{"kind": "leaflet", "id": 1, "text": "whole"}`
	mixed  = `[` + film8 + `,` + bookA + `,` + paper + `,` + film7 + `,null,` + film8 + `]`
	shelf1 = `{"id": "s1", "best": ` + film7 + `, "all": ` + mixed + `, "titled": [` + bookA + `,` + film7 + `], "inner": {"best": ` + bookA + `}}`
	shelf2 = `{"id": "s2", "best": ` + bookA + `, "all": null, "titled": [], "inner": {"best": ` + film8 + `}}`
)

// reader may have everything of books and films.
var reader = &auth.Identity{Subject: "r", Scopes: []string{"books", "ratings"}}

// Objects behind unions and interfaces are completed by the bindings of their types, with one call
// for each type at a place, where the operation selects more than their keys.
func TestEntitiesOfAbstractTypes(t *testing.T) {
	for _, m := range []struct {
		query, want string
		requests    []string
	}{
		{`{top {... on Film {title}}}`, `{"top":{"title":"Film 7"}}`, []string{"/films 7", "/top"}},
		{`{top {__typename ... on Film {id}}}`, `{"top":{"__typename":"Film","id":7}}`, []string{"/top"}},
		{`{top {... on Book {title}}}`, `{"top":{}}`, []string{"/top"}},
		{`{top {...N}} fragment N on Titled {t: title}`, `{"top":{"t":"Film 7"}}`, []string{"/films 7", "/top"}},
		{`query($no: Boolean = false) {top {... on Film {id title @include(if: $no) ... @skip(if: true) {rating}}}}`, `{"top":{"id":7}}`, []string{"/top"}},
		{
			`{medias {__typename ... on Film {id title} ... on Book {title} ... on Leaflet {text}}}`,
			`{"medias":[{"__typename":"Film","id":8,"title":"Film 8"},{"__typename":"Book","title":"Book A"},{"__typename":"Leaflet","text":"whole"},{"__typename":"Film","id":7,"title":"Film 7"},null,{"__typename":"Film","id":8,"title":"Film 8"}]}`,
			[]string{"/books/A", "/films 7,8", "/medias"},
		},
		{`{medias {... on Book {title} ... on Film {id}}}`, `{"medias":[{"id":8},{"title":"Book A"},{},{"id":7},null,{"id":8}]}`, []string{"/books/A", "/medias"}},
		{`{shelves {titled {title ... on Film {year}}}}`, `{"shelves":[{"titled":[{"title":"Book A"},{"title":"Film 7","year":1999}]},{"titled":[]}]}`, []string{"/books/A", "/films 7", "/shelves"}},
		{`{shelves {all {... on Film {rating}}}}`, `{"shelves":[{"all":[{"rating":"PG"},{},{},{"rating":"PG"},null,{"rating":"PG"}]},{"all":null}]}`, []string{"/films 7,8", "/shelves"}},
		{`{shelves {one {... on Titled {title}}}}`, `{"shelves":[{"one":{"title":"Film 7"}},{"one":{"title":"Book A"}}]}`, []string{"/books/A", "/films 7", "/one/s1", "/one/s2", "/shelves"}},
		{`{shelves {mapped {... on Titled {title}}}}`, `{"shelves":[{"mapped":[{"title":"Film 7"},{"title":"Book A"}]},{"mapped":[{"title":"Film 8"}]}]}`, []string{"/books/A", "/films 7,8", "/mapped", "/shelves"}},
		{`{mediaPage(first: 2) {nodes {... on Film {title}} edges {node {... on Film {title}}}}}`, `{"mediaPage":{"nodes":[{"title":"Film 7"},{}],"edges":[{"node":{"title":"Film 7"}},{"node":{}}]}}`, []string{"/films 7", "/page"}},
		{`{top {... on Film {sequel {... on Film {title sequel {... on Film {id}}}}}}}`, `{"top":{"sequel":{"title":"Film 17","sequel":{"id":117}}}}`, []string{"/films 17", "/films 7", "/top"}},
	} {
		l := &library{fixed: libraryAnswers()}
		got := string(post(t, startGateway(t, l, reader), map[string]any{"query": m.query}))
		if want := `{"data":` + m.want + `}`; got != want {
			t.Errorf("%s\n got %s\nwant %s", m.query, got, want)
		}
		slices.Sort(l.requests)
		if diff := cmp.Diff(m.requests, l.requests); diff != "" {
			t.Errorf("%s: -want +sent\n%s", m.query, diff)
		}
	}
}

func libraryAnswers() map[string]string {
	return map[string]string{
		"/top": film7, "/medias": mixed, "/shelves": `[` + shelf1 + `,` + shelf2 + `]`, "/one/s1": film7, "/one/s2": bookA,
		"/mapped": `{"s1": [` + film7 + `,` + bookA + `], "s2": [` + film8 + `]}`, "/page": `[` + film7 + `,` + paper + `]`,
		"/favourite": `{"isbn": "A"}`, "/favourites": `[{"isbn": "A"}, {"isbn": "B"}]`,
	}
}

// A value that cannot be fetched is null with its error at its path, and the others remain. A
// refused field causes no call.
func TestEntitiesOfAbstractTypesThatFail(t *testing.T) {
	other := &auth.Identity{Subject: "o", Scopes: []string{"staff"}}
	for _, m := range []struct {
		identity                  *auth.Identity
		query, path, answer, want string
		errors                    []string
		requests                  []string
	}{
		{reader, `{top {... on Film {title}}}`, "/films", "500", `{"top":null}`, []string{`["top"] DOWNSTREAM_SERVICE_ERROR`}, []string{"/films 7", "/top"}},
		{reader, `{top {... on Film {title}}}`, "/top", lost, `{"top":null}`, nil, []string{"/films 404", "/top"}},
		{
			reader, `{medias {... on Titled {title} ... on Leaflet {text}}}`, "/films", "500", `{"medias":[null,{"title":"Book A"},{"text":"whole"},null,null,null]}`,
			[]string{`["medias",0] DOWNSTREAM_SERVICE_ERROR`, `["medias",3] DOWNSTREAM_SERVICE_ERROR`, `["medias",5] DOWNSTREAM_SERVICE_ERROR`},
			[]string{"/books/A", "/films 7,8", "/medias"},
		},
		{reader, `{mustMedias {... on Book {title}}}`, "/medias", `[` + paper + `,` + bookA + `]`, `{"mustMedias":[{},{"title":"Book A"}]}`, nil, []string{"/books/A", "/medias"}},
		{reader, `{mustMedias {... on Film {title}}}`, "/medias", `[` + paper + `,` + lost + `]`, `{"mustMedias":null}`, []string{`["mustMedias",1] `}, []string{"/films 404", "/medias"}},
		{reader, `{shelves {id best {... on Film {title}}}}`, "/films", "500", `{"shelves":[{"id":"s1","best":null},{"id":"s2","best":{}}]}`, []string{`["shelves",0,"best"] DOWNSTREAM_SERVICE_ERROR`}, []string{"/films 7", "/shelves"}},

		// The guard of the field whose call completes a type's objects.
		{nil, `{favouriteBook {isbn}}`, "", "", `{"favouriteBook":{"isbn":"A"}}`, nil, []string{"/favourite"}},
		{nil, `{favouriteBook {title}}`, "", "", `{"favouriteBook":null}`, []string{`["favouriteBook"] UNAUTHENTICATED`}, []string{"/favourite"}},
		{other, `{favouriteBook {...T}} fragment T on Titled {a: title}`, "", "", `{"favouriteBook":null}`, []string{`["favouriteBook"] FORBIDDEN`}, []string{"/favourite"}},
		{other, `{favouriteBooks {isbn title}}`, "", "", `{"favouriteBooks":null}`, []string{`["favouriteBooks"] FORBIDDEN`}, []string{"/favourites"}},
		{reader, `{favouriteBook {title}}`, "", "", `{"favouriteBook":{"title":"Book A"}}`, nil, []string{"/books/A", "/favourite"}},
		{other, `{top {... on Titled {title}}}`, "/top", bookA, `{"top":null}`, []string{`["top"] FORBIDDEN`}, []string{"/top"}},
		{
			other, `{medias {__typename ... on Titled {title}}}`, "", "",
			`{"medias":[{"__typename":"Film","title":"Film 8"},null,{"__typename":"Leaflet"},{"__typename":"Film","title":"Film 7"},null,{"__typename":"Film","title":"Film 8"}]}`,
			[]string{`["medias",1] FORBIDDEN`}, []string{"/films 7,8", "/medias"},
		},
		{other, `{book(isbn: "A") {title}}`, "", "", `{"book":null}`, []string{`["book"] FORBIDDEN`}, nil},

		// The guards of the fields of completed objects.
		{other, `{top {... on Film {rating}}}`, "", "", `{"top":{"rating":null}}`, []string{`["top","rating"] FORBIDDEN`}, []string{"/top"}},
		{nil, `{top {... on Film {id rating year}}}`, "", "", `{"top":null}`, []string{`["top","rating"] UNAUTHENTICATED`, `["top","year"] UNAUTHENTICATED`}, []string{"/top"}},
		{other, `{top {... on Film {rating title}}}`, "", "", `{"top":{"rating":null,"title":"Film 7"}}`, []string{`["top","rating"] FORBIDDEN`}, []string{"/films 7", "/top"}},
		{nil, `{favouriteBook {notes}}`, "", "", `{"favouriteBook":{"notes":null}}`, []string{`["favouriteBook","notes"] UNAUTHENTICATED`}, []string{"/favourite"}},
	} {
		l := &library{fixed: libraryAnswers()}
		if m.path != "" {
			l.fixed[m.path] = m.answer
		}
		text := post(t, startGateway(t, l, m.identity), map[string]any{"query": m.query})
		var got struct {
			Data   json.RawMessage
			Errors []struct {
				Path       json.RawMessage
				Extensions struct{ Code string }
			}
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		var errors []string
		for _, e := range got.Errors {
			errors = append(errors, fmt.Sprint(string(e.Path), " ", e.Extensions.Code))
		}
		slices.Sort(errors)
		missing := len(errors) != len(m.errors) || slices.ContainsFunc(errors, func(e string) bool {
			return !slices.ContainsFunc(m.errors, func(want string) bool { return strings.HasPrefix(e, want) })
		})
		if string(got.Data) != m.want || missing {
			t.Errorf("%s\n got %s\nwant %s %v", m.query, text, m.want, m.errors)
		}
		slices.Sort(l.requests)
		if diff := cmp.Diff(m.requests, l.requests); diff != "" {
			t.Errorf("%s: -want +sent\n%s", m.query, diff)
		}
	}
}
