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

// serviceResponse returns the body that the service sends for a path, now and then one that is not
// JSON. It depends on the seed, the path and the keys in it alone.
func serviceResponse(seed uint64, path string, query url.Values) []byte {
	m := &generator{random(seed, path)}
	var v any
	switch path {
	case "answer":
		v = m.answer(2)
	case "answers":
		v = m.list(func() any { return m.answer(2) })
	case "ints":
		v = m.list(func() any { return m.list(func() any { return m.noisy(m.IntN(100)) }) })
	case "others":
		v = otherItems(seed, query["ids"])
	case "media", "medias", "shelf", "films", "book":
		v = m.entity(seed, path, query["ids"])
	default:
		if below, ok := strings.CutPrefix(path, "fragile/"); ok {
			v = fragile(seed, below, query)
			break
		}
		v = (&library{m, seed}).response(strings.Split(path, "/")[1:], query)
	}
	if m.IntN(30) == 0 {
		return []byte(malformedResponse)
	}
	text, _ := json.Marshal(v)
	return text
}

// malformedResponse is a response that breaks off.
const malformedResponse = "{"

// random returns a source of random numbers that depends on the seed and on what it is about
// alone, so that values do not depend on the order in which they are requested.
func random(seed uint64, about string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(about))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// otherItems returns an item for each id. What it returns for an id does not depend on the other
// ids of the call, since the executors batch differently.
func otherItems(seed uint64, ids []string) any {
	list := []any{}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(strings.Split(strings.Join(ids, ","), ",")))) {
		m := &generator{random(seed, "other "+id)}
		if m.IntN(6) == 0 {
			continue
		}
		n, _ := strconv.Atoi(id)
		list = append(list, object{"id": n, "x": m.noisy(n), "mustX": m.noisy(n), "item": m.noisy(m.item(1))})
	}
	return list
}

type object = map[string]any

// generator makes the values that a service sends.
type generator struct{ *rand.Rand }

// noisy returns v, and in one of four cases a value that does not fit.
func (m *generator) noisy(v any) any {
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

func (m *generator) list(element func() any) any {
	list := make([]any, m.IntN(4))
	for i := range list {
		list[i] = m.noisy(element())
	}
	return m.noisy(list)
}

func (m *generator) answer(deep int) any {
	n := func() any { return m.IntN(5) }
	item := func() any { return m.item(deep) }
	return object{
		"id": m.noisy(n()), "n": m.noisy(n()), "mustN": m.noisy(n()), "string": m.noisy("a"), "mustString": m.noisy("b"), "flag": m.noisy(true),
		"decimal": m.noisy("1.5"), "time": m.noisy("2026-01-31T12:00:00Z"), "kind": m.noisy("ODD"),
		"list": m.list(n), "mustList": m.list(n), "lists": m.list(func() any { return m.list(n) }),
		"item": m.noisy(item()), "mustItem": m.noisy(item()), "items": m.list(item), "mustItems": m.list(item),
		"itemGrid": m.list(func() any { return m.list(item) }),
	}
}

func (m *generator) item(deep int) any {
	o := object{"id": m.noisy(m.IntN(5)), "mustN": m.noisy(m.IntN(5))}
	if deep > 0 {
		o["item"] = m.noisy(m.item(deep - 1))
		o["items"] = m.list(func() any { return m.item(deep - 1) })
	}
	return o
}
