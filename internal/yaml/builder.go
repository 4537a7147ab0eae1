package yaml

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxMerged bounds the members that merges copy into the mappings of a lenient tree, where
// Options.MaxValues does not: a document may merge a large mapping at every place.
const maxMerged = 1_000_000

// builder turns the library's nodes into a tree. Each of them is built once: aliases lead to the
// node that is already there.
type builder struct {
	options Options
	doc     *Document
	lines   []string
	built   map[*yaml.Node]*Node // of values with an anchor
	count   int                  // of values, those that aliases stand for included
	merged  int                  // of members that merges have copied
	cursor  cursor
	isJSON  bool
	shift   shift
}

// rawNode is a node of the library.
type rawNode = yaml.Node

// shift is where a part of a text stands in the whole: so many lines further down, and one of its
// lines so many columns to the right. The zero value is that of the whole text.
type shift struct{ lines, line, columns int }

func (s shift) position(line, column int) (int, int) {
	if line == s.line {
		column += s.columns
	}
	return line + s.lines, column
}

func newBuilder(text []byte, o Options) *builder {
	b := &builder{options: o, doc: &Document{}, built: map[*yaml.Node]*Node{}}
	if !o.Lenient {
		b.lines = Lines(string(text))
	}
	return b
}

// report adds an error at the place of n.
func (b *builder) report(n *Node, p Path, problem Problem, format string, args ...any) {
	b.doc.Errors = append(b.doc.Errors, &Error{n.Line, n.Column, p, problem, fmt.Sprintf(format, args...)})
}

// refuse reports a value that cannot be used and returns the node that stands in its place.
func (b *builder) refuse(n *Node, p Path, problem Problem, format string, args ...any) *Node {
	b.report(n, p, problem, format, args...)
	b.discard(n)
	return invalid(n)
}

// invalid returns the node that stands in the place of one that cannot be used.
func invalid(n *Node) *Node {
	return &Node{Line: n.Line, Column: n.Column, Invalid: true, size: 1}
}

// discard keeps a value that does not get into the tree.
func (b *builder) discard(n *Node) {
	if !b.options.Lenient {
		b.doc.Discarded = append(b.doc.Discarded, n)
	}
}

// value builds the node of a value. It returns an invalid node for a mistake, never nil.
func (b *builder) value(raw *yaml.Node, p Path) *Node {
	if raw.Kind == yaml.AliasNode {
		return b.alias(raw, p)
	}
	n := &Node{}
	n.Line, n.Column = b.shift.position(raw.Line, raw.Column)
	if raw.Anchor != "" {
		b.built[raw] = n
	}
	if !b.reserve(n, nil, 1) {
		n.Invalid, n.size = true, 1
		return n
	}
	b.locate(n, raw)
	switch raw.Kind {
	case yaml.MappingNode:
		b.mapping(n, raw, p)
	case yaml.SequenceNode:
		b.list(n, raw, p)
	default:
		b.scalar(n, raw)
	}
	n.size = n.sum()
	if raw.Style&yaml.TaggedStyle != 0 && !b.options.Lenient {
		n = b.refuse(n, p, Tag, "YAML's tags are not understood here; write the plain value")
		if raw.Anchor != "" {
			b.built[raw] = n
		}
	}
	return n
}

// sum returns the size of n, given those of the values in it.
func (n *Node) sum() int {
	size := 1
	for _, m := range n.Members {
		size += m.Value.size
	}
	for _, item := range n.Items {
		size += item.size
	}
	return size
}

// alias returns the node that an alias names. The library has refused aliases without an anchor.
func (b *builder) alias(raw *yaml.Node, p Path) *Node {
	at := &Node{Line: raw.Line, Column: raw.Column}
	target := b.built[raw.Alias]
	switch {
	case target == nil: // the anchor is that of a key which was left out
		return invalid(at)
	case b.options.Lenient:
		return target
	case target.size == 0: // the walk is still within the target
		return b.refuse(at, p, CyclicAlias, "the alias stands within the value that it names; write that value out")
	case !b.reserve(at, nil, target.size):
		return invalid(at)
	}
	return target
}

// reserve counts n more values. It reports the first one beyond the bound, and returns false for
// that and all others.
func (b *builder) reserve(at *Node, p Path, n int) bool {
	limit := b.options.MaxValues
	if limit == 0 {
		return true
	}
	exceeded := b.count > limit
	if b.count += n; b.count <= limit {
		return true
	}
	b.count = limit + 1 // stays above the bound and cannot overflow
	if !exceeded {
		b.report(at, p, TooManyValues, "the file has more than %d values", limit)
	}
	return false
}

func (b *builder) list(n *Node, raw *yaml.Node, p Path) {
	n.Kind = List
	n.Items = make([]*Node, len(raw.Content))
	for i, item := range raw.Content {
		n.Items[i] = b.value(item, p.Item(i))
	}
}

// mapping builds the members of a mapping. Those that "<<" merges yield to those written out, and
// an earlier merge has precedence over a later one (https://yaml.org/type/merge.html).
func (b *builder) mapping(n *Node, raw *yaml.Node, p Path) {
	n.Kind = Mapping
	present := make(map[string]bool, len(raw.Content)/2)
	var merges []*Node
	for i := 0; i+1 < len(raw.Content); i += 2 {
		key, value := raw.Content[i], raw.Content[i+1]
		if isMerge(key) {
			merges = append(merges, b.value(value, p))
			continue
		}
		b.member(n, present, key, value, p)
	}
	if len(n.Members) > 0 && raw.Style&yaml.FlowStyle == 0 && !b.options.Lenient {
		n.Line, n.Column = n.Members[0].Key.Line, n.Members[0].Key.Column
	}
	n.Members = slices.DeleteFunc(n.Members, func(m Member) bool { return b.doc.refuses(b.options, n, m) })
	for _, m := range merges {
		b.merge(n, present, m, p)
	}
}

func isMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && key.ShortTag() == "!!merge"
}

// member adds a member that is written out.
func (b *builder) member(n *Node, present map[string]bool, key, value *yaml.Node, p Path) {
	name := key
	if name.Kind == yaml.AliasNode {
		name = name.Alias
	}
	if name.Kind != yaml.ScalarNode {
		if !b.options.Lenient {
			b.report(&Node{Line: key.Line, Column: key.Column}, p, ComplexKey, "a key must be a plain name")
			b.discard(b.value(key, p))
			b.discard(b.value(value, p))
		}
		return
	}
	k := b.key(name, key)
	v := b.value(value, p.Key(k.Value))
	if present[k.Value] && !b.options.Lenient {
		b.report(k, p.Key(k.Value), DuplicateKey, "is set twice; remove one of them")
		b.discard(v)
		return
	}
	present[k.Value] = true
	n.Members = append(n.Members, Member{k, v})
}

// key builds a key, which may stand elsewhere than its name when it is an alias.
func (b *builder) key(name, at *yaml.Node) *Node {
	k := &Node{size: 1}
	k.Line, k.Column = b.shift.position(at.Line, at.Column)
	if name == at {
		b.locate(k, name)
	}
	b.scalar(k, name)
	if name.Anchor != "" && b.built[name] == nil {
		b.built[name] = k
	}
	return k
}

// merge adds the members of from, or of the mappings that it lists, which n does not have.
func (b *builder) merge(n *Node, present map[string]bool, from *Node, p Path) {
	switch {
	case from.Kind == Mapping:
		for _, m := range from.Members {
			if present[m.Key.Value] {
				b.discard(m.Value)
				continue
			}
			if b.merged++; b.merged > maxMerged {
				b.tooManyMerges(n)
				return
			}
			present[m.Key.Value] = true
			n.Members = append(n.Members, m)
		}
	case from.Kind == List:
		for _, item := range from.Items {
			b.merge(n, present, item, p)
		}
	case b.options.Lenient || from.Invalid:
	default:
		b.refuse(from, p, InvalidMerge, "\"<<\" merges a mapping, not a single value")
	}
}

func (b *builder) tooManyMerges(n *Node) {
	if b.merged == maxMerged+1 {
		b.report(n, nil, TooManyValues, "merges copy more than %d members up to here", maxMerged)
	}
}

func (b *builder) scalar(n *Node, raw *yaml.Node) {
	n.Value = raw.Value
	switch raw.ShortTag() {
	case "!!null":
		n.Kind = Null
	case "!!bool":
		n.Kind = Bool
	case "!!int":
		n.Kind = Int
	case "!!float":
		n.Kind = Float
	default:
		n.Kind = String
	}
	if !b.options.Lenient {
		n.Source = b.source(n, raw)
	}
}

// isEndOfText reports whether nothing but white space stands in a line and behind it.
func (b *builder) isEndOfText(line int) bool {
	for _, l := range b.lines[line-1:] {
		if strings.TrimSpace(l) != "" {
			return false
		}
	}
	return true
}
