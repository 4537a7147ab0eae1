package openapi

import (
	"cmp"
	"maps"
	"slices"
)

// merge makes one schema of its parts and of its own words, which override them. self
// is where the schema will be: a part may offer it as one of its own branches.
func merge(self, own *Schema, parts []*Schema) *Schema {
	if len(parts) == 0 {
		return own
	}
	all := &Schema{required: map[string]bool{}}
	for _, part := range append(slices.Clone(parts), own) {
		all.add(part, self)
	}
	all.Place = own.Place
	all.Name = own.Name
	all.Discriminator = own.Discriminator
	if len(parts) == 1 && own.hasNoMembers() { // the same thing with a remark, not an extension
		all.Name = cmp.Or(all.Name, parts[0].Name)
		all.Discriminator = cmp.Or(own.Discriminator, parts[0].Discriminator)
	}
	all.mergeNull(own, parts)
	for i, p := range all.Properties {
		merged := *p
		merged.Required = all.required[p.Name]
		all.Properties[i] = &merged
	}
	return all
}

// hasNoMembers tells whether a schema's own words add nothing to the shape of a part.
func (s *Schema) hasNoMembers() bool {
	return len(s.Properties) == 0 && len(s.required) == 0 && len(s.OneOf) == 0 && s.Additional == nil
}

func (s *Schema) add(part, self *Schema) {
	s.Types = intersectTypes(s.Types, part.Types)
	s.Format = cmp.Or(part.Format, s.Format)
	s.Pattern = cmp.Or(part.Pattern, s.Pattern)
	s.ReadOnly = s.ReadOnly || part.ReadOnly
	s.WriteOnly = s.WriteOnly || part.WriteOnly
	s.Minimum, s.Maximum = cmp.Or(part.Minimum, s.Minimum), cmp.Or(part.Maximum, s.Maximum)
	s.MinLength, s.MaxLength = cmp.Or(part.MinLength, s.MinLength), cmp.Or(part.MaxLength, s.MaxLength)
	s.MinItems, s.MaxItems = cmp.Or(part.MinItems, s.MinItems), cmp.Or(part.MaxItems, s.MaxItems)
	s.Items = cmp.Or(part.Items, s.Items)
	s.Additional = cmp.Or(part.Additional, s.Additional)
	s.Closed = s.Closed || part.Closed
	if len(part.Enum) > 0 {
		s.Enum = part.Enum
	}
	if len(part.OneOf) > 0 && !slices.Contains(part.OneOf, self) {
		s.OneOf = part.OneOf
	}
	maps.Copy(s.required, part.required)
	s.addProperties(part.Properties)
}

func (s *Schema) addProperties(more []*Property) {
	for _, p := range more {
		same := func(o *Property) bool { return o.Name == p.Name }
		if i := slices.IndexFunc(s.Properties, same); i < 0 {
			s.Properties = append(s.Properties, p)
		} else {
			s.Properties[i] = p
		}
	}
}

// intersectTypes are the types that two schemas allow; where they contradict each other, it is
// the later one that counts.
func intersectTypes(a, b []string) []string {
	if len(a) == 0 || len(b) == 0 {
		return append(slices.Clone(a), b...)
	}
	var both []string
	for _, t := range b {
		if slices.Contains(a, t) || t == "integer" && slices.Contains(a, "number") {
			both = append(both, t)
		} else if t == "number" && slices.Contains(a, "integer") {
			both = append(both, "integer")
		}
	}
	if len(both) == 0 {
		return b
	}
	return both
}

// mergeNull follows what authors mean: a schema that says null of itself is nullable,
// whatever its parts say; else all parts that speak of types must agree.
func (s *Schema) mergeNull(own *Schema, parts []*Schema) {
	if own.Nullable {
		s.Nullable, s.NullAt = true, own.NullAt
		return
	}
	for _, part := range append(slices.Clone(parts), own) {
		switch {
		case part.Any():
		case !part.Nullable:
			s.Nullable, s.NullAt = false, Place{}
			return
		case !s.Nullable:
			s.Nullable, s.NullAt = true, part.NullAt
		}
	}
}
