package services

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Every pet, order and user of the data is as the document says.
func TestDataIsAsDocumented(t *testing.T) {
	h := newHouse(t, Options{})
	data := load()
	if len(data.Pets) < 30 || len(data.Orders) < 10 || len(data.Users) < 8 {
		t.Errorf("%d pets, %d orders, %d users", len(data.Pets), len(data.Orders), len(data.Users))
	}
	for _, pet := range data.Pets {
		if got := read[Pet](t, h.do(t, "GET /pets/"+pet.ID, "").want(t, 200)); !cmp.Equal(got, pet) {
			t.Errorf("pet (-want +got)\n%s", cmp.Diff(pet, got))
		}
		if err := pet.validate(); err != nil {
			t.Errorf("%s: %v", pet.Name, err)
		}
	}
	for _, order := range data.Orders {
		h.do(t, "GET /orders/"+order.ID, "").want(t, 200)
	}
	for _, user := range data.Users {
		h.do(t, "GET /users/"+user.ID, "").want(t, 200)
	}
}

func TestListPets(t *testing.T) {
	h := newHouse(t, Options{})
	link := func(query string) *string { return new(localURL + "/pets?" + query) }
	tests := []struct {
		name, query, want string
		pages             pagination
		next, prev        *string
	}{
		{"the first", "?limit=3", "Whiskers Barley Biscuit", pagination{1, 3, 36, 12}, link("limit=3&page=2"), nil},
		{"a page within", "?page=2&limit=3", "Clover Pico Sable", pagination{2, 3, 36, 12}, link("limit=3&page=3"), link("limit=3&page=1")},
		{"the last", "?limit=10&page=4", "Tiny Radish Toast Noodle Cumulus Ash", pagination{4, 10, 36, 4}, nil, link("limit=10&page=3")},
		{"past the last", "?limit=10&page=9", "", pagination{9, 10, 36, 4}, nil, link("limit=10&page=4")},
		{"species", "?species=BIRD", "Pico Aria Kiwi Professor", pagination{1, 20, 4, 1}, nil, nil},
		{"status", "?status=NOT_AVAILABLE", "Pebble Duchess Professor", pagination{1, 20, 3, 1}, nil, nil},
		{"tag", "?tags=senior", "Pebble Professor", pagination{1, 20, 2, 1}, nil, nil},
		{"any of several tags", "?tags=senior,young%2C%20curious&limit=2", "Thimble Pebble", pagination{1, 2, 4, 2}, link("tags=senior,young%2C%20curious&limit=2&page=2"), nil},
		{"an escaped comma is part of a tag", "?tags=young%2C+curious", "Thimble Peanut", pagination{1, 20, 2, 1}, nil, nil},
		{"all together", "?species=CAT&status=AVAILABLE&tags=house-trained,needs%20garden&limit=1&page=2", "Noodle", pagination{2, 1, 2, 2}, nil, link("species=CAT&status=AVAILABLE&tags=house-trained,needs%20garden&limit=1&page=1")},
		{"nobody", "?species=BIRD&status=PENDING", "", pagination{1, 20, 0, 0}, nil, nil},
		{"unknown parameters are ignored", "?sort=x&species=BIRD&limit=1", "Pico", pagination{1, 1, 4, 4}, link("sort=x&species=BIRD&limit=1&page=2"), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := h.do(t, "GET /pets"+test.query, "", anonymous).want(t, 200)
			page := read[petPage](t, answer)
			if got := names(page.Data, func(p *Pet) string { return p.Name }); got != test.want {
				t.Errorf("pets %s, want %s", got, test.want)
			}
			if page.Pagination != test.pages {
				t.Errorf("pagination %+v, want %+v", page.Pagination, test.pages)
			}
			if diff := cmp.Diff([]*string{test.next, test.prev}, []*string{page.Links.Next, page.Links.Prev}); diff != "" {
				t.Errorf("next and prev (-want +got)\n%s", diff)
			}
			if got := answer.header.Get("Cache-Control"); got != "public, max-age=30" {
				t.Errorf("Cache-Control %q", got)
			}
		})
	}
	if none := read[petPage](t, h.raw(req{line: "GET /pets?tags="})); len(none.Data) != 0 {
		t.Errorf("%d pets have one of no tags", len(none.Data))
	}
	if all := read[petPage](t, h.do(t, "GET /pets", "")); len(all.Data) != 20 {
		t.Errorf("a page has %d pets by default, want 20", len(all.Data))
	}
}

// The links lead from the first page to the last, and each pet occurs once.
func TestLinksLeadThroughAllPages(t *testing.T) {
	h := newHouse(t, Options{})
	seen := map[string]bool{}
	for target := new(localURL + "/pets?limit=7"); target != nil; {
		page := read[petPage](t, h.do(t, "GET "+strings.TrimPrefix(*target, localURL), "").want(t, 200))
		for _, pet := range page.Data {
			seen[pet.ID] = true
		}
		target = page.Links.Next
	}
	if len(seen) != 36 {
		t.Errorf("%d pets, want 36", len(seen))
	}
}

func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r rateLimit
		for i := range 102 {
			got, want := r.count(), fmt.Sprintf("limit=100, remaining=%d, reset=60", max(0, 99-i))
			if got != want {
				t.Fatalf("call %d: %s, want %s", i, got, want)
			}
		}
		time.Sleep(time.Minute)
		if got := r.count(); got != "limit=100, remaining=99, reset=60" {
			t.Errorf("a minute later: %s", got)
		}
	})
	h := newHouse(t, Options{})
	if got := h.do(t, "GET /pets", "").header.Get("RateLimit"); !strings.HasPrefix(got, "limit=100, remaining=99, reset=") {
		t.Errorf("RateLimit %q", got)
	}
}

func TestGetPet(t *testing.T) {
	h := newHouse(t, Options{})
	first := h.do(t, "GET /pets/"+whiskers, "", anonymous).want(t, 200)
	tag := first.header.Get("ETag")
	want := `{"id":"019b4132-70aa-764f-b315-e2803d882a24","name":"Whiskers","species":"CAT","breed":"Domestic Shorthair","ageMonths":18,` +
		`"size":"MEDIUM","color":"Orange Tabby","gender":"MALE","goodWithKids":true,"price":"75.00","currency":"USD",` +
		`"description":"Whiskers was found by the river and has not stopped talking since.","status":"AVAILABLE",` +
		`"category":{"id":9007199254740005,"name":"Cats"},"tags":[{"id":9007199254740999,"name":"needs garden"}],` +
		`"photos":["https://images.petstore.example/pets/019b4132-70aa-764f-b315-e2803d882a24/1.jpg"],` +
		`"medicalInfo":{"vaccinated":true,"spayedNeutered":true,"microchipped":true},` +
		`"createdAt":"2025-09-01T08:00:00Z","updatedAt":"2025-09-02T08:00:00Z"}`
	if first.body != want {
		t.Errorf("pet\n%s\nwant\n%s", first.body, want)
	}
	for header, status := range map[string]int{tag: 304, `"x", W/` + tag: 304, "*": 304, `"x"`: 200} {
		again := h.do(t, "GET /pets/"+whiskers, "", "If-None-Match: "+header).want(t, status)
		if again.header.Get("ETag") != tag || (status == 304) != (again.body == "") {
			t.Errorf("If-None-Match %q: %v %q", header, again.header, again.body)
		}
	}
}

func TestCreatePet(t *testing.T) {
	h := newHouse(t, Options{})
	body := `{"name":"Mica","species":"CAT","ageMonths":0,"price":"12.00","description":null,"more":1,` +
		`"category":{"name":"Cats"},"tags":[{"name":"calm"},{"name":"brave"}],"medicalInfo":{"vaccinated":false}}`
	created := h.do(t, "POST /pets", body, "Content-Type: application/json; charset=utf-8").want(t, 201)
	pet := read[Pet](t, created)
	if got, want := created.header.Get("Location"), localURL+"/pets/"+pet.ID; got != want {
		t.Errorf("Location %s, want %s", got, want)
	}
	want := PetDetails{
		Name: "Mica", Species: "CAT", AgeMonths: new(int64(0)), Price: "12.00", Currency: "USD", Status: Available,
		Category: &Label{9007199254740005, "Cats"}, Tags: []Label{{9007199254740993, "calm"}, {pet.Tags[1].ID, "brave"}},
		MedicalInfo: &MedicalInfo{Vaccinated: new(bool)},
	}
	if diff := cmp.Diff(want, pet.PetDetails); diff != "" || pet.Tags[1].ID < firstLabel {
		t.Errorf("created (-want +got)\n%s", diff)
	}
	if !uuid.MatchString(pet.ID) || pet.ID[14] != '7' || pet.CreatedAt.IsZero() || pet.UpdatedAt != pet.CreatedAt {
		t.Errorf("created %+v", pet)
	}
	if stored := h.do(t, "GET /pets/"+pet.ID, "").want(t, 200); stored.body != created.body {
		t.Errorf("stored %s\ncreated %s", stored.body, created.body)
	}
	again := read[Pet](t, h.do(t, "POST /pets", `{"name":"Mica","species":"CAT","tags":[{"name":"brave"}]}`).want(t, 201))
	if again.ID == pet.ID || again.Tags[0] != pet.Tags[1] {
		t.Errorf("created next %+v", again)
	}
}

func TestUpdatePetReplacesAllOfIt(t *testing.T) {
	h := newHouse(t, Options{})
	before := read[Pet](t, h.do(t, "GET /pets/"+whiskers, ""))
	after := read[Pet](t, h.do(t, "PUT /pets/"+whiskers, `{"name":"Whisky","species":"CAT","status":"PENDING"}`).want(t, 200))
	want := Pet{
		ID: whiskers, CreatedAt: before.CreatedAt, UpdatedAt: after.UpdatedAt,
		PetDetails: PetDetails{Name: "Whisky", Species: "CAT", Status: Reserved, Currency: "USD"},
	}
	if diff := cmp.Diff(want, after); diff != "" || !after.UpdatedAt.After(before.UpdatedAt) {
		t.Errorf("updated (-want +got)\n%s", diff)
	}
	if stored := read[Pet](t, h.do(t, "GET /pets/"+whiskers, "")); !cmp.Equal(stored, after) {
		t.Errorf("stored %+v", stored)
	}
}

func TestDeletePet(t *testing.T) {
	h := newHouse(t, Options{})
	h.do(t, "DELETE /pets/"+whiskers, "").want(t, 204)
	h.do(t, "GET /pets/"+whiskers, "").problem(t, 404, "no-such-pet")
	if got := read[petPage](t, h.do(t, "GET /pets", "")).Pagination.TotalItems; got != 35 {
		t.Errorf("%d pets are left, want 35", got)
	}
}

func TestListInventory(t *testing.T) {
	h := newHouse(t, Options{APIKey: "another key"})
	h.do(t, "DELETE /pets/"+whiskers, "").want(t, 204)
	got := read[map[string]int](t, h.do(t, "GET /store/inventory", "", anonymous, "X-API-Key: another key").want(t, 200))
	want := map[string]int{"AVAILABLE": 22, "PENDING": 4, "ADOPTED": 6, "NOT_AVAILABLE": 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("inventory (-want +got)\n%s", diff)
	}
}

// picture is a form with a file of a kind, and its Content-Type.
func picture(t *testing.T, kind, content, caption string) (body, header string) {
	t.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if err := w.WriteField("caption", caption); err != nil {
		t.Fatal(err)
	}
	part, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="file"; filename="p"`}, "Content-Type": {kind},
	})
	if err == nil {
		_, err = part.Write([]byte(content))
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return form.String(), "Content-Type: " + w.FormDataContentType()
}

const png = "\x89PNG\x0d\x0a\x1a\x0a"

func TestUploadPetImage(t *testing.T) {
	h := newHouse(t, Options{})
	body, header := picture(t, "image/png", png+"rest", "asleep")
	got := read[apiResponse](t, h.do(t, "POST /pets/"+whiskers+"/photos", body, header).want(t, 200))
	want := apiResponse{200, "image/png", "stored 12 bytes", "https://images.petstore.example/pets/" + whiskers + "/2.png"}
	if got != want || string(h.Photo(whiskers)) != png+"rest" {
		t.Errorf("answer %+v, stored %q", got, h.Photo(whiskers))
	}
	pet := read[Pet](t, h.do(t, "GET /pets/"+whiskers, ""))
	if len(pet.Photos) != 2 || pet.Photos[1] != want.URL {
		t.Errorf("photos %v", pet.Photos)
	}
	body, header = picture(t, "image/jpeg", "\xff\xd8\xffrest", "")
	for i := 3; i <= maxPhotos; i++ {
		h.do(t, "POST /pets/"+whiskers+"/photos", body, header).want(t, 200)
	}
	h.do(t, "POST /pets/"+whiskers+"/photos", body, header).problem(t, 409, "too-many-photos")
}

// Concurrent callers see complete pets, and no change is lost.
func TestConcurrentPets(t *testing.T) {
	h := newHouse(t, Options{})
	var all sync.WaitGroup
	for i := range 40 {
		all.Go(func() {
			made := read[Pet](t, h.do(t, "POST /pets", fmt.Sprintf(`{"name":"N%d","species":"DOG","tags":[{"name":"t%d"}]}`, i, i)))
			h.do(t, "PUT /pets/"+whiskers, fmt.Sprintf(`{"name":"W%d","species":"CAT"}`, i))
			h.do(t, "GET /pets?limit=100", "")
			h.do(t, "DELETE /pets/"+made.ID, "")
		})
	}
	all.Wait()
	if got := read[petPage](t, h.do(t, "GET /pets", "")).Pagination.TotalItems; got != 36 {
		t.Errorf("%d pets, want 36", got)
	}
	if got := h.Calls()["updatePet"]; got != 40 {
		t.Errorf("%d calls of updatePet, want 40", got)
	}
}

// Changes of one store do not affect another.
func TestStoresAreIndependent(t *testing.T) {
	one, other := newHouse(t, Options{}), newHouse(t, Options{})
	one.do(t, "PUT /pets/"+whiskers, `{"name":"X","species":"OTHER"}`).want(t, 200)
	if got := read[Pet](t, other.do(t, "GET /pets/"+whiskers, "")).Name; got != "Whiskers" {
		t.Errorf("the other store's pet is called %s", got)
	}
}

func TestNewIDsAscend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := newID()
		time.Sleep(time.Millisecond)
		if second := newID(); second <= first || !uuid.MatchString(second) || !strings.Contains("89ab", second[19:20]) {
			t.Errorf("%s, then %s", first, second)
		}
	})
}

func TestCalls(t *testing.T) {
	h := newHouse(t, Options{})
	h.do(t, "GET /pets", "")
	h.do(t, "GET /pets/x", "")
	h.do(t, "GET /users/u1", "", anonymous)
	for range 2 {
		if got, want := h.do(t, "GET /_calls", "", anonymous).body, `{"getPet":1,"getUser":1,"listPets":1}`; got != want {
			t.Errorf("calls %s, want %s", got, want)
		}
	}
	h.do(t, "DELETE /_calls", "", anonymous).want(t, 204)
	if got := h.do(t, "GET /_calls", "").body; got != "{}" {
		t.Errorf("calls %s after they were set to zero", got)
	}
}
