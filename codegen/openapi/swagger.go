package openapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"go.yaml.in/yaml/v4"
)

// convertSwagger turns a Swagger 2.0 document into one of OpenAPI 3.0. The converter knows
// neither order nor places, so the lifted tree takes both from the original.
func convertSwagger(original node) (node, error) {
	left := maxValues
	text, err := json.Marshal(original.plain(&left, 0))
	if err != nil || left < 0 {
		return node{}, fmt.Errorf("%s: the document is endless; remove aliases that lead back to themselves", original.place())
	}
	var swagger openapi2.T
	if err := json.Unmarshal(text, &swagger); err != nil {
		return node{}, fmt.Errorf("%s: the Swagger 2.0 document is not well formed: %w", original.place(), err)
	}
	setDefaultCollectionFormat(&swagger)
	lifted, err := openapi2conv.ToV3(&swagger)
	if err != nil {
		return node{}, fmt.Errorf("%s: the Swagger 2.0 document cannot be lifted to OpenAPI 3; convert it and name the result: %w", original.place(), err)
	}
	if text, err = json.Marshal(lifted); err != nil {
		return node{}, fmt.Errorf("%s: the Swagger 2.0 document cannot be lifted to OpenAPI 3: %w", original.place(), err)
	}
	root, err := parse(original.file, text)
	if err != nil {
		return node{}, err
	}
	copyPlaces(root, original)
	return root, nil
}

// setDefaultCollectionFormat writes out the default of collectionFormat. The converter leaves it to the
// default of OpenAPI 3, which is another one: there, each element has its own name=.
func setDefaultCollectionFormat(swagger *openapi2.T) {
	say := func(p *openapi2.Parameter) {
		if p != nil && p.In == "query" && p.Type.Is("array") && p.CollectionFormat == "" {
			p.CollectionFormat = "csv"
		}
	}
	for _, p := range swagger.Parameters {
		say(p)
	}
	for _, item := range swagger.Paths {
		if item == nil {
			continue
		}
		for _, p := range item.Parameters {
			say(p)
		}
		for _, o := range item.Operations() {
			for _, p := range o.Parameters {
				say(p)
			}
		}
	}
}

// What the aliases of YAML can make of a small file is bounded.
const (
	maxValues = 2_000_000
	maxDepth  = 500
)

// plain is the value as encoding/json knows it, as long as there are values left.
func (n node) plain(left *int, depth int) any {
	if *left--; depth > maxDepth {
		*left = -1
	}
	switch {
	case *left < 0 || n.absent() || n.isNull():
		return nil
	case n.isMapping():
		object := map[string]any{}
		for key, value := range n.members() {
			object[key.Value] = value.plain(left, depth+1)
		}
		return object
	case n.isList():
		list := []any{}
		for _, e := range n.list() {
			list = append(list, e.plain(left, depth+1))
		}
		return list
	}
	return n.scalar()
}

func (n node) scalar() any {
	switch n.ShortTag() {
	case "!!bool":
		return n.isTrue()
	case "!!int", "!!float":
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	return n.Value
}

// componentNames are the places of the old specification's definitions in the new one.
var componentNames = []struct{ lifted, original string }{
	{"schemas", "definitions"}, {"schemas", "parameters"}, {"parameters", "parameters"}, {"requestBodies", "parameters"}, {"responses", "responses"},
}

// copyPlaces gives the lifted document the places of the original.
func copyPlaces(lifted, original node) {
	copyPlace(lifted, original)
	components := lifted.get("components")
	for _, to := range componentNames {
		for name, value := range components.get(to.lifted).members() {
			if key, from := original.get(to.original).member(name.Value); !from.absent() {
				copyPlace(name, key)
				copyTreePlaces(value, from)
			}
		}
		sortMembers(components.get(to.lifted))
	}
	for path, item := range lifted.get("paths").members() {
		key, from := original.get("paths").member(path.Value)
		copyPlace(path, key)
		copyTreePlaces(item, from)
	}
	sortMembers(lifted.get("paths"))
}

// copyTreePlaces gives a tree the places of another one that says the same in other words.
// What has no counterpart stays where what holds it is.
func copyTreePlaces(n, from node) {
	copyPlace(n, from)
	for key, value := range n.members() {
		k, v := counterpart(from, key.Value)
		if key.Value == "parameters" && value.isList() {
			copyParameterPlaces(value, v)
			continue
		}
		copyPlace(key, k)
		copyTreePlaces(value, v)
	}
	for i, e := range n.list() {
		origin := from
		if from.isList() && i < len(from.list()) {
			origin = from.list()[i]
		}
		copyTreePlaces(e, origin)
	}
	sortMembers(n)
}

// counterpart is what a member of the new specification was in the old one: the same
// member, or the body among the parameters, or for what came in between, such as
// content and the schema of a parameter, the value that held it.
func counterpart(from node, name string) (key, value node) {
	if key, value = from.member(name); !value.absent() {
		return key, value
	}
	for _, p := range from.get("parameters").list() {
		if in := p.get("in").text(); name == "requestBody" && (in == "body" || in == "formData") {
			return p, formOrParameter(p, from)
		}
	}
	for _, p := range from.list() { // the fields of a form
		if p.get("name").text() == name && p.get("in").text() == "formData" {
			return p, p
		}
	}
	return from, from
}

// formOrParameter is a body's parameter, or the list of all parameters when they make a form.
func formOrParameter(p, operation node) node {
	if p.get("in").text() == "formData" {
		return operation.get("parameters")
	}
	return p
}

func copyParameterPlaces(list, from node) {
	for _, p := range list.list() {
		same := func(o node) bool {
			return o.get("$ref").text() != "" && nameOf(o.get("$ref").text()) == nameOf(p.get("$ref").text()) ||
				o.get("name").text() != "" && o.get("name").text() == p.get("name").text() && o.get("in").text() == p.get("in").text()
		}
		if i := slices.IndexFunc(from.list(), same); i >= 0 {
			copyTreePlaces(p, from.list()[i])
		} else {
			copyTreePlaces(p, from)
		}
	}
	copyPlace(list, from)
	slices.SortStableFunc(list.Content, func(a, b *yaml.Node) int { return comparePlaces(node{a, ""}.place(), node{b, ""}.place()) })
}

func copyPlace(n, from node) {
	if !n.absent() && !from.absent() {
		n.Line, n.Column = from.Line, from.Column
	}
}

// sortMembers puts the members of a mapping in the order of their places.
func sortMembers(n node) {
	if !n.isMapping() {
		return
	}
	pairs := slices.Collect(slices.Chunk(n.Content, 2))
	slices.SortStableFunc(pairs, func(a, b []*yaml.Node) int {
		return comparePlaces(node{a[0], ""}.place(), node{b[0], ""}.place())
	})
	n.Content = slices.Concat(pairs...)
}
