package openapi

import (
	"slices"
)

// Schema describes a value. Fields that the document does not set are empty; an empty schema allows
// any value.
//
// The parts of an allOf are merged, and so are a reference and the keywords beside it. A later part
// overrides an earlier one, and the schema's own keywords override all parts. A choice with one
// branch besides null is that branch.
type Schema struct {
	Place               // of its definition
	Name       string   // of the definition that the first reference leads to, such as "User"
	Types      []string // of string, integer, number, boolean, object and array
	Nullable   bool     // null is allowed, in any spelling
	NullAt     Place    // where null is allowed
	Format     string
	Enum       []Value // the allowed values besides null; a const is an enum of one value
	Pattern    string
	ReadOnly   bool     // only in responses
	WriteOnly  bool     // only in requests
	Minimum    *float64 // exclusive bounds count as bounds
	Maximum    *float64
	MinLength  *int
	MaxLength  *int
	MinItems   *int
	MaxItems   *int
	Items      *Schema     // of a list's elements
	Properties []*Property // in the document's order
	Additional *Schema     // of an object's other members (additionalProperties, patternProperties)
	Closed     bool        // an object has no further members
	OneOf      []*Schema   // the branches of oneOf or anyOf, two or more, null left out

	Discriminator *Discriminator

	required map[string]bool
}

// Value is one of the values of an enum.
type Value struct {
	Place
	Text string // a string without quotes, another value as JSON
}

// Property is a member of an object.
type Property struct {
	Place
	Name     string
	Required bool
	Schema   *Schema // never nil
}

// Discriminator says by which property an object shows its branch.
type Discriminator struct {
	Place
	Property string
	Choices  []Choice // in the order of the mapping, then the branches that it does not name

	mapping  []Choice
	subtypes []*Schema // of a schema without branches
}

// Choice is a value of a discriminator with the branch that it selects.
type Choice struct {
	Place
	Value  string
	Schema *Schema // nil if the document does not say which branch it is
}

// AllowsAny reports whether the document allows every value.
func (s *Schema) AllowsAny() bool {
	return len(s.Types) == 0 && len(s.Enum) == 0 && len(s.OneOf) == 0
}

// AllowsType reports whether a type of JSON Schema, such as "object", is allowed. It does not look into the
// branches of a choice.
func (s *Schema) AllowsType(kind string) bool {
	return slices.Contains(s.Types, kind)
}

// MemberSchema returns the schema of the values of an object whose member names the document leaves open, or
// nil for other schemas.
func (s *Schema) MemberSchema() *Schema {
	if len(s.Properties) > 0 || s.AllowsAny() || !s.AllowsType("object") {
		return nil
	}
	return s.Additional
}

// AllowsOtherMembers reports whether an object may have members that the document does not name: a branch has
// additionalProperties or patternProperties, or it is an object of which the document says no more than that.
func (s *Schema) AllowsOtherMembers() bool {
	return slices.ContainsFunc(append([]*Schema{s}, s.Leaves()...), func(leaf *Schema) bool {
		isBare := leaf.AllowsType("object") && len(leaf.Properties) == 0 && len(leaf.required) == 0 && !leaf.Closed
		return leaf.Additional != nil || isBare && len(leaf.OneOf) == 0
	})
}

// Property returns a member of an object, or nil if the document does not declare it. In a choice,
// a member of any branch counts; it is required only if every branch requires it.
func (s *Schema) Property(name string) *Property {
	return s.property(name, map[*Schema]bool{})
}

// ownProperty returns a property that the schema itself has, not a branch of it.
func (s *Schema) ownProperty(name string) *Property {
	if i := slices.IndexFunc(s.Properties, func(p *Property) bool { return p.Name == name }); i >= 0 {
		return s.Properties[i]
	}
	return nil
}

func (s *Schema) property(name string, seen map[*Schema]bool) *Property {
	if p := s.ownProperty(name); p != nil {
		return p
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

// commonProperty returns a property that combines those which the branches of a choice have for a
// member.
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

// choice returns a schema with several branches.
func choice(branches []*Schema) *Schema {
	s := &Schema{Place: branches[0].Place, OneOf: branches}
	s.nullFromBranches()
	return s
}

// nullFromBranches makes a choice nullable if one of its branches is.
func (s *Schema) nullFromBranches() {
	for _, leaf := range s.Leaves() {
		if !s.Nullable && leaf.Nullable {
			s.Nullable, s.NullAt = true, leaf.NullAt
		}
	}
}

// PropertyNames returns the names that Property finds, in the order of the document.
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

// Leaves returns the branches of a choice, with choices among them replaced by their branches. A
// schema that is not a choice has itself as its only leaf.
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
