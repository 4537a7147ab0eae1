package config

import (
	"fmt"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// Bounds of a settings file. The operator writes it, but a different file that is named by mistake
// should be recognized at once.
const (
	maxFileBytes = 128 << 10
	maxValues    = 20_000
)

// fileReader turns the text of the settings file into a tree of settings: it fills in variables
// and hides from excerpts what does not get into the tree.
type fileReader struct {
	mistakes *mistakes
	lookup   func(string) (string, bool)
}

// read returns the settings of the file, an empty block for an empty file. Where the file is not
// YAML it reports that and returns an empty block too.
func (r *fileReader) read(text []byte) *node {
	empty := &node{kind: mapping, at: origin{line: 1, column: 1}}
	if len(text) > maxFileBytes {
		r.mistakes.unreadable = true
		r.mistakes.add(empty.at, nil, "the file has %d bytes; settings are never above %d", len(text), maxFileBytes)
		return empty
	}
	doc := yaml.Parse(text, yaml.Options{MaxValues: maxValues})
	for _, n := range doc.Discarded {
		r.mistakes.hideValue(n)
	}
	for _, err := range doc.Errors {
		r.report(err)
	}
	if doc.Root == nil || doc.Root.Kind == yaml.Null && !doc.Root.Invalid {
		return empty
	}
	return r.node(doc.Root, nil)
}

// report adds a mistake of the text, in the words of settings.
func (r *fileReader) report(err *yaml.Error) {
	text := err.Message
	switch err.Problem {
	case yaml.Syntax:
		r.mistakes.unreadable = true
		text = "not YAML: " + text
	case yaml.TooManyValues:
		text = fmt.Sprintf("more than %d values; settings are never that many, are there aliases of aliases?", maxValues)
	case yaml.SecondDocument:
		text = "a second document; put all settings into the first one and remove the \"---\""
	case yaml.InvalidMerge:
		text = "\"<<\" merges a block of settings, not a single value"
	}
	r.mistakes.add(origin{line: err.Line, column: err.Column}, err.Path, "%s", text)
}

// node returns a value of the file as a tree of its own: several settings may stand for one value
// by aliases, and a variable of the environment changes only one of them.
func (r *fileReader) node(v *yaml.Node, p yaml.Path) *node {
	n := &node{at: origin{line: v.Line, column: v.Column}, invalid: v.Invalid}
	switch v.Kind {
	case yaml.Null:
		return n
	case yaml.Mapping:
		n.kind = mapping
		for _, m := range v.Members {
			at := origin{line: m.Key.Line, column: m.Key.Column}
			n.members = append(n.members, member{m.Key.Value, at, r.node(m.Value, p.Key(m.Key.Value))})
		}
	case yaml.List:
		n.kind = list
		for i, item := range v.Items {
			n.items = append(n.items, r.node(item, p.Item(i)))
		}
	default:
		r.scalar(n, v, p)
	}
	return n
}

// scalar fills the variables of a scalar in. What a variable holds is not YAML: the setting alone
// decides how it is read.
func (r *fileReader) scalar(n *node, v *yaml.Node, p yaml.Path) {
	n.raw = v.Source
	filled, err := expand(v.Value, r.lookup)
	if err != nil {
		r.mistakes.add(n.at, p, "%s", err)
		n.invalid = true
		return
	}
	n.kind, n.text, n.scalarType, n.variables = scalar, filled.text, textScalar, filled.variables
	switch {
	case len(filled.variables) > 0:
		n.scalarType = anyScalar
	case v.IsNumber():
		n.scalarType = numberScalar
	case v.Kind == yaml.Bool:
		n.scalarType = boolScalar
	}
}

// hideValue keeps v and all values in it out of the excerpts.
func (m *mistakes) hideValue(v *yaml.Node) {
	m.hideText(v)
	for _, member := range v.Members {
		m.hideText(member.Key)
		m.hideValue(member.Value)
	}
	for _, item := range v.Items {
		m.hideValue(item)
	}
}

func (m *mistakes) hideText(v *yaml.Node) {
	if v.Source != "" {
		m.hidden = append(m.hidden, hiddenText{origin{line: v.Line, column: v.Column}, strings.TrimSpace(v.Source)})
	}
}

// describe returns what was written, for a message. It does not show text made from variables.
func (n *node) describe() string {
	switch {
	case n.kind != scalar:
		return n.kind.String()
	case len(n.variables) > 0:
		return fmt.Sprintf("what ${%s} holds", n.variables[0])
	}
	if n.scalarType == numberScalar || n.scalarType == boolScalar {
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
