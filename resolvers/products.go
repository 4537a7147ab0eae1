package resolvers

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/graph/model"
)

// InStock resolves Product.inStock by the resolver of Product.stock. Both need one call
// together.
func (r productResolver) InStock(ctx context.Context, products []*model.Product) ([]*bool, error) {
	stock, err := r.Stock(ctx, products)
	inStock := make([]*bool, len(products))
	for i, n := range stock {
		if n != nil {
			available := *n > 0
			inStock[i] = &available
		}
	}
	return inStock, err
}

// TimesOrdered resolves Product.timesOrdered. It has a batch of its own: the orders are read
// once for all products of the operation.
func (r productResolver) TimesOrdered(ctx context.Context, products []*model.Product) ([]*int, error) {
	return engine.LoadOne(ctx, products, []string{"sku"}, func(p *model.Product) *string {
		return &p.Sku
	}, engine.Batch[string, *int]{Identity: engine.Identity{Request: "times ordered"}, Fetch: r.countOrders})
}

// The bounds of reading all orders, so that one field cannot use up the operation's calls.
const (
	pageSize = 100
	maxPages = 20
)

// countOrders returns how many of each product were ordered, by sku. It reads orders without
// decode.Faults, so that an order that does not fit the graph is an error: a count of the
// others would be wrong.
func (r productResolver) countOrders(ctx context.Context, skus []string) (map[string]*int, error) {
	ctx = engine.WithFaults(ctx, nil)
	counts := make(map[string]*int, len(skus))
	for _, sku := range skus {
		counts[sku] = new(int)
	}
	size, after := pageSize, (*string)(nil)
	for range maxPages {
		orders, err := queryResolver(r).Orders(ctx, nil, nil, &size, after)
		if err != nil {
			return nil, err
		}
		for _, order := range orders.Nodes {
			for _, line := range order.Lines {
				if n, ok := counts[line.ProductID]; ok {
					*n += line.Quantity
				}
			}
		}
		if after = orders.PageInfo.EndCursor; !orders.PageInfo.HasNextPage {
			return counts, nil
		}
	}
	return nil, fault.New(fault.BadRequest, "there are too many orders to count")
}

// searchedProducts is how many products a search reads.
const searchedProducts = 200

// Search resolves Query.search: the products that their service finds, followed by the
// categories of all products whose names contain the text.
func (r queryResolver) Search(ctx context.Context, text string) ([]model.SearchResult, error) {
	if utf8.RuneCountInString(text) < 2 {
		return nil, fault.New(fault.BadUserInput, "text must have at least 2 characters")
	}
	limit := searchedProducts
	var found, all *model.ProductConnection
	err := engine.RunAll(ctx,
		func(ctx context.Context) (err error) {
			found, err = r.Products(ctx, &text, nil, nil, &limit, nil)
			return err
		},
		func(ctx context.Context) (err error) {
			all, err = r.Products(engine.WithFaults(ctx, nil), nil, nil, nil, &limit, nil)
			return err
		})
	if err != nil {
		return nil, err
	}
	results := []model.SearchResult{}
	for _, p := range found.Nodes {
		results = append(results, p)
	}
	for _, c := range categories(all.Nodes) {
		if strings.Contains(strings.ToLower(c.Name), strings.ToLower(text)) {
			results = append(results, c)
		}
	}
	return results, nil
}

// categories returns the categories of products and their ancestors, without duplicates.
func categories(products []*model.Product) []*model.Category {
	seen := map[string]bool{}
	var all []*model.Category
	for _, p := range products {
		for c := p.Category; c != nil && !seen[c.ID]; c = c.Parent {
			seen[c.ID] = true
			all = append(all, c)
		}
	}
	return all
}
