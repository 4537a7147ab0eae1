package services

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// The statuses of a pet.
const (
	Available    = "AVAILABLE"
	Reserved     = "PENDING"
	Adopted      = "ADOPTED"
	NotAvailable = "NOT_AVAILABLE"
)

// The enums of the document's Pet.
var (
	speciesNames = []string{"DOG", "CAT", "RABBIT", "BIRD", "REPTILE", "OTHER"}
	petStatuses  = []string{Available, Reserved, Adopted, NotAvailable}
	sizes        = []string{"SMALL", "MEDIUM", "LARGE", "EXTRA_LARGE"}
	genders      = []string{"MALE", "FEMALE", "UNKNOWN"}
)

// Pet is a pet in responses.
type Pet struct {
	ID string `json:"id"`
	PetDetails
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// PetDetails are the members of a pet that clients may set. Empty members are left out of the
// JSON.
type PetDetails struct {
	Name         string       `json:"name"`
	Species      string       `json:"species"`
	Breed        string       `json:"breed,omitempty"`
	AgeMonths    *int64       `json:"ageMonths,omitempty"`
	Size         string       `json:"size,omitempty"`
	Color        string       `json:"color,omitempty"`
	Gender       string       `json:"gender,omitempty"`
	GoodWithKids *bool        `json:"goodWithKids,omitempty"`
	Price        string       `json:"price,omitempty"`
	Currency     string       `json:"currency,omitempty"`
	Description  *string      `json:"description"`
	Status       string       `json:"status,omitempty"`
	Category     *Label       `json:"category,omitempty"`
	Tags         []Label      `json:"tags,omitempty"`
	Photos       []string     `json:"photos,omitempty"`
	MedicalInfo  *MedicalInfo `json:"medicalInfo,omitempty"`
}

// Label is a category or a tag. Its ids are larger than the integers that a float64 holds
// exactly.
type Label struct {
	ID   int64  `json:"id,omitempty"`
	Name string `json:"name"`
}

// MedicalInfo describes the health of a pet.
type MedicalInfo struct {
	Vaccinated     *bool  `json:"vaccinated,omitempty"`
	SpayedNeutered *bool  `json:"spayedNeutered,omitempty"`
	Microchipped   *bool  `json:"microchipped,omitempty"`
	SpecialNeeds   *bool  `json:"specialNeeds,omitempty"`
	HealthNotes    string `json:"healthNotes,omitempty"`
}

// pets stores the pets in the order of their creation. A stored *Pet is never changed, only
// replaced, so that it may be read without mu.
type pets struct {
	announce func(event any, about string)
	rate     rateLimit

	mu         sync.Mutex
	all        []*Pet            // guarded by mu
	categories labels            // guarded by mu
	tags       labels            // guarded by mu
	photos     map[string][]byte // guarded by mu; the last picture by the pet's id
}

// newPets returns pets that call announce for pets that are adopted, and for new ones to adopt.
func newPets(all []Pet, announce func(event any, about string)) *pets {
	p := &pets{announce: announce, categories: labels{}, tags: labels{}, photos: map[string][]byte{}}
	for i := range all {
		p.all = append(p.all, &all[i])
		p.assignIDs(&all[i].PetDetails)
	}
	return p
}

func (p *pets) operations(auth *backend.Bearer, apiKey string) []backend.Operation {
	return []backend.Operation{
		{ID: "listPets", Route: "GET /pets", Handler: p.list},
		{ID: "createPet", Route: "POST /pets", Handler: auth.Require(p.create)},
		{ID: "getPet", Route: "GET /pets/{id}", Handler: p.get},
		{ID: "updatePet", Route: "PUT /pets/{id}", Handler: auth.Require(p.update, writePets)},
		{ID: "deletePet", Route: "DELETE /pets/{id}", Handler: auth.Require(p.delete, writePets)},
		{ID: "uploadPetImage", Route: "POST /pets/{id}/photos", Handler: auth.Require(p.upload), MaxBody: backend.MaxUpload},
		{ID: "listInventory", Route: "GET /store/inventory", Handler: backend.RequireAPIKey(apiKey, "petstore", p.inventory)},
	}
}

// find returns the current state of a pet.
func (p *pets) find(id string) (*Pet, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := p.index(id)
	if err != nil {
		return nil, err
	}
	return p.all[i], nil
}

// index returns the position of a pet in all. mu is held.
func (p *pets) index(id string) (int, error) {
	i := slices.IndexFunc(p.all, func(pet *Pet) bool { return pet.ID == id })
	if i < 0 {
		return 0, backend.NewProblem(http.StatusNotFound, "NO_SUCH_PET", "there is no pet with this id")
	}
	return i, nil
}

func (p *pets) snapshot() []*Pet {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

func (p *pets) get(w http.ResponseWriter, r *http.Request) error {
	pet, err := p.find(r.PathValue("id"))
	if err != nil {
		return err
	}
	body, err := json.Marshal(pet)
	if err != nil {
		return err
	}
	backend.WriteTagged(w, r, body)
	return nil
}

func (p *pets) create(w http.ResponseWriter, r *http.Request) error {
	details, err := readPetDetails(r)
	if err != nil {
		return err
	}
	pet := p.add(details)
	w.Header().Set("Location", baseURL(r)+"/pets/"+pet.ID)
	return backend.WriteJSON(w, http.StatusCreated, pet)
}

func readPetDetails(r *http.Request) (d PetDetails, err error) {
	if err := readJSON(r, &d, "description"); err != nil {
		return d, err
	}
	return d, d.validate()
}

// price bounds the digits, so that totals are exact.
var price = regexp.MustCompile(`^\d{1,12}\.\d{2}$`)

func (d *PetDetails) validate() error {
	var c validation
	length := utf8.RuneCountInString(d.Name)
	c.require(1 <= length && length <= 100, "name", "must have 1 to 100 characters")
	c.require(d.Species != "", "species", "is required")
	c.requireOneOf("species", d.Species, speciesNames)
	c.requireOneOf("size", d.Size, sizes)
	c.requireOneOf("gender", d.Gender, genders)
	c.requireOneOf("status", d.Status, petStatuses)
	c.require(d.AgeMonths == nil || *d.AgeMonths >= 0, "ageMonths", "may not be negative")
	c.require(d.Price == "" || price.MatchString(d.Price), "price", "must be a decimal such as 75.00")
	c.require(d.Currency == "" || utf8.RuneCountInString(d.Currency) == 3, "currency", "must have 3 characters")
	d.validateParts(&c)
	return c.err()
}

func (d *PetDetails) validateParts(c *validation) {
	c.require(d.Category == nil || d.Category.Name != "", "category.name", "may not be empty")
	for i, tag := range d.Tags {
		c.require(tag.Name != "", fmt.Sprintf("tags[%d].name", i), "may not be empty")
	}
	for i, photo := range d.Photos {
		c.require(isURI(photo), fmt.Sprintf("photos[%d]", i), "must be an absolute URI")
	}
}

// setDefaults sets the defaults of members that are absent.
func (d *PetDetails) setDefaults() {
	if d.Status == "" {
		d.Status = Available
	}
	if d.Currency == "" {
		d.Currency = "USD"
	}
}

func (p *pets) add(details PetDetails) *Pet {
	details.setDefaults()
	now := time.Now().UTC().Truncate(time.Second)
	pet := &Pet{ID: newID(), PetDetails: details, CreatedAt: now, UpdatedAt: now}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.assignIDs(&pet.PetDetails)
	p.all = append(p.all, pet)
	p.announceStatus("", pet, nil)
	return pet
}

// assignIDs sets the ids of category and tags by their names. mu is held, unless pets is not
// shared yet.
func (p *pets) assignIDs(d *PetDetails) {
	if d.Category != nil {
		d.Category = new(p.categories.resolve(*d.Category))
	}
	for i, tag := range d.Tags {
		d.Tags[i] = p.tags.resolve(tag)
	}
}

// labels are the ids of labels by name.
type labels map[string]int64

// firstLabel is the id of the first label without an id: larger than 2^53.
const firstLabel = 1<<53 + 1001

// resolve returns a label with its id: the known id of its name, its own, or a new one.
func (l labels) resolve(label Label) Label {
	id, known := l[label.Name]
	switch {
	case known:
		label.ID = id
	case label.ID == 0:
		label.ID = firstLabel + int64(len(l))
	}
	l[label.Name] = label.ID
	return label
}

func (p *pets) update(w http.ResponseWriter, r *http.Request) error {
	details, err := readPetDetails(r)
	if err != nil {
		return err
	}
	details.setDefaults()
	pet, err := p.change(r.PathValue("id"), nil, func(pet *Pet) error {
		p.assignIDs(&details)
		pet.PetDetails = details
		return nil
	})
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, pet)
}

// change replaces a pet by a changed copy, and announces a new status. order is the order
// because of which it changes, or nil. update may return an error; it runs with mu held.
func (p *pets) change(id string, order *Order, update func(*Pet) error) (*Pet, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := p.index(id)
	if err != nil {
		return nil, err
	}
	changed := *p.all[i]
	if err := update(&changed); err != nil {
		return nil, err
	}
	changed.UpdatedAt = time.Now().UTC().Truncate(time.Second)
	before := p.all[i].Status
	p.all[i] = &changed
	p.announceStatus(before, &changed, order)
	return &changed, nil
}

// available is the body of the webhook newPetAvailable.
type available struct {
	Event string `json:"event"`
	Pet   *Pet   `json:"pet"`
}

// adopted is the body of the webhook petAdopted.
type adopted struct {
	Event string `json:"event"`
	Pet   *Pet   `json:"pet"`
	Order *Order `json:"order"`
}

// announceStatus announces a new status of a pet. before is the previous status, "" for a new
// pet.
func (p *pets) announceStatus(before string, pet *Pet, order *Order) {
	switch {
	case before == pet.Status:
	case pet.Status == Adopted:
		p.announce(adopted{"pet.adopted", pet, order}, "pet "+pet.ID+" is adopted")
	case before == "" && pet.Status == Available:
		p.announce(available{"pet.available", pet}, "pet "+pet.ID+" is available")
	}
}

func (p *pets) delete(w http.ResponseWriter, r *http.Request) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := p.index(r.PathValue("id"))
	if err != nil {
		return err
	}
	delete(p.photos, p.all[i].ID)
	p.all = slices.Delete(p.all, i, i+1)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// inventory returns the number of pets by status, including statuses without a pet.
func (p *pets) inventory(w http.ResponseWriter, _ *http.Request) error {
	counts := map[string]int{}
	for _, status := range petStatuses {
		counts[status] = 0
	}
	for _, pet := range p.snapshot() {
		counts[pet.Status]++
	}
	return backend.WriteJSON(w, http.StatusOK, counts)
}

// maxPage keeps page times limit within an int.
const maxPage = 1 << 24

type petPage struct {
	Data       []*Pet     `json:"data"`
	Pagination pagination `json:"pagination"`
	Links      pageLinks  `json:"links"`
}

type pagination struct {
	Page       int `json:"page"`
	Limit      int `json:"limit"`
	TotalItems int `json:"totalItems"`
	TotalPages int `json:"totalPages"`
}

type pageLinks struct {
	Self string  `json:"self"`
	Next *string `json:"next"`
	Prev *string `json:"prev"`
}

func (p *pets) list(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("RateLimit", p.rate.count())
	q, err := parsePetQuery(r)
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(p.snapshot(), func(pet *Pet) bool { return !q.matches(pet) })
	pages := (len(found) + q.limit - 1) / q.limit
	w.Header().Set("Cache-Control", "public, max-age=30")
	return backend.WriteJSON(w, http.StatusOK, petPage{
		Data:       backend.Page(found, (q.page-1)*q.limit, q.limit),
		Pagination: pagination{q.page, q.limit, len(found), pages},
		Links:      newPageLinks(r, q.page, pages),
	})
}

// petQuery has the parameters of listPets.
type petQuery struct {
	species, status string
	tags            []string // a pet with any of them
	hasTags         bool     // the parameter tags is present, perhaps empty
	page, limit     int
}

// maxTags bounds the tags of one call.
const maxTags = 100

func parsePetQuery(r *http.Request) (q petQuery, err error) {
	p, err := backend.ReadParameters(r)
	if err != nil {
		return q, err
	}
	if q.species, err = parseEnum(p, "species", speciesNames); err != nil {
		return q, err
	}
	if q.status, err = parseEnum(p, "status", petStatuses); err != nil {
		return q, err
	}
	if q.tags, q.hasTags, err = p.List("tags", maxTags); err != nil {
		return q, err
	}
	if q.page, err = p.Int("page", 1, maxPage, 1); err != nil {
		return q, err
	}
	q.limit, err = p.Int("limit", 1, 100, 20)
	return q, err
}

// parseEnum returns "" when the parameter is absent.
func parseEnum(p backend.Parameters, name string, values []string) (string, error) {
	value, err := p.String(name)
	if err != nil {
		return "", err
	}
	if _, req := p[name]; req && !slices.Contains(values, value) {
		return "", backend.NewProblem(http.StatusUnprocessableEntity, "NO_SUCH_VALUE", "%s must be one of %s", name, strings.Join(values, ", "))
	}
	return value, nil
}

func (q petQuery) matches(pet *Pet) bool {
	return (q.species == "" || pet.Species == q.species) &&
		(q.status == "" || pet.Status == q.status) &&
		(!q.hasTags || slices.ContainsFunc(pet.Tags, func(tag Label) bool { return slices.Contains(q.tags, tag.Name) }))
}

// newPageLinks returns the links to this page and its neighbours. It keeps the query as it was
// sent, so that the commas of lists are not escaped.
func newPageLinks(r *http.Request, page, pages int) pageLinks {
	var kept []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, _, _ := strings.Cut(pair, "="); pair != "" && name != "page" {
			kept = append(kept, pair)
		}
	}
	link := func(page int) string {
		return baseURL(r) + "/pets?" + strings.Join(append(kept, "page="+strconv.Itoa(page)), "&")
	}
	links := pageLinks{Self: link(page)}
	if page < pages {
		links.Next = new(link(page + 1))
	}
	if page > 1 {
		links.Prev = new(link(max(1, min(page-1, pages))))
	}
	return links
}
