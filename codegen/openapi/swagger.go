package openapi

import (
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// isSwagger reports whether the document is Swagger 2.0. It is read as it stands, not converted:
// a conversion would lose places, and one mistake would cost the whole document. What differs from
// OpenAPI 3 is in this file. Schemas differ in names only, which the keywords of both cover.
func (r *reader) isSwagger() bool { return r.doc.Version == "2.0" }

// definitionsPointer returns the pointer to the definitions of schemas, up to their names.
func (r *reader) definitionsPointer() string {
	if r.isSwagger() {
		return "#/definitions/"
	}
	return "#/components/schemas/"
}

// definitions returns the definitions of schemas in a file.
func (r *reader) definitions(root node) node {
	if r.isSwagger() {
		return root.get("definitions")
	}
	return r.follow(root.get("components").get("schemas"))
}

// swaggerParameters reads the parameters of Swagger 2.0: those that are parameters in OpenAPI 3,
// the one that is the body, and those that are the fields of a form.
func (r *reader) swaggerParameters(list node) (parameters []*Parameter, body node, form []node) {
	for _, n := range list.list() {
		at := n.place()
		if n = r.follow(n); n.absent() {
			continue
		}
		switch n.get("in").text() {
		case "body":
			body = n
			continue
		case "formData":
			form = append(form, n)
			continue
		}
		if p := r.swaggerParameter(n); r.isParameter(p, at) {
			parameters = append(parameters, p)
		}
	}
	return parameters, body, form
}

// swaggerParameter reads a parameter, whose schema has no node of its own. The elements of a list
// are separated by commas unless collectionFormat says otherwise.
func (r *reader) swaggerParameter(n node) *Parameter {
	p := &Parameter{Place: n.place(), Name: n.get("name").text(), In: n.get("in").text(), Schema: r.schema(n)}
	p.Required = p.In == "path" || n.get("required").isTrue()
	p.Style = defaultStyle(p.In)
	if n.get("type").text() != "array" {
		p.Explode = p.Style == "form"
		return p
	}
	switch n.get("collectionFormat").text() {
	case "multi":
		p.Explode = true
	case "ssv":
		p.Style = "spaceDelimited"
	case "pipes":
		p.Style = "pipeDelimited"
	case "tsv":
		p.Style = "tabDelimited"
	}
	return p
}

// swaggerBody reads the body of an operation of Swagger 2.0, which consumes the given media types.
func (r *reader) swaggerBody(body node, form []node, consumes []node) *Body {
	switch {
	case len(form) > 0:
		return r.swaggerForm(form, consumes)
	case body.absent():
		return nil
	}
	b := &Body{Place: body.place(), Required: body.get("required").isTrue()}
	schema := r.schemaOrAny(body.get("schema"), body.place())
	for _, media := range consumes {
		b.Media = append(b.Media, Media{Place: media.place(), Type: media.text(), Schema: schema})
	}
	if len(b.Media) == 0 {
		b.Media = []Media{{Place: body.place(), Type: "application/json", Schema: schema}}
	}
	return b
}

// swaggerForm reads the fields of a form as the properties of an object.
func (r *reader) swaggerForm(form []node, consumes []node) *Body {
	at := form[0].place()
	s := &Schema{Place: at, Types: []string{"object"}, required: map[string]bool{}}
	mime := "application/x-www-form-urlencoded"
	var encodings []Encoding
	for _, n := range form {
		if n.get("type").text() == "array" {
			like := r.swaggerParameter(n)
			if like.Style == "" || like.Style == "simple" {
				like.Style = "form"
			}
			encodings = append(encodings, Encoding{Place: n.place(), Property: n.get("name").text(), HasStyle: true, Style: like.Style, Explode: like.Explode})
		}
		p := &Property{Place: n.place(), Name: n.get("name").text(), Required: n.get("required").isTrue(), Schema: r.schema(n)}
		s.Properties = append(s.Properties, p)
		s.required[p.Name] = p.Required
		if n.get("type").text() == "file" {
			mime = "multipart/form-data"
		}
	}
	b := &Body{Place: at, Required: slices.ContainsFunc(s.Properties, func(p *Property) bool { return p.Required })}
	for _, media := range consumes {
		if base, _, _ := strings.Cut(media.text(), ";"); strings.TrimSpace(base) == "multipart/form-data" || strings.TrimSpace(base) == mime {
			b.Media = append(b.Media, Media{Place: media.place(), Type: media.text(), Schema: s, Encodings: encodings})
		}
	}
	if len(b.Media) == 0 {
		b.Media = []Media{{Place: at, Type: mime, Schema: s, Encodings: encodings}}
	}
	return b
}

// swaggerMedia returns the body of a response of Swagger 2.0 in each of the media types that its
// operation produces.
func (r *reader) swaggerMedia(response node, produces []node) []Media {
	schema := response.get("schema")
	if schema.absent() {
		return nil
	}
	var all []Media
	for _, media := range produces {
		all = append(all, Media{Place: media.place(), Type: media.text(), Schema: r.schema(schema)})
	}
	if len(all) == 0 {
		all = []Media{{Place: schema.place(), Type: "application/json", Schema: r.schema(schema)}}
	}
	return all
}

// swaggerMediaTypes returns the media types of an operation, else those of the document.
func swaggerMediaTypes(operation, root node, word string) []node {
	own := operation.get(word)
	if own.absent() {
		own = root.get(word)
	}
	return slices.DeleteFunc(own.list(), func(n node) bool { return n.text() == "" || n.Kind != yaml.String })
}
