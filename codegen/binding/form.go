package binding

import (
	"slices"
	"strings"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// compileFields compiles http.fields.
func (b *bindingCompiler) compileFields(http *ast.Value) {
	call := &b.field.Call
	for _, f := range listElements(memberValue(http, "fields")) {
		name := memberValue(f, "name")
		field := FormField{Name: name.Raw, Style: Repeated}
		style, contentType, headers := memberValue(f, "style"), memberValue(f, "contentType"), memberValue(f, "headers")
		switch {
		case call.Encoding == JSON:
			b.faults.Add(InvalidBody, f.Position, "fields describe a form, but the body is JSON; add encoding: FORM or MULTIPART, or remove fields")
			return
		case slices.ContainsFunc(call.Fields, func(o FormField) bool { return o.Name == name.Raw }):
			b.faults.Add(InvalidBody, name.Position, "the field %q is described twice; keep one", name.Raw)
		case call.Encoding == Form && (contentType != nil || headers != nil):
			b.faults.Add(InvalidBody, f.Position, "contentType and headers are of the parts of a MULTIPART body; remove them, or write style: JSON for JSON in a form")
		}
		if style != nil {
			field.Style = FieldStyle(style.Raw)
		}
		if contentType != nil {
			field.ContentType = contentType.Raw
			if contentType.Raw == "" || strings.ContainsFunc(contentType.Raw, unicode.IsControl) {
				b.faults.Add(InvalidBody, contentType.Position, "%q is not a media type", contentType.Raw)
			}
			if style == nil && isJSONType(contentType.Raw) {
				field.Style = JSONField
			}
		}
		if headers != nil {
			field.Headers = b.compileHeaders(f)
		}
		call.Fields = append(call.Fields, field)
	}
}

// isJSONType reports whether a media type is JSON.
func isJSONType(mime string) bool {
	base, _, _ := strings.Cut(mime, ";")
	base = strings.ToLower(strings.TrimSpace(base))
	return base == "application/json" || strings.HasSuffix(base, "+json")
}

// fieldStyle returns how a member of a form is written.
func (c *Call) fieldStyle(name string) FieldStyle {
	for _, f := range c.Fields {
		if f.Name == name {
			return f.Style
		}
	}
	return Repeated
}

// checkFieldNames reports fields that the body does not have.
func (b *bindingCompiler) checkFieldNames(text *ast.Value, names []string) {
	for _, f := range b.field.Call.Fields {
		if !f.Documented && !slices.Contains(names, f.Name) {
			b.faults.Add(InvalidBody, text.Position, "the body has no field %q to describe%s", f.Name, DidYouMean(f.Name, names))
		}
	}
}

// checkFormField checks that a member of a form can be written in its style.
func (b *bindingCompiler) checkFormField(text *ast.Value, name, wire string, t *ast.Type) {
	style := b.field.Call.fieldStyle(wire)
	if t == nil || style == Brackets || style == Indices || style == JSONField || b.field.Call.Encoding == Multipart && style == Repeated {
		return
	}
	composite := func(t *ast.Type) bool {
		return isList(t) || b.isInput(t) || b.graph.scalarName(t.NamedType) == "JSON"
	}
	switch {
	case isList(t) && !composite(t.Elem), !composite(t):
		return
	case style == SpreadField && !isList(t):
		for _, f := range b.schema.Types[t.Name()].Fields {
			if composite(f.Type) && (!isList(f.Type) || composite(f.Type.Elem)) {
				b.faults.Add(NestedForm, text.Position, "the members of %s are fields of the form, but its %s is %s; use style: BRACKETS or JSON", name, f.Name, f.Type)
			}
		}
		return
	case style == Repeated:
		b.faults.Add(NestedForm, text.Position, "a form has flat fields, but %s is %s; %s", name, t, b.adviseForm(wire))
		return
	}
	b.faults.Add(NestedForm, text.Position, "the style %s writes a list of scalars, but %s is %s; use style: BRACKETS or JSON", style, name, t)
}

// adviseForm returns advice on how to send an object in a form.
func (b *bindingCompiler) adviseForm(wire string) string {
	if op := b.field.Call.Operation; op != nil {
		return "add its encoding to the document, or write http with fields"
	}
	return "add fields: [{name: \"" + wire + "\", style: BRACKETS}], or another style, or use encoding: JSON or MULTIPART"
}

// setDocumentedFields takes how the members of a form are written from the document, if the operation has a
// body. The fields of the binding win.
func (b *bindingCompiler) setDocumentedFields(op *openapi.Operation) {
	call := &b.field.Call
	if op == nil || op.Body == nil || call.Encoding != Form && call.Encoding != Multipart {
		return
	}
	if media := mediaOf(op.Body, call.Encoding); media != nil {
		for _, f := range DocumentedFields(media, call.Encoding) {
			isUnknown := call.Operation == nil && media.Encoding(f.Name) == nil // an object that http has to describe
			if !isUnknown && !slices.ContainsFunc(call.Fields, func(o FormField) bool { return o.Name == f.Name }) {
				call.Fields = append(call.Fields, f)
			}
		}
	}
}

// DocumentedFields returns the members of a form that a document does not describe as texts and repeated
// lists. What it leaves open follows the Encoding Object of OpenAPI 3.2: an object is JSON, and a list
// repeats its name.
func DocumentedFields(media *openapi.Media, as Encoding) []FormField {
	var fields []FormField
	for _, name := range media.Schema.PropertyNames() {
		schema, encoding := media.Schema.Property(name).Schema, media.Encoding(name)
		field := FormField{Name: name, Style: Repeated, Documented: true}
		object := slices.ContainsFunc(schema.Leaves(), func(s *openapi.Schema) bool {
			return s.AllowsType("object") || s.AllowsType("array") && s.Items != nil && (s.Items.AllowsType("object") || s.Items.AllowsType("array"))
		})
		switch {
		case encoding == nil && object && as == Form:
			field.Style = JSONField
		case encoding == nil:
			continue
		case encoding.HasStyle:
			field.Style = styleOfEncoding(encoding, object)
		default:
			field.ContentType = encoding.ContentType
			if isJSONType(field.ContentType) || field.ContentType == "" && object && as == Form {
				field.Style = JSONField
			}
		}
		if as == Multipart {
			if encoding != nil {
				field.ContentType, _, _ = strings.Cut(encoding.ContentType, ",") // the first of several
				if strings.Contains(field.ContentType, "*") {
					field.ContentType = ""
				}
				field.Headers = partHeaders(encoding)
			}
		} else {
			field.ContentType = ""
		}
		if field.Style != Repeated || field.ContentType != "" || len(field.Headers) > 0 {
			fields = append(fields, field)
		}
	}
	return fields
}

// partHeaders returns the headers of a part that have one possible value in the document.
func partHeaders(encoding *openapi.Encoding) []Param {
	var headers []Param
	for _, h := range encoding.Headers {
		if len(h.Schema.Enum) == 1 && !strings.EqualFold(h.Name, "Content-Type") {
			headers = append(headers, Param{Name: h.Name, Parts: []Part{{Literal: h.Schema.Enum[0].Text}}})
		}
	}
	return headers
}

// styleOfEncoding returns how the document writes a property of a form.
func styleOfEncoding(e *openapi.Encoding, object bool) FieldStyle {
	switch {
	case e.Style == "deepObject":
		return Brackets
	case e.Explode && object:
		return SpreadField
	case e.Explode:
		return Repeated
	case e.Style == "spaceDelimited":
		return SpaceList
	case e.Style == "pipeDelimited":
		return PipeList
	case e.Style == "tabDelimited":
		return TabList
	}
	return CommaList
}
