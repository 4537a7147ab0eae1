package page

import (
	"context"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// pager fetches the items after a position.
type pager[T any] struct {
	Request
	first int
	start  position
	fetch func(context.Context, At) (Answer[T], error)
}

func (w pager[T]) items(ctx context.Context) (window[T], error) {
	switch w.Type {
	case PageNumber:
		return w.byPageNumber(ctx)
	case NextCursor:
		return w.byCursor(ctx)
	}
	return w.byOffset(ctx)
}

func (w pager[T]) byOffset(ctx context.Context) (s window[T], err error) {
	size := max(w.first, 1)
	if !w.Tells && w.first < w.Max {
		size = w.first + 1
	}
	answer, err := w.fetch(ctx, At{Offset: w.start.skip, Size: size})
	if err != nil {
		return s, err
	}
	s.add(answer, 0, w.start)
	s.more = answer.hasMore(w.start.skip+len(answer.Items), size)
	return s, nil
}

// byPageNumber asks for pages as long as what is wanted. If that begins in the middle of one
// page, it ends in the middle of the next.
func (w pager[T]) byPageNumber(ctx context.Context) (s window[T], err error) {
	size := max(w.first, 1)
	for page, skip := w.start.skip/size, w.start.skip%size; ; page, skip = page+1, 0 {
		border := page * size
		answer, err := w.fetch(ctx, At{Page: w.firstPage() + page, Offset: border, Size: size})
		if err != nil {
			return s, err
		}
		s.more = len(answer.Items) > size || answer.hasMore(border+len(answer.Items), size)
		answer.Items = answer.Items[:min(size, len(answer.Items))] // what is beyond comes with the next page
		s.add(answer, skip, position{skip: border})
		if s.more && len(s.after) > 0 { // also after a page that is short, since the service hides some
			s.continueAt(position{skip: border + size})
		}
		if skip == 0 || !s.more {
			return s, nil
		}
	}
}

func (w pager[T]) firstPage() int {
	if w.FirstPage == nil {
		return 1
	}
	return *w.FirstPage
}

// byCursor asks once more for the page in whose middle it begins, and leaves out what was
// given before.
func (w pager[T]) byCursor(ctx context.Context) (s window[T], err error) {
	at := At{Size: min(max(w.first, 1)+w.start.skip, w.Max)}
	if w.start.cursor != "" {
		at.Cursor = &w.start.cursor
	}
	answer, err := w.fetch(ctx, at)
	if err != nil {
		return s, err
	}
	s.add(answer, w.start.skip, position{cursor: w.start.cursor})
	next := answer.nextCursor(w.start.cursor)
	if len(next) > maxServiceCursor {
		return s, fault.New(fault.DownstreamService, "the service's cursor has %d bytes; at most %d can be handed on", len(next), maxServiceCursor)
	}
	if next != "" {
		s.continueAt(position{cursor: next, skip: max(0, w.start.skip-len(answer.Items))})
	}
	return s, nil
}

// hasMore tells whether there are items after the end-th, when size were asked for.
func (a Answer[T]) hasMore(end, size int) bool {
	switch {
	case a.More != nil:
		return *a.More
	case a.Total != nil && *a.Total >= 0:
		return end < *a.Total
	}
	return len(a.Items) >= size
}

// nextCursor is where the service goes on after the page at asked, "" when it does not. One that
// gives the same cursor again would go on for ever.
func (a Answer[T]) nextCursor(asked string) string {
	if a.Next == nil || *a.Next == asked || a.More != nil && !*a.More {
		return ""
	}
	return *a.Next
}

// window is a row of items, each with the position after it.
type window[T any] struct {
	items  []T
	after  []position
	next *position // after no items at all, when there may be some further on
	more   bool
	total  *int
}

// add adds what the page that begins at start has after its first skip items.
func (s *window[T]) add(answer Answer[T], skip int, start position) {
	if answer.Total != nil && *answer.Total >= 0 {
		s.total = answer.Total
	}
	for i := skip; i < len(answer.Items); i++ {
		s.items = append(s.items, answer.Items[i])
		s.after = append(s.after, position{cursor: start.cursor, skip: start.skip + i + 1})
	}
}

// continueAt says that what follows the last item begins at p.
func (s *window[T]) continueAt(p position) {
	s.more = true
	if last := len(s.after) - 1; last >= 0 {
		s.after[last] = p
		return
	}
	s.next = &p
}

// truncate leaves no more than first items, however many the service sent.
func (s *window[T]) truncate(first int) {
	if len(s.items) <= first {
		return
	}
	s.items, s.after, s.more = s.items[:first], s.after[:first], true
}

func (s *window[T]) connection(c *cursors, from position) Connection[T] {
	conn := Connection[T]{
		Items:       append([]T{}, s.items...), // never nil
		Cursors:     make([]string, len(s.after)),
		HasPrevious: from != position{},
		Total:       s.total,
	}
	for i, p := range s.after {
		conn.Cursors[i] = c.seal(p)
	}
	switch last := len(conn.Cursors) - 1; {
	case last >= 0:
		conn.Start, conn.End = &conn.Cursors[0], &conn.Cursors[last]
	case s.next != nil:
		conn.End = new(c.seal(*s.next))
	}
	conn.HasNext = s.more && conn.End != nil
	return conn
}
