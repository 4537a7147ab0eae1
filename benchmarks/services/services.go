// Package services has the services behind the posts gateway: posts and users in the form of
// JSONPlaceholder's, generated from their numbers.
//
// Responses are joined from parts that are prepared beforehand, so that the services cost
// little and a benchmark measures the gateway.
package services

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Options configure the data. The zero value means the size of JSONPlaceholder's data: 100 posts by 10 users.
type Options struct {
	// Posts is how many posts GET /posts returns. Default 100.
	Posts int
	// Users is how many users there are. The posts are by each user in turn. If there are more
	// users than posts, consecutive responses of GET /posts have posts by different users, so
	// that concurrent clients need different users. Default 10.
	Users int
	// Latency is the delay before each response. Default none.
	Latency time.Duration
}

func (o Options) withDefaults() Options {
	if o.Posts <= 0 {
		o.Posts = 100
	}
	if o.Users <= 0 {
		o.Users = 10
	}
	return o
}

// Post is an element of GET /posts.
type Post struct {
	UserID int    `json:"userId"`
	ID     int    `json:"id"`
	Title  string `json:"title"`
	Body   string `json:"body"`
}

// User is an element of GET /users. No query of the benchmarks selects its last members.
type User struct {
	ID       int     `json:"id"`
	Name     string  `json:"name"`
	Username string  `json:"username"`
	Email    string  `json:"email"`
	Address  Address `json:"address"`
	Phone    string  `json:"phone"`
	Website  string  `json:"website"`
	Company  Company `json:"company"`
}

// Address is the postal address of a user.
type Address struct {
	Street  string `json:"street"`
	Suite   string `json:"suite"`
	City    string `json:"city"`
	Zipcode string `json:"zipcode"`
	Geo     Geo    `json:"geo"`
}

// Geo is a geographical position.
type Geo struct {
	Lat string `json:"lat"`
	Lng string `json:"lng"`
}

// Company is the employer of a user.
type Company struct {
	Name        string `json:"name"`
	CatchPhrase string `json:"catchPhrase"`
	BS          string `json:"bs"`
}

// Services handle all routes. They are safe for concurrent use.
type Services struct {
	options  Options
	posts    [][]byte // the answers of GET /posts, in turn
	postByID [][]byte // by post
	users    [][]byte // by user
	turn     atomic.Int64
	mux      *http.ServeMux

	mu    sync.Mutex
	calls map[string]int // by route, guarded by mu
}

// New returns services with the data of o.
func New(o Options) *Services {
	o = o.withDefaults()
	s := &Services{options: o, calls: map[string]int{}, mux: http.NewServeMux()}
	for turn := range o.Turns() {
		s.posts = append(s.posts, marshalIndent(o.PostsOf(turn)))
	}
	for _, p := range o.PostsOf(0) {
		s.postByID = append(s.postByID, marshalIndent(p))
	}
	for id := range o.Users {
		s.users = append(s.users, marshalIndent(UserOf(id+1)))
	}
	s.routes()
	return s
}

// Turns returns after how many responses GET /posts starts again.
func (o Options) Turns() int {
	o = o.withDefaults()
	return max(1, o.Users/o.Posts)
}

// PostsOf returns the posts of the response for a turn.
func (o Options) PostsOf(turn int) []Post {
	o = o.withDefaults()
	posts := make([]Post, o.Posts)
	for i := range posts {
		posts[i] = newPost(i+1, (turn*o.Posts+i)%o.Users+1)
	}
	return posts
}

// The texts of posts, as long as JSONPlaceholder's.
const (
	title = "sunt aut facere repellat provident occaecati excepturi"
	text  = "quia et suscipit\nsuscipit recusandae consequuntur expedita et cum\n" +
		"reprehenderit molestiae ut ut quas totam\nnostrum rerum est autem sunt rem eveniet architecto"
)

func newPost(id, user int) Post {
	return Post{UserID: user, ID: id, Title: title + " " + strconv.Itoa(id), Body: text}
}

// UserOf returns the user with an id.
func UserOf(id int) User {
	name := "Leanne Graham " + strconv.Itoa(id)
	return User{
		ID: id, Name: name, Username: "Bret" + strconv.Itoa(id), Email: fmt.Sprintf("sincere%d@april.biz", id),
		Address: Address{"Kulas Light", "Apt. 556", "Gwenborough", "92998-3874", Geo{"-37.3159", "81.1496"}},
		Phone:   "1-770-736-8031 x56442", Website: "hildegard.org",
		Company: Company{"Romaguera-Crona", "Multi-layered client-server neural-net", "harness real-time e-markets"},
	}
}

// marshalIndent returns v in the form of JSONPlaceholder.
func marshalIndent(v any) []byte {
	text, _ := json.MarshalIndent(v, "", "  ") // cannot fail
	return text
}

func (s *Services) routes() {
	s.handle("GET /posts", func(*http.Request) []byte {
		return s.posts[int(s.turn.Add(1)-1)%len(s.posts)]
	})
	s.handle("GET /posts/{id}", func(r *http.Request) []byte { return byID(s.postByID, r.PathValue("id")) })
	s.handle("GET /users/{id}", func(r *http.Request) []byte { return byID(s.users, r.PathValue("id")) })
	s.handle("GET /users", func(r *http.Request) []byte { return s.usersBy(r.URL.Query()["id"]) })
	s.mux.HandleFunc("GET /_calls", s.serveCalls)
	s.mux.HandleFunc("DELETE /_calls", s.resetCalls)
}

// handle registers a route. It counts the calls and writes the bodies that respond returns; nil
// is a 404.
func (s *Services) handle(route string, answer func(*http.Request) []byte) {
	s.mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) {
		s.count(route)
		time.Sleep(s.options.Latency)
		body := answer(r)
		if body == nil {
			http.NotFound(w, r)
			return
		}
		w.Header()["Content-Type"] = []string{"application/json; charset=utf-8"}
		w.Header()["Content-Length"] = []string{strconv.Itoa(len(body))}
		_, _ = w.Write(body) // it fails only when the client has left
	})
}

func (s *Services) count(route string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[route]++
}

// byID returns the element for an id, counted from 1; nil for any other text.
func byID(answers [][]byte, id string) []byte {
	if n, err := strconv.Atoi(id); err == nil && n >= 1 && n <= len(answers) {
		return answers[n-1]
	}
	return nil
}

// usersBy returns a list of the users with these ids, without unknown ones; all users if there
// are no ids.
func (s *Services) usersBy(ids []string) []byte {
	if len(ids) == 0 {
		return listOf(s.users)
	}
	found := make([][]byte, 0, len(ids))
	for _, id := range ids {
		if user := byID(s.users, id); user != nil {
			found = append(found, user)
		}
	}
	return listOf(found)
}

func listOf(items [][]byte) []byte {
	return slices.Concat([]byte("[\n"), bytes.Join(items, []byte(",\n")), []byte("\n]"))
}

func (s *Services) serveCalls(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(s.Calls())
}

func (s *Services) resetCalls(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
	w.WriteHeader(http.StatusNoContent)
}

// Calls returns how often each route was called, except /_calls.
func (s *Services) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// ServeHTTP implements http.Handler. GET /_calls returns the calls by route, and DELETE /_calls
// resets them.
func (s *Services) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
