package services

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// User is a user in responses. It has no password: there is no login, so that a password is
// validated and dropped.
type User struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Name      string    `json:"name"`
	Role      string    `json:"role"`
	Phone     *string   `json:"phone"`
	Address   *Address  `json:"address"`
	CreatedBy string    `json:"created-by"`
	CreatedAt time.Time `json:"createdAt"`
}

// Address is the postal address of a user. Country has two letters.
type Address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	PostalCode string `json:"postalCode,omitempty"`
	Country    string `json:"country"`
}

// maxUserIDs is how many ids one call may have, to users and to orders.
const maxUserIDs = 100

// users stores the users in the order of their creation. A stored *User is never changed, only
// replaced, so that it may be read without mu.
type users struct {
	mu      sync.Mutex
	members []*member // guarded by mu; ascending by number
	count   int       // guarded by mu; how many users were ever created, so that ids are not reused
}

// member is a user with its number in the order of creation, which cursors contain.
type member struct {
	number int
	user   *User
}

func newUsers(all []User) *users {
	u := &users{}
	for i := range all {
		u.add(&all[i])
	}
	return u
}

func (u *users) operations(auth *backend.Bearer) []backend.Operation {
	return []backend.Operation{
		{ID: "listUsers", Route: "GET /users", Handler: auth.Require(u.list)},
		{ID: "createUser", Route: "POST /users", Handler: auth.Require(u.create)},
		{ID: "getUser", Route: "GET /users/{id}", Handler: auth.Require(u.get)},
		{ID: "updateUser", Route: "PATCH /users/{id}", Handler: auth.Require(u.update)},
		{ID: "deleteUser", Route: "DELETE /users/{id}", Handler: auth.Require(u.delete)},
	}
}

// exists reports whether there is a user with this id. The orders service calls it.
func (u *users) exists(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.index(id) >= 0
}

// index returns the position of a user in members, -1 for none. mu is held.
func (u *users) index(id string) int {
	return slices.IndexFunc(u.members, func(m *member) bool { return m.user.ID == id })
}

// add appends a user. mu is held, unless users is not shared yet.
func (u *users) add(user *User) {
	u.count++
	u.members = append(u.members, &member{number: u.count, user: user})
}

func (u *users) snapshot() []*member {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.members)
}

type userPage struct {
	Items      []*User `json:"items"`
	NextCursor *string `json:"nextCursor"`
}

func (u *users) list(w http.ResponseWriter, r *http.Request) error {
	q, err := parseUserQuery(r)
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, q.page(u.snapshot()))
}

// userQuery has the parameters of listUsers.
type userQuery struct {
	ids   []string
	byID  bool // the parameter ids is present, perhaps empty
	after int  // the number of the last user of the previous page; 0 for the first page
	limit int
}

func parseUserQuery(r *http.Request) (q userQuery, err error) {
	p, err := backend.ReadParameters(r)
	if err != nil {
		return q, err
	}
	if q.ids, q.byID, err = p.List("ids", maxUserIDs); err != nil {
		return q, err
	}
	if q.limit, err = p.Int("limit", 1, 100, 20); err != nil {
		return q, err
	}
	q.after, err = parseCursor(p)
	return q, err
}

// page returns users in the order of their creation. With ids it reverses that order, so that
// a client that matches users by the position of their ids fails early.
func (q userQuery) page(all []*member) userPage {
	found := slices.DeleteFunc(all, func(m *member) bool { return !q.matches(m) })
	if q.byID {
		slices.Reverse(found)
	}
	page := userPage{Items: []*User{}}
	for _, m := range backend.Page(found, 0, q.limit) {
		page.Items = append(page.Items, m.user)
	}
	if len(found) > q.limit {
		next := encodeCursor(found[q.limit-1].number)
		page.NextCursor = &next
	}
	return page
}

func (q userQuery) matches(m *member) bool {
	switch {
	case !q.byID:
		return m.number > q.after
	case !slices.Contains(q.ids, m.user.ID):
		return false
	}
	return q.after == 0 || m.number < q.after
}

// encodeCursor returns a cursor, which is opaque to clients. It contains the number of the last
// user of a page and not a position, so that no user is skipped when others are deleted.
func encodeCursor(number int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "after:%d", number))
}

// parseCursor returns the number in a cursor, 0 when there is none.
func parseCursor(p backend.Parameters) (int, error) {
	text, err := p.String("cursor")
	if err != nil || text == "" {
		return 0, err
	}
	plain, _ := base64.RawURLEncoding.DecodeString(text)
	digits, ok := strings.CutPrefix(string(plain), "after:")
	number, err := strconv.Atoi(digits)
	if !ok || err != nil || number < 1 {
		return 0, backend.NewBadParameter("cursor", "the cursor of a page")
	}
	return number, nil
}

func (u *users) get(w http.ResponseWriter, r *http.Request) error {
	user, err := u.find(r.PathValue("id"))
	if err != nil {
		return err
	}
	body, err := json.Marshal(user)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "private, max-age=10")
	backend.WriteTagged(w, r, body)
	return nil
}

func (u *users) find(id string) (*User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if i := u.index(id); i >= 0 {
		return u.members[i].user, nil
	}
	return nil, noSuchUser()
}

func noSuchUser() *backend.Problem {
	return backend.NewProblem(http.StatusNotFound, "NO_SUCH_USER", "there is no user with this id")
}

// userRequest is the body of createUser. Pointers distinguish absent members from empty ones.
type userRequest struct {
	Email    *string `json:"email"`
	Name     *string `json:"name"`
	Password *string `json:"password"`
	Role     *string `json:"role"`
}

func (u *users) create(w http.ResponseWriter, r *http.Request) error {
	body, err := backend.ReadBody(r, "application/json")
	if err != nil {
		return err
	}
	var req userRequest
	if err := backend.ParseJSON(body, &req); err != nil {
		return err
	}
	if err := req.validate(); err != nil {
		return err
	}
	user, err := u.insert(req, backend.CallerFrom(r).Subject)
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusCreated, user)
}

func (n userRequest) validate() error {
	switch {
	case n.Email == nil || !backend.IsEmail(*n.Email):
		return backend.NewInvalid("email must be an e-mail address")
	case n.Name == nil || *n.Name == "":
		return backend.NewInvalid("name may not be empty")
	case n.Password == nil || utf8.RuneCountInString(*n.Password) < 8:
		return backend.NewInvalid("password must have 8 characters or more")
	case n.Role != nil && !slices.Contains([]string{"customer", "support", "admin"}, *n.Role):
		return backend.NewInvalid("role must be customer, support or admin")
	}
	return nil
}

// insert stores a new user, unless its e-mail address is in use, in any case of its letters.
func (u *users) insert(req userRequest, createdBy string) (*User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if slices.ContainsFunc(u.members, func(m *member) bool { return strings.EqualFold(m.user.Email, *req.Email) }) {
		return nil, backend.NewProblem(http.StatusConflict, "EMAIL_TAKEN", "there is a user with this e-mail address")
	}
	user := &User{
		ID: fmt.Sprintf("u%d", u.count+1), Email: *req.Email, Name: *req.Name, Role: "customer",
		CreatedBy: createdBy, CreatedAt: time.Now().UTC().Truncate(time.Second),
	}
	if req.Role != nil {
		user.Role = *req.Role
	}
	u.add(user)
	return user, nil
}

// profilePatch has the members that updateUser may change. A patch that names other members
// is refused as a whole.
type profilePatch struct {
	Name    *string  `json:"name"`
	Phone   *string  `json:"phone"`
	Address *Address `json:"address"`
}

func (u *users) update(w http.ResponseWriter, r *http.Request) error {
	body, err := backend.ReadBody(r, "application/merge-patch+json")
	if err != nil {
		return err
	}
	var patch map[string]any
	if err := backend.ParseJSON(body, &patch); err != nil {
		return err
	}
	if patch == nil { // the body was null
		return backend.NewInvalid("the patch must be an object")
	}
	user, err := u.patch(r.PathValue("id"), patch)
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, user)
}

func (u *users) patch(id string, patch map[string]any) (*User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := u.index(id)
	if i < 0 {
		return nil, noSuchUser()
	}
	revised := *u.members[i].user
	changed, err := profilePatch{&revised.Name, revised.Phone, revised.Address}.merge(patch)
	if err != nil {
		return nil, err
	}
	revised.Name, revised.Phone, revised.Address = *changed.Name, changed.Phone, changed.Address
	u.members[i] = &member{u.members[i].number, &revised}
	return &revised, nil
}

// merge returns p with the patch applied. It does not change p.
func (p profilePatch) merge(patch map[string]any) (profilePatch, error) {
	var changed profilePatch
	before, err := json.Marshal(p)
	if err != nil {
		return changed, err
	}
	var object any
	if err := json.Unmarshal(before, &object); err != nil {
		return changed, err
	}
	after, err := json.Marshal(mergePatch(object, patch))
	if err != nil {
		return changed, err
	}
	if err := backend.ParseJSONStrict(after, &changed); err != nil {
		return changed, err
	}
	return changed, changed.validate()
}

func (p profilePatch) validate() error {
	if p.Name == nil || *p.Name == "" {
		return backend.NewInvalid("name may not be empty")
	}
	if a := p.Address; a != nil && (a.Street == "" || a.City == "" || len(a.Country) != 2) {
		return backend.NewInvalid("an address needs a street, a city and a country of two letters")
	}
	return nil
}

func (u *users) delete(w http.ResponseWriter, r *http.Request) error {
	if !slices.Contains(backend.CallerFrom(r).Roles, "admin") {
		return backend.NewProblem(http.StatusForbidden, "ADMINS_ONLY", "only an admin may delete users")
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	i := u.index(r.PathValue("id"))
	if i < 0 {
		return noSuchUser()
	}
	u.members = slices.Delete(u.members, i, i+1)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
