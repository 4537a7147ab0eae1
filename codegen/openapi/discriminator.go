package openapi

import (
	"slices"
	"strings"
)

// discriminator reads which value of the discriminator selects which branch. Values come from the
// mapping; a branch that the mapping does not name has the name of its definition as its value
// (OpenAPI 3.2.0, Discriminator Object). If the schema has no branches, its subtypes count as branches.
func (r *reader) discriminator(s *Schema, n node) *Discriminator {
	object := n.get("discriminator")
	name := object.get("propertyName")
	if name.text() == "" {
		return nil
	}
	d := &Discriminator{Place: object.place(), Property: name.text()}
	for value, to := range object.get("mapping").members() {
		if schema := r.mappedSchema(to); schema != nil {
			d.Choices = append(d.Choices, Choice{value.place(), value.Value, schema})
		}
	}
	for _, branch := range s.OneOf {
		d.add(branch.Place, branch.Name, branch)
	}
	if len(s.OneOf) == 0 {
		for _, sub := range r.subtypesOf(n) {
			d.add(sub.definition.place(), sub.name, r.namedSchema(sub.definition, sub.name))
		}
	}
	return d
}

// add adds a branch under its name, unless the branch or the name is there already.
func (d *Discriminator) add(at Place, name string, schema *Schema) {
	there := slices.ContainsFunc(d.Choices, func(c Choice) bool { return c.Schema == schema || c.Value == name })
	if name != "" && !there {
		d.Choices = append(d.Choices, Choice{at, name, schema})
	}
}

// mappedSchema returns the schema that a value of a mapping refers to: by the name of a definition,
// or by a reference. It returns nil if there is none.
func (r *reader) mappedSchema(to node) *Schema {
	if to.text() == "" {
		return nil
	}
	ref := *to.Node
	if !strings.ContainsAny(ref.Value, "#/") && !strings.HasSuffix(ref.Value, ".yaml") && !strings.HasSuffix(ref.Value, ".json") {
		ref.Value = "#/components/schemas/" + ref.Value
	}
	target := r.resolve(node{&ref, to.file})
	if target.absent() {
		return nil
	}
	return r.namedSchema(target, nameOf(ref.Value))
}

// namedSchema returns the schema of a definition, and gives it a name if it has none.
func (r *reader) namedSchema(n node, name string) *Schema {
	p := r.pending(n)
	if p.Name == "" {
		p.Name = name
	}
	return p.Schema
}

// subtypesOf returns the definitions in the same file that have a reference to base in their allOf.
// In Swagger 2.0, and in many later documents, these are what a discriminator selects from.
func (r *reader) subtypesOf(base node) []subtype {
	all, ok := r.subtypes[base.file]
	if !ok {
		all = r.findSubtypes(base.file)
		r.subtypes[base.file] = all
	}
	return slices.DeleteFunc(slices.Clone(all), func(s subtype) bool { return s.base != base.Node })
}

func (r *reader) findSubtypes(file string) []subtype {
	var all []subtype
	for name, definition := range r.files[file].get("components").get("schemas").members() {
		for _, part := range definition.get("allOf").list() {
			if base := r.follow(part); !base.absent() && part.get("$ref").isScalar() {
				all = append(all, subtype{base.Node, name.Value, definition})
			}
		}
	}
	return all
}
