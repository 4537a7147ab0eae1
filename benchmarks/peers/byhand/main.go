// Command byhand serves the operations of the benchmarks with code that knows them beforehand:
// it fetches, scans and writes, without parsing GraphQL or checking values. It is the limit of
// what a gateway on net/http could reach.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/operations"
)

func main() {
	listen := flag.String("listen", "localhost:8080", "the `address` to serve on")
	upstream := flag.String("upstream", "http://localhost:3000", "the `URL` of the services")
	flag.Parse()
	base, err := url.Parse(*upstream)
	if err == nil {
		err = http.ListenAndServe(*listen, newAggregator(base))
	}
	fmt.Fprintln(os.Stderr, "byhand:", err)
	os.Exit(1)
}

// aggregator serves the operations that it knows, by their text.
type aggregator struct {
	base    *url.URL
	client  http.RoundTripper
	answers map[string]answer
	buffers sync.Pool
}

// answer appends the response of an operation to b.
type answer func(a *aggregator, r *http.Request, b []byte) ([]byte, error)

func newAggregator(base *url.URL) *aggregator {
	return &aggregator{
		base:   base,
		client: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true},
		answers: map[string]answer{
			operations.Greet: (*aggregator).greet,
			operations.Posts: (*aggregator).posts,
			operations.Users: (*aggregator).postsWithUsers,
			operations.One:   (*aggregator).onePost,
		},
		buffers: sync.Pool{New: func() any { return new([]byte) }},
	}
}

func (a *aggregator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var asked struct{ Query string }
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = json.Unmarshal(body, &asked)
	}
	known := a.answers[asked.Query]
	if err != nil || known == nil {
		http.Error(w, "only the benchmarks' operations are answered", http.StatusBadRequest)
		return
	}
	buffer := a.buffers.Get().(*[]byte)
	defer a.buffers.Put(buffer)
	if *buffer, err = known(a, r, (*buffer)[:0]); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(*buffer))}
	_, _ = w.Write(*buffer)
}

func (a *aggregator) greet(_ *http.Request, b []byte) ([]byte, error) {
	return append(append(append(b, `{"data":{"greet":"`...), operations.Greeting...), `"}}`...), nil
}

func (a *aggregator) posts(r *http.Request, b []byte) ([]byte, error) {
	fetched := a.fetch(r, "/posts", "")
	defer a.free(fetched)
	posts, err := fetched.scan("id", "userId", "title", "body")
	b = append(b, `{"data":{"posts":[`...)
	for i, p := range posts {
		b = comma(b, i)
		b = member(b, `{"id":`, p[0])
		b = member(b, `,"userId":`, p[1])
		b = member(b, `,"title":`, p[2])
		b = append(member(b, `,"body":`, p[3]), '}')
	}
	return append(b, `]}}`...), err
}

func (a *aggregator) postsWithUsers(r *http.Request, b []byte) ([]byte, error) {
	fetched := a.fetch(r, "/posts", "")
	defer a.free(fetched)
	posts, err := fetched.scan("id", "userId", "title")
	if err != nil {
		return b, err
	}
	fetchedUsers := a.fetch(r, "/users", idsOf(posts))
	defer a.free(fetchedUsers)
	users, err := fetchedUsers.scan("id", "name", "email")
	byID := make(map[string]row, len(users))
	for _, u := range users {
		byID[string(u[0])] = u
	}
	b = append(b, `{"data":{"posts":[`...)
	for i, p := range posts {
		b = comma(b, i)
		b = member(b, `{"id":`, p[0])
		b = member(b, `,"userId":`, p[1])
		b = member(b, `,"title":`, p[2])
		u := byID[string(p[1])]
		b = member(b, `,"user":{"id":`, u[0])
		b = member(b, `,"name":`, u[1])
		b = append(member(b, `,"email":`, u[2]), `}}`...)
	}
	return append(b, `]}}`...), err
}

// idsOf returns the query that fetches each user once.
func idsOf(posts []row) string {
	seen := make(map[string]bool, len(posts))
	query := make([]byte, 0, 8*len(posts))
	for _, p := range posts {
		if !seen[string(p[1])] {
			seen[string(p[1])] = true
			query = append(append(query, "&id="...), p[1]...)
		}
	}
	return string(query[min(1, len(query)):])
}

func (a *aggregator) onePost(r *http.Request, b []byte) ([]byte, error) {
	fetched := a.fetch(r, "/posts/1", "")
	defer a.free(fetched)
	posts, err := fetched.scan("title", "userId")
	if err != nil {
		return b, err
	}
	fetchedUser := a.fetch(r, "/users", "id="+string(posts[0][1]))
	defer a.free(fetchedUser)
	users, err := fetchedUser.scan("name")
	if err != nil {
		return b, err
	}
	b = member(b, `{"data":{"post":{"title":`, posts[0][0])
	return append(member(b, `,"user":{"name":`, users[0][0]), `}}}}`...), nil
}

func comma(b []byte, i int) []byte {
	if i > 0 {
		b = append(b, ',')
	}
	return b
}

func member(b []byte, name string, value []byte) []byte { return append(append(b, name...), value...) }

// fetched is a response of a service, in memory that free returns to a pool; or an error.
type fetched struct {
	buffer *[]byte
	err    error
}

func (a *aggregator) fetch(r *http.Request, path, query string) fetched {
	u := *a.base
	u.Path, u.RawQuery = path, query
	req := (&http.Request{Method: http.MethodGet, URL: &u, Host: u.Host, Header: http.Header{}}).WithContext(r.Context())
	resp, err := a.client.RoundTrip(req)
	if err != nil {
		return fetched{err: err}
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ContentLength < 0 {
		return fetched{err: fmt.Errorf("%s: %s of unknown use", path, resp.Status)}
	}
	f := fetched{buffer: a.buffers.Get().(*[]byte)}
	if n := int(resp.ContentLength); cap(*f.buffer) < n {
		*f.buffer = make([]byte, n)
	} else {
		*f.buffer = (*f.buffer)[:n]
	}
	_, f.err = io.ReadFull(resp.Body, *f.buffer)
	return f
}

func (a *aggregator) free(f fetched) {
	if f.buffer != nil {
		a.buffers.Put(f.buffer)
	}
}

// scan returns the named members of each object.
func (f fetched) scan(names ...string) ([]row, error) {
	if f.err != nil {
		return nil, f.err
	}
	return scan(*f.buffer, names)
}
