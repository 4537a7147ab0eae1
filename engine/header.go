package engine

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
)

// HeaderMerge says which values of a header field a client receives if the responses to several calls
// have it.
type HeaderMerge uint8

const (
	// MergeLast replaces the values of calls before.
	MergeLast HeaderMerge = iota
	// MergeFirst leaves the values of calls before, if there are any.
	MergeFirst
	// MergeAppend adds to the values of calls before those that differ from all of them.
	MergeAppend
)

// HeaderField is a field in the header of a service's response that the client receives as well.
type HeaderField struct {
	Name   string // by which the client receives it, in its canonical form
	Values []string
	Merge  HeaderMerge
}

// CallHeader has the header fields of the response to one call.
type CallHeader struct {
	Fields []HeaderField
	// Response identifies the response if several fields may share it; nil for a response of one
	// field alone.
	Response any
	// Source and Request order the calls of one field. Request is called only if that is necessary.
	Source  string
	Request func() string
}

// The bounds of the header fields that a client receives from services. Further values are left out.
const (
	MaxHeaderValues = 100
	MaxHeaderBytes  = 16 << 10 // of names and values together
)

// maxCollected is how many times more than that an operation collects, since what one call adds
// another one may replace.
const maxCollected = 16

// callHeaders collects the header fields of an operation's calls.
type callHeaders struct {
	mu         sync.Mutex
	calls      []placedHeader // guarded by mu
	byResponse map[any]int    // indices of calls; guarded by mu
	size       headerSize     // of calls; guarded by mu
	dropped    int            // values that found no room; guarded by mu
}

// placedHeader is a CallHeader with the place of the field that the call is for.
type placedHeader struct {
	CallHeader
	place fieldPlace
}

// headerSize is the size of header fields.
type headerSize struct{ values, bytes int }

// add adds a value if there is room for it within times the bounds. It reports whether it did.
func (s *headerSize) add(name, value string, times int) bool {
	bytes := s.bytes + len(name) + len(value)
	if s.values == times*MaxHeaderValues || bytes > times*MaxHeaderBytes {
		return false
	}
	s.values, s.bytes = s.values+1, bytes
	return true
}

// AddHeader adds the header fields of the response to a call that ctx belongs to. Without an operation
// in ctx it does nothing.
func AddHeader(ctx context.Context, h CallHeader) {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return
	}
	to := op.headers.Load()
	if to == nil {
		op.headers.CompareAndSwap(nil, &callHeaders{})
		to = op.headers.Load()
	}
	if to != nil { // otherwise the operation has ended meanwhile
		to.add(placedHeader{h, placeOf(ctx)})
	}
}

func (c *callHeaders) add(h placedHeader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i, known := c.byResponse[h.Response]; known {
		if c.calls[i].place.compare(h.place) > 0 {
			c.calls[i].place = h.place
		}
		return
	}
	if h.Response != nil {
		if c.byResponse == nil {
			c.byResponse = map[any]int{}
		}
		c.byResponse[h.Response] = len(c.calls)
	}
	h.Fields = slices.Clone(h.Fields)
	for i := range h.Fields {
		f := &h.Fields[i]
		values := make([]string, 0, len(f.Values))
		for _, value := range f.Values {
			if !c.size.add(f.Name, value, maxCollected) {
				c.dropped++
				continue
			}
			values = append(values, value)
		}
		f.Values = values
	}
	c.calls = append(c.calls, h)
}

// TakeHeader returns the header fields that the client of the operation in ctx receives from services,
// and how many values are left out since they exceed the bounds. The header is nil if there are none.
//
// The calls add their fields one after the other, whatever order they ran in: those of a mutation's
// fields in the order of execution, and within that by the places of their fields in the text of
// the document, outer fields before inner ones. Calls of one field are ordered by the positions of its
// objects in lists, and then by source and request. A call for several fields, such as that of a batch,
// has the place of the field that caused it; a response that several fields read has the first of their
// places.
func TakeHeader(ctx context.Context) (header map[string][]string, leftOut int) {
	op, ok := ctx.Value(operationKey{}).(*operation)
	if !ok {
		return nil, 0
	}
	collected := op.headers.Swap(nil)
	if collected == nil {
		return nil, 0
	}
	collected.mu.Lock()
	defer collected.mu.Unlock()
	slices.SortStableFunc(collected.calls, placedHeader.compare)
	merged := mergedHeader{}
	for _, call := range collected.calls {
		for _, field := range call.Fields {
			merged.add(field)
		}
	}
	header, leftOut = merged.bounded()
	return header, leftOut + collected.dropped
}

// mergedHeader has the fields that calls have added so far, in the order of their first values.
type mergedHeader []HeaderField

func (m *mergedHeader) add(f HeaderField) {
	if len(f.Values) == 0 {
		return
	}
	at := slices.IndexFunc(*m, func(known HeaderField) bool { return known.Name == f.Name })
	if at < 0 {
		*m = append(*m, HeaderField{Name: f.Name})
		at = len(*m) - 1
	}
	known := &(*m)[at]
	switch {
	case f.Merge == MergeAppend:
		for _, value := range f.Values {
			if !slices.Contains(known.Values, value) {
				known.Values = append(known.Values, value)
			}
		}
	case f.Merge == MergeLast || known.Values == nil:
		known.Values = slices.Clip(f.Values)
	}
}

// bounded returns the fields within the bounds, and the number of values that exceed them.
func (m mergedHeader) bounded() (header map[string][]string, leftOut int) {
	var size headerSize
	for _, f := range m {
		for _, value := range f.Values {
			if !size.add(f.Name, value, 1) {
				leftOut++
				continue
			}
			if header == nil {
				header = map[string][]string{}
			}
			header[f.Name] = append(header[f.Name], value)
		}
	}
	return header, leftOut
}

// compare orders headers as TakeHeader says.
func (h placedHeader) compare(other placedHeader) int {
	if order := cmp.Or(h.place.compare(other.place), strings.Compare(h.Source, other.Source)); order != 0 {
		return order
	}
	if h.Request == nil || other.Request == nil {
		return 0
	}
	return strings.Compare(h.Request(), other.Request())
}

// fieldPlace is where the field of a call stands, in the document and in the response.
type fieldPlace struct {
	epoch     int
	positions []int // in the document, of the field and those around it, the outermost first
	indices   []int // in the lists around the field, the outermost first
}

// placeOf returns the place of the field that ctx belongs to.
func placeOf(ctx context.Context) (p fieldPlace) {
	p.epoch = epochOf(ctx).number
	ctx, ok := fieldContextOf(ctx)
	if !ok {
		return p
	}
	for fc := graphql.GetFieldContext(ctx); fc != nil; fc = fc.Parent {
		switch {
		case fc.Index != nil:
			p.indices = append(p.indices, *fc.Index)
		case fc.Field.Field != nil && fc.Field.Position != nil:
			p.positions = append(p.positions, fc.Field.Position.Start)
		}
	}
	slices.Reverse(p.positions)
	slices.Reverse(p.indices)
	return p
}

func (p fieldPlace) compare(other fieldPlace) int {
	return cmp.Or(
		cmp.Compare(p.epoch, other.epoch),
		slices.Compare(p.positions, other.positions),
		slices.Compare(p.indices, other.indices),
	)
}
