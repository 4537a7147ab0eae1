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

// Product is a product in responses. Its numbers are written as in data.json.
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

// Category is a category of products. Parent is nil at the top.
type Category struct {
	ID     string    `json:"id"`
	Name   string    `json:"name"`
	Parent *Category `json:"parent"`
}

// isWithin reports whether c is the category id or lies below it.
func (c *Category) isWithin(id string) bool {
	return c != nil && (c.ID == id || c.Parent.isWithin(id))
}

// products is the state that all replicas share. Everything except images is constant and needs
// no lock.
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
		product.amount = mustParseDecimal(product.Price.String())
		if product.Rating != nil {
			product.stars = mustParseDecimal(product.Rating.String())
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
		{ID: "listProducts", Route: "GET /products", Handler: p.list},
		{ID: "getProduct", Route: "GET /products/{sku}", Handler: p.get},
		{ID: "uploadProductImage", Route: "PUT /products/{sku}/image", Handler: backend.RequireAPIKey(apiKey, "shop", p.upload), MaxBody: backend.MaxUpload},
		{ID: "stock", Route: "GET /stock", Handler: p.showStock},
		{ID: "healthz", Route: "GET /healthz", Handler: health(closed)},
	}
}

// find returns a product by sku. The orders service calls it.
func (p *products) find(sku string) (*Product, bool) {
	product, ok := p.bySKU[sku]
	return product, ok
}

func noSuchProduct() *backend.Problem {
	return backend.NewProblem(http.StatusNotFound, "NO_SUCH_PRODUCT", "there is no product with this sku")
}

// cacheControl is the Cache-Control of the catalogue.
const cacheControl = "public, max-age=60, stale-while-revalidate=30"

type productPage struct {
	Data  []*Product `json:"data"`
	Total int        `json:"total"`
}

func (p *products) list(w http.ResponseWriter, r *http.Request) error {
	q, err := parseProductQuery(r)
	if err != nil {
		return err
	}
	found := slices.DeleteFunc(slices.Clone(p.all), func(product *Product) bool { return !q.matches(product) })
	slices.SortStableFunc(found, q.order)
	w.Header().Set("Cache-Control", cacheControl)
	return backend.WriteJSON(w, http.StatusOK, productPage{Data: backend.Page(found, q.offset, q.limit), Total: len(found)})
}

// productQuery has the parameters of listProducts. The results are sorted by order, also with
// ids.
type productQuery struct {
	ids           []string
	byID          bool // the parameter ids is present, perhaps empty
	text          string
	category      string
	maxPrice      *big.Rat // nil for any price
	order         func(a, b *Product) int
	offset, limit int
}

func parseProductQuery(r *http.Request) (q productQuery, err error) {
	p, err := backend.ReadParameters(r)
	if err != nil {
		return q, err
	}
	if q.ids, q.byID, err = p.List("ids", 200); err != nil {
		return q, err
	}
	if q.text, err = p.String("q"); err != nil {
		return q, err
	}
	if q.category, err = p.String("filter[category]"); err != nil {
		return q, err
	}
	if q.maxPrice, err = parseMaxPrice(p); err != nil {
		return q, err
	}
	if q.order, err = parseSort(p); err != nil {
		return q, err
	}
	if q.offset, err = p.Int("offset", 0, math.MaxInt32, 0); err != nil {
		return q, err
	}
	q.limit, err = p.Int("limit", 0, 200, 20)
	return q, err
}

func parseMaxPrice(p backend.Parameters) (*big.Rat, error) {
	text, err := p.String("filter[maxPrice]")
	if err != nil || text == "" {
		return nil, err
	}
	// A JSON number. SetString alone would also accept fractions, and exponents that need a
	// gigabyte.
	var number json.Number
	if json.Unmarshal([]byte(text), &number) != nil || len(text) > 32 || strings.ContainsAny(text, `"eE`) {
		return nil, backend.NewBadParameter("filter[maxPrice]", "a number")
	}
	price, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, backend.NewBadParameter("filter[maxPrice]", "a number")
	}
	return price, nil
}

func parseSort(p backend.Parameters) (func(a, b *Product) int, error) {
	text, err := p.String("sort")
	if err != nil {
		return nil, err
	}
	order, ok := sortOrders[cmp.Or(text, "name")]
	if !ok {
		return nil, backend.NewProblem(http.StatusUnprocessableEntity, "NO_SUCH_SORT", "sort must be one of %v", slices.Sorted(maps.Keys(sortOrders)))
	}
	return order, nil
}

// sortOrders are the orders of listProducts. Products that are equal in one are sorted by sku.
var sortOrders = map[string]func(a, b *Product) int{
	"name":   func(a, b *Product) int { return strings.Compare(a.Name, b.Name) },
	"price":  func(a, b *Product) int { return a.amount.Cmp(b.amount) },
	"-price": func(a, b *Product) int { return b.amount.Cmp(a.amount) },
	"rating": func(a, b *Product) int {
		switch {
		case a.stars == nil && b.stars == nil:
			return 0
		case a.stars == nil: // products without a rating come last
			return 1
		case b.stars == nil:
			return -1
		}
		return a.stars.Cmp(b.stars)
	},
}

func (q productQuery) matches(p *Product) bool {
	return (!q.byID || slices.Contains(q.ids, p.SKU)) &&
		(q.text == "" || p.contains(q.text)) &&
		(q.category == "" || p.Category.isWithin(q.category)) &&
		(q.maxPrice == nil || p.amount.Cmp(q.maxPrice) <= 0)
}

// contains reports whether text occurs in name or description, without regard to case.
func (p *Product) contains(text string) bool {
	searched := p.Name
	if p.Description != nil {
		searched += "\n" + *p.Description
	}
	return strings.Contains(strings.ToLower(searched), strings.ToLower(text))
}

func (p *products) get(w http.ResponseWriter, r *http.Request) error {
	product, ok := p.find(r.PathValue("sku"))
	if !ok {
		return noSuchProduct()
	}
	w.Header().Set("Cache-Control", cacheControl)
	return backend.WriteJSON(w, http.StatusOK, product)
}

func (p *products) showStock(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=5")
	return backend.WriteJSON(w, http.StatusOK, p.stock)
}

// health responds with 503 once the shop closes, so that load balancers stop using the replica.
func health(closed <-chan struct{}) backend.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Cache-Control", "no-store")
		select {
		case <-closed:
			return backend.NewProblem(http.StatusServiceUnavailable, "CLOSING", "this replica is closing")
		default:
			return backend.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
		}
	}
}
