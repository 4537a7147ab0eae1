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

// User is a user in responses, without the password.
type User struct {
	ID string `json:"id"`
	UserDetails
}

// UserDetails are the members of a user that clients may set. Empty members are left out of the
// JSON.
type UserDetails struct {
	Username  string `json:"username"`
	FirstName string `json:"firstName,omitempty"`
	LastName  string `json:"lastName,omitempty"`
	Email     string `json:"email"`
	Phone     string `json:"phone,omitempty"`
	Status    string `json:"status,omitempty"`
}

// users stores the users in the order of their creation. A stored *account is never changed,
// only replaced.
type users struct {
	options Options
	revoked revokedTokens

	mu    sync.Mutex
	all   []*account // guarded by mu
	count int        // guarded by mu; how many users were ever created, so that ids are not reused
}

// account is a user with the data for login.
type account struct {
	User
	password password
	scope    string
}

// newUsers returns users with the demo's password. Those whose ids are in keepers have the
// scope write_pets.
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

func (u *users) operations(auth *backend.Bearer) []backend.Operation {
	return []backend.Operation{
		{ID: "createUser", Route: "POST /users", Handler: u.create},
		{ID: "getUser", Route: "GET /users/{id}", Handler: auth.Require(u.get)},
		{ID: "updateUser", Route: "PUT /users/{id}", Handler: auth.Require(u.update)},
		{ID: "deleteUser", Route: "DELETE /users/{id}", Handler: auth.Require(u.delete)},
		{ID: "login", Route: "POST /login", Handler: u.login},
		{ID: "logout", Route: "POST /logout", Handler: auth.Require(u.logout)},
	}
}

// exists reports whether there is a user with this id. Orders call it.
func (u *users) exists(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	_, err := u.index(id)
	return err == nil
}

// index returns the position of a user in all. mu is held.
func (u *users) index(id string) (int, error) {
	i := slices.IndexFunc(u.all, func(a *account) bool { return a.ID == id })
	if i < 0 {
		return 0, backend.NewProblem(http.StatusNotFound, "NO_SUCH_USER", "there is no user with this id")
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

// userRequest is the body of createUser and updateUser.
type userRequest struct {
	UserDetails
	Password string `json:"password"`
}

func readUser(r *http.Request) (req userRequest, err error) {
	if err := readJSON(r, &req); err != nil {
		return req, err
	}
	if err := req.validate(); err != nil {
		return req, err
	}
	if req.Status == "" {
		req.Status = Active
	}
	return req, nil
}

func (b userRequest) validate() error {
	var c validation
	c.require(b.Username != "", "username", "is required")
	c.require(backend.IsEmail(b.Email), "email", "must be an e-mail address")
	c.requireOneOf("status", b.Status, userStatuses)
	return c.err()
}

func (u *users) create(w http.ResponseWriter, r *http.Request) error {
	req, err := readUser(r)
	if err != nil {
		return err
	}
	created := &account{User{UserDetails: req.UserDetails}, newPassword(req.Password), readPets}
	u.mu.Lock()
	defer u.mu.Unlock()
	if err := u.checkUnique(req.UserDetails, ""); err != nil {
		return err
	}
	u.count++
	created.ID = fmt.Sprintf("u%d", u.count)
	u.all = append(u.all, created)
	return backend.WriteJSON(w, http.StatusCreated, created.User)
}

// checkUnique returns a 409 if a user other than id has the username or e-mail address. mu is
// held.
func (u *users) checkUnique(d UserDetails, id string) error {
	for _, other := range u.all {
		switch {
		case other.ID == id:
		case strings.EqualFold(other.Username, d.Username):
			return backend.NewProblem(http.StatusConflict, "USERNAME_TAKEN", "there is a user with this username")
		case strings.EqualFold(other.Email, d.Email):
			return backend.NewProblem(http.StatusConflict, "EMAIL_TAKEN", "there is a user with this e-mail address")
		}
	}
	return nil
}

func (u *users) update(w http.ResponseWriter, r *http.Request) error {
	req, err := readUser(r)
	if err != nil {
		return err
	}
	var changedPassword password
	if req.Password != "" {
		changedPassword = newPassword(req.Password)
	}
	user, err := u.replace(r.PathValue("id"), req.UserDetails, changedPassword)
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, user)
}

// replace replaces the details of a user, and the password if there is a new one: no response
// has the password, so that a client could not send it back.
func (u *users) replace(id string, d UserDetails, changedPassword password) (*User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i, err := u.index(id)
	if err != nil {
		return nil, err
	}
	if err := u.checkUnique(d, id); err != nil {
		return nil, err
	}
	changed := *u.all[i]
	changed.UserDetails = d
	if changedPassword.key != nil {
		changed.password = changedPassword
	}
	u.all[i] = &changed
	return &changed.User, nil
}

func (u *users) delete(w http.ResponseWriter, r *http.Request) error {
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
