package openapi

import (
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// builder builds schemas.
//
// A schema can refer to itself, directly or through others, in two ways that need different care.
// It can have a property, an element or a branch whose schema leads back to it: a list of comments
// that have comments. To build this, the builder creates the Schema of a place before it reads the
// text, hands out the pointer, and fills it later from a queue. A schema can also consist of
// others, by allOf, by a reference with further keywords beside it, or as the only branch of a
// choice. It then copies their properties, so they have to be complete first: build reads them at
// once, recursively, and reports a schema that consists of itself.
//
// There is exactly one Schema for each node of the text, so that pointers can be compared.
type builder struct {
	schemas  map[*yaml.Node]*pending
	queue    []*pending
	choices  []*Schema            // new ones, which depend on their branches
	tagged   []*Schema            // new ones with a discriminator
	shared   map[*Schema]bool     // choices whose branches have what stands beside them
	subtypes map[string][]subtype // by file
}

// pending is a schema with the text that it is built from.
type pending struct {
	*Schema
	from  node
	state int // untouched, begun, whole
}

const (
	// States of a pending schema.
	untouched = iota
	inProgress
	complete
)

// subtype is a definition that has a reference to base in its allOf.
type subtype struct {
	base       *yaml.Node
	name       string
	definition node
}

func newBuilder() builder {
	return builder{schemas: map[*yaml.Node]*pending{}, shared: map[*Schema]bool{}, subtypes: map[string][]subtype{}}
}

// complete builds all schemas that have been requested. What depends on the branches of choices
// comes last, since it needs complete branches.
func (r *reader) complete() {
	for len(r.queue) > 0 {
		next := r.queue[0]
		r.queue = r.queue[1:]
		r.build(next)
	}
	for _, s := range r.choices {
		r.shareWithBranches(s)
	}
	for _, s := range r.choices {
		s.nullFromBranches()
	}
	for _, s := range r.tagged {
		s.Discriminator.resolve(s)
	}
	r.choices, r.tagged = nil, nil
}

// schemaOrAny returns the schema at a node, or an empty schema at the place if the node is absent.
func (r *reader) schemaOrAny(n node, at Place) *Schema {
	if n.absent() {
		return &Schema{Place: at}
	}
	return r.schema(n)
}

// schema returns the schema at a node. It is empty until the reader completes.
func (r *reader) schema(n node) *Schema { return r.pending(n).Schema }

// pending returns the schema at the end of the references from a node, and queues it when it is
// new. The schema has the name of the first reference that leads to it.
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

// definition follows references that have no constraints beside them. It returns their target and
// the name in the last of them.
func (r *reader) definition(n node) (node, string) {
	name := ""
	for range maxReferences {
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

// annotationKeywords are keywords that do not constrain the value.
var annotationKeywords = []string{"$ref", "description", "summary", "title", "example", "examples", "default", "deprecated", "externalDocs", "xml", "$comment"}

// hasConstraints reports whether keywords beside a reference constrain the value further.
func hasConstraints(n node) bool {
	for key := range n.members() {
		extension := strings.HasPrefix(key.Value, "x-") && key.Value != "x-nullable"
		if !extension && !slices.Contains(annotationKeywords, key.Value) {
			return true
		}
	}
	return false
}

// build fills a schema, with all schemas that it consists of. It does nothing if that has been done
// or is in progress.
func (r *reader) build(p *pending) {
	if p.state != untouched || p.from.absent() {
		return
	}
	p.state = inProgress
	own := r.ownSchema(p.from)
	var parts []*Schema
	var inline []bool // the parts that are written here, not referred to
	for _, n := range r.mergeParts(p.from) {
		if part := r.mergePart(p, n); part != nil {
			parts, inline = append(parts, part), append(inline, n.get("$ref").absent())
		}
	}
	own.Name = p.Name
	*p.Schema = *merge(p.Schema, own, parts, inline)
	p.state = complete
	if len(p.OneOf) > 0 {
		r.choices = append(r.choices, p.Schema)
	}
	if p.Discriminator != nil {
		r.tagged = append(r.tagged, p.Schema)
	}
}

// mergePart returns the complete schema at a node for another one that consists of it. It returns
// nil, with a warning, if that schema is in progress: then it consists of itself.
func (r *reader) mergePart(p *pending, n node) *Schema {
	part := r.pending(n)
	r.build(part)
	if part.state == inProgress {
		r.warn(n.place(), "the schema contains itself; remove it from its own allOf, oneOf or anyOf")
		return nil
	}
	return part.Schema
}

// mergeParts returns what a schema consists of besides its own keywords: the target of a reference
// with constraints beside it, the parts of allOf, and the branch of a choice that has only one.
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

// bareReference returns a node with the $ref of n alone.
func bareReference(n, ref node) node {
	only := *n.Node
	key, _ := n.member("$ref")
	only.Members = []yaml.Member{{Key: key.Node, Value: ref.Node}}
	return node{&only, n.file}
}

// choiceKeywords are the keywords whose value is a list of branches.
var choiceKeywords = []string{"oneOf", "anyOf"}

// branches returns the branches of oneOf and anyOf without null, and the branch that is null.
func (r *reader) branches(n node) (branches []node, null node) {
	for _, word := range choiceKeywords {
		list := n.get(word).list()
		if r.onlyRequire(list) {
			continue
		}
		for _, branch := range list {
			if target, _ := r.definition(branch); isNullSchema(target) {
				null = branch
			} else {
				branches = append(branches, branch)
			}
		}
	}
	return branches, null
}

// isNullSchema reports whether a schema allows null only, in any of the spellings of that. In
// OpenAPI 3.0 a branch that says nullable and nothing else is meant so.
func isNullSchema(n node) bool {
	if n.get("nullable").isTrue() || n.get("x-nullable").isTrue() {
		only := func(key node) bool { return strings.HasPrefix(key.Value, "x-") || key.Value == "nullable" }
		for key := range n.members() {
			if !only(key) && (key.Value == "$ref" || !slices.Contains(annotationKeywords, key.Value)) {
				return false
			}
		}
		return true
	}
	if types := n.get("type"); !types.absent() {
		all := types.texts()
		return types.isNull() || len(all) == 1 && all[0] == "null"
	}
	enum := n.get("enum").list()
	return n.get("const").isNull() || len(enum) == 1 && enum[0].isNull()
}
