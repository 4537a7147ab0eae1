package enginetest

import (
	"fmt"
	"strconv"
)

// entity returns what the services of films, books and scraps send.
func (m *generator) entity(seed uint64, what string, ids []string) any {
	switch what {
	case "media":
		return m.media()
	case "medias":
		return m.list(m.media)
	case "shelf":
		return object{
			"id": m.noisy(m.IntN(5)), "media": m.noisy(m.media()), "medias": m.list(m.media),
			"mustMedias": m.list(m.media), "titled": m.list(m.media),
		}
	case "films":
		return films(seed, ids)
	}
	n, _ := strconv.Atoi(ids[0])
	return m.noisy(object{"id": n, "title": m.noisy("book"), "guarded": m.noisy(n)})
}

// media returns a key with its kind, or a complete scrap.
func (m *generator) media() any {
	kind := []string{"film", "film", "book", "book", "scrap"}[m.IntN(5)]
	if m.IntN(20) == 0 {
		kind = "other"
	}
	o := object{"kind": kind, "id": m.IntN(6)}
	if m.IntN(12) == 0 {
		o["id"] = "no number"
	}
	if kind == "scrap" {
		o["note"] = m.noisy("note")
	}
	return o
}

// films returns a film for each id, which does not depend on the other ids of the call.
func films(seed uint64, ids []string) any {
	list := []any{}
	for _, id := range ids {
		m := &generator{random(seed, "film "+id)}
		if m.IntN(6) == 0 {
			continue
		}
		n, _ := strconv.Atoi(id)
		list = append(list, object{
			"id": n, "title": m.noisy(fmt.Sprint("film ", n)), "mustTitle": m.noisy("m"), "guarded": m.noisy("g"),
			"sequel": m.noisy(m.media()), "sequels": m.list(m.media),
		})
	}
	return list
}
