package documents

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// Bounds of manifests, which keep a file that is not one from filling the memory.
const (
	// MaxFileBytes bounds a file.
	MaxFileBytes = 64 << 20
	// MaxDocuments bounds the documents of all manifests.
	MaxDocuments = 50_000
	// maxID bounds an id, in bytes.
	maxID = 256
	// maxMistakes bounds the mistakes of a file that are reported.
	maxMistakes = 20
)

// Document is a document of a manifest.
type Document struct {
	// ID is the id in the manifest, without the prefix sha256:.
	ID string
	// Name is the name of the operation, "" if the manifest does not have it.
	Name string
	// Text is the text of the document.
	Text string
	// Hash is the SHA-256 of Text, in lower-case hexadecimal digits.
	Hash string
	// File, Line and Column are the place in the manifest, counted from 1.
	File         string
	Line, Column int
}

// Title returns the name of the document for messages: that of its operation, or its id.
func (d *Document) Title() string {
	if d.Name != "" {
		return d.Name
	}
	return d.ID
}

// ManifestError is a mistake in a manifest.
type ManifestError struct {
	File         string
	Line, Column int
	// Text says what is wrong and what to do about it.
	Text string
}

// Error returns the place and the text.
func (e *ManifestError) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

// apolloFormat and apolloVersion identify the manifests of Apollo's generator.
const (
	apolloFormat  = "apollo-persisted-query-manifest"
	apolloVersion = "1"
)

// Parse returns the documents of a manifest, in their order. It reads the formats of Relay's compiler
// (persistConfig) and GraphQL Code Generator (persisted-documents.json), which map ids to texts, and
// that of Apollo's generate-persisted-query-manifest. Its error joins one *ManifestError for each
// mistake, up to a bound; there are no documents then. file names the manifest in messages.
func Parse(file string, text []byte) ([]*Document, error) {
	p := &parser{file: file, text: text}
	if err := p.parse(); err != nil {
		return nil, err
	}
	if len(p.mistakes) > 0 {
		return nil, errors.Join(p.mistakes...)
	}
	return p.documents, nil
}

// parser reads a manifest.
type parser struct {
	file      string
	text      []byte
	counted   int // the place that was counted last
	line      int // of that place, from 0
	column    int // of that place, in characters, from 0
	documents []*Document
	mistakes  []error
}

const formatsText = "; a manifest maps ids to texts, as Relay's compiler and GraphQL Code Generator write it, or is that of Apollo's generate-persisted-query-manifest"

func (p *parser) parse() error {
	if len(p.text) > MaxFileBytes {
		return p.errorAt(0, "the file has %d bytes; the limit is %d", len(p.text), MaxFileBytes)
	}
	if !utf8.Valid(p.text) {
		return p.errorAt(0, "the file is not in UTF-8")
	}
	p.text = bytes.TrimPrefix(p.text, []byte(byteOrderMark))
	d := json.NewDecoder(bytes.NewReader(p.text))
	d.UseNumber()
	err := p.object(d)
	if err == nil {
		end := p.skip(d.InputOffset())
		if _, eof := d.Token(); eof != io.EOF {
			err = p.errorAt(end, "something follows the JSON object")
		}
	}
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return p.errorAt(max(syntax.Offset-1, 0), "the file is not JSON: %s", syntax)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return p.errorAt(int64(len(p.text)), "the file is not JSON: it ends too early")
	}
	return err
}

// object reads the file's object.
func (p *parser) object(d *json.Decoder) error {
	if begin, err := d.Token(); err != nil {
		return err
	} else if begin != json.Delim('{') {
		return p.errorAt(0, "the file is not a JSON object"+formatsText)
	}
	var apollo bool
	var operations json.RawMessage
	var operationsAt, formatAt int64
	for d.More() {
		at, name, err := p.name(d)
		if err != nil {
			return err
		}
		valueAt := p.skip(d.InputOffset())
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		switch {
		case name == "format" && string(value) == `"`+apolloFormat+`"`:
			apollo, formatAt = true, at
		case name == "version" && apollo:
			if string(value) != apolloVersion {
				return p.errorAt(valueAt, "the manifest has version %.20s; this gateway reads version %s", value, apolloVersion)
			}
		case name == "operations" && value[0] == '[':
			operations, operationsAt = value, valueAt
		case value[0] != '"':
			return p.errorAt(valueAt, "%q is not a text"+formatsText, bounded(name))
		default:
			var text string
			if err := json.Unmarshal(value, &text); err != nil {
				return err
			}
			p.add(at, name, "", text)
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	switch {
	case apollo && len(p.documents) > 0:
		return p.errorAt(formatAt, "the manifest of Apollo's generator has ids beside its operations")
	case apollo && operations == nil:
		return p.errorAt(formatAt, `the manifest has no list "operations"`)
	case operations != nil && !apollo:
		return p.errorAt(operationsAt, `"operations" is a list, but "format": %q is not before it`, apolloFormat)
	case apollo:
		return p.operations(operations, operationsAt)
	}
	return nil
}

// name reads the name of a member, and returns it with its place.
func (p *parser) name(d *json.Decoder) (at int64, name string, err error) {
	at = p.skip(d.InputOffset())
	token, err := d.Token()
	if err != nil {
		return 0, "", err
	}
	name, _ = token.(string) // a decoder returns nothing else there
	return at, name, nil
}

// operations reads the list of Apollo's manifest, which begins at a place of the file.
func (p *parser) operations(list json.RawMessage, begin int64) error {
	d := json.NewDecoder(bytes.NewReader(list))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() {
		at := p.skip(begin + d.InputOffset())
		var operation struct{ ID, Name, Body string }
		if err := d.Decode(&operation); err != nil {
			return p.errorAt(at, `the operation is not an object with the texts "id", "name" and "body"`)
		}
		p.add(at, operation.ID, operation.Name, operation.Body)
	}
	return nil
}

// add adds a document, or a mistake.
func (p *parser) add(at int64, id, name, text string) {
	mistake := func(format string, args ...any) {
		if len(p.mistakes) < maxMistakes {
			p.mistakes = append(p.mistakes, p.errorAt(at, format, args...))
		}
	}
	canonical, isHash := canonicalID(id)
	hash := Hash(text)
	switch {
	case !isID(id):
		mistake("the id %q is not one: ids are printable ASCII without spaces, of at most %d bytes", bounded(id), maxID)
	case text == "":
		mistake("the document %q is empty", id)
	case isHash && canonical != hash:
		mistake("the id %q is not the SHA-256 of its document, which is %s; build the manifest anew", id, hash)
	case len(p.documents) == MaxDocuments:
		mistake("the manifest has more than %d documents", MaxDocuments)
	default:
		line, column := p.place(at)
		p.documents = append(p.documents, &Document{ID: canonical, Name: name, Text: text, Hash: hash, File: p.file, Line: line, Column: column})
	}
}

// skip returns the place of the next token at or after a place.
func (p *parser) skip(at int64) int64 {
	for at < int64(len(p.text)) && bytes.IndexByte([]byte(" \t\r\n,:"), p.text[at]) >= 0 {
		at++
	}
	return at
}

func (p *parser) errorAt(at int64, format string, args ...any) error {
	line, column := p.place(at)
	return &ManifestError{File: p.file, Line: line, Column: column, Text: fmt.Sprintf(format, args...)}
}

// place returns the line and the column of a byte, in characters. Places in their order take linear time
// together, also if the file is one line.
func (p *parser) place(at int64) (line, column int) {
	offset := min(int(at), len(p.text))
	if offset < p.counted {
		p.line, p.column, p.counted = 0, 0, 0
	}
	passed := p.text[p.counted:offset]
	if end := bytes.LastIndexByte(passed, '\n'); end >= 0 {
		p.line += bytes.Count(passed, []byte{'\n'})
		p.column, passed = 0, passed[end+1:]
	}
	p.column += utf8.RuneCount(passed)
	p.counted = offset
	return p.line + 1, p.column + 1
}

// bounded shortens a text for messages.
func bounded(text string) string {
	if len(text) > 100 {
		return text[:100] + "..."
	}
	return text
}
