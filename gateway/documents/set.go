package documents

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Set are the documents of all manifests. It does not change, and is safe for concurrent use. The nil
// Set has no documents.
type Set struct {
	clients map[string]*index // by client; "" for the documents of all clients
	all     *index            // of all clients, by hashes alone
	texts   []*Document       // one for each text, in the order of the manifests
	files   []File
}

// File is a file that was read.
type File struct {
	// Client is the client whose documents it has, "" for all clients.
	Client string
	Path   string
	Digest [sha256.Size]byte // of its content, as SHA-256
}

// Equal reports whether two sets were read from files of the same clients with the same content.
func (s *Set) Equal(other *Set) bool {
	return s != nil && other != nil && len(s.files) > 0 && slices.Equal(s.files, other.files)
}

// index finds documents. A document is found by its id, and by its hash as well.
type index struct {
	ids   map[string]*Document
	texts map[string]*Document
	forms map[form]*Document
}

func newIndex() *index {
	return &index{ids: map[string]*Document{}, texts: map[string]*Document{}, forms: map[form]*Document{}}
}

// Load reads the manifests of the options. Its error joins what is wrong with each of them, which begins
// with the setting.
func Load(o Options) (*Set, error) {
	s := &Set{clients: map[string]*index{}, all: newIndex()}
	var wrong []error
	total := 0
	for i, m := range o.Manifests {
		paths, err := Expand(m.Files)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("manifests[%d]: %w", i, err))
			continue
		}
		for _, path := range paths {
			found, err := s.read(m.Client, path)
			if err == nil {
				err = s.add(m.Client, found)
			}
			for _, one := range split(err) {
				wrong = append(wrong, fmt.Errorf("manifests[%d]: %w", i, one))
			}
			if total += len(found); total > MaxDocuments {
				return nil, fmt.Errorf("manifests[%d]: there are more than %d documents in all manifests", i, MaxDocuments)
			}
		}
	}
	if len(wrong) > 0 {
		return nil, errors.Join(wrong...)
	}
	return s, nil
}

// split returns the errors that were joined.
func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// Paths returns the files that names and patterns stand for at present, in the order in which Load reads
// them. A name that Load refuses stands for itself.
func Paths(names []string) (paths []string) {
	for _, name := range names {
		found, err := Expand([]string{name})
		if err != nil {
			found = []string{name}
		}
		paths = append(paths, found...)
	}
	return paths
}

// Expand returns the files that names and patterns of path/filepath.Match stand for, in the order of the
// names, each once. It is an error if a pattern stands for no file.
func Expand(names []string) ([]string, error) {
	var paths []string
	for _, name := range names {
		if !strings.ContainsAny(name, "*?[") {
			paths = append(paths, name)
			continue
		}
		found, err := filepath.Glob(name)
		if err != nil {
			return nil, fmt.Errorf("%q is not a pattern of file names; write one as ios/*.json", name)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("no file has a name of the pattern %q", name)
		}
		paths = append(paths, found...)
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(paths, func(path string) bool {
		again := seen[path]
		seen[path] = true
		return again
	}), nil
}

// read reads and parses a file.
func (s *Set) read(client, path string) ([]*Document, error) {
	text, err := ReadFile(path)
	if err != nil {
		return nil, err
	}
	s.files = append(s.files, File{client, path, sha256.Sum256(text)})
	return Parse(path, text)
}

// ReadFile returns the content of a manifest, up to the bound of files.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("the manifest cannot be read: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("the manifest cannot be read: %w", err)
	}
	return text, nil
}

// New returns the set of documents that belong to all clients.
func New(found []*Document) (*Set, error) {
	s := &Set{clients: map[string]*index{}, all: newIndex()}
	if err := s.add("", found); err != nil {
		return nil, err
	}
	return s, nil
}

// add adds the documents of one of a client's manifests.
func (s *Set) add(client string, found []*Document) error {
	of := s.clients[client]
	if of == nil {
		of = newIndex()
		s.clients[client] = of
	}
	var wrong []error
	for _, d := range found {
		if known := of.ids[d.ID]; known != nil && known.Text != d.Text {
			wrong = append(wrong, &ManifestError{d.File, d.Line, d.Column, fmt.Sprintf(
				"the id %q stands for another document at %s:%d:%d; one client's ids must stand for one document each", d.ID, known.File, known.Line, known.Column)})
			continue
		}
		if s.all.texts[d.Text] == nil {
			s.texts = append(s.texts, d)
		}
		of.add(d, d.ID, d.Hash)
		s.all.add(d, d.Hash)
	}
	return errors.Join(wrong[:min(len(wrong), maxMistakes)]...)
}

// add adds a document under ids. The first one of each id and text stays.
func (x *index) add(d *Document, ids ...string) {
	for _, id := range ids {
		if x.ids[id] == nil {
			x.ids[id] = d
		}
	}
	if x.texts[d.Text] == nil {
		x.texts[d.Text] = d
		if f := formOf(d.Text); x.forms[f] == nil {
			x.forms[f] = d
		}
	}
}

// find returns the document of an id, nil without one. If mustBeHash is set, the id is the hash of the
// document.
func (x *index) find(id string, mustBeHash bool) *Document {
	if x == nil {
		return nil
	}
	if d := x.ids[id]; d != nil && (!mustBeHash || d.Hash == id) {
		return d
	}
	return nil
}

func (x *index) has(text string) bool {
	return x != nil && (x.texts[text] != nil || x.forms[formOf(text)] != nil)
}

// Find returns the document that an id stands for when a client sends it; nil if there is none. The
// id is looked up in the client's manifests, then in those of all clients. A client without manifests,
// or without a name, also finds the documents of other clients by the SHA-256 of their text: other
// ids may stand for different documents in different clients.
func (s *Set) Find(client, id string) *Document {
	if s == nil {
		return nil
	}
	id, mustBeHash := canonicalID(id)
	own := s.clientIndex(client)
	if d := own.find(id, mustBeHash); d != nil {
		return d
	}
	if d := s.clients[""].find(id, mustBeHash); d != nil || own != nil {
		return d
	}
	return s.all.find(id, true)
}

// clientIndex returns the index of a client's own manifests, nil without any.
func (s *Set) clientIndex(client string) *index {
	if client == "" {
		return nil
	}
	return s.clients[client]
}

// Has reports whether a document that a client may refer to has a text, by the rules of Find. What
// GraphQL ignores, white space, commas and comments, does not matter.
func (s *Set) Has(client, text string) bool {
	if s == nil {
		return false
	}
	if own := s.clientIndex(client); own != nil {
		return own.has(text) || s.clients[""].has(text)
	}
	return s.all.has(text)
}

// Documents returns one document for each text, in the order of the manifests. It must not be changed.
func (s *Set) Documents() []*Document {
	if s == nil {
		return nil
	}
	return s.texts
}

// Files returns the files that were read.
func (s *Set) Files() []File {
	if s == nil {
		return nil
	}
	return s.files
}
