package codegen_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/codegen"
)

// largestTime is how long Generate may take for a schema of 500 types and 2,000 bindings, on two
// cores.
const largestTime = time.Minute

// BenchmarkGenerate generates a large schema with the document of its service. It reports how long
// the checks alone take, how long the whole run takes, and how much code it writes.
func BenchmarkGenerate(b *testing.B) {
	if testing.Short() {
		b.Skip("-short: it takes ten seconds or more")
	}
	root, dir := repository(b), b.TempDir()
	for _, name := range []string{"gqlgen.yml", "resolvers/resolver.go"} {
		writeFile(b, filepath.Join(dir, name), string(read(b, filepath.Join("testdata", "project", name))))
	}
	writeModule(b, root, dir)
	writeFile(b, filepath.Join(dir, "schema", "large.graphqls"), largeSchema())
	writeFile(b, filepath.Join(dir, "schema", "openapi", "large.yaml"), largeDocument())
	b.Chdir(dir)
	project := codegen.Project{Warn: func(w string) { b.Errorf("a warning: %s", w) }}
	var checking, generating time.Duration
	for b.Loop() {
		start := time.Now()
		if err := project.Check(b.Context()); err != nil {
			b.Fatal(err)
		}
		checking += time.Since(start)
		start = time.Now()
		if err := project.Generate(b.Context()); err != nil {
			b.Fatal(err)
		}
		generating += time.Since(start)
	}
	b.ReportMetric(checking.Seconds()/float64(b.N), "check-s/op")
	b.ReportMetric(generating.Seconds()/float64(b.N), "generate-s/op")
	for _, name := range generated {
		b.ReportMetric(float64(len(read(b, name)))/1e6, filepath.Base(name)+"-MB")
	}
	if each := generating / time.Duration(b.N); each > largestTime {
		b.Errorf("gatehouse generate took %s, which is more than %s", each, largestTime)
	}
}

// The large schema consists of groups. Each group has ten types: six objects, a union, a connection
// with its edge, and an input. It has forty bindings: six for each object, and four of its own.
const groups = 50

// letters name the objects of a group.
const letters = "ABCDEF"

func largeSchema() string {
	var b strings.Builder
	b.WriteString(`extend schema @source(name: "large", openapi: "openapi/large.yaml")
scalar DateTime
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
`)
	for g := range groups {
		at := fmt.Sprintf("G%d", g)
		b.WriteString(strings.NewReplacer("@@", at, "@lower", strings.ToLower(at)).Replace(largeGroup))
		for i := range letters {
			b.WriteString(largeObject(g, i))
		}
	}
	return b.String()
}

const largeGroup = `
input @@Input { name: String! count: Int tags: [String!] }
union @@Union @discriminator(field: "kind", mapping: {a: "@@A", b: "@@B"}) = @@A | @@B
type @@Connection { edges: [@@Edge!]! nodes: [@@A!]! pageInfo: PageInfo! totalCount: Int }
type @@Edge { node: @@A! cursor: String! }
extend type Query {
  @lowerPage(q: String, first: Int, after: String): @@Connection
    @connect(source: "large", operation: "list@@A", selection: "$ { id name: title count refId refIds created kind }", pagination: {type: OFFSET, items: "items", total: "total"})
  @lowerUnion(id: ID!): @@Union @connect(source: "large", operation: "any@@")
}
extend type @@A @connect(source: "large", operation: "list@@A(ids: $batch.id)", selection: "$.items", batch: {maxSize: 50}) {
  page(first: Int = 5, after: String): @@Connection
    @connect(source: "large", http: {GET: "/@lowera?q={$this.name}&limit={$args.first}&offset={$args.after}"}, pagination: {type: OFFSET, items: "items", total: "total", maxSize: 40})
}
`

// largeObject returns the SDL of one of the six objects of a group. It refers to its own group and
// to the next.
func largeObject(group, letter int) string {
	self, near, far := objectName(group, letter), objectName(group, letter+1), objectName(group+1, letter)
	return strings.NewReplacer(
		"SELF", self, "NEAR", near, "FAR", far, "/self", "/"+strings.ToLower(self), "/near", "/"+strings.ToLower(near),
		"self", strings.ToLower(self), "INPUT", fmt.Sprintf("G%dInput", group),
	).Replace(`
type SELF {
  id: ID!
  name: String! @json(name: "title")
  count: Int!
  refId: ID!
  refIds: [ID!]!
  created: DateTime
  kind: String
  near: NEAR @connect(source: "large", http: {GET: "/near?ids={$batch.refId}"}, selection: "$.items", batch: {key: "id", maxSize: 100})
  far(limit: Int): [FAR!] @connect(source: "large", operation: "listFAR(ids: $batch.refIds)", selection: "$.items { id name: title count refId refIds created kind }", batch: {key: "id", maxSize: 100})
  best: NEAR @connect(source: "large", http: {GET: "/near?q={$this.name}&limit=1"}, selection: "$.items->first")
}
extend type Query {
  self(id: ID!): SELF @connect(source: "large", operation: "getSELF")
  selfs(q: String, limit: Int = 10): [SELF!] @connect(source: "large", http: {GET: "/self?q={$args.q}&limit={$args.limit}"}, selection: "$.items")
}
extend type Mutation {
  createSELF(input: INPUT!): SELF @connect(source: "large", operation: "createSELF")
}
`)
}

func objectName(group, letter int) string {
	return fmt.Sprintf("G%d%c", group%groups, letters[letter%len(letters)])
}

// largeDocument returns an OpenAPI document with every call of the large schema.
func largeDocument() string {
	var paths, schemas strings.Builder
	for g := range groups {
		for i := range letters {
			name := objectName(g, i)
			fill := strings.NewReplacer("SELF", name, "/self", "/"+strings.ToLower(name), "INPUT", fmt.Sprintf("G%dInput", g), "KIND", strings.ToLower(letters[i:i+1]))
			paths.WriteString(fill.Replace(largePaths))
			schemas.WriteString(fill.Replace(largeSchemas))
		}
		group := strings.NewReplacer("GROUP", fmt.Sprintf("G%d", g), "/group", fmt.Sprintf("/g%d", g))
		paths.WriteString(group.Replace(largeUnionPath))
		schemas.WriteString(group.Replace(largeGroupSchemas))
	}
	return "openapi: 3.0.3\ninfo: {title: large, version: '1'}\npaths:\n" + paths.String() + "components:\n  schemas:\n" + schemas.String()
}

const (
	largePaths = `  /self/{id}:
    get:
      operationId: getSELF
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: one, content: {application/json: {schema: {$ref: '#/components/schemas/SELF'}}}}}
  /self:
    get:
      operationId: listSELF
      parameters:
        - {name: ids, in: query, style: form, explode: false, schema: {type: array, items: {type: string}}}
        - {name: q, in: query, schema: {type: string}}
        - {name: limit, in: query, schema: {type: integer, maximum: 200}}
        - {name: offset, in: query, schema: {type: integer}}
      responses: {'200': {description: some, content: {application/json: {schema: {$ref: '#/components/schemas/SELFPage'}}}}}
    post:
      operationId: createSELF
      requestBody: {required: true, content: {application/json: {schema: {$ref: '#/components/schemas/INPUT'}}}}
      responses: {'201': {description: made, content: {application/json: {schema: {$ref: '#/components/schemas/SELF'}}}}}
`
	largeSchemas = `    SELF:
      type: object
      required: [id, title, count, refId, refIds]
      properties:
        id: {type: string}
        title: {type: string}
        count: {type: integer, format: int32}
        refId: {type: string}
        refIds: {type: array, items: {type: string}}
        created: {type: string, format: date-time}
        kind: {type: string}
    SELFPage:
      type: object
      required: [items]
      properties:
        items: {type: array, items: {$ref: '#/components/schemas/SELF'}}
        total: {type: integer, format: int32}
`
	largeUnionPath = `  /group/any/{id}:
    get:
      operationId: anyGROUP
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses: {'200': {description: either, content: {application/json: {schema: {$ref: '#/components/schemas/GROUPUnion'}}}}}
`
	largeGroupSchemas = `    GROUPInput:
      type: object
      required: [name]
      properties: {name: {type: string}, count: {type: integer, format: int32}, tags: {type: array, items: {type: string}}}
    GROUPUnion:
      oneOf: [{$ref: '#/components/schemas/GROUPA'}, {$ref: '#/components/schemas/GROUPB'}]
      discriminator: {propertyName: kind, mapping: {a: '#/components/schemas/GROUPA', b: '#/components/schemas/GROUPB'}}
`
)
