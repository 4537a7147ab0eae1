package openapi

import (
	"slices"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// ownSchema reads the keywords of a schema, without what it merges from elsewhere.
func (r *reader) ownSchema(n node) *Schema {
	s := &Schema{
		Place:     n.place(),
		Format:    n.get("format").text(),
		Pattern:   n.get("pattern").text(),
		ReadOnly:  n.get("readOnly").isTrue(),
		WriteOnly: n.get("writeOnly").isTrue(),
		MinLength: n.get("minLength").count(),
		MaxLength: n.get("maxLength").count(),
		MinItems:  n.get("minItems").count(),
		MaxItems:  n.get("maxItems").count(),
		Minimum:   bound(n, "minimum", "exclusiveMinimum"),
		Maximum:   bound(n, "maximum", "exclusiveMaximum"),
	}
	s.types(n)
	if n.get("type").text() == "file" { // of Swagger 2.0
		s.Types, s.Format = []string{"string"}, "binary"
	}
	s.enum(n)
	s.null(n)
	r.object(s, n)
	if items := n.get("items"); !items.absent() {
		s.Items = r.schema(items)
	}
	branches, null := r.branches(n)
	if len(branches) > 1 {
		for _, branch := range branches {
			s.OneOf = append(s.OneOf, r.schema(branch))
		}
	}
	s.nullable(null)
	s.infer(n)
	s.Discriminator = r.discriminator(n)
	return s
}

// requiredByAll returns the names that all branches of a choice require, where the branches say
// nothing else.
func (r *reader) requiredByAll(n node) []node {
	var all []node
	for _, word := range choiceKeywords {
		branches := n.get(word).list()
		if !r.onlyRequire(branches) {
			continue
		}
		for _, name := range branches[0].get("required").list() {
			requires := func(branch node) bool {
				return slices.ContainsFunc(branch.get("required").list(), func(o node) bool { return o.text() == name.text() })
			}
			if !slices.ContainsFunc(branches, func(branch node) bool { return !requires(branch) }) {
				all = append(all, name)
			}
		}
	}
	return all
}

// onlyRequire reports whether branches say which members are required together, and nothing of
// their types: the schema around them is no choice then.
func (r *reader) onlyRequire(branches []node) bool {
	return len(branches) > 0 && !slices.ContainsFunc(branches, func(branch node) bool {
		if branch.get("required").absent() {
			return true
		}
		for key := range branch.members() {
			if !slices.Contains([]string{"required", "not", "type"}, key.Value) && !slices.Contains(annotationKeywords, key.Value) || key.Value == "$ref" {
				return true
			}
		}
		return false
	})
}

// bound reads a limit. A numeric exclusive limit, as in OpenAPI 3.1, counts as the limit itself; in
// 3.0 it is a boolean, which bound ignores.
func bound(n node, inclusive, exclusive string) *float64 {
	if f := n.get(inclusive).number(); f != nil {
		return f
	}
	return n.get(exclusive).number()
}

var types = []string{"string", "integer", "number", "boolean", "object", "array"}

func (s *Schema) types(n node) {
	for _, t := range n.get("type").texts() {
		if slices.Contains(types, t) && !s.AllowsType(t) {
			s.Types = append(s.Types, t)
		}
	}
	if !s.AllowsType("number") {
		return
	}
	s.Types = slices.DeleteFunc(s.Types, func(t string) bool { return t == "integer" }) // number includes integer
	if onlyIntegers(n) {
		s.Types[slices.Index(s.Types, "number")] = "integer"
	}
}

// onlyIntegers reports whether other keywords say that a number is an integer.
func onlyIntegers(n node) bool {
	switch n.get("format").text() {
	case "int32", "int64", "uint32", "uint64":
		return true
	}
	step := n.get("multipleOf").count()
	return step != nil && *step > 0
}

func (s *Schema) enum(n node) {
	values := n.get("enum").list()
	if only := n.get("const"); !only.absent() {
		values = []node{only}
	}
	for _, v := range values {
		if v.isScalar() && !v.isNull() {
			s.Enum = append(s.Enum, Value{Place: v.place(), Text: v.Value})
		}
	}
}

// null reads the spellings of null, other than a branch that is null: nullable, x-nullable of
// Swagger 2.0, null among the types, and null among the values if there is no type.
func (s *Schema) null(n node) {
	for _, word := range []string{"nullable", "x-nullable"} {
		if key, value := n.member(word); value.isTrue() {
			s.nullable(key)
		}
	}
	kind := n.get("type")
	if slices.Contains(kind.texts(), "null") || kind.isNull() || slices.ContainsFunc(kind.list(), node.isNull) {
		s.nullable(kind)
	}
	if kind.absent() && (n.get("const").isNull() || slices.ContainsFunc(n.get("enum").list(), node.isNull)) {
		s.nullable(n)
	}
}

func (s *Schema) nullable(at node) {
	if !at.absent() && !s.Nullable {
		s.Nullable, s.NullAt = true, at.place()
	}
}

// object reads the members of an object.
func (r *reader) object(s *Schema, n node) {
	s.required = map[string]bool{}
	for _, name := range append(n.get("required").list(), r.requiredByAll(n)...) {
		s.required[name.text()] = true
	}
	for name, value := range r.follow(n.get("properties")).members() {
		s.Properties = append(s.Properties, &Property{
			Place: name.place(), Name: name.Value, Required: s.required[name.Value], Schema: r.schema(value),
		})
	}
	for _, value := range n.get("patternProperties").members() {
		s.Additional = r.schema(value)
		break
	}
	switch others := n.get("additionalProperties"); {
	case others.isFalse():
		s.Closed = s.Additional == nil
	case !others.absent():
		s.Additional = r.schema(others)
	}
}

// infer sets the types where the schema does not name them but other keywords imply them.
func (s *Schema) infer(n node) {
	switch {
	case len(s.Types) > 0 || len(s.OneOf) > 0 || !n.get("type").absent():
	case len(s.Properties) > 0 || s.Additional != nil:
		s.Types = []string{"object"}
	case s.Items != nil:
		s.Types = []string{"array"}
	}
	for _, v := range append(n.get("enum").list(), n.get("const")) {
		if t := typeOf(v); t != "" && len(s.OneOf) == 0 && n.get("type").absent() && !s.AllowsType(t) {
			s.Types = append(s.Types, t)
		}
	}
}

// typeOf returns the JSON type of a scalar, or "" for other values.
func typeOf(v node) string {
	if !v.isScalar() {
		return ""
	}
	return map[yaml.Kind]string{yaml.String: "string", yaml.Int: "integer", yaml.Float: "number", yaml.Bool: "boolean"}[v.Kind]
}
