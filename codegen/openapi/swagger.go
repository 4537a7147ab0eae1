package openapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// convertSwagger converts a Swagger 2.0 document to OpenAPI 3.0.
//
// The converter works on Go structs, so it loses the order and the places of the original.
// convertSwagger takes both from there: it parses the converted document, finds for each of its
// nodes the counterpart in the original, copies that line and column, and sorts members by them.
// Messages then name lines of the file that the author has.
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

// setDefaultCollectionFormat sets the default of collectionFormat explicitly. Swagger 2.0 separates
// the elements of a list by commas. The converter would leave the format out, which in OpenAPI 3
// means one name=value pair for each element.
func setDefaultCollectionFormat(swagger *openapi2.T) {
	set := func(p *openapi2.Parameter) {
		if p != nil && p.In == "query" && p.Type.Is("array") && p.CollectionFormat == "" {
			p.CollectionFormat = "csv"
		}
	}
	for _, p := range swagger.Parameters {
		set(p)
	}
	for _, item := range swagger.Paths {
		if item == nil {
			continue
		}
		for _, p := range item.Parameters {
			set(p)
		}
		for _, o := range item.Operations() {
			for _, p := range o.Parameters {
				set(p)
			}
		}
	}
}

// YAML aliases could expand a small file without a bound.
const (
	// Bounds of the values that a document can have. Aliases of YAML can make billions of a small
	// file.
	maxValues = 2_000_000
	maxDepth  = 500
)

// plain returns the value in the types of encoding/json. It decrements left for each value, and
// returns nil and a negative left when they run out.
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
	switch n.Kind {
	case yaml.Bool:
		return n.isTrue()
	case yaml.Int, yaml.Float:
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil {
			return f
		}
	}
	return n.Value
}

// componentNames are the sections of components in OpenAPI 3 with the sections of Swagger 2.0 whose
// definitions they take up.
var componentNames = []struct{ lifted, original string }{
	{"schemas", "definitions"}, {"schemas", "parameters"}, {"parameters", "parameters"}, {"requestBodies", "parameters"}, {"responses", "responses"},
}

// copyPlaces gives the nodes of a converted document the places of the original.
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

// copyTreePlaces gives the nodes of a tree the places of their counterparts in another tree. A node
// without a counterpart has the place of the node that contains it.
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

// counterpart returns the member of the original that a member of the converted document was made
// of. That is one of the following:
//
//   - the member of the same name;
//   - for requestBody, the parameter that was the body, or the list of parameters for a form;
//   - for a property of a form's schema, the form parameter of that name;
//   - for levels that only OpenAPI 3 has, such as content and the schema of a parameter, the original of what contains them.
func counterpart(from node, name string) (key, value node) {
	if key, value = from.member(name); !value.absent() {
		return key, value
	}
	for _, p := range from.get("parameters").list() {
		if in := p.get("in").text(); name == "requestBody" && (in == "body" || in == "formData") {
			return p, formOrParameter(p, from)
		}
	}
	for _, p := range from.list() { // fields of a form
		if p.get("name").text() == name && p.get("in").text() == "formData" {
			return p, p
		}
	}
	return from, from
}

// formOrParameter returns the body parameter p, or the list of all parameters if p is one of a
// form.
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
	slices.SortStableFunc(list.Items, func(a, b *yaml.Node) int { return comparePlaces(node{a, ""}.place(), node{b, ""}.place()) })
}

func copyPlace(n, from node) {
	if !n.absent() && !from.absent() {
		n.Line, n.Column = from.Line, from.Column
	}
}

// sortMembers orders the members of a mapping by their places.
func sortMembers(n node) {
	if !n.isMapping() {
		return
	}
	slices.SortStableFunc(n.Members, func(a, b yaml.Member) int {
		return comparePlaces(node{a.Key, ""}.place(), node{b.Key, ""}.place())
	})
}
