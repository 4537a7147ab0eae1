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

// User is a user as the users service shows it. There is no password: nobody logs
// in here, so it is checked and forgotten.
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

// Address is where a user lives. Country has two letters.
type Address struct {
	Street     string `json:"street"`
	City       string `json:"city"`
	PostalCode string `json:"postalCode,omitempty"`
	Country    string `json:"country"`
}

// maxUserIDs is the most ids that one call may ask for, at users and at orders.
const maxUserIDs = 100

// users keeps the users in the order of their creation. A stored *User is never
// changed, only replaced, so it may be shown without holding mu.
type users struct {
	mu    sync.Mutex
	all   []*member // guarded by mu; ascending by number
	count int       // guarded by mu; how many there ever were, so that no id comes back
}

// member is a user with its number in the order of creation, which cursors hold.
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

func (u *users) operations(door *backend.Bearer) []backend.Operation {
	return []backend.Operation{
		{ID: "listUsers", Route: "GET /users", Answer: door.Guard(u.list)},
		{ID: "createUser", Route: "POST /users", Answer: door.Guard(u.create)},
		{ID: "getUser", Route: "GET /users/{id}", Answer: door.Guard(u.get)},
		{ID: "updateUser", Route: "PATCH /users/{id}", Answer: door.Guard(u.update)},
		{ID: "deleteUser", Route: "DELETE /users/{id}", Answer: door.Guard(u.remove)},
	}
}

// exists is what the orders service asks.
func (u *users) exists(id string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.index(id) >= 0
}

// index is the place of a user in all, -1 for none. The caller holds mu.
func (u *users) index(id string) int {
	return slices.IndexFunc(u.all, func(m *member) bool { return m.user.ID == id })
}

// add takes in a user at the end. The caller holds mu, or is alone.
func (u *users) add(user *User) {
	u.count++
	u.all = append(u.all, &member{number: u.count, user: user})
}

func (u *users) snapshot() []*member {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.all)
}

type userPage struct {
	Items      []*User `json:"items"`
	NextCursor *string `json:"nextCursor"`
}

func (u *users) list(w http.ResponseWriter, r *http.Request) error {
	q, err := readUserQuery(r)
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, q.page(u.snapshot()))
}

// userQuery is what listUsers asks for.
type userQuery struct {
	ids   []string
	batch bool // ids were given, perhaps none
	after int  // number of the last user that was shown; 0 for the first page
	limit int
}

func readUserQuery(r *http.Request) (q userQuery, err error) {
	p, err := backend.ReadParameters(r)
	if err != nil {
		return q, err
	}
	if q.ids, q.batch, err = p.List("ids", maxUserIDs); err != nil {
		return q, err
	}
	if q.limit, err = p.Number("limit", 1, 100, 20); err != nil {
		return q, err
	}
	q.after, err = readCursor(p)
	return q, err
}

// page shows first created users first; a batch the other way round: whoever
// matches the answers by the position of the ids finds out early.
func (q userQuery) page(all []*member) userPage {
	found := slices.DeleteFunc(all, func(m *member) bool { return !q.wants(m) })
	if q.batch {
		slices.Reverse(found)
	}
	page := userPage{Items: []*User{}}
	for _, m := range backend.Window(found, 0, q.limit) {
		page.Items = append(page.Items, m.user)
	}
	if len(found) > q.limit {
		next := cursor(found[q.limit-1].number)
		page.NextCursor = &next
	}
	return page
}

func (q userQuery) wants(m *member) bool {
	switch {
	case !q.batch:
		return m.number > q.after
	case !slices.Contains(q.ids, m.user.ID):
		return false
	}
	return q.after == 0 || m.number < q.after
}

// A cursor is opaque to callers. It holds the number of the last user shown, not a
// position, so that deleting users between two pages loses nobody.
func cursor(number int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "after:%d", number))
}

// readCursor is 0 without a cursor.
func readCursor(p backend.Parameters) (int, error) {
	text, err := p.Text("cursor")
	if err != nil || text == "" {
		return 0, err
	}
	plain, _ := base64.RawURLEncoding.DecodeString(text)
	digits, ok := strings.CutPrefix(string(plain), "after:")
	number, err := strconv.Atoi(digits)
	if !ok || err != nil || number < 1 {
		return 0, backend.BadType("cursor", "one that a page gave")
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
		return u.all[i].user, nil
	}
	return nil, noSuchUser()
}

func noSuchUser() *backend.Problem {
	return backend.Refuse(http.StatusNotFound, "NO_SUCH_USER", "there is no user with this id")
}

// newUser is the body of createUser. A pointer tells a missing member from an empty one.
type newUser struct {
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
	var asked newUser
	if err := backend.Parse(body, &asked); err != nil {
		return err
	}
	if err := asked.check(); err != nil {
		return err
	}
	user, err := u.admit(asked, backend.CallerOf(r).Subject)
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusCreated, user)
}

func (n newUser) check() error {
	switch {
	case n.Email == nil || !backend.IsEmail(*n.Email):
		return backend.Invalid("email must be an e-mail address")
	case n.Name == nil || *n.Name == "":
		return backend.Invalid("name may not be empty")
	case n.Password == nil || utf8.RuneCountInString(*n.Password) < 8:
		return backend.Invalid("password must have 8 characters or more")
	case n.Role != nil && !slices.Contains([]string{"customer", "support", "admin"}, *n.Role):
		return backend.Invalid("role must be customer, support or admin")
	}
	return nil
}

// admit stores a new user, unless its e-mail address is taken in any spelling of
// its letters.
func (u *users) admit(asked newUser, createdBy string) (*User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if slices.ContainsFunc(u.all, func(m *member) bool { return strings.EqualFold(m.user.Email, *asked.Email) }) {
		return nil, backend.Refuse(http.StatusConflict, "EMAIL_TAKEN", "there is a user with this e-mail address")
	}
	user := &User{
		ID: fmt.Sprintf("u%d", u.count+1), Email: *asked.Email, Name: *asked.Name, Role: "customer",
		CreatedBy: createdBy, CreatedAt: time.Now().UTC().Truncate(time.Second),
	}
	if asked.Role != nil {
		user.Role = *asked.Role
	}
	u.add(user)
	return user, nil
}

// profile is what updateUser may change. The others are not in it, and so a patch
// that names them is refused rather than half obeyed.
type profile struct {
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
	if err := backend.Parse(body, &patch); err != nil {
		return err
	}
	if patch == nil { // the body was null
		return backend.Invalid("the patch must be an object")
	}
	user, err := u.revise(r.PathValue("id"), patch)
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, user)
}

func (u *users) revise(id string, patch map[string]any) (*User, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	i := u.index(id)
	if i < 0 {
		return nil, noSuchUser()
	}
	revised := *u.all[i].user
	changed, err := profile{&revised.Name, revised.Phone, revised.Address}.patched(patch)
	if err != nil {
		return nil, err
	}
	revised.Name, revised.Phone, revised.Address = *changed.Name, changed.Phone, changed.Address
	u.all[i] = &member{u.all[i].number, &revised}
	return &revised, nil
}

// patched leaves p as it was.
func (p profile) patched(patch map[string]any) (profile, error) {
	var changed profile
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
	if err := backend.ParseStrictly(after, &changed); err != nil {
		return changed, err
	}
	return changed, changed.check()
}

func (p profile) check() error {
	if p.Name == nil || *p.Name == "" {
		return backend.Invalid("name may not be empty")
	}
	if a := p.Address; a != nil && (a.Street == "" || a.City == "" || len(a.Country) != 2) {
		return backend.Invalid("an address needs a street, a city and a country of two letters")
	}
	return nil
}

func (u *users) remove(w http.ResponseWriter, r *http.Request) error {
	if !slices.Contains(backend.CallerOf(r).Roles, "admin") {
		return backend.Refuse(http.StatusForbidden, "ADMINS_ONLY", "only an admin may delete users")
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	i := u.index(r.PathValue("id"))
	if i < 0 {
		return noSuchUser()
	}
	u.all = slices.Delete(u.all, i, i+1)
	w.WriteHeader(http.StatusNoContent)
	return nil
}
