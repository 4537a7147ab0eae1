package config

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a settings file. It is the operator's own, but a wrong file given by
// mistake should be told apart in a moment.
const (
	maxFileBytes = 128 << 10
	maxValues    = 20_000
)

// yamlReader turns a YAML document into a tree. The library's own decoder stops at the
// first mistake and quotes the source, secrets and all; hence the walk of our own.
type yamlReader struct {
	mistakes *mistakes
	lookup   func(string) (string, bool)
	anchors  map[string]*node
	values   int // made so far, aliases counted with all that they stand for
}

// read gives an empty block for an empty document.
func (y *yamlReader) read(source []byte) *node {
	empty := &node{kind: mapping, at: origin{line: 1, column: 1}}
	if len(source) > maxFileBytes {
		y.mistakes.unreadable = true
		y.mistakes.add(empty.at, nil, "the file has %d bytes; settings are never above %d", len(source), maxFileBytes)
		return empty
	}
	docs, err := parse(source)
	if err != nil {
		y.syntax(err)
		return empty
	}
	root := y.document(docs)
	if root == nil || root.kind == null {
		return empty
	}
	return root
}

// quotedText is where the library's messages repeat the source.
var quotedText = regexp.MustCompile(`"(\\.|[^"\\])*"`)

// parse turns a panic of the library into an error: its scanner has had some on
// input that no one writes on purpose.
func parse(source []byte) (docs []*ast.DocumentNode, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("it cannot be read as YAML")
		}
	}()
	file, err := parser.ParseBytes(source, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, err
	}
	return file.Docs, nil
}

// syntax reports err without its excerpt, which would quote the source unmasked.
func (y *yamlReader) syntax(err error) {
	broken, ok := errors.AsType[yaml.Error](err)
	if !ok || broken.GetToken() == nil {
		y.mistakes.add(origin{line: 1, column: 1}, nil, "it cannot be read as YAML")
		return
	}
	y.mistakes.unreadable = true
	y.mistakes.add(place(broken.GetToken()), nil, "not YAML: %s", quotedText.ReplaceAllString(broken.GetMessage(), mask))
}

func (y *yamlReader) document(docs []*ast.DocumentNode) *node {
	var root *node
	for _, doc := range docs {
		if doc.Body == nil {
			continue
		}
		body := y.value(doc.Body, nil)
		if root != nil {
			y.refuse(body, nil, "a second document; put all settings into the first one and remove the \"---\"")
			break
		}
		root = body
	}
	return root
}

// value turns one YAML value into its node; a mistake leaves an empty one.
func (y *yamlReader) value(n ast.Node, p path) *node {
	made := &node{at: place(n.GetToken())}
	if y.values++; y.values > maxValues {
		y.tooMany(made.at)
		return made
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		return y.mapping(n.Values, made, p)
	case *ast.MappingValueNode:
		return y.mapping([]*ast.MappingValueNode{n}, made, p)
	case *ast.SequenceNode:
		return y.list(n, made, p)
	case *ast.AnchorNode:
		return y.anchor(n, p)
	case *ast.AliasNode:
		return y.alias(n, p)
	case *ast.NullNode:
		return made
	case *ast.StringNode:
		return y.scalar(made, n.Value, textual, n.Token, p)
	case *ast.LiteralNode:
		return y.scalar(made, n.Value.Value, textual, n.Value.Token, p)
	case *ast.BoolNode:
		return y.scalar(made, n.Token.Value, truth, n.Token, p)
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return y.scalar(made, n.GetToken().Value, number, n.GetToken(), p)
	}
	if tag, ok := n.(*ast.TagNode); ok && tag.Value != nil {
		y.mistakes.hide(y.value(tag.Value, p))
	}
	return y.refuse(made, p, "YAML's tags are not understood here; write the plain value")
}

// refuse reports a value that cannot be used and keeps it out of the excerpts.
func (y *yamlReader) refuse(n *node, p path, format string, args ...any) *node {
	y.mistakes.add(n.at, p, format, args...)
	y.mistakes.hide(n)
	return &node{at: n.at, broken: true}
}

func (y *yamlReader) tooMany(at origin) {
	if y.values == maxValues+1 {
		y.mistakes.add(at, nil, "more than %d values; settings are never that many, are there aliases of aliases?", maxValues)
	}
}

// mapping reads a block. What "<<" merges yields to what is written out.
func (y *yamlReader) mapping(values []*ast.MappingValueNode, made *node, p path) *node {
	made.kind = mapping
	if len(values) > 0 {
		made.at = place(values[0].Key.GetToken())
	}
	var merged []*node
	for _, v := range values {
		if v.Key.IsMergeKey() {
			merged = append(merged, y.value(v.Value, p))
			continue
		}
		y.member(made, v, p)
	}
	for _, m := range merged {
		y.merge(made, m, p)
	}
	return made
}

func (y *yamlReader) member(made *node, v *ast.MappingValueNode, p path) {
	key := v.Key.GetToken()
	value := y.value(v.Value, p.in(key.Value))
	if _, complex := v.Key.(*ast.MappingKeyNode); complex {
		value.at = place(key)
		y.refuse(value, p, "a key must be a plain name")
		return
	}
	if made.get(key.Value) != nil {
		y.mistakes.hide(value)
		y.mistakes.add(place(key), p.in(key.Value), "is set twice; remove one of them")
		return
	}
	made.fields = append(made.fields, member{key.Value, place(key), value})
}

func (y *yamlReader) merge(into, from *node, p path) {
	switch from.kind {
	case mapping:
		for _, m := range from.fields {
			if into.get(m.name) != nil {
				y.mistakes.hide(m.value)
				continue
			}
			into.fields = append(into.fields, m)
		}
	case list:
		for _, item := range from.items {
			y.merge(into, item, p)
		}
	default:
		y.refuse(from, p, "\"<<\" merges a block of settings, not %s", from.kind)
	}
}

func (y *yamlReader) list(n *ast.SequenceNode, made *node, p path) *node {
	made.kind = list
	for i, v := range n.Values {
		if whole := glued(v); whole != nil {
			v = whole
		}
		made.items = append(made.items, y.value(v, p.at(i)))
	}
	return made
}

// glued mends what the library splits: in a list within braces it takes the last colon
// of http://localhost:9101 for that of a key, although no space follows. It gives nil
// where nothing is to mend.
func glued(n ast.Node) ast.Node {
	block, ok := n.(*ast.MappingNode)
	if !ok || len(block.Values) != 1 || block.Start.Type != token.MappingValueType {
		return nil
	}
	key, colon, value := block.Values[0].Key.GetToken(), block.Values[0].Start, block.Values[0].Value
	if _, ok := value.(ast.ScalarNode); !ok || key.Type != token.StringType {
		return nil
	}
	last := value.GetToken()
	if colon.Position.Line != last.Position.Line || colon.Position.Column+1 != last.Position.Column {
		return nil
	}
	text := key.Value + ":" + last.Value
	return ast.String(token.New(text, text, key.Position))
}

// anchor names the value only after it was read, so no value can hold itself.
func (y *yamlReader) anchor(n *ast.AnchorNode, p path) *node {
	made := y.value(n.Value, p)
	y.anchors[n.Name.GetToken().Value] = made
	return made
}

func (y *yamlReader) alias(n *ast.AliasNode, p path) *node {
	name := n.Value.GetToken().Value
	target, known := y.anchors[name]
	if !known {
		return y.refuse(&node{at: place(n.GetToken())}, p, "the alias *%s has no anchor &%s before it", name, name)
	}
	y.values += target.size()
	if y.values > maxValues {
		y.values = maxValues
		return y.value(n, p)
	}
	return target.clone()
}

func (y *yamlReader) scalar(made *node, text string, says literal, t *token.Token, p path) *node {
	made.raw = t.Origin
	filled, err := expand(text, y.lookup)
	if err != nil {
		y.mistakes.add(made.at, p, "%s", err)
		made.broken = true
		return made
	}
	made.kind, made.text, made.says, made.filled = scalar, filled.text, says, filled.names
	if len(filled.names) > 0 {
		made.says = anything
	}
	return made
}

func place(t *token.Token) origin {
	if t == nil || t.Position == nil {
		return origin{line: 1, column: 1}
	}
	return origin{line: max(t.Position.Line, 1), column: max(t.Position.Column, 1)}
}

// describe says what was written, for a message; text made from variables is not shown.
func (n *node) describe() string {
	switch {
	case n.kind != scalar:
		return n.kind.String()
	case len(n.filled) > 0:
		return fmt.Sprintf("what ${%s} holds", n.filled[0])
	}
	if n.says == number || n.says == truth {
		return n.text
	}
	return fmt.Sprintf("%q", shorten(n.text))
}

func shorten(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
