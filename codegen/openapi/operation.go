package openapi

import (
	"slices"
	"strings"
)

var verbs = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"}

// operations reads the list of operations under paths.
func (r *reader) operations() {
	r.securitySchemes()
	r.doc.Servers = r.documentServers()
	paths := r.follow(r.root.get("paths"))
	if !paths.absent() && !paths.isMapping() {
		r.warn(paths.place(), "paths should be a mapping from paths such as /users to operations")
	}
	for path, item := range paths.members() {
		switch {
		case strings.HasPrefix(path.Value, "/"):
			r.pathItem(path.Value, item)
		case !strings.HasPrefix(path.Value, "x-"):
			r.warn(path.place(), "the path %q does not begin with /; the host is said elsewhere", path.Value)
		}
	}
	r.uniqueIDs()
}

// pathItem reads the operations of a path. Those beside a $ref count too.
func (r *reader) pathItem(path string, item node) {
	for key, value := range item.members() {
		switch {
		case slices.Contains(verbs, key.Value):
			r.operation(strings.ToUpper(key.Value), path, key, value, item)
		case key.Value == "additionalOperations":
			for method, value := range value.members() {
				r.operation(method.Value, path, method, value, item)
			}
		case key.Value == "$ref":
			if other := r.follow(item); !other.absent() {
				r.pathItem(path, other)
			}
		}
	}
}

// operationText is what a document has of an operation: its own text, and the item of its path.
type operationText struct{ own, item node }

// operation adds an operation. A verb can be a reference, although the specification has none there:
// large documents are split into files so.
func (r *reader) operation(method, path string, key, n, item node) {
	if n = r.follow(n); n.absent() {
		return
	}
	if !n.isMapping() {
		if !n.Invalid { // else it has a warning of its own
			r.warn(key.place(), "%s of %s should be a mapping", key.Value, path)
		}
		return
	}
	r.doc.Operations = append(r.doc.Operations, &Operation{
		Place:   key.place(),
		ID:      n.get("operationId").text(),
		Method:  method,
		Path:    path,
		pattern: pattern(path),
		from:    &operationText{n, item},
	})
}

// load reads the parameters, the body and the responses of an operation, unless it has done so.
func (r *reader) load(o *Operation) {
	if o.from == nil {
		return
	}
	n, item := o.from.own, o.from.item
	o.from = nil
	o.Servers = serversOf(n, item)
	o.Security = r.security(n)
	if r.isSwagger() {
		r.loadSwagger(o, n, item)
	} else {
		o.Parameters = override(r.parameters(item.get("parameters")), r.parameters(n.get("parameters")))
		o.Body = r.body(n.get("requestBody"))
		o.Responses = r.responses(n.get("responses"), r.contentOf)
	}
	r.complete()
}

// loadSwagger reads an operation of Swagger 2.0, where the body is one of the parameters.
func (r *reader) loadSwagger(o *Operation, n, item node) {
	shared, body, form := r.swaggerParameters(item.get("parameters"))
	own, ownBody, ownForm := r.swaggerParameters(n.get("parameters"))
	if !ownBody.absent() {
		body = ownBody
	}
	if len(ownForm) > 0 {
		form = ownForm
	}
	o.Parameters = override(shared, own)
	o.Body = r.swaggerBody(body, form, swaggerMediaTypes(n, r.root, "consumes"))
	produces := swaggerMediaTypes(n, r.root, "produces")
	o.Responses = r.responses(n.get("responses"), func(response node) []Media { return r.swaggerMedia(response, produces) })
}

func (r *reader) uniqueIDs() {
	first := map[string]*Operation{}
	for _, o := range r.doc.Operations {
		if other := first[o.ID]; other != nil {
			r.warn(o.Place, "the operationId %q is taken by %s; give each operation its own", o.ID, other.Place)
		} else if o.ID != "" {
			first[o.ID] = o
		}
	}
}

// override returns the parameters of a path with those of an operation, which replace parameters of
// the same location and name.
func override(shared, own []*Parameter) []*Parameter {
	all := slices.Clone(shared)
	for _, p := range own {
		same := func(o *Parameter) bool { return o.In == p.In && o.Name == p.Name }
		if i := slices.IndexFunc(all, same); i >= 0 {
			all[i] = p
		} else {
			all = append(all, p)
		}
	}
	return all
}

func (r *reader) parameters(list node) []*Parameter {
	var all []*Parameter
	for _, n := range r.follow(list).list() {
		at := n.place()
		if n = r.follow(n); n.absent() {
			continue
		}
		if p := r.parameter(n); r.isParameter(p, at) {
			all = append(all, p)
		}
	}
	return all
}

// isParameter reports whether a parameter counts. It warns of one that is not complete.
func (r *reader) isParameter(p *Parameter, at Place) bool {
	if p.Name == "" || p.In == "" {
		r.warn(at, "a parameter needs name and in")
		return false
	}
	return p.In != "header" || !isIgnoredHeader(p.Name)
}

// isIgnoredHeader reports whether the specification ignores a header parameter of this name,
// because media types and security schemes declare these headers (OpenAPI 3.2.0, Parameter Object).
func isIgnoredHeader(header string) bool {
	return slices.Contains([]string{"accept", "content-type", "authorization"}, strings.ToLower(header))
}

func (r *reader) parameter(n node) *Parameter {
	p := &Parameter{
		Place: n.place(),
		Name:  n.get("name").text(), In: n.get("in").text(), Style: n.get("style").text(),
		AllowReserved: n.get("allowReserved").isTrue(),
		Schema:        r.schemaOrAny(n.get("schema"), n.place()),
	}
	p.Required = p.In == "path" || n.get("required").isTrue()
	if p.Style == "" {
		p.Style = defaultStyle(p.In)
	}
	p.Explode = n.get("explode").isTrue()
	if n.get("explode").absent() {
		p.Explode = p.Style == "form" || p.Style == "cookie"
	}
	if media := r.media(n.get("content")); len(media) > 0 {
		p.Media, p.Schema, p.Style, p.Explode = media[0].Type, media[0].Schema, "", false
	}
	return p
}

// defaultStyle returns the default style of a location (OpenAPI 3.2.0, section 4.12.2.2).
func defaultStyle(in string) string {
	switch in {
	case "query", "cookie":
		return "form"
	case "path", "header":
		return "simple"
	}
	return ""
}

func (r *reader) body(n node) *Body {
	if n = r.follow(n); !n.isMapping() {
		return nil
	}
	return &Body{Place: n.place(), Required: n.get("required").isTrue(), Media: r.media(n.get("content"))}
}

// responses reads the responses of an operation. The function media reads the bodies of one.
func (r *reader) responses(n node, media func(response node) []Media) []*Response {
	var all []*Response
	for status, answer := range r.follow(n).members() {
		if strings.HasPrefix(status.Value, "x-") {
			continue
		}
		response := &Response{Place: status.place(), Status: status.Value}
		if answer = r.follow(answer); !answer.absent() {
			response.Headers = r.headers(answer.get("headers"))
			response.Media = media(answer)
		}
		all = append(all, response)
	}
	return all
}

func (r *reader) headers(n node) []*Header {
	var all []*Header
	for name, header := range n.members() {
		header = r.follow(header)
		schema := header.get("schema")
		if r.isSwagger() {
			schema = header
		}
		if media := r.media(header.get("content")); len(media) > 0 {
			all = append(all, &Header{Place: name.place(), Name: name.Value, Required: header.get("required").isTrue(), Schema: media[0].Schema})
			continue
		}
		all = append(all, &Header{Place: name.place(), Name: name.Value, Required: header.get("required").isTrue(), Schema: r.schemaOrAny(schema, name.place())})
	}
	return all
}

// contentOf returns the bodies of a response.
func (r *reader) contentOf(response node) []Media { return r.media(response.get("content")) }

func (r *reader) media(content node) []Media {
	var all []Media
	for key, n := range r.follow(content).members() {
		n = r.follow(n)
		m := Media{Place: key.place(), Type: key.Value, Schema: r.schemaOrAny(n.get("schema"), key.place())}
		if items := n.get("itemSchema"); !items.absent() {
			m.Items = r.schema(items)
		}
		m.Encodings = r.encodings(n.get("encoding"))
		all = append(all, m)
	}
	return all
}

// encodings reads how the properties of a form or a multipart body are written.
func (r *reader) encodings(list node) []Encoding {
	var all []Encoding
	for name, n := range list.members() {
		n = r.follow(n)
		e := Encoding{
			Place: name.place(), Property: name.Value,
			ContentType: n.get("contentType").text(), Headers: r.headers(n.get("headers")),
			Style: n.get("style").text(), HasStyle: !n.get("style").absent() || !n.get("explode").absent() || !n.get("allowReserved").absent(),
		}
		if e.Style == "" {
			e.Style = "form"
		}
		if e.Explode = n.get("explode").isTrue(); n.get("explode").absent() {
			e.Explode = e.Style == "form"
		}
		all = append(all, e)
	}
	return all
}
