package openapi

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// building makes schemas from the text. There is one Schema for each place of the
// text, made before what it holds is read, so that recursion ends in pointers. What a
// schema merges is read at once; its members and branches wait in the queue, so that
// nothing is merged before it is whole.
type building struct {
	schemas  map[*yaml.Node]*pending
	queue    []*pending
	choices  []*Schema
	subtypes map[string][]subtype // by file: which definitions extend which by allOf
}

type pending struct {
	*Schema
	from node
	step int // untouched, begun, whole
}

const (
	untouched = iota
	begun
	whole
)

type subtype struct {
	base       *yaml.Node
	name       string
	definition node
}

func newBuilding() building {
	return building{schemas: map[*yaml.Node]*pending{}, subtypes: map[string][]subtype{}}
}

// complete reads all schemas that have been asked for.
func (r *reader) complete() {
	for len(r.queue) > 0 {
		next := r.queue[0]
		r.queue = r.queue[1:]
		r.build(next)
	}
	for _, s := range r.choices {
		s.nullFromBranches()
	}
}

// schemaOrAny is the empty schema where the text says nothing.
func (r *reader) schemaOrAny(n node, at Place) *Schema {
	if n.absent() {
		return &Schema{Place: at}
	}
	return r.schema(n)
}

// schema is the schema of a place. It is filled when the reader completes.
func (r *reader) schema(n node) *Schema { return r.pending(n).Schema }

func (r *reader) pending(n node) *pending {
	at := n.place()
	n, name := r.definition(n)
	p := r.schemas[n.Node]
	if p == nil || n.absent() {
		if !n.absent() {
			at = n.place()
		}
		p = &pending{Schema: &Schema{Place: at}, from: n}
		r.queue = append(r.queue, p)
		if !n.absent() {
			r.schemas[n.Node] = p
		}
	}
	if p.Name == "" {
		p.Name = name
	}
	return p
}

// definition follows references that have nothing of interest beside them, and gives
// the name that the last of them used.
func (r *reader) definition(n node) (node, string) {
	name := ""
	for range maxAliases {
		ref := n.get("$ref")
		if !ref.isScalar() || meaningful(n) {
			return n, name
		}
		at := n.place()
		if n = r.resolve(ref); n.absent() {
			return node{file: at.File}, ""
		}
		name = nameOf(ref.Value)
	}
	r.warn(n.place(), "the reference leads back to itself; name a definition")
	return node{file: n.file}, ""
}

// remarks are keywords that say nothing of the value.
var remarks = []string{"$ref", "description", "summary", "title", "example", "examples", "default", "deprecated", "externalDocs", "xml", "$comment"}

// meaningful tells whether something beside a reference says more of the value.
func meaningful(n node) bool {
	for key := range n.members() {
		extension := strings.HasPrefix(key.Value, "x-") && key.Value != "x-nullable"
		if !extension && !slices.Contains(remarks, key.Value) {
			return true
		}
	}
	return false
}

// build fills a schema. It does nothing when that has begun.
func (r *reader) build(p *pending) {
	if p.step != untouched || p.from.absent() {
		return
	}
	p.step = begun
	own := r.words(p.from)
	var parts []*Schema
	for _, n := range r.merged(p.from) {
		if part := r.part(p, n); part != nil {
			parts = append(parts, part)
		}
	}
	own.Name = p.Name
	*p.Schema = *merge(p.Schema, own, parts)
	p.step = whole
	if len(p.OneOf) > 0 {
		r.choices = append(r.choices, p.Schema)
	}
}

// part is a schema that another one merges, as a whole; nil when it is the same one.
func (r *reader) part(p *pending, n node) *Schema {
	part := r.pending(n)
	r.build(part)
	if part.step == begun {
		r.warn(n.place(), "the schema is made of itself; remove it from its own allOf, oneOf or anyOf")
		return nil
	}
	return part.Schema
}

// merged lists what a schema is made of besides its own words: a reference with words
// beside it, the parts of allOf, the one branch of a choice.
func (r *reader) merged(n node) []node {
	var parts []node
	if ref := n.get("$ref"); ref.isScalar() {
		if target := r.resolve(ref); !target.absent() {
			parts = append(parts, reference(n, ref))
		}
	}
	parts = append(parts, n.get("allOf").list()...)
	if branches, _ := r.branches(n); len(branches) == 1 {
		parts = append(parts, branches[0])
	}
	return parts
}

// reference is a $ref without what stands beside it.
func reference(n, ref node) node {
	alone := *n.Node
	key, _ := n.member("$ref")
	alone.Content = []*yaml.Node{key.Node, ref.Node}
	return node{&alone, n.file}
}

// branches lists those of oneOf and anyOf but null, and where null is.
func (r *reader) branches(n node) (branches []node, null node) {
	for _, word := range []string{"oneOf", "anyOf"} {
		for _, branch := range n.get(word).list() {
			if target, _ := r.definition(branch); onlyNull(target) {
				null = branch
			} else {
				branches = append(branches, branch)
			}
		}
	}
	return branches, null
}

// onlyNull tells whether a schema is another spelling of null.
func onlyNull(n node) bool {
	if types := n.get("type"); !types.absent() {
		all := types.texts()
		return types.isNull() || len(all) == 1 && all[0] == "null"
	}
	enum := n.get("enum").list()
	return n.get("const").isNull() || len(enum) == 1 && enum[0].isNull()
}
