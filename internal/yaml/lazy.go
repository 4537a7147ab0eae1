package yaml

import (
	"bytes"
	"regexp"
	"slices"
)

// smallValue is the number of bytes up to which a value is read as a whole. A larger mapping is
// outlined: its members are read when they are needed.
const smallValue = 512

// lazyText is a text whose values are read when they are needed.
type lazyText struct {
	doc     *Document
	text    []byte
	options Options
	isJSON  bool
	small   int // see smallValue
	scanned int // bytes that were outlined, those of inner mappings once more for each level
}

// maxScans bounds how often a byte of a text is outlined on average, which is how deep mappings are
// nested. Outlining thousands of levels would take quadratic time.
const maxScans = 200

// deferred is the place of a value that has not been read.
type deferred struct {
	from *lazyText
	at   entry
}

// Expand reads a value of a lazy tree that has not been read yet; the kind and the content of a
// node are valid only after that. What cannot be read becomes an invalid node, and an error of
// the document. Expand does nothing in other trees. It must not be called concurrently for values
// of one document.
func (n *Node) Expand() {
	if d := n.deferred; d != nil {
		n.deferred = nil
		d.from.expand(n, d.at)
	}
}

// parseLazy returns a document whose members are read when they are needed, or nil for a text that
// has to be read at once. Values of at most small bytes are read as a whole.
func parseLazy(text []byte, options Options, small int) *Document {
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	if len(text) <= small || hasOddBreaks(text) {
		return nil
	}
	l := &lazyText{doc: &Document{}, text: text, options: options, isJSON: isJSON(text), small: small}
	o := &outliner{text: text, end: len(text), line: 1, column: 1}
	o.skipStart()
	root := &Node{Kind: Mapping}
	var members []entry
	if o.peek() == '{' {
		at := o.position()
		root.Line, root.Column = at.line, at.column
		members = o.flow()
		if o.skipFlowSpace(); o.at < o.end {
			return nil
		}
	} else {
		members = o.block()
	}
	if o.gaveUp || len(members) == 0 {
		return nil
	}
	if root.Line == 0 {
		root.Line, root.Column = members[0].keyAt.line, members[0].keyAt.column
	}
	l.doc.Root = root
	l.addMembers(root, members)
	return l.doc
}

// skipStart skips what may stand before the value of a text: white space, comments, and "---".
func (o *outliner) skipStart() {
	for o.at < o.end {
		start, line := o.at, *o
		o.skipSpaces()
		switch {
		case o.isLineEnd():
			o.endLine()
		case o.at == start && bytes.HasPrefix(o.text[o.at:], []byte("---")) && (len(o.text) == o.at+3 || o.text[o.at+3] == '\n' || o.text[o.at+3] == '\r'):
			o.endLine()
		default:
			if o.peek() != '{' {
				*o = line // a block begins with its line
			}
			return
		}
	}
}

// addMembers adds the members that were found in the text to a mapping.
func (l *lazyText) addMembers(n *Node, entries []entry) {
	n.Members = make([]Member, 0, len(entries))
	nodes := make([]Node, 2*len(entries))
	places := make([]deferred, len(entries))
	for i, e := range entries {
		key, value := &nodes[2*i], &nodes[2*i+1]
		*key = Node{Kind: String, Value: e.key, Line: e.keyAt.line, Column: e.keyAt.column, size: 1}
		places[i] = deferred{l, e}
		*value = Node{Line: e.value.line, Column: e.value.column, size: 1, deferred: &places[i]}
		n.Members = append(n.Members, Member{key, value})
	}
	n.Members = slices.DeleteFunc(n.Members, func(m Member) bool { return l.doc.refuses(l.options, n, m) })
}

// refuses reports a member that the caller does not accept, and whether it is one.
func (d *Document) refuses(o Options, n *Node, m Member) bool {
	if o.Refuse == nil {
		return false
	}
	message := o.Refuse(n, m)
	if message != "" {
		d.Errors = append(d.Errors, &Error{Line: m.Key.Line, Column: m.Key.Column, Problem: Refused, Message: message})
	}
	return message != ""
}

func (l *lazyText) expand(n *Node, e entry) {
	if e.first == 0 {
		n.Kind = Null
		return
	}
	if l.scanned > maxScans*len(l.text) {
		l.doc.Errors = append(l.doc.Errors, &Error{Line: n.Line, Column: n.Column, Problem: TooManyValues, Message: "mappings are nested too deeply up to here"})
		n.Invalid = true
		return
	}
	if e.close-e.first > l.small && l.outline(n, e) {
		return
	}
	if kind, text, ok := plainScalar(l.text[e.first:e.close]); ok {
		n.Kind, n.Value = kind, text
		return
	}
	l.read(n, e)
}

// outline finds the members of a large mapping. It reports whether the value is one and whose
// members can be found.
func (l *lazyText) outline(n *Node, e entry) bool {
	o := &outliner{text: l.text, at: e.first, end: e.close, line: e.value.line, begin: e.first, column: e.value.column}
	l.scanned += e.close - e.first
	var members []entry
	switch c := l.text[e.first]; {
	case c == '{':
		members = o.flow()
		if o.skipFlowSpace(); o.at < o.end {
			return false
		}
	case e.block && e.value.line > e.keyAt.line && c != '-':
		o.at = bytes.LastIndexByte(l.text[:e.first], '\n') + 1
		o.begin, o.column = o.at, 1
		members = o.block()
	}
	if o.gaveUp || len(members) == 0 {
		return false
	}
	n.Kind = Mapping
	l.addMembers(n, members)
	return true
}

// quotedScalar is a text in double quotes without escapes; plainScalarText is one without quotes
// that YAML cannot take for another kind of value.
var (
	quotedScalar    = regexp.MustCompile(`^"([^"\\[:cntrl:]]*)"[ \t\r\n]*$`)
	plainScalarText = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_/-]*[ \t\r\n]*$`)
	reservedScalars = []string{"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"}
)

// plainScalar reads the most frequent scalars without the library.
func plainScalar(text []byte) (kind Kind, value string, ok bool) {
	if len(text) > smallValue {
		return 0, "", false
	}
	if m := quotedScalar.FindSubmatch(text); m != nil {
		return String, string(m[1]), true
	}
	if !plainScalarText.Match(text) {
		return 0, "", false
	}
	word := bytes.TrimRight(text, " \t\r\n")
	if slices.Contains(reservedScalars, string(bytes.ToLower(word))) {
		return 0, "", false
	}
	return String, string(word), true
}

// read reads a value with the library. The member is read as a whole, so that columns and
// indentation are those of the text.
func (l *lazyText) read(n *Node, e entry) {
	b := &builder{options: l.options, doc: &Document{}, built: map[*rawNode]*Node{}, isJSON: l.isJSON, shift: shift{lines: e.lineColumn.line - 1}}
	text := l.text[e.start:e.end]
	if !e.block {
		text = slices.Concat([]byte("{\n"), text, []byte("\n}"))
		b.shift = shift{lines: e.lineColumn.line - 2, line: 2, columns: e.lineColumn.column - 1}
	}
	b.parse(text)
	l.doc.Errors = append(l.doc.Errors, b.doc.Errors...)
	root := b.doc.Root
	if root == nil || len(root.Members) == 0 {
		n.Invalid = true
		return
	}
	line, column := n.Line, n.Column
	*n = *root.Members[0].Value
	if n.Line == 0 {
		n.Line, n.Column = line, column
	}
}
