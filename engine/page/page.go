// Package page makes Relay connections (https://relay.dev/graphql/connections.htm) of the
// pages that services give, by whichever of three ways a service pages.
//
// It promises that a page has no more items than its field allows and asks a service for
// no more; that it costs one call, or two where page numbers leave no other way; and that
// a cursor works only in the list that gave it and shows nothing of the service.
package page

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Type is how a service pages.
type Type int

const (
	// Offset counts items from the beginning: offset=40&limit=20.
	Offset Type = iota
	// PageNumber counts pages of an asked size: page=3&size=20.
	PageNumber
	// NextCursor goes on from a cursor which the service gave with the page before.
	NextCursor
)

// What one page may have unless told otherwise.
const (
	DefaultFirst = 20
	DefaultMax   = 100
)

// Request is what a field was asked for, and what its binding says of the service.
type Request struct {
	// Field is the field with its type, as Query.products. Its cursors work nowhere else.
	Field string
	// Parent tells whose list it is, besides Field: the parent's key, and the claim where
	// a claim decides. Cursors of one do not work with another. "" at the root.
	Parent string

	// First and After are the field's arguments.
	First *int
	After *string
	// Total says that the client wants to know how many items there are. With a First of 0
	// the service is called for nothing else.
	Total bool

	// Default is how many items a null First means. Default 20.
	Default int
	// Max is how many items the client may ask for, and the service is asked for, at a
	// time. It must not be more than the service gives. Default 100.
	Max int
	// Type is how the service pages.
	Type Type
	// FirstPage is the number of PageNumber's first page. Nil means 1.
	FirstPage *int
	// Tells says that each answer has a Total or More, so that Offset need not ask for
	// one item more than wanted to see whether there is one.
	Tells bool
}

// At is the page to ask the service for. Size is never 0; of the others, the one of the
// binding's Type counts.
type At struct {
	Size   int
	Offset int
	Page   int
	Cursor *string // nil for the first page
}

// Answer is what the service told. What it left out is nil.
type Answer[T any] struct {
	Items []T
	// Total is how many items there are on all pages; negative counts as left out.
	Total *int
	// Next is the cursor of the page after; nil or "" when there is none.
	Next *string
	// More tells whether there are items after these.
	More *bool
}

// Connection is one page for the client.
type Connection[T any] struct {
	// Items are never more than were asked for, and never nil. An item that is null
	// keeps its place.
	Items []T
	// Cursors has the cursor of each item.
	Cursors []string
	// HasNext is only true when there is an End to go on from.
	HasNext, HasPrevious bool
	// Start and End are the first and the last cursor, nil on an empty page. When the
	// service gave an empty page with a Next, End is where to go on all the same.
	Start, End *string
	// Total is what the service told last.
	Total *int
}

// Of asks fetch for the page of r. Arguments that cannot be met are faults of the kind
// BadUserInput, found before any call; an error of fetch is given back as it is. The items
// are taken from the operation's budget, since pages below pages multiply.
func Of[T any](ctx context.Context, r Request, fetch func(context.Context, At) (Answer[T], error)) (Connection[T], error) {
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
	if err := engine.SpendItems(ctx, 0); err != nil { // which a call would not change
		return Connection[T]{}, err
	}
	var s window[T]
	if first > 0 || r.Total {
		if s, err = (pager[T]{r, first, from, fetch}).items(ctx); err != nil {
			return Connection[T]{}, err
		}
	}
	s.truncate(first)
	if err := engine.SpendItems(ctx, len(s.items)); err != nil {
		return Connection[T]{}, err
	}
	return s.connection(cursors, from), nil
}

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

// pageSize is how many items are wanted.
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
