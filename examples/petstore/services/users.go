package services

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// The statuses of a user.
const (
	Active    = "ACTIVE"
	Suspended = "SUSPENDED"
)

var userStatuses = []string{Active, Suspended}

// User is a user as the service shows it: without the password.
type User struct {
	ID string `json:"id"`
	UserDetails
}

// UserDetails are what callers may say of a user. An empty member is left out of the
// JSON.
type UserDetails struct {
	Username  string `json:"username"`
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	Email     string `json:"email"`
	Phone     string `json:"phone,omitempty"`
	Status    string `json:"status,omitempty"`
}

// users keeps the users in the order of their creation. A stored *account is never
// changed, only replaced.
type users struct {
	options Options
	revoked revoked

	mu    sync.Mutex
	all   []*account // guarded by mu
	count int        // guarded by mu; how many there ever were, so that no id comes back
}

// account is a user with what logging in needs.
type account struct {
	User
	password password
	scope    string
}

// newUsers gives all users the demo's password. Those whose ids are in keepers may change
// pets once they have logged in.
func newUsers(all []User, keepers []string, o Options) *users {
	u := &users{options: o, count: len(all)}
	for _, user := range all {
		scope := readPets
		if slices.Contains(keepers, user.ID) {
			scope += " " + writePets
		}
		u.all = append(u.all, &account{user, demoPassword(), scope})
	}
	return u
}

func (u *users) operations(door *backend.Bearer) []backend.Operation {
	return []backend.Operation{
		{ID: "createUser", Route: "POST /users", Answer: u.create},
		{ID: "getUser", Route: "GET /users/{id}", Answer: door.Guard(u.get)},
		{ID: "updateUser", Route: "PUT /users/{id}", Answer: door.Guard(u.update)},
		{ID: "deleteUser", Route: "DELETE /users/{id}", Answer: door.Guard(u.remove)},
		{ID: "login", Route: "POST /login", Answer: u.login},
		{ID: "logout", Route: "POST /logout", Answer: door.Guard(u.logout)},
	}
}

// exists is what orders ask.
func (u *users) exists(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, err := u.index(id)
	return err == nil
}

// index is the place of a user in all. The caller holds mu.
func (u *users) index(id string) (int, error) {
	i := slices.IndexFunc(u.all, func(a *account) bool { return a.ID == id })
	if i < 0 {
		return 0, backend.Refuse(http.StatusNotFound, "NO_SUCH_USER", "there is no user with this id")
	}
	return i, nil
}

func (u *users) get(w http.ResponseWriter, r *http.Request) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	i, err := u.index(r.PathValue("id"))
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, u.all[i].User)
}

// userBody is the body of createUser and updateUser.
type userBody struct {
	UserDetails
	Password string `json:"password"`
}

func readUser(r *http.Request) (asked userBody, err error) {
	if err := readInto(r, &asked); err != nil {
		return asked, err
	}
	if err := asked.check(); err != nil {
		return asked, err
	}
	if asked.Status == "" {
		asked.Status = Active
	}
	return asked, nil
}

func (b userBody) check() error {
	var c check
	c.that(b.Username != "", "username", "is required")
	c.that(backend.IsEmail(b.Email), "email", "must be an e-mail address")
	c.oneOf("status", b.Status, userStatuses)
	return c.err()
}

func (u *users) create(w http.ResponseWriter, r *http.Request) error {
	asked, err := readUser(r)
	if err != nil {
		return err
	}
	made := &account{User{UserDetails: asked.UserDetails}, hash(asked.Password), readPets}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.free(asked.UserDetails, ""); err != nil {
		return err
	}
	u.count++
	made.ID = fmt.Sprintf("u%d", u.count)
	u.all = append(u.all, made)
	return backend.WriteJSON(w, http.StatusCreated, made.User)
}

// free refuses a name or an address that somebody other than id has. The caller holds mu.
func (u *users) free(d UserDetails, id string) error {
	for _, other := range u.all {
		switch {
		case other.ID == id:
		case strings.EqualFold(other.Username, d.Username):
			return backend.Refuse(http.StatusConflict, "USERNAME_TAKEN", "there is a user with this username")
		case strings.EqualFold(other.Email, d.Email):
			return backend.Refuse(http.StatusConflict, "EMAIL_TAKEN", "there is a user with this e-mail address")
		}
	}
	return nil
}

func (u *users) update(w http.ResponseWriter, r *http.Request) error {
	asked, err := readUser(r)
	if err != nil {
		return err
	}
	var fresh password
	if asked.Password != "" {
		fresh = hash(asked.Password)
	}
	user, err := u.replace(r.PathValue("id"), asked.UserDetails, fresh)
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, user)
}

// replace keeps the password when there is no fresh one: no answer shows it, so that a
// caller could not send it back.
func (u *users) replace(id string, d UserDetails, fresh password) (*User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i, err := u.index(id)
	if err != nil {
		return nil, err
	}
	if err := u.free(d, id); err != nil {
		return nil, err
	}
	changed := *u.all[i]
	changed.UserDetails = d
	if fresh.key != nil {
		changed.password = fresh
	}
	u.all[i] = &changed
	return &changed.User, nil
}

func (u *users) remove(w http.ResponseWriter, r *http.Request) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	i, err := u.index(r.PathValue("id"))
	if err != nil {
		return err
	}
	u.all = slices.Delete(u.all, i, i+1)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
