package explain

import (
	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// callsPerPage returns how many calls one page takes at most, one after the other. With page
// numbers, a page of the connection can begin in the middle of one of the service's pages and end
// in the next. A page of the largest size needs a call for the item after it, by which the gateway
// learns whether there are more, unless the service says so.
func callsPerPage(s *selected, b *binding.Field) Count {
	p := b.Page
	switch {
	case p == nil || p.Type == "NEXT_CURSOR":
		return 1
	case p.Type == "PAGE_NUMBER" && s.arguments["after"] != nil:
		return 2
	case p.Total == nil && p.HasMore == nil && connectionSizes(p, s)["nodes"] == Count(p.MaxSize):
		return 2
	}
	return 1
}

// connectionSizes returns the sizes of a connection's lists: the number that the operation asks
// for, at most the maximum of a page.
func connectionSizes(p *binding.Page, s *selected) map[string]Count {
	size := countOf(p.DefaultSize)
	switch first := s.arguments["first"].(type) {
	case nil:
	case unknown:
		size = countOf(p.MaxSize)
	default:
		if n, ok := elementCount(first); ok {
			size = min(countOf(n), countOf(p.MaxSize))
		}
	}
	return map[string]Count{"edges": size, "nodes": size}
}
