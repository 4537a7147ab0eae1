package openapi

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// builder makes schemas from the text. There is one Schema for each place of the
// text, made before what it holds is read, so that recursion ends in pointers. What a
// schema merges is read at once; its members and branches wait in the queue, so that
// nothing is merged before it is whole.
type builder struct {
	schemas  map[*yaml.Node]*pending
	queue    []*pending
	choices  []*Schema
	subtypes map[string][]subtype // by file: which definitions extend which by allOf
}

type pending struct {
	*Schema
	from node
	state int // untouched, begun, whole
}

const (
	untouched = iota
	inProgress
	complete
)

type subtype struct {
	base       *yaml.Node
	name       string
	definition node
}

func newBuilder() builder {
	return builder{schemas: map[*yaml.Node]*pending{}, subtypes: map[string][]subtype{}}
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
		if !ref.isScalar() || hasConstraints(n) {
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

// annotationKeywords are keywords that say nothing of the value.
var annotationKeywords = []string{"$ref", "description", "summary", "title", "example", "examples", "default", "deprecated", "externalDocs", "xml", "$comment"}

// hasConstraints tells whether something beside a reference says more of the value.
func hasConstraints(n node) bool {
	for key := range n.members() {
		extension := strings.HasPrefix(key.Value, "x-") && key.Value != "x-nullable"
		if !extension && !slices.Contains(annotationKeywords, key.Value) {
			return true
		}
	}
	return false
}

// build fills a schema. It does nothing when that has begun.
func (r *reader) build(p *pending) {
	if p.state != untouched || p.from.absent() {
		return
	}
	p.state = inProgress
	own := r.ownSchema(p.from)
	var parts []*Schema
	for _, n := range r.mergeParts(p.from) {
		if part := r.mergePart(p, n); part != nil {
			parts = append(parts, part)
		}
	}
	own.Name = p.Name
	*p.Schema = *merge(p.Schema, own, parts)
	p.state = complete
	if len(p.OneOf) > 0 {
		r.choices = append(r.choices, p.Schema)
	}
}

// mergePart is a schema that another one merges, as a whole; nil when it is the same one.
func (r *reader) mergePart(p *pending, n node) *Schema {
	part := r.pending(n)
	r.build(part)
	if part.state == inProgress {
		r.warn(n.place(), "the schema is made of itself; remove it from its own allOf, oneOf or anyOf")
		return nil
	}
	return part.Schema
}

// mergeParts lists what a schema is made of besides its own words: a reference with words
// beside it, the parts of allOf, the one branch of a choice.
func (r *reader) mergeParts(n node) []node {
	var parts []node
	if ref := n.get("$ref"); ref.isScalar() {
		if target := r.resolve(ref); !target.absent() {
			parts = append(parts, bareReference(n, ref))
		}
	}
	parts = append(parts, n.get("allOf").list()...)
	if branches, _ := r.branches(n); len(branches) == 1 {
		parts = append(parts, branches[0])
	}
	return parts
}

// bareReference is a $ref without what stands beside it.
func bareReference(n, ref node) node {
	alone := *n.Node
	key, _ := n.member("$ref")
	alone.Content = []*yaml.Node{key.Node, ref.Node}
	return node{&alone, n.file}
}

// branches lists those of oneOf and anyOf but null, and where null is.
func (r *reader) branches(n node) (branches []node, null node) {
	for _, word := range []string{"oneOf", "anyOf"} {
		for _, branch := range n.get(word).list() {
			if target, _ := r.definition(branch); isNullSchema(target) {
				null = branch
			} else {
				branches = append(branches, branch)
			}
		}
	}
	return branches, null
}

// isNullSchema tells whether a schema is another spelling of null.
func isNullSchema(n node) bool {
	if types := n.get("type"); !types.absent() {
		all := types.texts()
		return types.isNull() || len(all) == 1 && all[0] == "null"
	}
	enum := n.get("enum").list()
	return n.get("const").isNull() || len(enum) == 1 && enum[0].isNull()
}
