package openapi

import (
	"slices"
	"strings"
)

// discriminator reads which branch is told by which value.
func (r *reader) discriminator(s *Schema, n node) *Discriminator {
	said := n.get("discriminator")
	name := said.get("propertyName")
	if name.text() == "" {
		return nil
	}
	d := &Discriminator{Place: said.place(), Property: name.text()}
	for value, to := range said.get("mapping").members() {
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

// add adds a branch by its name, unless it is there.
func (d *Discriminator) add(at Place, name string, schema *Schema) {
	there := slices.ContainsFunc(d.Choices, func(c Choice) bool { return c.Schema == schema || c.Value == name })
	if name != "" && !there {
		d.Choices = append(d.Choices, Choice{at, name, schema})
	}
}

// mappedSchema is what a value of a mapping names: a definition, or a reference.
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

// namedSchema is the schema of a definition.
func (r *reader) namedSchema(n node, name string) *Schema {
	p := r.pending(n)
	if p.Name == "" {
		p.Name = name
	}
	return p.Schema
}

// subtypesOf finds the definitions that have a schema in their allOf: how Swagger 2.0,
// and many a later document, says what a discriminator chooses from.
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
