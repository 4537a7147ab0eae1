package openapi

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Cache reads documents from files and keeps them for as long as their texts stay the same. The
// zero value is an empty cache. A Cache is safe for concurrent use and must not be copied.
type Cache struct {
	mu        sync.Mutex
	documents map[cacheKey]*cachedDocument
}

type cacheKey struct{ dir, path string }

// cachedDocument is a document with the state of all files that it was read from. A file that could
// not be read has a state too: the document changes when the file appears.
type cachedDocument struct {
	doc *Document

	mu    sync.Mutex // guards files, to which operations that are loaded later add
	files map[string]fileState
}

// fileState is the checksum of a file, or the zero value for a file that could not be read.
// Checksums rather than modification times: a file that is written twice within the resolution of
// the file system's clock keeps its time, and hashing costs a hundredth of parsing.
type fileState [sha256.Size]byte

// Read reads a document and the files that it refers to, as the function Read does, with a path
// relative to dir; an empty dir means the working directory. Places and messages name files by
// paths relative to dir. Errors are not kept.
func (c *Cache) Read(dir, path string) (*Document, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := cacheKey{dir, path}
	if kept := c.documents[key]; kept != nil && kept.isCurrent(dir) {
		return kept.doc, nil
	}
	cached := &cachedDocument{files: map[string]fileState{}}
	open := func(path string) ([]byte, error) {
		text, err := readFile(dir, path)
		cached.mu.Lock()
		defer cached.mu.Unlock()
		cached.files[path] = stateOf(text, err)
		return text, err
	}
	text, err := open(path)
	if err != nil {
		return nil, fmt.Errorf("openapi document: %w", err)
	}
	if cached.doc, err = read(path, text, open); err != nil {
		return nil, err
	}
	if c.documents == nil {
		c.documents = map[cacheKey]*cachedDocument{}
	}
	c.documents[key] = cached
	return cached.doc, nil
}

// isCurrent reports whether all files of a document are as they were when it was read.
func (d *cachedDocument) isCurrent(dir string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for path, state := range d.files {
		if stateOf(readFile(dir, path)) != state {
			return false
		}
	}
	return true
}

func stateOf(text []byte, err error) fileState {
	if err != nil {
		return fileState{}
	}
	return sha256.Sum256(text)
}

// maxFile is the size of the largest file that is read, in bytes.
const maxFile = 64 << 20

// readFile reads a file whose path is relative to dir. Its errors name the path as it was given.
func readFile(dir, path string) ([]byte, error) {
	full := path
	if !filepath.IsAbs(path) {
		full = filepath.Join(dir, path)
	}
	info, err := os.Stat(full)
	if err == nil && (!info.Mode().IsRegular() || info.Size() > maxFile) {
		return nil, fmt.Errorf("%s is not a file of at most %d MiB", path, maxFile>>20)
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(full)
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		e.Path = path
	}
	return text, err
}
