package services

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type userAnswer struct {
	Items      []User
	NextCursor *string
}

func (a userAnswer) ids() string { return names(a.Items, func(u User) string { return u.ID }) }

func TestListUsers(t *testing.T) {
	h := newHouse(t, Options{})
	tests := []struct {
		name, query, want string
		more              bool
	}{
		{"all", "", "u1 u2 u3 u4 u5 u6 u7 u8", false},
		{"some", "?limit=3", "u1 u2 u3", true},
		{"as many as there are", "?limit=8", "u1 u2 u3 u4 u5 u6 u7 u8", false},
		{"by ids: not in the order req, unknown and doubled ones left out", "?ids=u2,u99,u5,u2,u7", "u7 u5 u2", false},
		{"by no ids: none", "?ids=", "", false},
		{"an escaped comma parts nothing", "?ids=u1%2Cu2", "", false},
		{"limit holds for ids as well", "?ids=u1,u2,u3&limit=2", "u3 u2", true},
		{"unknown parameters are ignored", "?ids=u1&sort=x", "u1", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			page := read[userAnswer](t, h.get(t, h.Users+"/users"+test.query).want(t, 200))
			if got := page.ids(); got != test.want || (page.NextCursor != nil) != test.more {
				t.Errorf("users %q and cursor %v, want %q and more: %v", got, page.NextCursor, test.want, test.more)
			}
		})
	}
}

func TestListUsersHasADefaultLimit(t *testing.T) {
	h := newHouse(t, Options{})
	ids := make([]string, 0, 25)
	for i := range 25 {
		body := `{"email":"new` + string(rune('a'+i)) + `@example.com","name":"N","password":"12345678"}`
		created := h.do(t, req{"POST", h.Users + "/users", body, []string{asJSON}}).want(t, 201)
		ids = append(ids, read[User](t, created).ID)
	}
	for _, query := range []string{"", "?ids=" + strings.Join(ids, ",")} {
		if page := read[userAnswer](t, h.get(t, h.Users+"/users"+query)); len(page.Items) != 20 || page.NextCursor == nil {
			t.Errorf("%d users and cursor %v for %q, want 20 and more", len(page.Items), page.NextCursor, query)
		}
	}
}

func TestCursorsSurviveDeletion(t *testing.T) {
	for _, test := range []struct{ query, gone, want string }{
		{"?limit=3", "u3", "u1 u2 u3 | u4 u5 u6 | u7 u8"},
		{"?limit=2&ids=u1,u2,u3,u4,u5", "u4", "u5 u4 | u3 u2 | u1"},
	} {
		h := newHouse(t, Options{})
		page := read[userAnswer](t, h.get(t, h.Users+"/users"+test.query))
		h.do(t, req{method: "DELETE", url: h.Users + "/users/" + test.gone}).want(t, 204)
		seen := []string{page.ids()}
		for page.NextCursor != nil {
			page = read[userAnswer](t, h.get(t, h.Users+"/users"+test.query+"&cursor="+url.QueryEscape(*page.NextCursor)))
			seen = append(seen, page.ids())
		}
		if got := strings.Join(seen, " | "); got != test.want {
			t.Errorf("%s: pages %s, want %s", test.query, got, test.want)
		}
	}
}

func TestGetUser(t *testing.T) {
	h := newHouse(t, Options{})
	first := h.get(t, h.Users+"/users/u1").want(t, 200)
	tag := first.header.Get("ETag")
	if first.header.Get("Cache-Control") != "private, max-age=10" || tag == "" {
		t.Errorf("headers %v", first.header)
	}
	for header, status := range map[string]int{tag: 304, `"x", W/` + tag: 304, "*": 304, `"x"`: 200, "": 200} {
		again := h.do(t, req{method: "GET", url: h.Users + "/users/u1", header: []string{"If-None-Match: " + header}}).want(t, status)
		if again.header.Get("ETag") != tag || (status == 304) != (again.body == "") {
			t.Errorf("If-None-Match %q: %v %q", header, again.header, again.body)
		}
	}
	h.do(t, req{"PATCH", h.Users + "/users/u1", `{"name":"Ada"}`, []string{merge}}).want(t, 200)
	changed := h.do(t, req{method: "GET", url: h.Users + "/users/u1", header: []string{"If-None-Match: " + tag}}).want(t, 200)
	if changed.header.Get("ETag") == tag {
		t.Error("a changed user keeps its entity tag")
	}
}

func TestUsersHaveTheDocumentsProperties(t *testing.T) {
	h := newHouse(t, Options{})
	want := `{"id":"u5","email":"elif.brandt@example.com","name":"Elif Brandt","role":"customer","phone":null,` +
		`"address":null,"created-by":"import","createdAt":"2025-05-14T09:30:00Z"}`
	if got := h.get(t, h.Users+"/users/u5").body; got != want {
		t.Errorf("user\n%s\nwant\n%s", got, want)
	}
}

func TestCreateUser(t *testing.T) {
	h := newHouse(t, Options{})
	body := `{"email":"new@example.com","name":"New","password":"correct horse","role":"support","more":1}`
	created := h.do(t, req{"POST", h.Users + "/users", body, []string{"Content-Type: application/json; charset=utf-8"}}).want(t, 201)
	if strings.Contains(created.body, "horse") || strings.Contains(created.body, "password") {
		t.Errorf("the password comes back: %s", created.body)
	}
	user := read[User](t, created)
	if user.ID != "u9" || user.Email != "new@example.com" || user.Role != "support" || user.CreatedBy != "u8" || user.CreatedAt.IsZero() {
		t.Errorf("created %+v", user)
	}
	if stored := read[User](t, h.get(t, h.Users+"/users/u9").want(t, 200)); !cmp.Equal(stored, user) {
		t.Errorf("stored %+v, created %+v", stored, user)
	}
}

func TestIDsAreNotReused(t *testing.T) {
	h := newHouse(t, Options{})
	create := func() string {
		body := `{"email":"new@example.com","name":"New","password":"12345678"}`
		return read[User](t, h.do(t, req{"POST", h.Users + "/users", body, []string{asJSON}}).want(t, 201)).ID
	}
	first := create()
	h.do(t, req{method: "DELETE", url: h.Users + "/users/" + first}).want(t, 204)
	h.get(t, h.Users+"/users/"+first).problem(t, 404, "NO_SUCH_USER")
	if second := create(); second == first {
		t.Errorf("both users have the id %s", first)
	}
}

func TestUpdateUser(t *testing.T) {
	home := &Address{Street: "10 Quay Street", City: "Oslo", PostalCode: "1000", Country: "NO"}
	phone, other := "+44 20 7946 0000", "+47 1"
	tests := []struct {
		name, patch string
		want        profilePatch
	}{
		{"nothing: all stays", `{}`, profilePatch{Phone: &phone, Address: home}},
		{"a null removes", `{"phone":null}`, profilePatch{Address: home}},
		{"a value replaces", `{"phone":"+47 1"}`, profilePatch{Phone: &other, Address: home}},
		{"an object is merged", `{"address":{"city":"Bergen"}}`, profilePatch{Phone: &phone, Address: &Address{"10 Quay Street", "Bergen", "1000", "NO"}}},
		{"a null inside removes", `{"address":{"postalCode":null}}`, profilePatch{Phone: &phone, Address: &Address{"10 Quay Street", "Oslo", "", "NO"}}},
		{"a null for an object removes it", `{"address":null}`, profilePatch{Phone: &phone}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t, Options{})
			answer := h.do(t, req{"PATCH", h.Users + "/users/u1", test.patch, []string{merge}}).want(t, 200)
			got := read[User](t, answer)
			if diff := cmp.Diff(test.want, profilePatch{Phone: got.Phone, Address: got.Address}); diff != "" || got.Name != "Ada Lindqvist" {
				t.Errorf("name %q (-want +got)\n%s", got.Name, diff)
			}
			if stored := read[User](t, h.get(t, h.Users+"/users/u1")); !cmp.Equal(stored, got) {
				t.Errorf("stored %+v, answered %+v", stored, got)
			}
		})
	}
}
