package enginetest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// library is a service with pages, lists of lists and entities. What it says of one id, and
// which items a page has, depends on the world alone and not on what else is asked for.
type library struct {
	*maker
	world uint64
}

// of returns a library whose chances depend on a thing alone.
func (l *library) of(about ...any) *library {
	return &library{&maker{chance(l.world, fmt.Sprint(about...))}, l.world}
}

// answer is what stands under a path below /library.
func (l *library) answer(path []string, sent url.Values) any {
	switch path[0] {
	case "writers":
		if len(path) > 1 {
			return l.fits(l.writer(path[1]))
		}
		return l.list(func() any { return l.writer(l.id()) })
	case "shelves":
		return l.list(func() any { return l.list(func() any { return l.story(l.id()) }) })
	case "stories":
		return l.fits(l.story(path[1]))
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

// page is the part of a list that is asked for by an offset, a number or a cursor.
func (l *library) page(list string, sent url.Values, item func(*library) any) any {
	n, _ := strconv.Atoi(sent.Get("n"))
	from, _ := strconv.Atoi(sent.Get("from") + sent.Get("cursor"))
	if number, err := strconv.Atoi(sent.Get("page")); err == nil {
		from = (number - 1) * n
	}
	total := l.of(list).IntN(7)
	items := []any{}
	for i := from; i < min(from+n, total); i++ {
		one := l.of("item", list, i)
		v := item(one)
		if one.IntN(2) == 0 {
			v = one.fits(v)
		}
		items = append(items, v)
	}
	page := object{"items": items, "total": l.fits(total), "more": l.fits(from+n < total), "next": nil}
	if from+n < total {
		page["next"] = strconv.Itoa(from + n)
	}
	return page
}

// byID answers each id in its own way. Each item has its id: of one without it would depend
// on the other ids in the call which of them fail.
func (l *library) byID(sent url.Values, what string, of func(l *library, id string) any) any {
	found := []any{}
	for _, id := range strings.Split(strings.Join(sent["ids"], ","), ",") {
		if one := l.of(what, id); one.IntN(8) > 0 {
			found = append(found, of(one, id))
		}
	}
	return found
}

func (l *library) id() string { return strconv.Itoa(l.IntN(6)) }

func (l *library) story(id string) any {
	o := object{"id": id, "title": l.fits("t" + id), "editorId": l.fits(l.id())}
	if l.IntN(20) == 0 {
		o["id"] = l.fits(id)
	}
	if l.IntN(4) == 0 {
		o["sequel"] = l.fits(l.story(l.id()))
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
		"id": id, "name": l.fits("w" + id), "drafts": l.list(story), "draftGrid": grid,
		"editor": l.fits(l.editor(l.id(), true)), "mustEditor": l.editor(l.id(), true),
		"editors": l.list(func() any { return l.editor(l.id(), true) }), "mustEditors": l.list(func() any { return l.editor(l.id(), true) }),
	}
}

func (l *library) editor(id string, whole bool) any {
	o := object{"id": id}
	if whole {
		o["name"], o["rank"], o["first"] = l.fits("e"+id), l.fits(l.IntN(9)), l.fits(l.story(l.id()))
	}
	return o
}
