package openapi

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// Read reads a document and the files that it refers to. An error names the file, the
// line where there is one, and what to do.
func Read(path string) (*Document, error) {
	return new(Cache).Read("", path)
}

// Parse reads a document from its text. References to other files are not followed but
// warned of. The name stands in places and messages.
func Parse(name string, text []byte) (*Document, error) {
	return read(name, text, func(string) ([]byte, error) { return nil, errors.New("only one file is read here") })
}

// reader reads one document.
type reader struct {
	doc     *Document
	open    func(path string) ([]byte, error)
	files   map[string]node // by path; absent when it cannot be read
	targets map[target]node
	warned  map[warning]bool
	builder
}

type warning struct {
	place Place
	text  string
}

// read turns a panic of the libraries, which some broken documents cause, into an error.
func read(name string, text []byte, open func(string) ([]byte, error)) (doc *Document, err error) {
	defer func() {
		if p := recover(); p != nil {
			doc, err = nil, fmt.Errorf("%s: the document cannot be read (%v); check it with a linter for OpenAPI", name, p)
		}
	}()
	root, err := parse(name, text)
	if err != nil {
		return nil, err
	}
	version, err := versionOf(root)
	if err != nil {
		return nil, err
	}
	if version == "2.0" {
		if root, err = convertSwagger(root); err != nil {
			return nil, err
		}
	}
	r := newReader(&Document{File: name, Version: version}, root, open)
	r.operations(root)
	r.finish()
	return r.doc, nil
}

func newReader(doc *Document, root node, open func(string) ([]byte, error)) *reader {
	return &reader{
		doc: doc, open: open,
		files:   map[string]node{doc.File: root},
		targets: map[target]node{},
		warned:  map[warning]bool{},
		builder: newBuilder(),
	}
}

// parse reads YAML or JSON. A library's model of a document is not used: there, one reference
// that leads nowhere costs all parameters or answers of an operation, or all paths, and files that
// refer to each other are read by goroutines that at times wait for each other for ever.
func parse(name string, text []byte) (node, error) {
	doc := yaml.Parse(text, yaml.Options{Lenient: true})
	for _, err := range doc.Errors {
		switch err.Problem {
		case yaml.Syntax:
			return node{}, fmt.Errorf("%s:%d: the file is neither YAML nor JSON: %s", name, err.Line, err.Message)
		case yaml.TooManyValues:
			return node{}, fmt.Errorf("%s:%d: %s", name, err.Line, err.Message)
		}
	}
	if doc.Root == nil {
		return node{}, fmt.Errorf("%s:1: the file is empty; it should hold an OpenAPI document", name)
	}
	root := node{doc.Root, name}
	return root, plainNames(root, map[*yaml.Node]bool{})
}

// plainNames returns an error for a name in the text that has characters which a reader would
// not see, or which end a line: names stand in messages and in comments of generated code.
// seen has the values that were visited, since aliases make a graph of the tree.
func plainNames(n node, seen map[*yaml.Node]bool) error {
	if seen[n.Node] {
		return nil
	}
	seen[n.Node] = true
	for _, m := range n.Members {
		key, value := node{m.Key, n.file}, node{m.Value, n.file}
		if err := plainName(key); err != nil {
			return err
		}
		if value.isScalar() && n.names(key.Value) {
			if err := plainName(value); err != nil {
				return err
			}
		}
		if err := plainNames(value, seen); err != nil {
			return err
		}
	}
	for _, e := range n.list() {
		if err := plainNames(e, seen); err != nil {
			return err
		}
	}
	return nil
}

func plainName(n node) error {
	if !strings.ContainsFunc(n.Value, escape.IsInvisible) {
		return nil
	}
	return fmt.Errorf("%s: the name %q has a line break or another control character; correct it in the document", n.place(), n.Value)
}

// names reports whether the member key of a mapping names something. The name of a parameter
// stands beside in: examples have members of that name too.
func (n node) names(key string) bool {
	switch key {
	case "operationId", "propertyName", "$ref":
		return true
	case "name":
		return !n.get("in").absent()
	}
	return false
}

var readable = regexp.MustCompile(`^3\.[012](\.\d+)?(-.*)?$`)

// versionOf is the version of the specification, as the document says it.
func versionOf(root node) (string, error) {
	if !root.isMapping() {
		return "", fmt.Errorf("%s: the file is no OpenAPI document; it should begin with openapi: 3.1.0, or swagger: \"2.0\"", root.place())
	}
	for _, key := range []string{"openapi", "swagger"} {
		said := root.get(key)
		switch text := said.text(); {
		case said.absent():
			continue
		case key == "openapi" && readable.MatchString(text):
			return text, nil
		case key == "swagger" && (text == "2.0" || text == "2"):
			return "2.0", nil
		default:
			return "", fmt.Errorf("%s: %s %q cannot be read; known are 3.0, 3.1, 3.2, and Swagger 2.0", said.place(), key, text)
		}
	}
	return "", fmt.Errorf("%s: the file does not say its version; add openapi: 3.1.0, or name another file", root.place())
}

// warn notes what could not be read, once for each place.
func (r *reader) warn(at Place, format string, args ...any) {
	r.warned[warning{at, fmt.Sprintf(format, args...)}] = true
}

func (r *reader) finish() {
	var all []warning
	for w := range r.warned {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b warning) int {
		if c := comparePlaces(a.place, b.place); c != 0 {
			return c
		}
		return strings.Compare(a.text, b.text)
	})
	for _, w := range all {
		r.doc.Warnings = append(r.doc.Warnings, escape.Line(fmt.Sprintf("%s: %s", w.place, w.text)))
	}
}
