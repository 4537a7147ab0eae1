package services

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
)

func get(t *testing.T, s *Services, path string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Body.String()
}

func read[T any](t *testing.T, s *Services, path string) T {
	t.Helper()
	var v T
	code, body := get(t, s, path)
	if err := json.Unmarshal([]byte(body), &v); code != http.StatusOK || err != nil {
		t.Fatalf("%s: %d %v %s", path, code, err, body)
	}
	return v
}

func TestAnswers(t *testing.T) {
	s := New(Options{})
	posts := read[[]Post](t, s, "/posts")
	if len(posts) != 100 || posts[10].UserID != 1 || posts[99].ID != 100 {
		t.Error(posts)
	}
	if got := read[Post](t, s, "/posts/7"); got != posts[6] {
		t.Error(got)
	}
	if got := read[User](t, s, "/users/3"); got != UserOf(3) {
		t.Error(got)
	}
	if got := read[[]User](t, s, "/users?id=2&id=11&id=x&id=9"); !reflect.DeepEqual(got, []User{UserOf(2), UserOf(9)}) {
		t.Error(got)
	}
	for _, missing := range []string{"/posts/101", "/posts/0", "/users/x"} {
		if code, _ := get(t, s, missing); code != http.StatusNotFound {
			t.Error(missing, code)
		}
	}
	want := map[string]int{"GET /posts": 1, "GET /posts/{id}": 3, "GET /users/{id}": 2, "GET /users": 1}
	if got := s.Calls(); !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
}

// With many users, consecutive responses have posts by different users.
func TestAnswersTakeTurns(t *testing.T) {
	o := Options{Posts: 10, Users: 30}
	s := New(o)
	if o.Turns() != 3 || (Options{}).Turns() != 1 {
		t.Fatal(o.Turns(), Options{}.Turns())
	}
	for turn := range 4 {
		if got := read[[]Post](t, s, "/posts"); !reflect.DeepEqual(got, o.PostsOf(turn%3)) {
			t.Error(turn, got)
		}
	}
	if o.PostsOf(0)[0].UserID != 1 || o.PostsOf(2)[9].UserID != 30 {
		t.Error(o.PostsOf(0)[0], o.PostsOf(2)[9])
	}
}
