package openapi

import (
	"slices"
)

// Schema is what a document says of a value. Everything is empty where it says
// nothing; a schema that is empty altogether allows any value.
//
// Parts of an allOf are merged, and so are a reference and what stands beside it; a
// later part overrides an earlier one, and a schema's own words override all. A choice
// with one branch, besides null, is that branch.
type Schema struct {
	Place               // of its definition
	Name       string   // of the definition that a reference led to, such as "User"
	Types      []string // of string, integer, number, boolean, object and array
	Nullable   bool     // null is allowed, however that is spelt
	NullAt     Place    // where that is said
	Format     string
	Enum       []Value // the values that are allowed besides null; a const is one
	Pattern    string
	ReadOnly   bool     // services send it and do not take it
	WriteOnly  bool     // services take it and do not send it
	Minimum    *float64 // exclusive bounds count as bounds
	Maximum    *float64
	MinLength  *int
	MaxLength  *int
	MinItems   *int
	MaxItems   *int
	Items      *Schema     // of a list's elements
	Properties []*Property // in the document's order
	Additional *Schema     // of an object's other members (additionalProperties, patternProperties)
	Closed     bool        // an object has no other members
	OneOf      []*Schema   // the branches of oneOf or anyOf, two or more, null left out

	Discriminator *Discriminator

	required map[string]bool
}

// Value is one of the values of an enum.
type Value struct {
	Place
	Text string // a string as it is, another value as JSON
}

// Property is a member of an object.
type Property struct {
	Place
	Name     string
	Required bool
	Schema   *Schema // never nil
}

// Discriminator tells which branch an object is of.
type Discriminator struct {
	Place
	Property string
	Choices  []Choice // in the order of the mapping, then the branches that it does not name
}

// Choice is a branch by the value of the discriminator.
type Choice struct {
	Place
	Value  string
	Schema *Schema
}

// Any tells whether every value is allowed, as far as the document says.
func (s *Schema) Any() bool {
	return len(s.Types) == 0 && len(s.Enum) == 0 && len(s.OneOf) == 0
}

// Is tells whether values of a type, such as "object", are allowed, not counting the
// branches of a choice.
func (s *Schema) Is(kind string) bool {
	return slices.Contains(s.Types, kind)
}

// Map is the schema of the values of an object whose members are not named by the
// document, nil when it is no such object.
func (s *Schema) Map() *Schema {
	if len(s.Properties) > 0 || s.Any() || !s.Is("object") {
		return nil
	}
	return s.Additional
}

// Property finds a member of an object, nil when the document names none. Of a choice
// it is a member of any branch, and required only when each branch requires it.
func (s *Schema) Property(name string) *Property {
	return s.property(name, map[*Schema]bool{})
}

func (s *Schema) property(name string, seen map[*Schema]bool) *Property {
	i := slices.IndexFunc(s.Properties, func(p *Property) bool { return p.Name == name })
	if i >= 0 {
		return s.Properties[i]
	}
	if seen[s] {
		return nil
	}
	seen[s] = true
	var found []*Property
	for _, branch := range s.OneOf {
		if p := branch.property(name, seen); p != nil {
			found = append(found, p)
		}
	}
	return s.commonProperty(name, found)
}

// commonProperty is what the branches of a choice say of a member together.
func (s *Schema) commonProperty(name string, found []*Property) *Property {
	if len(found) == 0 {
		return nil
	}
	all := *found[0]
	all.Required = s.required[name] || len(found) == len(s.OneOf)
	var schemas []*Schema
	for _, p := range found {
		all.Required = all.Required && (p.Required || s.required[name])
		if !slices.Contains(schemas, p.Schema) {
			schemas = append(schemas, p.Schema)
		}
	}
	if len(schemas) > 1 {
		all.Schema = choice(schemas)
	}
	return &all
}

// choice is a schema of several branches.
func choice(branches []*Schema) *Schema {
	s := &Schema{Place: branches[0].Place, OneOf: branches}
	s.nullFromBranches()
	return s
}

// nullFromBranches makes a choice nullable when one of its branches is.
func (s *Schema) nullFromBranches() {
	for _, leaf := range s.Leaves() {
		if !s.Nullable && leaf.Nullable {
			s.Nullable, s.NullAt = true, leaf.NullAt
		}
	}
}

// PropertyNames lists the members that Property finds, in the document's order.
func (s *Schema) PropertyNames() []string {
	var names []string
	for _, leaf := range append([]*Schema{s}, s.Leaves()...) {
		for _, p := range leaf.Properties {
			if !slices.Contains(names, p.Name) {
				names = append(names, p.Name)
			}
		}
	}
	return names
}

// Leaves are the branches of a choice with the choices among them taken apart, or the
// schema alone when it is none.
func (s *Schema) Leaves() []*Schema {
	var leaves []*Schema
	seen := map[*Schema]bool{}
	var visit func(*Schema)
	visit = func(s *Schema) {
		if seen[s] {
			return
		}
		seen[s] = true
		if len(s.OneOf) == 0 {
			leaves = append(leaves, s)
		}
		for _, branch := range s.OneOf {
			visit(branch)
		}
	}
	visit(s)
	return leaves
}
