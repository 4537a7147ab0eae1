// Package yaml reads YAML and JSON text into a tree of values, each with its line and column.
// It is the one reader behind the settings file, the tests of bindings, and OpenAPI documents.
//
// It promises that a mistake costs only its own value: Parse reports all of them, and the rest of
// the tree is there. No error quotes a value of the text, which may be a secret. The library that
// scans the text cannot crash the caller. In a strict tree, what aliases and merges expand to is
// bounded, and no value contains itself.
package yaml

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// Options say how a text is read. The zero value is strict and without a bound.
type Options struct {
	// MaxValues bounds the values of the tree; an alias counts for all values that it stands
	// for, and so does a merge. Default 0, which means no bound.
	MaxValues int

	// Lenient reads what documents of other authors contain. Duplicate keys stay in the tree in
	// their order, tags are accepted, keys that are not scalars are left out, an alias may lead
	// back to a value that contains it, and text behind the first document is ignored.
	// Node.Source and the positions behind anchors are not filled in.
	Lenient bool

	// Lazy reads the members of large mappings when they are needed, by Node.Expand. It goes with
	// Lenient. A text that uses anchors, aliases or tags is read at once.
	Lazy bool

	// Refuse returns why a member of a mapping is not accepted, or "". Such a member is left out
	// and reported. It is called once for each member, and not for those that merges copy. Nil
	// accepts every member.
	Refuse func(mapping *Node, m Member) string
}

// Document is the result of reading a text.
type Document struct {
	// Root is the value of the text. It is nil if the text has none or is not YAML.
	Root *Node

	// Errors are the mistakes, in the order in which they were found. Node.Expand adds some.
	Errors []*Error

	// Discarded are values that stand in the text but not in the tree: those of duplicate
	// keys, those that a merge would bring but that are also written out, and those of
	// Errors. A caller that hides secrets from excerpts of the text needs them.
	Discarded []*Node
}

// Parse reads a text, which is YAML or JSON in UTF-8. It never returns nil.
func Parse(text []byte, o Options) *Document {
	if o.Lazy {
		if doc := parseLazy(text, o, smallValue); doc != nil {
			return doc
		}
	}
	return parseEager(text, o, isJSON(text))
}

// parseEager reads a text as a whole. The text is JSON if the text that it is a part of is.
func parseEager(text []byte, o Options, isJSON bool) *Document {
	b := newBuilder(text, o)
	b.isJSON = isJSON
	b.parse(text)
	return b.doc
}

func (b *builder) parse(text []byte) {
	roots, err := b.scan(text)
	if err != nil {
		err.Line, err.Column = b.shift.position(err.Line, err.Column)
		b.doc.Errors = append(b.doc.Errors, err)
		return
	}
	for _, root := range roots {
		node := b.value(root, nil)
		if b.doc.Root != nil {
			b.refuse(node, nil, SecondDocument, "the file has a second document; put everything into the first one and remove the \"---\"")
			break
		}
		b.doc.Root = node
	}
}

// scan returns the values of the text's documents, without the empty ones.
func (b *builder) scan(text []byte) (roots []*yaml.Node, failure *Error) {
	// The scanner of the library is large and works on bytes of other authors: a panic of it
	// must not end the process.
	defer func() {
		if r := recover(); r != nil {
			roots, failure = nil, &Error{Line: 1, Column: 1, Problem: Syntax, Message: "the text cannot be read"}
		}
	}()
	if !utf8.Valid(text) {
		return nil, &Error{Line: 1, Column: 1, Problem: Syntax, Message: "the text is not UTF-8"}
	}
	decoder := yaml.NewDecoder(bytes.NewReader(b.escapes(text)))
	for {
		var document yaml.Node
		err := decoder.Decode(&document)
		if errors.Is(err, io.EOF) {
			return roots, nil
		}
		if err != nil {
			return nil, b.syntaxError(text, err)
		}
		if root := content(&document); root != nil {
			roots = append(roots, root)
		}
		if b.options.Lenient {
			return roots, nil
		}
	}
}

// content returns the value of a document, or nil if nothing is written there.
func content(document *yaml.Node) *yaml.Node {
	if len(document.Content) == 0 {
		return nil
	}
	root := document.Content[0]
	if root.Kind == yaml.ScalarNode && root.Value == "" && root.Style == 0 && root.Anchor == "" {
		return nil
	}
	return root
}

// syntaxError turns an error of the library into ours.
func (b *builder) syntaxError(text []byte, err error) *Error {
	failure, ok := errors.AsType[*yaml.LoadError](err)
	if !ok {
		return &Error{Line: 1, Column: 1, Problem: Syntax, Message: "the text cannot be read"}
	}
	if b.lines == nil {
		b.lines = Lines(string(text))
	}
	mark := failure.Mark
	// At the end of the text there is nothing to show; the start of what is not closed is.
	if mark.Line > len(b.lines) || mark.Line > 0 && b.isEndOfText(mark.Line) {
		mark = failure.ContextMark
	}
	return &Error{Line: max(mark.Line, 1), Column: max(mark.Column, 1), Problem: Syntax, Message: syntaxMessage(failure)}
}

// syntaxMessages say for the most frequent messages of the library what to change.
var syntaxMessages = map[string]string{
	"did not find expected key":                      "a key must stand here, in the same column as the others of its block",
	"did not find expected '-' indicator":            "an element must stand here, with its \"-\" in the same column as the others of its list",
	"did not find expected ',' or ']'":               "a \"]\" or a comma is missing in this list",
	"did not find expected ',' or '}'":               "a \"}\" or a comma is missing in this mapping",
	"mapping values are not allowed in this context": "a colon cannot stand here; indent the line like its neighbours, or put the text in quotes",
	"found character that cannot start any token":    "a text without quotes cannot begin with this character; put it in quotes",
	"found unexpected end of stream":                 "the closing quote is missing",
}

// syntaxMessage returns the message for an error of the library. Those of the library name single
// characters, but no values. Only that of an alias without an anchor has the alias, which may be a
// password that begins with a star.
func syntaxMessage(failure *yaml.LoadError) string {
	if failure.Stage == yaml.ComposerStage {
		return "an alias has no anchor before it; put a text that begins with \"*\" in quotes"
	}
	if message, ok := syntaxMessages[failure.Message]; ok {
		return message
	}
	if failure.ContextMsg != "" {
		return failure.Message + " " + failure.ContextMsg
	}
	return failure.Message
}
