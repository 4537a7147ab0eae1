package openapi

import (
	"cmp"
	"maps"
	"slices"
)

// merge combines the parts of a schema and its own keywords, which override the parts. A later part
// overrides an earlier one, except that the types are intersected and the required members are
// united.
//
// self is the schema that the result is for. A part can have it as a branch: a base type whose
// oneOf lists the subtypes that extend it by allOf. A subtype is not a choice between itself and
// its siblings, so it does not inherit such a oneOf. Inline has for each part whether it is written
// there, not referred to.
func merge(self, own *Schema, parts []*Schema, inline []bool) *Schema {
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
	if len(parts) == 1 && own.hasNoMembers() { // the same definition with an annotation, not an extension of it
		all.Name = cmp.Or(all.Name, parts[0].Name)
		all.Discriminator = cmp.Or(own.Discriminator, parts[0].Discriminator)
	}
	all.mergeNull(own, parts, inline)
	for i, p := range all.Properties {
		merged := *p
		merged.Required = all.required[p.Name]
		all.Properties[i] = &merged
	}
	return all
}

// hasNoMembers reports whether a schema's own keywords leave the shape of a part as it is.
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

// intersectTypes returns the types that two schemas allow. If they contradict each other, it
// returns those of the later one.
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

// mergeNull decides whether a merged schema is nullable. By the specification, null would have to
// be allowed by the own keywords and all parts. Authors mean something else, and mergeNull follows
// them: null that is declared in the own keywords, or in a part that adds nothing else to a
// reference, makes the schema nullable, whatever the other parts say. Otherwise all parts with types
// have to agree.
func (s *Schema) mergeNull(own *Schema, parts []*Schema, inline []bool) {
	if own.Nullable {
		s.Nullable, s.NullAt = true, own.NullAt
		return
	}
	for i, part := range parts {
		if part.Nullable && inline[i] && (part.AllowsAny() || slices.Contains(inline, false)) {
			s.Nullable, s.NullAt = true, part.NullAt
			return
		}
	}
	for _, part := range append(slices.Clone(parts), own) {
		switch {
		case part.AllowsAny():
		case !part.Nullable:
			s.Nullable, s.NullAt = false, Place{}
			return
		case !s.Nullable:
			s.Nullable, s.NullAt = true, part.NullAt
		}
	}
}

// shareWithBranches gives the branches of a choice what stands beside oneOf and anyOf: a value has
// to fit both.
func (r *reader) shareWithBranches(s *Schema) {
	if r.shared[s] {
		return
	}
	r.shared[s] = true
	branches := make([]*Schema, len(s.OneOf))
	for i, branch := range s.OneOf {
		r.shareWithBranches(branch)
		branches[i] = branch.extendedBy(s, map[*Schema]bool{s: true})
	}
	s.OneOf = branches
}

// extendedBy returns a schema with what base has and the schema lacks. It returns the schema itself
// if that is nothing. The schemas in seen are left as they are, since a choice can contain itself.
func (s *Schema) extendedBy(base *Schema, seen map[*Schema]bool) *Schema {
	if seen[s] || base.hasNoMembersBeside() {
		return s
	}
	seen[s] = true
	extended := *s
	changed := false
	extended.OneOf = make([]*Schema, len(s.OneOf))
	for i, branch := range s.OneOf {
		extended.OneOf[i] = branch.extendedBy(base, seen)
		changed = changed || extended.OneOf[i] != branch
	}
	if len(s.Types) == 0 && len(base.Types) > 0 && len(s.OneOf) == 0 {
		extended.Types, changed = base.Types, true
	}
	if s.Additional == nil && base.Additional != nil {
		extended.Additional, changed = base.Additional, true
	}
	extended.required = maps.Clone(s.required)
	if extended.required == nil {
		extended.required = map[string]bool{}
	}
	for name := range base.required {
		changed = changed || !s.required[name]
		extended.required[name] = true
	}
	extended.Properties = nil
	extended.addProperties(base.Properties)
	changed = changed || slices.ContainsFunc(base.Properties, func(p *Property) bool { return s.ownProperty(p.Name) == nil })
	extended.addProperties(s.Properties)
	if !changed {
		return s
	}
	for i, p := range extended.Properties {
		merged := *p
		merged.Required = p.Required || extended.required[p.Name]
		extended.Properties[i] = &merged
	}
	return &extended
}

// hasNoMembersBeside reports whether a choice has nothing that its branches could lack.
func (s *Schema) hasNoMembersBeside() bool {
	return len(s.Types) == 0 && len(s.Properties) == 0 && len(s.required) == 0 && s.Additional == nil
}
