package checks

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A document that leaves the members of an object open allows every name, in a branch of a choice as
// well, and of an object of which it says nothing. The others name all members.
func TestOpenObjects(t *testing.T) {
	for _, c := range []struct {
		schema string
		open   bool
	}{
		{"{type: object}", true},
		{"{type: object, description: free}", true},
		{"{type: [object, 'null']}", true},
		{"{allOf: [{type: object}, {description: more}]}", true},
		{"{type: object, additionalProperties: true}", true},
		{"{type: object, additionalProperties: {type: string}}", true},
		{"{additionalProperties: {type: string}}", true},
		{"{type: object, patternProperties: {'^a': {type: string}}}", true},
		{"{type: object, properties: {b: {type: string}}, additionalProperties: {type: string}}", true},
		{"{anyOf: [{type: object, additionalProperties: {type: string}}, {type: string, enum: ['']}]}", true},
		{"{oneOf: [{type: object}, {type: string}]}", true},
		{"{oneOf: [{type: object, properties: {b: {type: string}}}, {type: object, additionalProperties: {type: string}}]}", true},
		{"{}", true},
		{"{type: object, additionalProperties: false}", false},
		{"{type: object, properties: {b: {type: string}}}", false},
		{"{oneOf: [{type: object, properties: {b: {type: string}}}, {type: string}]}", false},
		{"{type: object, required: [b]}", false},
	} {
		for _, use := range []struct{ operation, schema string }{
			{"requestBody: {content: {application/json: {schema: %s}}}", `type Query { q: Int } type Mutation { f(a: In): String @connect(source: "s", http: {POST: "/a", body: "$args.a"}) } input In { a: String }`},
			{"requestBody: {content: {application/json: {schema: %s}}}", `type Query { q: Int } type Mutation { f(a: String): String @connect(source: "s", http: {POST: "/a", body: "a: $args.a"}) }`},
			{"parameters: [{name: p, in: query, style: deepObject, schema: %s}]", `type Query { q: Int } type Mutation { f(a: String): String @connect(source: "s", http: {POST: "/a?p[a]={$args.a}"}) }`},
			{"parameters: [{name: p, in: query, style: deepObject, schema: %s}]", `type Query { q: Int } type Mutation { f(a: In): String @connect(source: "s", http: {POST: "/a?p={$args.a}"}) } input In { a: String }`},
			{"responses: {'200': {description: d, content: {application/json: {schema: %s}}}}", `type Query { q: Int } type Mutation { f: Out @connect(source: "s", http: {POST: "/a"}, selection: "a: $.a") } type Out { a: String }`},
		} {
			dir := t.TempDir()
			operation := fmt.Sprintf(use.operation, c.schema)
			if !strings.Contains(operation, "responses") {
				operation += ", responses: {'200': {description: d, content: {application/json: {schema: {type: string}}}}}"
			}
			document := "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths: {/a: {post: {" + operation + "}}}\n"
			if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(document), 0o600); err != nil {
				t.Fatal(err)
			}
			err := documents(t, filepath.Join(dir, "s.graphqls"), `extend schema @source(name: "s", openapi: "s.yaml") `+use.schema)
			text := strings.ReplaceAll(fmt.Sprint(err), dir+"/", "")
			names := strings.Contains(text, "no such property") || strings.Contains(text, "has no property") || strings.Contains(text, "has no member")
			if names == c.open {
				t.Errorf("%s by %s: %s", c.schema, use.schema, text)
			}
		}
	}
}
