package enginetest

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// answer is what the service says in a world.
func answer(world uint64, what string, sent url.Values) []byte {
	m := &maker{chance(world, what)}
	var v any
	switch what {
	case "answer":
		v = m.answer(2)
	case "answers":
		v = m.list(func() any { return m.answer(2) })
	case "ints":
		v = m.list(func() any { return m.list(func() any { return m.fits(m.IntN(100)) }) })
	case "others":
		v = others(world, sent["ids"])
	case "media", "medias", "shelf", "films", "book":
		v = m.entity(world, what, sent["ids"])
	default:
		v = (&library{m, world}).answer(strings.Split(what, "/")[1:], sent)
	}
	if m.IntN(30) == 0 {
		return []byte("{")
	}
	text, _ := json.Marshal(v)
	return text
}

func chance(world uint64, about string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(about))
	return rand.New(rand.NewPCG(world, h.Sum64()))
}

// others answers each id in its own way, whoever asks for it together with which others.
func others(world uint64, ids []string) any {
	list := []any{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(strings.Split(strings.Join(ids, ","), ",")))) {
		m := &maker{chance(world, "other "+id)}
		if m.IntN(6) == 0 {
			continue
		}
		n, _ := strconv.Atoi(id)
		list = append(list, object{"id": n, "x": m.fits(n), "mustX": m.fits(n), "item": m.fits(m.item(1))})
	}
	return list
}

type object = map[string]any

// maker makes up what a service sends.
type maker struct{ *rand.Rand }

// fits gives a value, or something else now and then.
func (m *maker) fits(v any) any {
	switch m.IntN(12) {
	case 0:
		return object{"not": "this"}
	case 1:
		return nil
	case 2:
		return fmt.Sprint("no ", v)
	}
	return v
}

func (m *maker) list(element func() any) any {
	list := make([]any, m.IntN(4))
	for i := range list {
		list[i] = m.fits(element())
	}
	return m.fits(list)
}

func (m *maker) answer(deep int) any {
	n := func() any { return m.IntN(5) }
	item := func() any { return m.item(deep) }
	return object{
		"id": m.fits(n()), "n": m.fits(n()), "mustN": m.fits(n()), "string": m.fits("a"), "mustString": m.fits("b"), "flag": m.fits(true),
		"decimal": m.fits("1.5"), "time": m.fits("2026-01-31T12:00:00Z"), "kind": m.fits("ODD"),
		"list": m.list(n), "mustList": m.list(n), "lists": m.list(func() any { return m.list(n) }),
		"item": m.fits(item()), "mustItem": m.fits(item()), "items": m.list(item), "mustItems": m.list(item),
		"itemGrid": m.list(func() any { return m.list(item) }),
	}
}

func (m *maker) item(deep int) any {
	o := object{"id": m.fits(m.IntN(5)), "mustN": m.fits(m.IntN(5))}
	if deep > 0 {
		o["item"] = m.fits(m.item(deep - 1))
		o["items"] = m.list(func() any { return m.item(deep - 1) })
	}
	return o
}
