package bindingtest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxValues bounds a file, aliases counted with all that they stand for.
const maxValues = 100_000

// node is a value of a YAML file with its place.
type node struct {
	line, column int
	// value is a string, json.Number, bool, nil, []*node or []member.
	value any
}

// member is one of an object, with the place of its name.
type member struct {
	node
	name string
}

// plain is the value as encoding/json would give it, with exact numbers.
func (n *node) plain() any {
	switch v := n.value.(type) {
	case []*node:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = item.plain()
		}
		return list
	case []member:
		object := make(map[string]any, len(v))
		for _, m := range v {
			object[m.name] = m.plain()
		}
		return object
	}
	return n.value
}

// kind names what the value is, for messages.
func (n *node) kind() string {
	switch n.value.(type) {
	case nil:
		return "nothing"
	case string:
		return "text"
	case json.Number:
		return "a number"
	case bool:
		return "true or false"
	case []*node:
		return "a list"
	}
	return "an object"
}

// mistakes are what is wrong in a file, all of it.
type mistakes struct {
	file string
	list []mistake
}

type mistake struct {
	line, column int
	text         string
}

func (m *mistakes) add(n *node, format string, args ...any) {
	m.list = append(m.list, mistake{n.line, n.column, fmt.Sprintf(format, args...)})
}

// err has a line for each mistake, in the order of the file; nil when there is none.
func (m *mistakes) err() error {
	if len(m.list) == 0 {
		return nil
	}
	slices.SortStableFunc(m.list, func(a, b mistake) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	lines := make([]string, len(m.list))
	for i, one := range m.list {
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", m.file, one.line, one.column, one.text)
	}
	return errors.New(strings.Join(lines, "\n"))
}

// tree makes nodes of a YAML text. It gives nil where it cannot, and says why.
type tree struct {
	mistakes *mistakes
	anchors  map[string]*node
	values   int
}

func (t *tree) read(text []byte) *node {
	file, err := parse(text)
	if err != nil {
		at, text := &node{line: 1, column: 1}, message(err)
		if known, ok := errors.AsType[yaml.Error](err); ok {
			at = placed(known.GetToken())
		}
		t.mistakes.add(at, "it cannot be read as YAML: %s", text)
		return nil
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		t.mistakes.add(&node{line: 1, column: 1}, "a file is one YAML document with tests: and a list of them; this one holds %d", len(file.Docs))
		return nil
	}
	return t.node(file.Docs[0].Body)
}

// parse turns a panic of the library, whose scanner has had some, into an error.
func parse(text []byte) (file *ast.File, err error) {
	defer func() {
		if thrown := recover(); thrown != nil {
			err = fmt.Errorf("%v", thrown)
		}
	}()
	return parser.ParseBytes(text, 0)
}

// message is an error of the library's without place and excerpt.
func message(err error) string {
	if known, ok := errors.AsType[yaml.Error](err); ok {
		return known.GetMessage()
	}
	return err.Error()
}

func placed(t *token.Token) *node {
	if t == nil || t.Position == nil {
		return &node{line: 1, column: 1}
	}
	return &node{line: t.Position.Line, column: t.Position.Column}
}

// begin is the first token of a value: of an object its first key, where the library
// has the colon.
func begin(n ast.Node) *token.Token {
	switch n := n.(type) {
	case *ast.MappingNode:
		if n.Start.Type == token.MappingValueType && len(n.Values) > 0 {
			return n.Values[0].Key.GetToken()
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken()
	}
	return n.GetToken()
}

func (t *tree) node(n ast.Node) *node {
	made := placed(begin(n))
	if !t.count(made, 1) {
		return made
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		made.value = t.members(n.Values)
	case *ast.MappingValueNode:
		made.value = t.members([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		made.value = t.items(n)
	case *ast.AnchorNode:
		made = t.node(n.Value)
		t.anchors[n.Name.GetToken().Value] = made
	case *ast.AliasNode:
		return t.alias(n, made)
	case *ast.NullNode:
	case *ast.BoolNode:
		made.value = n.Value
	case *ast.StringNode:
		made.value = n.Value
	case *ast.LiteralNode:
		made.value = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode:
		made.value = t.number(made, n.GetToken().Value)
	default:
		t.mistakes.add(made, "a %s cannot be understood here; write text, a number, a list or an object", n.Type())
	}
	return made
}

func (t *tree) alias(n *ast.AliasNode, made *node) *node {
	target := t.anchors[n.Value.GetToken().Value]
	if target == nil {
		t.mistakes.add(made, "there is no &%s above", n.Value.GetToken().Value)
		return made
	}
	if !t.count(made, target.size()) {
		return made
	}
	return target
}

// count is false when there are too many values, which it reports once.
func (t *tree) count(at *node, n int) bool {
	before := t.values
	t.values += n
	if before <= maxValues && t.values > maxValues {
		t.mistakes.add(at, "there are more than %d values up to here; make several files of them", maxValues)
	}
	return t.values <= maxValues
}

// size counts the values.
func (n *node) size() int {
	sum := 1
	switch v := n.value.(type) {
	case []*node:
		for _, item := range v {
			sum += item.size()
		}
	case []member:
		for _, m := range v {
			sum += m.size()
		}
	}
	return sum
}

// number keeps what was written, since it may be an exact decimal or a long id.
func (t *tree) number(at *node, text string) any {
	if !json.Valid([]byte(text)) {
		t.mistakes.add(at, "%s is no number of JSON; write it in decimal digits, or in quotes", text)
		return nil
	}
	return json.Number(text)
}

func (t *tree) items(n *ast.SequenceNode) []*node {
	list := make([]*node, len(n.Values))
	for i, item := range n.Values {
		list[i] = t.node(item)
	}
	return list
}

func (t *tree) members(values []*ast.MappingValueNode) []member {
	list := make([]member, len(values))
	for i, v := range values {
		key := v.Key.GetToken()
		list[i] = member{name: key.Value, node: *placed(key)}
		list[i].value = t.node(v.Value).value
	}
	return list
}

// fields are the members that an object may have, each with what reads it.
type fields map[string]func(*node)

// object reads the members of an object, and tells whether it is one. A member that fields
// does not have is a mistake.
func (m *mistakes) object(n *node, what string, f fields) bool {
	members, ok := n.value.([]member)
	if !ok {
		m.add(n, "%s is an object, not %s", what, n.kind())
		return false
	}
	known := make([]string, 0, len(f))
	for name := range f {
		known = append(known, name)
	}
	slices.Sort(known)
	for i := range members {
		if read := f[members[i].name]; read != nil {
			read(&members[i].node)
			continue
		}
		m.add(&members[i].node, "%s has no %q%s", what, members[i].name, suggest(members[i].name, known))
	}
	return true
}

// suggest names the nearest of the known names, or all of them when none is near.
func suggest(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, k := range known {
		if d := levenshtein.ComputeDistance(strings.ToLower(name), strings.ToLower(k)); d < distance {
			best, distance = k, d
		}
	}
	if best != "" {
		return fmt.Sprintf("; did you mean %q?", best)
	}
	return "; there is " + strings.Join(known, ", ")
}

// items reads the items of a list.
func (m *mistakes) items(n *node, what string, read func(*node)) {
	items, ok := n.value.([]*node)
	if !ok {
		m.add(n, "%s is a list, not %s", what, n.kind())
		return
	}
	for _, item := range items {
		read(item)
	}
}

// text reads text, and takes what YAML reads as a number or a truth value for text too.
func (m *mistakes) text(to *string) func(*node) {
	return func(n *node) {
		switch v := n.value.(type) {
		case string:
			*to = strings.TrimSpace(v)
		case json.Number, bool:
			*to = fmt.Sprint(v)
		default:
			m.add(n, "this is text, not %s", n.kind())
		}
	}
}

// json reads JSON: written as text, or as YAML's own values.
func (m *mistakes) json(to **node) func(*node) {
	return func(n *node) {
		*to = n
		text, ok := n.value.(string)
		if !ok {
			return
		}
		value, err := decoded(text)
		if err != nil {
			m.add(n, "this is no JSON: %v", err)
			return
		}
		*to = &node{line: n.line, column: n.column, value: value}
	}
}
