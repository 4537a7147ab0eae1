package page

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// pager fetches up to first items after the position start.
type pager[T any] struct {
	Request
	first int
	start position
	fetch func(context.Context, Range) (Response[T], error)

	degraded []engine.Degradation // of the responses so far
}

// get requests a page of the service.
func (p *pager[T]) get(ctx context.Context, at Range) (Response[T], error) {
	response, err := p.fetch(ctx, at)
	if d := engine.AsDegraded(err); d != nil {
		p.degraded = append(p.degraded, d.Degradations...)
		err = nil
	}
	return response, err
}

// items returns the items in the way that the service pages.
func (p *pager[T]) items(ctx context.Context) (window[T], error) {
	switch p.Type {
	case PageNumber:
		return p.byPageNumber(ctx)
	case NextCursor:
		return p.byCursor(ctx)
	}
	return p.byOffset(ctx)
}

// byOffset asks for one item more than the page has, by which it learns whether more items follow,
// unless the service says so itself. Where that item would exceed Max, or a service does not say
// what it should, a full page costs a second call, for the one item after it.
func (p *pager[T]) byOffset(ctx context.Context) (w window[T], err error) {
	size := max(p.first, 1)
	if !p.ReportsMore && p.first < p.Max {
		size = p.first + 1
	}
	response, err := p.get(ctx, Range{Offset: p.start.skip, Size: size})
	if err != nil {
		return w, err
	}
	w.add(response, 0, p.start)
	more, known := response.hasMore(p.start.skip)
	if w.more = more; known || p.first == 0 || len(response.Items) != p.first || size > p.first {
		return w, nil // truncate notes an item beyond the page
	}
	w.more, err = p.hasItemAt(ctx, p.start.skip+size)
	return w, err
}

// byPageNumber asks for one item more than the page has, like byOffset, if one page of the service
// holds both; see coveringSize. Otherwise it asks for pages of first items, of which one costs one
// call, or two if the position lies between two of these pages: the items after it are at the end of
// one page and at the beginning of the next. If nothing says whether a full page
// is the last one, the one item after it costs a second call.
//
// Positions are those of the pages as they should be. A page may be short, since some services
// filter pages after cutting them: the next page begins at the same border all the same, so that
// no item is lost or repeated.
func (p *pager[T]) byPageNumber(ctx context.Context) (w window[T], err error) {
	if size, ok := p.coveringSize(); ok {
		return p.byCoveringPage(ctx, size)
	}
	size := max(p.first, 1)
	for page, skip := p.start.skip/size, p.start.skip%size; ; page, skip = page+1, 0 {
		border := page * size
		response, err := p.fetchPage(ctx, page, size)
		if err != nil {
			return w, err
		}
		more, known := response.hasMore(border)
		isFull := len(response.Items) >= size
		// A page that goes beyond the total shows that the total, or the size of the pages, is not
		// what it should be; only an empty page is then known to be the last.
		w.more = more || !known && (isFull || response.hasTotal() && len(response.Items) > 0) || len(response.Items) > size
		response.Items = response.Items[:min(size, len(response.Items))] // the rest comes with the next page
		w.add(response, skip, position{skip: border})
		if w.more && len(w.after) > 0 { // even if the page is short
			w.continueAt(position{skip: border + size})
		}
		switch {
		case skip > 0 && w.more: // the rest of the page is in the next one
		case w.more && !known && isFull && p.first > 0 && border == p.start.skip:
			w.more, err = p.hasItemAt(ctx, border+size)
			return w, err
		default:
			return w, nil
		}
	}
}

// byCoveringPage requests one page of the service that has all items of the page and the one after
// them, which truncate drops and takes as a sign that there are more.
func (p *pager[T]) byCoveringPage(ctx context.Context, size int) (w window[T], err error) {
	page := p.start.skip / size
	response, err := p.fetchPage(ctx, page, size)
	if err != nil {
		return w, err
	}
	more, known := response.hasMore(page * size)
	w.more = known && more
	w.add(response, p.start.skip%size, position{skip: page * size})
	return w, nil
}

// coveringSize returns the smallest size of pages of which one holds first items from the position
// start on, and one more. It reports false if there is none, or if the service says itself whether
// there are more items. A page has at most twice as many items as are needed, or 20 more: the
// second page of a hundred items is within the first 201.
func (p *pager[T]) coveringSize() (size int, ok bool) {
	if p.ReportsMore || p.first == 0 {
		return 0, false
	}
	for size := p.first + 1; size <= min(p.Max, max(2*p.first+1, p.first+20)); size++ {
		if p.start.skip%size+p.first < size {
			return size, true
		}
	}
	return 0, false
}

func (p *pager[T]) fetchPage(ctx context.Context, page, size int) (Response[T], error) {
	return p.get(ctx, Range{Page: p.firstPage() + page, Offset: page * size, Size: size})
}

// hasItemAt asks for one item, and reports whether it is there.
func (p *pager[T]) hasItemAt(ctx context.Context, index int) (bool, error) {
	response, err := p.fetchPage(ctx, index, 1)
	return len(response.Items) > 0, err
}

// firstPage returns the number of the service's first page.
func (p *pager[T]) firstPage() int {
	if p.FirstPage == nil {
		return 1
	}
	return *p.FirstPage
}

// byCursor asks for the page in which the position lies once more, and drops the items before it.
// A service's cursors exist only between its pages, so a position inside a page is the page's
// cursor together with a number of items to skip. The page is requested as much longer, up to Max.
func (p *pager[T]) byCursor(ctx context.Context) (w window[T], err error) {
	at := Range{Size: min(max(p.first, 1)+p.start.skip, p.Max)}
	if p.start.cursor != "" {
		at.Cursor = &p.start.cursor
	}
	response, err := p.get(ctx, at)
	if err != nil {
		return w, err
	}
	w.add(response, p.start.skip, position{cursor: p.start.cursor})
	next := response.nextCursor(p.start.cursor)
	if p.start.cursor == "" && response.hasTotal() && int64(len(response.Items)) == *response.Total {
		next = "" // of a service that sends a cursor with its last page, too
	}
	if len(next) > maxServiceCursor {
		return w, fault.New(fault.DownstreamService, "the service's cursor has %d bytes; at most %d can be handed on", len(next), maxServiceCursor)
	}
	if next != "" {
		w.continueAt(position{cursor: next, skip: max(0, p.start.skip-len(response.Items))})
	}
	return w, nil
}

// hasMore reports whether there are items after the response, whose first item is at index start.
// known is false if the service does not say so, and if its total is less than what it has sent.
func (a Response[T]) hasMore(start int) (more, known bool) {
	end := int64(start + len(a.Items))
	switch {
	case a.HasMore != nil:
		return *a.HasMore, true
	case a.hasTotal() && (end <= *a.Total || len(a.Items) == 0):
		return end < *a.Total, true
	}
	return false, false
}

func (a Response[T]) hasTotal() bool { return a.Total != nil && *a.Total >= 0 }

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
	total *int64
}

// add appends the items of a response except the first skip ones. start is the position of the
// response's first item.
func (w *window[T]) add(response Response[T], skip int, start position) {
	if response.hasTotal() {
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
