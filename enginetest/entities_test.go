package enginetest

import (
	"fmt"
	"strconv"
)

// entity makes up what the services of films, books and scraps say.
func (m *maker) entity(world uint64, what string, ids []string) any {
	switch what {
	case "media":
		return m.media()
	case "medias":
		return m.list(m.media)
	case "shelf":
		return object{
			"id": m.fits(m.IntN(5)), "media": m.fits(m.media()), "medias": m.list(m.media),
			"mustMedias": m.list(m.media), "titled": m.list(m.media),
		}
	case "films":
		return films(world, ids)
	}
	n, _ := strconv.Atoi(ids[0])
	return m.fits(object{"id": n, "title": m.fits("book"), "guarded": m.fits(n)})
}

// media is a key with its kind, or a whole scrap.
func (m *maker) media() any {
	kind := []string{"film", "film", "book", "book", "scrap"}[m.IntN(5)]
	if m.IntN(20) == 0 {
		kind = "other"
	}
	o := object{"kind": kind, "id": m.IntN(6)}
	if m.IntN(12) == 0 {
		o["id"] = "no number"
	}
	if kind == "scrap" {
		o["note"] = m.fits("note")
	}
	return o
}

// films answers each id in its own way, whoever asks for it together with which others.
func films(world uint64, ids []string) any {
	list := []any{}
	for _, id := range ids {
		m := &maker{chance(world, "film "+id)}
		if m.IntN(6) == 0 {
			continue
		}
		n, _ := strconv.Atoi(id)
		list = append(list, object{
			"id": n, "title": m.fits(fmt.Sprint("film ", n)), "mustTitle": m.fits("m"), "guarded": m.fits("g"),
			"sequel": m.fits(m.media()), "sequels": m.list(m.media),
		})
	}
	return list
}
