package services

import (
	"bytes"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

type productAnswer struct {
	Data  []Product
	Total int
}

func TestListProducts(t *testing.T) {
	h := newHouse(t, Options{})
	tests := []struct {
		name, query, want string
		total             int
	}{
		{"by name", "", "B-105 B-103 S-200 S-201 B-104 S-203 S-205 B-102 B-101 S-204 B-100 S-202", 12},
		{"a window", "?offset=2&limit=2", "S-200 S-201", 12},
		{"past the end", "?offset=2147483647", "", 12},
		{"limit 0", "?limit=0", "", 12},
		{"by price", "?sort=price&limit=3", "B-100 B-101 B-102", 12},
		{"dearest first", "?sort=-price&limit=3", "S-205 S-204 S-203", 12},
		{"by rating, unrated last", "?sort=rating&offset=7", "S-203 B-103 S-201 B-104 B-105", 12},
		{"text, whatever its case", "?q=NIGHT", "B-104 S-203", 2},
		{"text of the description", "?q=a%20book:%20small", "B-101", 1},
		{"category", "?filter[category]=books&limit=2", "B-105 B-103", 6},
		{"category above it", "?filter%5Bcategory%5D=clothes&sort=price&limit=1", "S-200", 6},
		{"unknown category", "?filter[category]=x", "", 0},
		{"price at most", "?filter[maxPrice]=9.75", "B-101 B-100", 2},
		{"all together", "?q=shirt&filter[category]=shirts&filter[maxPrice]=20&sort=-price", "S-201 S-200", 2},
		{"by ids: not in the order req, unknown and doubled ones left out", "?ids=B-100,X,B-105,B-100,B-101", "B-105 B-101 B-100", 3},
		{"by no ids: none", "?ids=", "", 0},
		{"limit holds for ids as well", "?ids=B-100,B-105&limit=1", "B-105", 2},
		{"unknown parameters are ignored", "?filter[colour]=red&ids=B-100&x", "B-100", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			answer := h.get(t, h.Products[1]+"/products"+test.query).want(t, 200)
			page := read[productAnswer](t, answer)
			if got := names(page.Data, func(p Product) string { return p.SKU }); got != test.want || page.Total != test.total {
				t.Errorf("products %s of %d, want %s of %d", got, page.Total, test.want, test.total)
			}
			if !strings.HasPrefix(answer.body, `{"data":[`) {
				t.Errorf("data is not a list: %s", answer.body)
			}
			if got := answer.header.Get("Cache-Control"); got != "public, max-age=60, stale-while-revalidate=30" {
				t.Errorf("Cache-Control %q", got)
			}
		})
	}
}

func TestProductsNeedNoToken(t *testing.T) {
	h := newHouse(t, Options{})
	for _, path := range []string{"/products", "/products/B-100", "/stock", "/healthz"} {
		h.do(t, req{method: "GET", url: h.Products[0] + path, header: []string{"Authorization: "}}).want(t, 200)
	}
}

func TestGetProduct(t *testing.T) {
	h := newHouse(t, Options{})
	answer := h.get(t, h.Products[0]+"/products/B-102").want(t, 200)
	want := `{"sku":"B-102","name":"River Maths","description":null,"price":12.0,"currency":"EUR","rating":3.0,` +
		`"category":{"id":"books","name":"Books","parent":null},"details":{"kind":"BookDetails","isbn":"978-0-00-100014-2","pages":200},` +
		`"related":["B-103"],"weight":{"value":340,"unit":"g"}}`
	if answer.body != want {
		t.Errorf("product\n%s\nwant\n%s", answer.body, want)
	}
	if got := answer.header.Get("Cache-Control"); got != cacheControl {
		t.Errorf("Cache-Control %q", got)
	}
	if unrated := h.get(t, h.Products[0]+"/products/B-105").body; !strings.Contains(unrated, `"rating":null`) {
		t.Errorf("an unrated product: %s", unrated)
	}
}

func TestStock(t *testing.T) {
	h := newHouse(t, Options{})
	answer := h.get(t, h.Products[2]+"/stock").want(t, 200)
	stock := read[map[string]int](t, answer)
	if len(stock) != 12 || stock["S-204"] != 1 || stock["B-105"] != 8 {
		t.Errorf("stock %v", stock)
	}
	if got := answer.header.Get("Cache-Control"); got != "public, max-age=5" {
		t.Errorf("Cache-Control %q", got)
	}
}

func TestHealthSaysWhenTheShopCloses(t *testing.T) {
	shop := New(Options{})
	if got := serve(shop.Products(1), "GET", "/healthz"); got.Code != 200 || got.Body.String() != `{"status":"ok"}` {
		t.Errorf("open: %d %s", got.Code, got.Body)
	}
	shop.Close()
	if got := serve(shop.Products(1), "GET", "/healthz"); got.Code != 503 {
		t.Errorf("closed: %d %s", got.Code, got.Body)
	}
}

func TestUploadProductImage(t *testing.T) {
	h := newHouse(t, Options{APIKey: "another key"})
	picture := strings.Repeat("\x89PNG", backend.MaxFile/4) // as large as it may be
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("alt", "a lighthouse"); err != nil {
		t.Fatal(err)
	}
	file, err := form.CreateFormFile("file", "picture.png")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write([]byte(picture)); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	header := []string{"X-API-Key: another key", "Authorization: ", "Content-Type: " + form.FormDataContentType()}
	h.do(t, req{"PUT", h.Products[1] + "/products/B-100/image", body.String(), header}).want(t, 204)
	if string(h.shop.Image("B-100")) != picture {
		t.Error("another picture is stored")
	}
	if h.shop.Image("B-101") != nil {
		t.Error("another product has a picture")
	}
}
