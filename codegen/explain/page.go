package explain

import (
	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// callsPerPage is how many calls one page takes at the worst, one after the other. A page that is
// counted by numbers may begin in the middle of one of the service's, and end in the next.
func callsPerPage(s *selected, b *binding.Field) Count {
	if b.Page != nil && b.Page.Type == "PAGE_NUMBER" && s.arguments["after"] != nil {
		return 2
	}
	return 1
}

// connectionSizes are the sizes of a connection's lists: as many as are asked for, and never more
// than a page may have.
func connectionSizes(p *binding.Page, s *selected) map[string]Count {
	size := Count(p.Default)
	switch first := s.arguments["first"].(type) {
	case nil:
	case unknown:
		size = Count(p.Max)
	default:
		if n, ok := elementCount(first); ok {
			size = min(Count(n), Count(p.Max))
		}
	}
	return map[string]Count{"edges": size, "nodes": size}
}
