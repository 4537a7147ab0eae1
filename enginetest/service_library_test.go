package enginetest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// library is a service with pages, lists of lists, and objects that are completed by key. What it
// sends for an id, and which items a page has, depends on the seed alone and not on what else is
// requested.
type library struct {
	*generator
	seed uint64
}

// derive returns a library whose random values depend on the seed and on what they are about
// alone.
func (l *library) derive(about ...any) *library {
	return &library{&generator{random(l.seed, fmt.Sprint(about...))}, l.seed}
}

// response returns what the service sends for a path below /library.
func (l *library) response(path []string, sent url.Values) any {
	switch path[0] {
	case "writers":
		if len(path) > 1 {
			return l.noisy(l.writer(path[1]))
		}
		return l.list(func() any { return l.writer(l.id()) })
	case "shelves":
		return l.list(func() any { return l.list(func() any { return l.story(l.id()) }) })
	case "stories":
		return l.noisy(l.story(path[1]))
	case "shelf":
		return l.list(func() any { return l.story(path[1]) })
	case "writersById":
		return l.byID(sent, "writer", func(l *library, id string) any { return l.writer(id) })
	case "editorsById":
		return l.byID(sent, "editor", func(l *library, id string) any { return l.editor(id, true) })
	case "editorIds":
		return l.page("editors", sent, func(l *library) any { return l.editor(l.id(), false) })
	case "of":
		return l.page(path[1], sent, func(l *library) any { return l.story(l.id()) })
	}
	return l.page(path[0], sent, func(l *library) any { return l.story(l.id()) })
}

// page returns the part of a list that is requested by an offset, a page number or a cursor.
func (l *library) page(list string, sent url.Values, item func(*library) any) any {
	n, _ := strconv.Atoi(sent.Get("n"))
	from, _ := strconv.Atoi(sent.Get("from") + sent.Get("cursor"))
	if number, err := strconv.Atoi(sent.Get("page")); err == nil {
		from = (number - 1) * n
	}
	total := l.derive(list).IntN(7)
	items := []any{}
	for i := from; i < min(from+n, total); i++ {
		one := l.derive("item", list, i)
		v := item(one)
		if one.IntN(2) == 0 {
			v = one.noisy(v)
		}
		items = append(items, v)
	}
	page := object{"items": items, "total": l.noisy(total), "more": l.noisy(from+n < total), "next": nil}
	if from+n < total {
		page["next"] = strconv.Itoa(from + n)
	}
	return page
}

// byID returns an item for each id. Each item has its id: which keys an item without one fails
// would depend on the other ids of the call.
func (l *library) byID(sent url.Values, what string, of func(l *library, id string) any) any {
	found := []any{}
	for _, id := range strings.Split(strings.Join(sent["ids"], ","), ",") {
		if one := l.derive(what, id); one.IntN(8) > 0 {
			found = append(found, of(one, id))
		}
	}
	return found
}

func (l *library) id() string { return strconv.Itoa(l.IntN(6)) }

func (l *library) story(id string) any {
	o := object{"id": id, "title": l.noisy("t" + id), "editorId": l.noisy(l.id())}
	if l.IntN(20) == 0 {
		o["id"] = l.noisy(id)
	}
	if l.IntN(4) == 0 {
		o["sequel"] = l.noisy(l.story(l.id()))
	}
	return o
}

func (l *library) writer(id string) any {
	story := func() any { return l.story(l.id()) }
	grid := []any{}
	for range l.IntN(3) {
		grid = append(grid, []any{story(), story()})
	}
	return object{
		"id": id, "name": l.noisy("w" + id), "drafts": l.list(story), "draftGrid": grid,
		"editor": l.noisy(l.editor(l.id(), true)), "mustEditor": l.editor(l.id(), true),
		"editors": l.list(func() any { return l.editor(l.id(), true) }), "mustEditors": l.list(func() any { return l.editor(l.id(), true) }),
	}
}

func (l *library) editor(id string, whole bool) any {
	o := object{"id": id}
	if whole {
		o["name"], o["rank"], o["first"] = l.noisy("e"+id), l.noisy(l.IntN(9)), l.noisy(l.story(l.id()))
	}
	return o
}
