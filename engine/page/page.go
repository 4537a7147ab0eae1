// Package page returns Relay connections (https://relay.dev/graphql/connections.htm) over services
// that page in one of three ways: by offset, by page number, or by a cursor of their own.
//
// A page never has more items than its field allows, and no service is asked for more. A page
// costs one call, or two where page numbers leave no other way or where the item after a full page
// has to be asked for on its own. A cursor works only in the list that it comes from, and reveals
// nothing of the service.
package page

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Type is how a service pages.
type Type int

const (
	// Offset is a number of items from the beginning of the list: offset=40&limit=20.
	Offset Type = iota
	// PageNumber is a number of pages of the requested size: page=3&size=20.
	PageNumber
	// NextCursor is a cursor that the service sent with the page before.
	NextCursor
)

// The defaults of Request.Default and Request.Max.
const (
	DefaultFirst = 20
	DefaultMax   = 100
)

// Request is what a client asks of a field, together with what the binding says of the service.
type Request struct {
	// Field is the field with its type, such as Query.products. Its cursors do not work in other
	// fields.
	Field string
	// Parent identifies the list among those of Field: the key of the parent, and the claim of
	// the caller where the list depends on one. Cursors of one list do not work in another. It is
	// "" at the root.
	Parent string

	// First and After are the field's arguments.
	First *int
	After *string
	// WantsTotal is whether the client selects the total number of items. If First is 0, the service
	// is called only when WantsTotal is set.
	WantsTotal bool

	// Default is the number of items for a null First. Default 20.
	Default int
	// Max is the highest First, and the most items that the service is asked for in one call. It
	// must not be higher than what the service sends in one page. Default 100.
	Max int
	// Type is how the service pages.
	Type Type
	// FirstPage is the number of the service's first page, for PageNumber. Nil means 1.
	FirstPage *int
	// ReportsMore is whether each response of the service has a Total or HasMore. Without them, Offset
	// and PageNumber ask for one item more than First to find out whether there are more.
	ReportsMore bool
}

// Range is the page to request from the service. Size is at least 1. Of the other fields only the one
// of Request.Type is meant for the service.
type Range struct {
	Size   int
	Offset int
	Page   int
	Cursor *string // nil for the first page
}

// Response is what the service sent. A field that it lacks is nil.
type Response[T any] struct {
	Items []T
	// Total is the number of items on all pages. A negative one is ignored.
	Total *int64
	// NextCursor is the cursor of the next page; nil or "" on the last one.
	NextCursor *string
	// HasMore is whether there are items after these.
	HasMore *bool
}

// Connection is one page for the client.
type Connection[T any] struct {
	// Items has at most First items, and is never nil. Items that are null are among them.
	Items []T
	// Cursors has the cursor of each item.
	Cursors []string
	// HasNext is true only if End is set, so that a client can continue.
	HasNext, HasPrevious bool
	// Start and End are the first and the last cursor, nil on an empty page. If the service sent
	// an empty page with a Next, End is where to continue.
	Start, End *string
	// Total is the total number of items that the service sent last, nil if it sent none.
	Total *int64

	degraded []engine.Degradation // of the service's pages
}

// Degraded returns the error for a value that is made of c: a *engine.Degraded if c is made of pages that
// are not the present ones, and nil otherwise.
func (c Connection[T]) Degraded(value any) error { return engine.OldestDegraded(value, c.degraded) }

// Load requests the page of r from the service by fetch. It returns a *fault.Error with the code
// BadUserInput, before any call, for arguments that cannot be met, and errors of fetch as they
// are, except for a *engine.Degraded, which the result has. The context must hold a key for cursors; see WithKey. The items count against the
// operation's budget, since lists in lists multiply.
func Load[T any](ctx context.Context, r Request, fetch func(context.Context, Range) (Response[T], error)) (Connection[T], error) {
	r = r.withDefaults()
	first, err := r.pageSize()
	if err != nil {
		return Connection[T]{}, err
	}
	cursors, err := newCursors(ctx, r)
	if err != nil {
		return Connection[T]{}, err
	}
	from, err := cursors.open(r.After)
	if err != nil {
		return Connection[T]{}, err
	}
	if err := engine.SpendItems(ctx, 0); err != nil { // spare the call if the budget is spent already
		return Connection[T]{}, err
	}
	var w window[T]
	p := pager[T]{Request: r, first: first, start: from, fetch: fetch}
	if first > 0 || r.WantsTotal {
		if w, err = p.items(ctx); err != nil {
			return Connection[T]{}, err
		}
	}
	w.truncate(first)
	if err := engine.SpendItems(ctx, len(w.items)); err != nil {
		return Connection[T]{}, err
	}
	c := w.connection(cursors, from)
	c.degraded = p.degraded
	return c, nil
}

// withDefaults returns r with its defaults. Max is at most maxSkip, so that positions do not
// overflow.
func (r Request) withDefaults() Request {
	if r.Max <= 0 {
		r.Max = DefaultMax
	}
	if r.Default <= 0 {
		r.Default = DefaultFirst
	}
	r.Max = min(r.Max, maxSkip)
	r.Default = min(r.Default, r.Max)
	return r
}

// pageSize returns how many items the client asks for.
func (r Request) pageSize() (int, error) {
	switch {
	case r.First == nil:
		return r.Default, nil
	case *r.First < 0:
		return 0, fault.New(fault.BadUserInput, "first is %d; ask for 0 to %d items", *r.First, r.Max)
	case *r.First > r.Max:
		return 0, fault.New(fault.BadUserInput, "first is %d, but at most %d are given at a time", *r.First, r.Max)
	}
	return *r.First, nil
}
