package enginetest

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// fragile returns what the service of fragile objects sends for a path below /fragile. What it sends
// for an id does not depend on what else is requested.
func fragile(seed uint64, path string, query url.Values) any {
	about := func(text string) *generator { return &generator{random(seed, text)} }
	kind, id, _ := strings.Cut(path, "/")
	switch kind {
	case "many", "defaults":
		m := about(path)
		return m.list(func() any { return m.fragile() })
	case "flag":
		return true
	case "parts":
		list := []any{}
		for _, values := range query {
			for _, id := range values {
				m := about("part " + id)
				list = append(list, object{"id": number(id), "label": m.noisy("part"), "size": m.noisy(1)})
			}
		}
		return list
	case "part":
		m := about(path)
		return m.noisy(object{"id": number(id), "label": m.noisy("part")})
	case "stock":
		return object{"all": object{"0": 1, "1": about("stock").noisy(2), "2": 3}}
	case "owners", "keepers":
		list := []any{}
		for _, id := range query["ids"] {
			m := about(kind + id)
			list = append(list, object{"id": number(id), "name": m.noisy(fmt.Sprint(kind, id)), "age": m.noisy(7)})
		}
		return list
	case "guardians":
		return object{"id": number(id), "name": about(path).noisy("guardian")}
	case "nullpages", "defaultpages", "stalepages":
		m := about(path)
		return object{"items": []any{m.noisy(m.fragile()), m.fragile()}}
	}
	m := about(path)
	return m.noisy(m.fragile())
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// fragile returns an object whose owners, keepers and guardians come with their ids alone.
func (m *generator) fragile() any {
	reference := func() any { return object{"id": m.IntN(4)} }
	return object{
		"id": m.IntN(4), "name": m.noisy("fragile"), "kind": m.noisy("ODD"), "partIds": []int{m.IntN(4), m.IntN(4)},
		"part": object{"id": 1, "label": m.noisy("own")}, "spot": object{"type": "part", "id": m.noisy(2), "label": m.noisy("spot")},
		"owner": m.noisy(reference()), "owners": m.list(reference), "keeper": m.noisy(reference()), "keepers": m.list(reference),
		"guardian": m.noisy(reference()), "guardians": m.list(reference),
	}
}
