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

// reader reads one document: at first the list of its operations, later an operation when it is
// needed.
type reader struct {
	doc     *Document
	root    node
	open    func(path string) ([]byte, error)
	files   map[string]node // by path; absent when it cannot be read
	texts   []fileText
	targets map[target]node
	warned  map[warning]bool
	depth   int // of references that are followed on the way to the target of another
	builder
}

// fileText is a file that was read, whose errors are those of what has been needed of it.
type fileText struct {
	name string
	doc  *yaml.Document
}

type warning struct {
	place Place
	text  string
}

// read reads the list of a document's operations.
func read(name string, text []byte, open func(string) ([]byte, error)) (*Document, error) {
	r := newReader(&Document{File: name}, open)
	var err error
	if r.root, err = r.parse(name, text); err != nil {
		return nil, err
	}
	if r.doc.Version, err = versionOf(r.root); err != nil {
		return nil, err
	}
	r.files[name] = r.root
	r.doc.reader = r
	r.operations()
	return r.doc, nil
}

func newReader(doc *Document, open func(string) ([]byte, error)) *reader {
	return &reader{
		doc: doc, open: open,
		files:   map[string]node{},
		targets: map[target]node{},
		warned:  map[warning]bool{},
		builder: newBuilder(),
	}
}

// parse reads YAML or JSON, each value when it is needed: documents have megabytes, and bindings use
// little of them. A library's model of a document is not used: there, one reference
// that leads nowhere costs all parameters or answers of an operation, or all paths, and files that
// refer to each other are read by goroutines that at times wait for each other for ever.
func (r *reader) parse(name string, text []byte) (node, error) {
	doc := yaml.Parse(text, yaml.Options{Lenient: true, Lazy: true, Refuse: refuseName})
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
	r.texts = append(r.texts, fileText{name, doc})
	return node{doc.Root, name}, nil
}

// refuseName refuses a member with a name that has characters which a reader would not see, or
// which end a line: names stand in messages and in comments of generated code.
func refuseName(mapping *yaml.Node, m yaml.Member) string {
	bad := m.Key
	if !strings.ContainsFunc(bad.Value, escape.IsInvisible) {
		if !isName(node{mapping, ""}, m.Key.Value) {
			return ""
		}
		if bad = m.Value; !(node{bad, ""}).isScalar() || !strings.ContainsFunc(bad.Value, escape.IsInvisible) {
			return ""
		}
	}
	return fmt.Sprintf("the name %q has a line break or another control character; correct it in the document", bad.Value)
}

// isName reports whether the member key of a mapping names something. The name of a parameter
// stands beside in: examples have members of that name too.
func isName(n node, key string) bool {
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

// warnings returns what could not be read so far, in the order of the text.
func (r *reader) warnings() []string {
	for _, text := range r.texts {
		for _, err := range text.doc.Errors {
			if err.Problem == yaml.Syntax {
				r.warn(Place{text.name, err.Line, err.Column}, "this part of the file is neither YAML nor JSON: %s", err.Message)
				continue
			}
			r.warn(Place{text.name, err.Line, err.Column}, "%s", err.Message)
		}
	}
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
	var lines []string
	for _, w := range all {
		lines = append(lines, escape.Line(fmt.Sprintf("%s: %s", w.place, w.text)))
	}
	return lines
}
