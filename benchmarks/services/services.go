// Package services stands in for the services behind the posts gateway: posts and their
// writers, in the form of JSONPlaceholder's, made up from their numbers.
//
// It costs little to answer, so that what is measured is who asks: every answer is joined
// from parts that were made beforehand.
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

// Options say what the services hold. The zero value is JSONPlaceholder's: 100 posts by 10
// users.
type Options struct {
	// Posts is how many posts GET /posts answers. Default 100.
	Posts int
	// Users is how many users there are. Posts are by each in turn; where there are more
	// users than posts, the next answer goes on where the last one ended, so that callers
	// who ask at the same time want different users. Default 10.
	Users int
	// Latency is waited before each answer. Default none.
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

// Post is one of GET /posts.
type Post struct {
	UserID int    `json:"userId"`
	ID     int    `json:"id"`
	Title  string `json:"title"`
	Body   string `json:"body"`
}

// User is one of GET /users. Its last members are what no query of the benchmarks asks for.
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

// Address is where a user lives.
type Address struct {
	Street  string `json:"street"`
	Suite   string `json:"suite"`
	City    string `json:"city"`
	Zipcode string `json:"zipcode"`
	Geo     Geo    `json:"geo"`
}

// Geo is a place on earth.
type Geo struct {
	Lat string `json:"lat"`
	Lng string `json:"lng"`
}

// Company is for whom a user works.
type Company struct {
	Name        string `json:"name"`
	CatchPhrase string `json:"catchPhrase"`
	BS          string `json:"bs"`
}

// Services answer all routes. They are safe for concurrent use.
type Services struct {
	options Options
	posts   [][]byte // the answers of GET /posts, in turn
	single  [][]byte // by post
	users   [][]byte // by user
	turn    atomic.Int64
	mux     *http.ServeMux

	mu    sync.Mutex
	calls map[string]int // by route, guarded by mu
}

// New makes the data of o.
func New(o Options) *Services {
	o = o.withDefaults()
	s := &Services{options: o, calls: map[string]int{}, mux: http.NewServeMux()}
	for turn := range o.Turns() {
		s.posts = append(s.posts, indented(o.PostsOf(turn)))
	}
	for _, p := range o.PostsOf(0) {
		s.single = append(s.single, indented(p))
	}
	for id := range o.Users {
		s.users = append(s.users, indented(UserOf(id+1)))
	}
	s.routes()
	return s
}

// Turns is after how many answers GET /posts begins anew.
func (o Options) Turns() int {
	o = o.withDefaults()
	return max(1, o.Users/o.Posts)
}

// PostsOf are the posts of an answer of GET /posts.
func (o Options) PostsOf(turn int) []Post {
	o = o.withDefaults()
	posts := make([]Post, o.Posts)
	for i := range posts {
		posts[i] = postOf(i+1, (turn*o.Posts+i)%o.Users+1)
	}
	return posts
}

// The words of JSONPlaceholder's posts, in their length.
const (
	title = "sunt aut facere repellat provident occaecati excepturi"
	text  = "quia et suscipit\nsuscipit recusandae consequuntur expedita et cum\n" +
		"reprehenderit molestiae ut ut quas totam\nnostrum rerum est autem sunt rem eveniet architecto"
)

func postOf(id, user int) Post {
	return Post{UserID: user, ID: id, Title: title + " " + strconv.Itoa(id), Body: text}
}

// UserOf is the user of an id.
func UserOf(id int) User {
	name := "Leanne Graham " + strconv.Itoa(id)
	return User{
		ID: id, Name: name, Username: "Bret" + strconv.Itoa(id), Email: fmt.Sprintf("sincere%d@april.biz", id),
		Address: Address{"Kulas Light", "Apt. 556", "Gwenborough", "92998-3874", Geo{"-37.3159", "81.1496"}},
		Phone:   "1-770-736-8031 x56442", Website: "hildegard.org",
		Company: Company{"Romaguera-Crona", "Multi-layered client-server neural-net", "harness real-time e-markets"},
	}
}

// indented is a value as JSONPlaceholder writes it.
func indented(v any) []byte {
	text, _ := json.MarshalIndent(v, "", "  ") // cannot fail
	return text
}

func (s *Services) routes() {
	s.handle("GET /posts", func(*http.Request) []byte {
		return s.posts[int(s.turn.Add(1)-1)%len(s.posts)]
	})
	s.handle("GET /posts/{id}", func(r *http.Request) []byte { return at(s.single, r.PathValue("id")) })
	s.handle("GET /users/{id}", func(r *http.Request) []byte { return at(s.users, r.PathValue("id")) })
	s.handle("GET /users", func(r *http.Request) []byte { return s.usersBy(r.URL.Query()["id"]) })
	s.mux.HandleFunc("GET /_calls", s.tell)
	s.mux.HandleFunc("DELETE /_calls", s.forget)
}

// handle counts a route's calls and writes its answers; nil is that there is none.
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
		_, _ = w.Write(body) // a caller that has gone is no error of ours
	})
}

func (s *Services) count(route string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[route]++
}

// at is the answer for an id, counted from 1; nil for any other text.
func at(answers [][]byte, id string) []byte {
	if n, err := strconv.Atoi(id); err == nil && n >= 1 && n <= len(answers) {
		return answers[n-1]
	}
	return nil
}

// usersBy is a list of the users of ids, those that there are; of all without ids.
func (s *Services) usersBy(ids []string) []byte {
	if len(ids) == 0 {
		return listOf(s.users)
	}
	found := make([][]byte, 0, len(ids))
	for _, id := range ids {
		if user := at(s.users, id); user != nil {
			found = append(found, user)
		}
	}
	return listOf(found)
}

func listOf(items [][]byte) []byte {
	return slices.Concat([]byte("[\n"), bytes.Join(items, []byte(",\n")), []byte("\n]"))
}

func (s *Services) tell(w http.ResponseWriter, _ *http.Request) {
	_ = json.NewEncoder(w).Encode(s.Calls())
}

func (s *Services) forget(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.calls)
	w.WriteHeader(http.StatusNoContent)
}

// Calls are how often each route was called, but for /_calls itself.
func (s *Services) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.calls)
}

// ServeHTTP answers a route. GET /_calls tells the calls by route, DELETE /_calls sets them
// to zero.
func (s *Services) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
