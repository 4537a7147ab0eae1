package services

import (
	"cmp"
	"encoding/json"
	"maps"
	"math"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/gatehouse-graphql/gatehouse/examples/internal/backend"
)

// Product is a product as the products service shows it. Its numbers are kept as
// data.json writes them.
type Product struct {
	SKU         string          `json:"sku"`
	Name        string          `json:"name"`
	Description *string         `json:"description"`
	Price       json.Number     `json:"price"`
	Currency    string          `json:"currency"`
	Rating      *json.Number    `json:"rating"`
	Category    *Category       `json:"category,omitempty"`
	Details     json.RawMessage `json:"details,omitempty"`
	Related     []string        `json:"related"`
	Weight      json.RawMessage `json:"weight,omitempty"`

	amount *big.Rat // Price
	stars  *big.Rat // Rating; nil without one
}

// Category is what kind of thing a product is. Parent is nil at the top.
type Category struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Parent *Category `json:"parent"`
}

// within tells whether c is the category id or lies below it.
func (c *Category) within(id string) bool {
	return c != nil && (c.ID == id || c.Parent.within(id))
}

// products is the state that the replicas share. All of it but the images stays
// as it was loaded, and needs no lock.
type products struct {
	all   []*Product // by sku
	bySKU map[string]*Product
	stock map[string]int

	mu     sync.Mutex
	images map[string][]byte // guarded by mu; by sku
}

func newProducts(all []Product, stock map[string]int) *products {
	p := &products{bySKU: map[string]*Product{}, stock: stock, images: map[string][]byte{}}
	for i := range all {
		product := &all[i]
		product.amount = readDecimal(product.Price.String())
		if product.Rating != nil {
			product.stars = readDecimal(product.Rating.String())
		}
		p.bySKU[product.SKU] = product
	}
	for _, sku := range slices.Sorted(maps.Keys(p.bySKU)) {
		p.all = append(p.all, p.bySKU[sku])
	}
	return p
}

func (p *products) operations(apiKey string, closed <-chan struct{}) []backend.Operation {
	return []backend.Operation{
		{ID: "listProducts", Route: "GET /products", Answer: p.list},
		{ID: "getProduct", Route: "GET /products/{sku}", Answer: p.get},
		{ID: "uploadProductImage", Route: "PUT /products/{sku}/image", Answer: backend.Keyed(apiKey, "shop", p.upload), MaxBody: backend.MaxUpload},
		{ID: "stock", Route: "GET /stock", Answer: p.showStock},
		{ID: "healthz", Route: "GET /healthz", Answer: health(closed)},
	}
}

// find is what the orders service asks.
func (p *products) find(sku string) (*Product, bool) {
	product, ok := p.bySKU[sku]
	return product, ok
}

func noSuchProduct() *backend.Problem {
	return backend.Refuse(http.StatusNotFound, "NO_SUCH_PRODUCT", "there is no product with this sku")
}

// cacheable is what shared caches may do with the catalogue.
const cacheable = "public, max-age=60, stale-while-revalidate=30"

type productPage struct {
	Data  []*Product `json:"data"`
	Total int        `json:"total"`
}

func (p *products) list(w http.ResponseWriter, r *http.Request) error {
	q, err := readProductQuery(r)
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(slices.Clone(p.all), func(product *Product) bool { return !q.wants(product) })
	slices.SortStableFunc(found, q.order)
	w.Header().Set("Cache-Control", cacheable)
	return backend.WriteJSON(w, http.StatusOK, productPage{Data: backend.Window(found, q.offset, q.limit), Total: len(found)})
}

// productQuery is what listProducts asks for. Products with several ids come in
// the order of sort, never in that of the ids.
type productQuery struct {
	ids           []string
	batch         bool // ids were given, perhaps none
	text          string
	category      string
	maxPrice      *big.Rat // nil for any price
	order         func(a, b *Product) int
	offset, limit int
}

func readProductQuery(r *http.Request) (q productQuery, err error) {
	p, err := backend.ReadParameters(r)
	if err != nil {
		return q, err
	}
	if q.ids, q.batch, err = p.List("ids", 200); err != nil {
		return q, err
	}
	if q.text, err = p.Text("q"); err != nil {
		return q, err
	}
	if q.category, err = p.Text("filter[category]"); err != nil {
		return q, err
	}
	if q.maxPrice, err = readMaxPrice(p); err != nil {
		return q, err
	}
	if q.order, err = readSort(p); err != nil {
		return q, err
	}
	if q.offset, err = p.Number("offset", 0, math.MaxInt32, 0); err != nil {
		return q, err
	}
	q.limit, err = p.Number("limit", 0, 200, 20)
	return q, err
}

func readMaxPrice(p backend.Parameters) (*big.Rat, error) {
	text, err := p.Text("filter[maxPrice]")
	if err != nil || text == "" {
		return nil, err
	}
	// A JSON number: SetString alone would also take fractions, and exponents that
	// cost a gigabyte.
	var number json.Number
	if json.Unmarshal([]byte(text), &number) != nil || len(text) > 32 || strings.ContainsAny(text, `"eE`) {
		return nil, backend.BadType("filter[maxPrice]", "a number")
	}
	price, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, backend.BadType("filter[maxPrice]", "a number")
	}
	return price, nil
}

func readSort(p backend.Parameters) (func(a, b *Product) int, error) {
	text, err := p.Text("sort")
	if err != nil {
		return nil, err
	}
	order, ok := sorts[cmp.Or(text, "name")]
	if !ok {
		return nil, backend.Refuse(http.StatusUnprocessableEntity, "NO_SUCH_SORT", "sort must be one of %v", slices.Sorted(maps.Keys(sorts)))
	}
	return order, nil
}

// sorts are the orders of listProducts. Equal products stay in the order of their skus.
var sorts = map[string]func(a, b *Product) int{
	"name":   func(a, b *Product) int { return strings.Compare(a.Name, b.Name) },
	"price":  func(a, b *Product) int { return a.amount.Cmp(b.amount) },
	"-price": func(a, b *Product) int { return b.amount.Cmp(a.amount) },
	"rating": func(a, b *Product) int {
		switch {
		case a.stars == nil && b.stars == nil:
			return 0
		case a.stars == nil: // unrated ones come last
			return 1
		case b.stars == nil:
			return -1
		}
		return a.stars.Cmp(b.stars)
	},
}

func (q productQuery) wants(p *Product) bool {
	return (!q.batch || slices.Contains(q.ids, p.SKU)) &&
		(q.text == "" || p.mentions(q.text)) &&
		(q.category == "" || p.Category.within(q.category)) &&
		(q.maxPrice == nil || p.amount.Cmp(q.maxPrice) <= 0)
}

// mentions looks for text in name and description, whatever its letters' case.
func (p *Product) mentions(text string) bool {
	said := p.Name
	if p.Description != nil {
		said += "\n" + *p.Description
	}
	return strings.Contains(strings.ToLower(said), strings.ToLower(text))
}

func (p *products) get(w http.ResponseWriter, r *http.Request) error {
	product, ok := p.find(r.PathValue("sku"))
	if !ok {
		return noSuchProduct()
	}
	w.Header().Set("Cache-Control", cacheable)
	return backend.WriteJSON(w, http.StatusOK, product)
}

func (p *products) showStock(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=5")
	return backend.WriteJSON(w, http.StatusOK, p.stock)
}

// health says 503 once the shop is closing, so that balancers leave in time.
func health(closed <-chan struct{}) backend.Answer {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		select {
		case <-closed:
			return backend.Refuse(http.StatusServiceUnavailable, "CLOSING", "this replica is closing")
		default:
			return backend.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
		}
	}
}
