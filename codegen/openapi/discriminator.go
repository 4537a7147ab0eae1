package openapi

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"unicode"
)

// discriminator reads the discriminator of a schema, without its choices: those need complete
// branches. The discriminator of Swagger 2.0 is the name of the property alone.
func (r *reader) discriminator(n node) *Discriminator {
	object := n.get("discriminator")
	d := &Discriminator{Place: object.place(), Property: cmp.Or(object.get("propertyName").text(), object.text())}
	if d.Property == "" {
		return nil
	}
	for value, to := range object.get("mapping").members() {
		if schema := r.mappedSchema(to); schema != nil {
			d.mapping = append(d.mapping, Choice{value.place(), value.Value, schema})
		}
	}
	if len(n.get("oneOf").list())+len(n.get("anyOf").list()) == 0 {
		for _, sub := range r.subtypesOf(n) {
			schema := r.namedSchema(sub.definition, sub.name)
			if value := sub.definition.get("x-ms-discriminator-value"); value.text() != "" {
				d.mapping = append(d.mapping, Choice{value.place(), value.text(), schema})
			}
			d.subtypes = append(d.subtypes, schema)
		}
	}
	return d
}

// ChoicesBy returns which values of a member select which branches of a choice: by the schema's
// discriminator if the member is its property, else by the enums that the branches have for the
// member. It returns nil if the document does not say.
func (s *Schema) ChoicesBy(member string) []Choice {
	if s.Discriminator != nil && s.Discriminator.Property == member {
		return s.Discriminator.Choices
	}
	m := &choiceMatcher{member: member, covered: map[*Schema]bool{}, mapped: map[string]bool{}}
	m.branches = s.Leaves()
	return m.match(nil)
}

// resolve determines the choices of the discriminator of s, whose branches are complete.
//
// A value selects a branch if the branch's own enum or const has it, and no other branch has it
// too. An enum that several branches share, since they inherit it, does not tell them apart: then
// the mapping does, and without one the name of the branch's definition (OpenAPI 3.2.0,
// Discriminator Object). Most documents have no mapping and own values, against the letter of the
// specification, by which the value would be the definition's name.
func (d *Discriminator) resolve(s *Schema) {
	m := &choiceMatcher{member: d.Property, byName: true, covered: map[*Schema]bool{}, mapped: map[string]bool{}}
	if len(s.OneOf) > 0 {
		m.branches = s.Leaves()
	} else {
		m.branches = d.subtypes
	}
	d.Choices = m.match(append(slices.Clone(d.mapping), nestedMappings(s, d.Property)...))
}

// nestedMappings returns the mappings of choices among the branches of s.
func nestedMappings(s *Schema, member string) []Choice {
	var all []Choice
	seen := map[*Schema]bool{s: true}
	var visit func(*Schema)
	visit = func(branch *Schema) {
		if seen[branch] {
			return
		}
		seen[branch] = true
		if d := branch.Discriminator; len(branch.OneOf) > 0 && d != nil && d.Property == member {
			all = append(all, d.mapping...)
		}
		for _, inner := range branch.OneOf {
			visit(inner)
		}
	}
	for _, branch := range s.OneOf {
		visit(branch)
	}
	return all
}

// choiceMatcher finds the values of a member that select branches.
type choiceMatcher struct {
	member   string
	byName   bool // the name of a definition counts as a value
	branches []*Schema
	covered  map[*Schema]bool // the branches that have a value
	mapped   map[string]bool  // the values that have a branch
	choices  []Choice
}

func (m *choiceMatcher) match(mapping []Choice) []Choice {
	for _, c := range mapping {
		m.addMapped(c)
	}
	for _, branch := range m.branches {
		for _, v := range m.values(branch) {
			if len(m.claimants(v.Text)) == 1 {
				m.add(v.Place, v.Text, branch)
			}
		}
	}
	for _, branch := range m.branches {
		for _, v := range m.values(branch) {
			m.add(v.Place, v.Text, m.sharedValue(v.Text))
		}
	}
	for _, branch := range m.branches {
		if m.byName && branch.Name != "" && !m.covered[branch] && len(m.values(branch)) == 0 {
			m.add(branch.Place, branch.Name, branch)
		}
	}
	return m.choices
}

// addMapped adds a value of a mapping, unless the own values of its branch exclude it.
func (m *choiceMatcher) addMapped(c Choice) {
	if i := slices.IndexFunc(m.branches, func(b *Schema) bool { return b.Place == c.Schema.Place }); i >= 0 {
		c.Schema = m.branches[i]
	}
	values := m.values(c.Schema)
	if len(values) > 0 && !slices.ContainsFunc(values, func(v Value) bool { return v.Text == c.Value }) {
		return
	}
	for _, leaf := range c.Schema.Leaves() {
		m.covered[leaf] = true
	}
	m.add(c.Place, c.Value, c.Schema)
}

// add adds a choice, unless the value has one already. A nil schema stands for a branch that the
// document does not determine.
func (m *choiceMatcher) add(at Place, value string, schema *Schema) {
	if m.mapped[value] {
		return
	}
	m.mapped[value] = true
	if schema != nil {
		m.covered[schema] = true
	}
	m.choices = append(m.choices, Choice{at, value, schema})
}

// values returns the values that a branch allows for the member, nil if it allows any.
func (m *choiceMatcher) values(branch *Schema) []Value {
	p := branch.Property(m.member)
	if p == nil {
		return nil
	}
	var all []Value
	for _, leaf := range p.Schema.Leaves() {
		if len(leaf.Enum) == 0 {
			return nil
		}
		all = append(all, leaf.Enum...)
	}
	return all
}

// claimants returns the branches that allow a value.
func (m *choiceMatcher) claimants(value string) []*Schema {
	var all []*Schema
	for _, branch := range m.branches {
		if slices.ContainsFunc(m.values(branch), func(v Value) bool { return v.Text == value }) {
			all = append(all, branch)
		}
	}
	return all
}

// sharedValue returns the branch of a value that several branches allow: the one whose definition
// is named like the value, else the only one that has no value of its own. It returns nil if that
// leaves more than one.
func (m *choiceMatcher) sharedValue(value string) *Schema {
	var named, free []*Schema
	for _, branch := range m.claimants(value) {
		if m.covered[branch] {
			continue
		}
		free = append(free, branch)
		if plainLetters(branch.Name) == plainLetters(value) {
			named = append(named, branch)
		}
	}
	switch {
	case len(named) == 1:
		return named[0]
	case len(free) == 1:
		return free[0]
	}
	return nil
}

// plainLetters returns the letters and digits of a name in lower case.
func plainLetters(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// mappedSchema returns the schema that a value of a mapping refers to: by the name of a definition,
// or by a reference. It returns nil if there is none.
func (r *reader) mappedSchema(to node) *Schema {
	if to.text() == "" {
		return nil
	}
	ref := *to.Node
	if !strings.ContainsAny(ref.Value, "#/") && !slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(ref.Value)) {
		ref.Value = r.definitionsPointer() + ref.Value
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

// subtypesOf returns the definitions in the same file that extend base: those that have a
// reference to it in their allOf, and those that extend these. In Swagger 2.0, and in many later
// documents, a discriminator selects from them.
func (r *reader) subtypesOf(base node) []subtype {
	all, ok := r.subtypes[base.file]
	if !ok {
		all = r.findSubtypes(base.file)
		r.subtypes[base.file] = all
	}
	var found []subtype
	bases := []node{base}
	for len(bases) > 0 {
		for _, s := range all {
			isNew := !slices.ContainsFunc(found, func(o subtype) bool { return o.definition.Node == s.definition.Node })
			if s.base == bases[0].Node && isNew && s.definition.Node != base.Node {
				found = append(found, s)
				bases = append(bases, s.definition)
			}
		}
		bases = bases[1:]
	}
	return found
}

func (r *reader) findSubtypes(file string) []subtype {
	var all []subtype
	for name, definition := range r.definitions(r.files[file]).members() {
		for _, part := range definition.get("allOf").list() {
			if base := r.follow(part); !base.absent() && part.get("$ref").isScalar() {
				all = append(all, subtype{base.Node, name.Value, definition})
			}
		}
	}
	return all
}
