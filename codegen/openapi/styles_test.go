package openapi

import (
	"fmt"
	"testing"
)

// Every collectionFormat of Swagger 2.0 is read in every place.
func TestCollectionFormats(t *testing.T) {
	for format, want := range map[string]string{
		"":      "query form false, header simple false, path simple false, form form false, shared form false",
		"csv":   "query form false, header simple false, path simple false, form form false, shared form false",
		"ssv":   "query spaceDelimited false, header spaceDelimited false, path spaceDelimited false, form spaceDelimited false, shared spaceDelimited false",
		"pipes": "query pipeDelimited false, header pipeDelimited false, path pipeDelimited false, form pipeDelimited false, shared pipeDelimited false",
		"tsv":   "query tabDelimited false, header tabDelimited false, path tabDelimited false, form tabDelimited false, shared tabDelimited false",
		"multi": "query form true, header simple true, path simple true, form form true, shared form true",
	} {
		list := "type: array, items: {type: string}"
		if format != "" {
			list += ", collectionFormat: " + format
		}
		d, err := Parse("old.yaml", fmt.Appendf(nil, `swagger: "2.0"
info: {title: t, version: "1"}
paths:
  /a/{p}:
    post:
      operationId: a
      consumes: [application/x-www-form-urlencoded]
      parameters:
        - {name: q, in: query, %[1]s}
        - {name: h, in: header, %[1]s}
        - {name: p, in: path, required: true, %[1]s}
        - {name: f, in: formData, %[1]s}
        - {$ref: '#/parameters/Shared'}
      responses: {204: {description: none}}
parameters:
  Shared: {name: g, in: formData, %[1]s}
`, list))
		if err != nil {
			t.Fatal(err)
		}
		op := d.Operation("a")
		got := ""
		for _, in := range []string{"query", "header", "path"} {
			p := op.Parameter(in, in[:1])
			got += fmt.Sprintf("%s %s %t, ", in, p.Style, p.Explode)
		}
		f, g := op.Body.Media[0].Encoding("f"), op.Body.Media[0].Encoding("g")
		if f == nil || g == nil {
			t.Errorf("%q: no encoding in %+v", format, op.Body.Media[0])
			continue
		}
		if got += fmt.Sprintf("form %s %t, shared %s %t", f.Style, f.Explode, g.Style, g.Explode); got != want {
			t.Errorf("%q: %s, want %s", format, got, want)
		}
	}
}

// How the properties of a form are written (OpenAPI 3.2.0, Encoding Object).
func TestEncodings(t *testing.T) {
	d, err := Parse("new.yaml", []byte(`openapi: 3.1.0
info: {title: t, version: "1"}
paths:
  /a:
    post:
      operationId: a
      requestBody:
        content:
          multipart/form-data:
            schema: {type: object, properties: {a: {}, b: {}, c: {}, d: {}}}
            encoding:
              a: {style: deepObject, explode: true}
              b: {contentType: "application/json", headers: {X-A: {schema: {const: one}}}}
              c: {explode: false}
              d: {style: pipeDelimited}
      responses: {204: {description: none}}
`))
	if err != nil {
		t.Fatal(err)
	}
	media := d.Operation("a").Body.Media[0]
	for property, want := range map[string]string{
		"a": `deepObject true true ""`, "b": `form true false "application/json"`, "c": `form false true ""`, "d": `pipeDelimited false true ""`,
	} {
		e := media.Encoding(property)
		if got := fmt.Sprintf("%s %t %t %q", e.Style, e.Explode, e.HasStyle, e.ContentType); got != want {
			t.Errorf("%s: %s, want %s", property, got, want)
		}
	}
	if b := media.Encoding("b"); len(b.Headers) != 1 || b.Headers[0].Name != "X-A" || b.Headers[0].Schema.Enum[0].Text != "one" {
		t.Errorf("headers: %+v", b)
	}
	if media.Encoding("e") != nil {
		t.Error("an encoding that the document does not have")
	}
}
