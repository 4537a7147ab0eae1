package document

import (
	"slices"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine/cache"
)

const (
	defaultSize = 1000

	// averageSize is the memory that a cache has for each document, in bytes. Most documents
	// need less. The heap may grow to five times the memory of the cache, since documents are
	// collected so rarely.
	averageSize = 16 << 10

	// Estimates of the memory of a document, in bytes: the most that was measured, for documents
	// of fields only. Most documents take half of that.
	bytesPerDocument = 1500
	bytesPerToken    = 240
)

// outcome is what a query was prepared to: a document, or the errors that it has.
type outcome struct {
	doc  *Document
	errs gqlerror.List
}

// newCache returns a cache of documents, bounded in number and in memory, so that a client cannot
// fill the memory with long queries that differ in a space.
func newCache(size int) *cache.Cache[string, outcome] {
	if size == 0 {
		size = defaultSize
	}
	size = max(size, 0)
	return cache.New[string, outcome](cache.Options{MaxEntries: size, MaxWeight: size * averageSize})
}

// weight estimates the memory of a document, with its query, which the names in its tree point
// into. It is negative for errors, so that the cache does not keep them: they are large, and
// there are many more invalid queries than valid ones.
func (o outcome) weight(query string) int {
	if o.doc == nil {
		return -1
	}
	return bytesPerDocument + len(query) + o.doc.Tokens*bytesPerToken + o.doc.Inputs.Bytes
}

// copy returns the outcome for one caller. Each caller has its own copies of the errors, since
// presenting them changes them.
func (o outcome) copy() (*Document, gqlerror.List) {
	if o.errs == nil {
		return o.doc, nil
	}
	errs := slices.Clone(o.errs)
	for i, err := range errs {
		errs[i] = new(*err)
	}
	return nil, errs
}
