package page

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// pager fetches up to first items after the position start.
type pager[T any] struct {
	Request
	first int
	start position
	fetch func(context.Context, Range) (Response[T], error)
}

// items returns the items in the way that the service pages.
func (p pager[T]) items(ctx context.Context) (window[T], error) {
	switch p.Type {
	case PageNumber:
		return p.byPageNumber(ctx)
	case NextCursor:
		return p.byCursor(ctx)
	}
	return p.byOffset(ctx)
}

// byOffset costs one call. To find out whether more items follow it asks for one item more, unless
// the service says so itself or first is already Max.
func (p pager[T]) byOffset(ctx context.Context) (w window[T], err error) {
	size := max(p.first, 1)
	if !p.ReportsMore && p.first < p.Max {
		size = p.first + 1
	}
	response, err := p.fetch(ctx, Range{Offset: p.start.skip, Size: size})
	if err != nil {
		return w, err
	}
	w.add(response, 0, p.start)
	w.more = response.hasMore(p.start.skip+len(response.Items), size)
	return w, nil
}

// byPageNumber asks for pages of first items. A position between two of these pages costs two
// calls: the items after it are at the end of one page and at the beginning of the next.
//
// Positions are those of the pages as they should be. A page may be short, since some services
// filter pages after cutting them: the next page begins at the same border all the same, so that
// no item is lost or repeated.
func (p pager[T]) byPageNumber(ctx context.Context) (w window[T], err error) {
	size := max(p.first, 1)
	for page, skip := p.start.skip/size, p.start.skip%size; ; page, skip = page+1, 0 {
		border := page * size
		response, err := p.fetch(ctx, Range{Page: p.firstPage() + page, Offset: border, Size: size})
		if err != nil {
			return w, err
		}
		w.more = len(response.Items) > size || response.hasMore(border+len(response.Items), size)
		response.Items = response.Items[:min(size, len(response.Items))] // the rest comes with the next page
		w.add(response, skip, position{skip: border})
		if w.more && len(w.after) > 0 { // even if the page is short
			w.continueAt(position{skip: border + size})
		}
		if skip == 0 || !w.more {
			return w, nil
		}
	}
}

// firstPage returns the number of the service's first page.
func (p pager[T]) firstPage() int {
	if p.FirstPage == nil {
		return 1
	}
	return *p.FirstPage
}

// byCursor asks for the page in which the position lies once more, and drops the items before it.
// A service's cursors exist only between its pages, so a position inside a page is the page's
// cursor together with a number of items to skip. The page is requested as much longer, up to Max.
func (p pager[T]) byCursor(ctx context.Context) (w window[T], err error) {
	at := Range{Size: min(max(p.first, 1)+p.start.skip, p.Max)}
	if p.start.cursor != "" {
		at.Cursor = &p.start.cursor
	}
	response, err := p.fetch(ctx, at)
	if err != nil {
		return w, err
	}
	w.add(response, p.start.skip, position{cursor: p.start.cursor})
	next := response.nextCursor(p.start.cursor)
	if len(next) > maxServiceCursor {
		return w, fault.New(fault.DownstreamService, "the service's cursor has %d bytes; at most %d can be handed on", len(next), maxServiceCursor)
	}
	if next != "" {
		w.continueAt(position{cursor: next, skip: max(0, p.start.skip-len(response.Items))})
	}
	return w, nil
}

// hasMore reports whether there are items after the one at index end-1, if size items were
// requested. A service that does not say so has more if the page is full.
func (a Response[T]) hasMore(end, size int) bool {
	switch {
	case a.HasMore != nil:
		return *a.HasMore
	case a.Total != nil && *a.Total >= 0:
		return end < *a.Total
	}
	return len(a.Items) >= size
}

// nextCursor returns the service's cursor of the page after the requested one, "" if there is
// none. A service that sends the requested cursor again is at its end, or clients would page
// forever.
func (a Response[T]) nextCursor(requested string) string {
	if a.NextCursor == nil || *a.NextCursor == requested || a.HasMore != nil && !*a.HasMore {
		return ""
	}
	return *a.NextCursor
}

// window is a part of the list, with the position after each item.
type window[T any] struct {
	items []T
	after []position
	next  *position // where to continue when there are no items, since the service's page was empty
	more  bool
	total *int
}

// add appends the items of a response except the first skip ones. start is the position of the
// response's first item.
func (w *window[T]) add(response Response[T], skip int, start position) {
	if response.Total != nil && *response.Total >= 0 {
		w.total = response.Total
	}
	for i := skip; i < len(response.Items); i++ {
		w.items = append(w.items, response.Items[i])
		w.after = append(w.after, position{cursor: start.cursor, skip: start.skip + i + 1})
	}
}

// continueAt makes p the position after the last item, where more items follow.
func (w *window[T]) continueAt(p position) {
	w.more = true
	if last := len(w.after) - 1; last >= 0 {
		w.after[last] = p
		return
	}
	w.next = &p
}

// truncate keeps the first n items: a service may send more than it was asked for.
func (w *window[T]) truncate(n int) {
	if len(w.items) <= n {
		return
	}
	w.items, w.after, w.more = w.items[:n], w.after[:n], true
}

// connection returns the window as a connection, with sealed cursors.
func (w *window[T]) connection(c *cursors, from position) Connection[T] {
	conn := Connection[T]{
		Items:       append([]T{}, w.items...), // never nil
		Cursors:     make([]string, len(w.after)),
		HasPrevious: from != position{},
		Total:       w.total,
	}
	for i, p := range w.after {
		conn.Cursors[i] = c.seal(p)
	}
	switch last := len(conn.Cursors) - 1; {
	case last >= 0:
		conn.Start, conn.End = &conn.Cursors[0], &conn.Cursors[last]
	case w.next != nil:
		conn.End = new(c.seal(*w.next))
	}
	conn.HasNext = w.more && conn.End != nil
	return conn
}
