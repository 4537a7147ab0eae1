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

// Pet is a pet as the service shows it.
type Pet struct {
	ID string `json:"id"`
	PetDetails
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// PetDetails are what callers may say of a pet. An empty member is left out of the JSON.
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

// Label is a category or a tag. The ids exceed what a float can hold exactly.
type Label struct {
	ID   int64  `json:"id,omitempty"`
	Name string `json:"name"`
}

// MedicalInfo is what is known of a pet's health.
type MedicalInfo struct {
	Vaccinated     *bool  `json:"vaccinated,omitempty"`
	SpayedNeutered *bool  `json:"spayedNeutered,omitempty"`
	Microchipped   *bool  `json:"microchipped,omitempty"`
	SpecialNeeds   *bool  `json:"specialNeeds,omitempty"`
	HealthNotes    string `json:"healthNotes,omitempty"`
}

// pets keeps the pets in the order of their creation. A stored *Pet is never changed,
// only replaced, so it may be shown without holding mu.
type pets struct {
	announce func(event any, about string)
	rate     rate

	mu         sync.Mutex
	all        []*Pet            // guarded by mu
	categories labels            // guarded by mu
	tags       labels            // guarded by mu
	photos     map[string][]byte // guarded by mu; the last picture by the pet's id
}

// newPets tells announce of pets that are adopted, and of new ones to adopt.
func newPets(all []Pet, announce func(event any, about string)) *pets {
	p := &pets{announce: announce, categories: labels{}, tags: labels{}, photos: map[string][]byte{}}
	for i := range all {
		p.all = append(p.all, &all[i])
		p.learn(&all[i].PetDetails)
	}
	return p
}

func (p *pets) operations(door *backend.Bearer, apiKey string) []backend.Operation {
	return []backend.Operation{
		{ID: "listPets", Route: "GET /pets", Answer: p.list},
		{ID: "createPet", Route: "POST /pets", Answer: door.Guard(p.create)},
		{ID: "getPet", Route: "GET /pets/{id}", Answer: p.get},
		{ID: "updatePet", Route: "PUT /pets/{id}", Answer: door.Guard(p.update, writePets)},
		{ID: "deletePet", Route: "DELETE /pets/{id}", Answer: door.Guard(p.remove, writePets)},
		{ID: "uploadPetImage", Route: "POST /pets/{id}/photos", Answer: door.Guard(p.upload), MaxBody: backend.MaxUpload},
		{ID: "listInventory", Route: "GET /store/inventory", Answer: backend.Keyed(apiKey, "petstore", p.inventory)},
	}
}

// find gives a pet as it is now.
func (p *pets) find(id string) (*Pet, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := p.index(id)
	if err != nil {
		return nil, err
	}
	return p.all[i], nil
}

// index is the place of a pet in all. The caller holds mu.
func (p *pets) index(id string) (int, error) {
	i := slices.IndexFunc(p.all, func(pet *Pet) bool { return pet.ID == id })
	if i < 0 {
		return 0, backend.Refuse(http.StatusNotFound, "NO_SUCH_PET", "there is no pet with this id")
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
	details, err := readDetails(r)
	if err != nil {
		return err
	}
	pet := p.add(details)
	w.Header().Set("Location", base(r)+"/pets/"+pet.ID)
	return backend.WriteJSON(w, http.StatusCreated, pet)
}

func readDetails(r *http.Request) (d PetDetails, err error) {
	if err := readInto(r, &d, "description"); err != nil {
		return d, err
	}
	return d, d.check()
}

// The digits are bounded so that totals stay numbers.
var price = regexp.MustCompile(`^\d{1,12}\.\d{2}$`)

func (d *PetDetails) check() error {
	var c check
	length := utf8.RuneCountInString(d.Name)
	c.that(1 <= length && length <= 100, "name", "must have 1 to 100 characters")
	c.that(d.Species != "", "species", "is required")
	c.oneOf("species", d.Species, speciesNames)
	c.oneOf("size", d.Size, sizes)
	c.oneOf("gender", d.Gender, genders)
	c.oneOf("status", d.Status, petStatuses)
	c.that(d.AgeMonths == nil || *d.AgeMonths >= 0, "ageMonths", "may not be negative")
	c.that(d.Price == "" || price.MatchString(d.Price), "price", "must be a decimal such as 75.00")
	c.that(d.Currency == "" || utf8.RuneCountInString(d.Currency) == 3, "currency", "must have 3 characters")
	d.checkParts(&c)
	return c.err()
}

func (d *PetDetails) checkParts(c *check) {
	c.that(d.Category == nil || d.Category.Name != "", "category.name", "may not be empty")
	for i, tag := range d.Tags {
		c.that(tag.Name != "", fmt.Sprintf("tags[%d].name", i), "may not be empty")
	}
	for i, photo := range d.Photos {
		c.that(isURI(photo), fmt.Sprintf("photos[%d]", i), "must be an absolute URI")
	}
}

// fill gives what was left out its default.
func (d *PetDetails) fill() {
	if d.Status == "" {
		d.Status = Available
	}
	if d.Currency == "" {
		d.Currency = "USD"
	}
}

func (p *pets) add(details PetDetails) *Pet {
	details.fill()
	now := time.Now().UTC().Truncate(time.Second)
	pet := &Pet{ID: newID(), PetDetails: details, CreatedAt: now, UpdatedAt: now}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.learn(&pet.PetDetails)
	p.all = append(p.all, pet)
	p.tell("", pet, nil)
	return pet
}

// learn gives category and tags the ids that go with their names. The caller holds mu,
// or is alone.
func (p *pets) learn(d *PetDetails) {
	if d.Category != nil {
		d.Category = new(p.categories.named(*d.Category))
	}
	for i, tag := range d.Tags {
		d.Tags[i] = p.tags.named(tag)
	}
}

// labels are ids by name.
type labels map[string]int64

// firstLabel is the id of the first label that comes without one: beyond 2^53.
const firstLabel = 1<<53 + 1001

// named keeps the id that a name has already. A new name keeps the id it comes with.
func (l labels) named(label Label) Label {
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
	details, err := readDetails(r)
	if err != nil {
		return err
	}
	details.fill()
	pet, err := p.change(r.PathValue("id"), nil, func(pet *Pet) error {
		p.learn(&details)
		pet.PetDetails = details
		return nil
	})
	if err != nil {
		return err
	}
	return backend.WriteJSON(w, http.StatusOK, pet)
}

// change replaces a pet by a changed copy and tells of a new status. order is the one
// that the change is for, nil for none; how may refuse, and runs while mu is held.
func (p *pets) change(id string, order *Order, how func(*Pet) error) (*Pet, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i, err := p.index(id)
	if err != nil {
		return nil, err
	}
	changed := *p.all[i]
	if err := how(&changed); err != nil {
		return nil, err
	}
	changed.UpdatedAt = time.Now().UTC().Truncate(time.Second)
	before := p.all[i].Status
	p.all[i] = &changed
	p.tell(before, &changed, order)
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

// tell announces what became of a pet. before is "" for a new one.
func (p *pets) tell(before string, pet *Pet, order *Order) {
	switch {
	case before == pet.Status:
	case pet.Status == Adopted:
		p.announce(adopted{"pet.adopted", pet, order}, "pet "+pet.ID+" is adopted")
	case before == "" && pet.Status == Available:
		p.announce(available{"pet.available", pet}, "pet "+pet.ID+" is available")
	}
}

func (p *pets) remove(w http.ResponseWriter, r *http.Request) error {
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

// inventory counts the pets of every status, also of those that no pet has.
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
	w.Header().Set("RateLimit", p.rate.next())
	q, err := readPetQuery(r)
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(p.snapshot(), func(pet *Pet) bool { return !q.wants(pet) })
	pages := (len(found) + q.limit - 1) / q.limit
	w.Header().Set("Cache-Control", "public, max-age=30")
	return backend.WriteJSON(w, http.StatusOK, petPage{
		Data:       backend.Window(found, (q.page-1)*q.limit, q.limit),
		Pagination: pagination{q.page, q.limit, len(found), pages},
		Links:      linksOf(r, q.page, pages),
	})
}

// petQuery is what listPets asks for.
type petQuery struct {
	species, status string
	tags            []string // a pet with any of them
	tagged          bool     // tags were given, perhaps none
	page, limit     int
}

// maxTags bounds how many tags one call may ask for.
const maxTags = 100

func readPetQuery(r *http.Request) (q petQuery, err error) {
	p, err := backend.ReadParameters(r)
	if err != nil {
		return q, err
	}
	if q.species, err = readEnum(p, "species", speciesNames); err != nil {
		return q, err
	}
	if q.status, err = readEnum(p, "status", petStatuses); err != nil {
		return q, err
	}
	if q.tags, q.tagged, err = p.List("tags", maxTags); err != nil {
		return q, err
	}
	if q.page, err = p.Number("page", 1, maxPage, 1); err != nil {
		return q, err
	}
	q.limit, err = p.Number("limit", 1, 100, 20)
	return q, err
}

// readEnum is "" without the parameter.
func readEnum(p backend.Parameters, name string, values []string) (string, error) {
	value, err := p.Text(name)
	if err != nil {
		return "", err
	}
	if _, asked := p[name]; asked && !slices.Contains(values, value) {
		return "", backend.Refuse(http.StatusUnprocessableEntity, "NO_SUCH_VALUE", "%s must be one of %s", name, strings.Join(values, ", "))
	}
	return value, nil
}

func (q petQuery) wants(pet *Pet) bool {
	return (q.species == "" || pet.Species == q.species) &&
		(q.status == "" || pet.Status == q.status) &&
		(!q.tagged || slices.ContainsFunc(pet.Tags, func(tag Label) bool { return slices.Contains(q.tags, tag.Name) }))
}

// linksOf keeps the query as it was sent, so that the commas of a list stay commas.
func linksOf(r *http.Request, page, pages int) pageLinks {
	var kept []string
	for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if name, _, _ := strings.Cut(pair, "="); pair != "" && name != "page" {
			kept = append(kept, pair)
		}
	}
	link := func(page int) string {
		return base(r) + "/pets?" + strings.Join(append(kept, "page="+strconv.Itoa(page)), "&")
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
