package document

import (
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

const (
	defaultSize = 1000

	// roomPerDocument is the memory counted for each document of a cache, in bytes.
	// Most documents need less; a few large ones push others out. What is remembered may
	// grow the heap to five times as much, since it is collected so seldom.
	roomPerDocument = 16 << 10

	// About what a document takes, in bytes: as measured at the most, of trees that are all
	// fields. Most take half of it.
	bytesPerDocument = 1500
	bytesPerToken    = 240
)

// cache remembers the documents used last, bounded in number and in memory, so that
// nobody fills the process by sending long queries that differ in a space.
type cache struct {
	mu   sync.Mutex
	docs *simplelru.LRU[string, *limit.Document] // guarded by mu; nil remembers nothing
	room int                                     // bytes left; guarded by mu
}

func newCache(size int) *cache {
	if size < 0 {
		return &cache{}
	}
	if size == 0 {
		size = defaultSize
	}
	c := &cache{room: size * roomPerDocument}
	docs, err := simplelru.NewLRU(size, func(query string, doc *limit.Document) {
		c.room += weight(query, doc)
	})
	if err != nil {
		panic(err) // only for a size below one
	}
	c.docs = docs
	return c
}

func (c *cache) get(query string) (*limit.Document, bool) {
	if c.docs == nil {
		return nil, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.docs.Get(query)
}

func (c *cache) add(query string, doc *limit.Document) {
	if c.docs == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.docs.Contains(query) {
		return // somebody else was faster
	}
	c.docs.Add(query, doc)
	c.room -= weight(query, doc)
	for c.room < 0 {
		c.docs.RemoveOldest()
	}
}

// weight is about the memory a document takes; names in its tree point into query.
func weight(query string, doc *limit.Document) int {
	return bytesPerDocument + len(query) + doc.Tokens*bytesPerToken
}
