package document

import (
	"slices"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine/cache"
)

const (
	defaultSize = 1000

	// roomPerDocument is the memory counted for each document of a cache, in bytes. Most
	// documents need less. What is remembered may grow the heap to five times as much, since
	// it is collected so seldom.
	roomPerDocument = 16 << 10

	// About what a document takes, in bytes: as measured at the most, of trees that are all
	// fields. Most take half of it.
	bytesPerDocument = 1500
	bytesPerToken    = 240
)

// prepared is what became of a query's text: a document, or the errors that it has.
type prepared struct {
	doc  *Document
	errs gqlerror.List
}

// newCache returns a cache of documents, bounded in number and in memory, so that nobody
// fills the process by sending long queries that differ in a space.
func newCache(size int) *cache.Cache[string, prepared] {
	if size == 0 {
		size = defaultSize
	}
	size = max(size, 0)
	return cache.New[string, prepared](cache.Options{Entries: size, Weight: size * roomPerDocument})
}

// weight is about the memory a document takes; names in its tree point into query. What is no
// document is not kept: its errors are large and the texts that have them many.
func (p prepared) weight(query string) int {
	if p.doc == nil {
		return -1
	}
	return bytesPerDocument + len(query) + p.doc.Tokens*bytesPerToken + p.doc.Inputs.Bytes
}

// own returns the outcome for one caller: errors may be changed, so each caller has copies.
func (p prepared) own() (*Document, gqlerror.List) {
	if p.errs == nil {
		return p.doc, nil
	}
	errs := slices.Clone(p.errs)
	for i, err := range errs {
		errs[i] = new(*err)
	}
	return nil, errs
}
