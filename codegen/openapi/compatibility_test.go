package openapi

import (
	"strings"
	"testing"
)

// typeFrom parses a GraphQL type such as [Int!]!. Color is an enum and Pet an object.
func typeFrom(s string) Type {
	bare := strings.TrimSuffix(s, "!")
	t := Type{NonNull: bare != s}
	if inner, ok := strings.CutPrefix(bare, "["); ok {
		elem := typeFrom(strings.TrimSuffix(inner, "]"))
		t.Elem = &elem
		return t
	}
	t.Name = bare
	switch bare {
	case "Color":
		t.Values = []string{"red", "green"}
	case "Level": // @json(value:) of each
		t.Values, t.Kinds = []string{"1", "2"}, []string{"integer"}
	case "Mixed":
		t.Values, t.Kinds = []string{"auto", "1.5", "true"}, []string{"string", "number", "boolean"}
	case "Pet":
		t.Object = true
	}
	return t
}

func TestTypeString(t *testing.T) {
	for _, s := range []string{"Int", "Int!", "[Int!]!", "[[Color]!]"} {
		if got := typeFrom(s).String(); got != s {
			t.Errorf("%s is written %s", s, got)
		}
	}
}

func TestHolds(t *testing.T) {
	for _, test := range []struct{ graphQL, schema, want string }{
		{"String", "{type: string}", ""},
		{"String", "{type: string, format: date-time}", ""},
		{"String!", "{type: string}", ""},
		{"String!", "{type: [string, 'null']}", "api.yaml:5 says it may be null; write String"},
		{"String", "{type: [string, 'null']}", ""},
		{"String", "{type: integer}", "api.yaml:5 says integer; write Int"},
		{"String", "{type: object}", "api.yaml:5 says object; write an object type, or JSON"},
		{"String", "{type: array, items: {type: string}}", "api.yaml:5 says array; write a list"},
		{"String", "{type: [string, integer]}", "api.yaml:5 says string or integer; write JSON"},
		{"String", "{}", ""},
		{"String!", "true", ""},
		{"ID", "{type: [string, integer]}", ""},
		{"ID!", "{type: integer, format: int64}", ""},
		{"ID", "{type: number}", "api.yaml:5 says number; write Float or Decimal"},
		{"Int", "{type: integer}", ""},
		{"Int", "{type: integer, format: int32}", ""},
		{"Int", "{type: integer, format: int64}", "api.yaml:5 says integer (int64); write Int64 or ID"},
		{"Int", "{type: integer, format: int64, minimum: 0, maximum: 100}", ""},
		{"Int", "{type: integer, maximum: 4000000000}", "api.yaml:5 says integer; write Int64 or ID"},
		{"Int", "{type: number}", "api.yaml:5 says number; write Float or Decimal"},
		{"Int", "{type: string, enum: [a, b]}", "api.yaml:5 says string; write String, or an enum of a, b"},
		{"Int64", "{type: integer, format: int64}", ""},
		{"Int64", "{type: string, format: int64}", ""},
		{"Int64", "{type: string, format: date}", "api.yaml:5 says string (date); write Date or String"},
		{"Float", "{type: integer}", ""},
		{"Float", "{type: number, format: double}", ""},
		{"Float", "{type: boolean}", "api.yaml:5 says boolean; write Boolean"},
		{"Boolean", "{type: boolean}", ""},
		{"Boolean", "{type: string}", "api.yaml:5 says string; write String"},
		{"DateTime", "{type: string, format: date-time}", ""},
		{"DateTime", "{type: string}", ""},
		{"DateTime", "{type: string, format: rfc-3339-ish}", ""},
		{"DateTime", "{type: string, format: date}", "api.yaml:5 says string (date); write Date or String"},
		{"DateTime", "{type: integer, format: unix-time}", "api.yaml:5 says integer (unix-time); write Int64 or ID"},
		{"Date", "{type: string, format: date-time}", "api.yaml:5 says string (date-time); write DateTime or String"},
		{"Date", "{type: string, format: date}", ""},
		{"Decimal", "{type: string, format: decimal}", ""},
		{"Decimal", "{type: number}", ""},
		{"Decimal", "{type: string, format: email}", "api.yaml:5 says string (email); write String"},
		{"UUID", "{type: string, format: uuid}", ""},
		{"UUID", "{type: string, format: uri}", "api.yaml:5 says string (uri); write URL or String"},
		{"URL", "{type: string, format: uri}", ""},
		{"JSON", "{oneOf: [{type: string}, {type: object}]}", ""},
		{"JSON!", "{nullable: true}", "api.yaml:5 says it may be null; write JSON"},
		{"Custom", "{type: object}", ""},
		{"[String]", "{type: array, items: {type: string}}", ""},
		{"[String]", "{type: string}", "api.yaml:5 says string; write String"},
		{"[String]", "{type: array}", ""},
		{"[String!]", "{type: array, items: {type: string, nullable: true}}", "api.yaml:5 says it may be null; write [String]"},
		{"[[ID!]!]!", "{type: array, items: {type: array, items: {type: string, nullable: true}}}", "api.yaml:5 says it may be null; write [[ID]!]!"},
		{"[[ID!]!]!", "{type: array, items: {type: [array, 'null'], items: {type: string}}}", "api.yaml:5 says it may be null; write [[ID!]]!"},
		{"[Int!]!", "{type: array, items: {type: string}}", "api.yaml:5 says string; write [String]!"},
		{"[JSON]", "{type: object}", "api.yaml:5 says object; write an object type, or JSON"},
		{"Color", "{type: string, enum: [red, green]}", ""},
		{"Color", "{type: string, enum: [red]}", ""},
		{"Color", "{type: string}", ""},
		{"Color", "{type: string, enum: [red, blue-ish]}", `api.yaml:5 has the value "blue-ish"; add it to Color, under another name with @json(name: "blue-ish") if need be`},
		{"Color", "{type: integer, enum: [1]}", "api.yaml:5 says integer; write each value of Color with @json(value: 1), or Int instead of it"},
		{"Level", "{type: integer, enum: [1, 2]}", ""},
		{"Level", "{type: integer, enum: [1]}", ""},
		{"Level", "{type: integer}", ""},
		{"Level", "{type: number, enum: [1.0, 2.0]}", ""},
		{"Level", "{enum: [1, 2]}", ""},
		{"Level", "{type: integer, enum: [1, 3]}", "api.yaml:5 has the value 3; add it to Level, under a name of its own with @json(value: 3)"},
		{"Level", "{type: string, enum: ['1', '2']}", `api.yaml:5 says string, whose values are texts; write @json(name: "1")`},
		{"Level", "{type: boolean}", "api.yaml:5 says boolean; write Boolean"},
		{"Mixed", "{type: [string, number, boolean], enum: [auto, 1.5, true]}", ""},
		{"Mixed", "{enum: [auto, false]}", `api.yaml:5 has the value "false"; add it to Mixed, under another name with @json(name: "false") if need be`},
		{"Pet", "{$ref: '#/components/schemas/Pet'}", ""},
		{"Pet!", "{$ref: '#/components/schemas/NullablePet'}", "api.yaml:9 says it may be null; write Pet"},
		{"Pet", "{oneOf: [{$ref: '#/components/schemas/Pet'}, {$ref: '#/components/schemas/Old'}]}", ""},
		{"Pet!", "{oneOf: [{$ref: '#/components/schemas/Pet'}, {$ref: '#/components/schemas/Old'}]}", "api.yaml:10 says it may be null; write Pet"},
		{"Pet", "{oneOf: [{$ref: '#/components/schemas/Pet'}, {type: string}]}", "api.yaml:5 says object or string; write JSON"},
	} {
		s, _ := schemaOf(t, "3.1.0", test.schema, "")
		if got := typeFrom(test.graphQL).ReadMismatch(s); got != test.want {
			t.Errorf("%s over %s:\n got %q\nwant %q", test.graphQL, test.schema, got, test.want)
		}
	}
}

func TestFills(t *testing.T) {
	const text, body = true, false
	for _, test := range []struct {
		graphQL, schema string
		asText          bool
		want            string
	}{
		{"String", "{type: string}", body, ""},
		{"String", "{type: string, enum: [a]}", body, ""},
		{"String", "{type: integer}", body, "api.yaml:5 says integer; write Int"},
		{"String", "{type: integer}", text, "api.yaml:5 says integer; write Int"},
		{"String", "{type: [integer, string]}", body, ""},
		{"String!", "{type: string, nullable: true}", body, ""},
		{"ID", "{type: integer, format: int64}", text, ""},
		{"ID", "{type: integer, format: int64}", body, "api.yaml:5 says integer (int64); write Int64"},
		{"Int", "{type: string}", text, ""},
		{"Int", "{type: string}", body, "api.yaml:5 says string; write String"},
		{"Int", "{type: number}", body, ""},
		{"Int", "{type: integer, format: int64}", body, ""},
		{"Float", "{type: integer}", body, "api.yaml:5 says integer; write Int"},
		{"Float", "{type: integer}", text, "api.yaml:5 says integer; write Int"},
		{"Float", "{type: number}", text, ""},
		{"Float", "{type: string}", text, ""},
		{"Int", "{type: number}", text, ""},
		{"Decimal", "{type: integer}", text, "api.yaml:5 says integer; write Int"},
		{"Boolean", "{type: boolean}", text, ""},
		{"Boolean", "{type: integer}", text, "api.yaml:5 says integer; write Int"},
		{"Decimal", "{type: number}", body, ""},
		{"Decimal", "{type: string, format: decimal}", body, ""},
		{"DateTime", "{type: string, format: date}", text, "api.yaml:5 says string (date); write Date or String"},
		{"Date", "{type: string, format: date}", text, ""},
		{"Upload", "{type: string, format: binary}", body, ""},
		{"Upload", "{type: object}", body, "api.yaml:5 says object; write an object type, or JSON"},
		{"JSON", "{type: object}", body, ""},
		{"Custom", "{type: object}", body, ""},
		{"Color", "{type: string, enum: [red, green, blue]}", body, ""},
		{"Color", "{type: string, enum: [red]}", body, `api.yaml:5 does not take its value "green"; there is red`},
		{"Color", "{type: string}", text, ""},
		{"Color", "{type: integer, enum: [1]}", body, "api.yaml:5 says integer; write each value of Color with @json(value: 1), or Int instead of it"},
		{"Level", "{type: integer, enum: [1, 2, 3]}", body, ""},
		{"Level", "{type: integer, enum: [1, 2, 3]}", text, ""},
		{"Level", "{type: array, items: {type: integer, enum: [1, 2]}}", text, ""},
		{"Level", "{type: number}", body, ""},
		{"Level", "{type: integer, enum: [1]}", body, "api.yaml:5 does not take its value \"2\"; there is 1"},
		{"Level", "{type: string, enum: ['1', '2']}", body, `api.yaml:5 says string, whose values are texts; write @json(name: "1")`},
		{"Level", "{type: string, enum: ['1', '2']}", text, ""},
		{"Color", "{type: boolean}", text, "api.yaml:5 says boolean; write Boolean"},
		{"[ID!]", "{type: array, items: {type: string}}", text, ""},
		{"[ID!]", "{type: array, items: {type: integer}}", text, ""},
		{"[ID!]", "{type: string}", text, "api.yaml:5 says string; write String"},
		{"ID", "{type: array, items: {type: string}}", text, ""},
		{"ID", "{type: array, items: {type: string}}", body, "api.yaml:5 says array; write a list"},
		{"Pet", "{type: object}", text, ""},
		{"Pet", "{type: string}", body, "api.yaml:5 says string; write String"},
		{"Int", "{oneOf: [{type: string}, {type: integer}]}", body, ""},
		{"Boolean", "{}", body, ""},
	} {
		s, _ := schemaOf(t, "3.1.0", test.schema, "")
		graphQL := typeFrom(test.graphQL)
		got := graphQL.WriteMismatch(s)
		if test.asText {
			got = graphQL.ParameterMismatch(&Parameter{Schema: s})
		}
		if got != test.want {
			t.Errorf("%s into %s (as text: %v):\n got %q\nwant %q", test.graphQL, test.schema, test.asText, got, test.want)
		}
	}
}

func TestPropertiesAndParameters(t *testing.T) {
	s, _ := schemaOf(t, "3.1.0", `{type: object, required: [must, mayNull], properties: {
        must: {type: string}, may: {type: string}, mayNull: {type: [string, 'null']}, sent: {type: string, readOnly: true}, taken: {type: string, writeOnly: true}}}`, "")
	for _, test := range []struct{ graphQL, property, holds, fills string }{
		{"String!", "must", "", ""},
		{"String", "must", "", "api.yaml:6 requires it; write String!"},
		{"String!", "may", "api.yaml:6 does not require it; write String", ""},
		{"String", "may", "", ""},
		{"String", "mayNull", "", ""},
		{"String!", "mayNull", "api.yaml:6 says it may be null; write String", ""},
		{"String", "sent", "", "api.yaml:6 says it is readOnly, so the service does not take it; remove the field"},
		{"String", "taken", "api.yaml:6 says it is writeOnly, so it is never sent; remove the field", ""},
		{"Int", "may", "api.yaml:6 says string; write String", "api.yaml:6 says string; write String"},
	} {
		p, graphQL := s.Property(test.property), typeFrom(test.graphQL)
		if got := graphQL.ReadPropertyMismatch(p); got != test.holds {
			t.Errorf("%s holds %s: %q, want %q", test.graphQL, test.property, got, test.holds)
		}
		if got := graphQL.WritePropertyMismatch(p); got != test.fills {
			t.Errorf("%s fills %s: %q, want %q", test.graphQL, test.property, got, test.fills)
		}
	}
	required := &Parameter{Place: Place{"api.yaml", 3, 1}, Required: true, Schema: &Schema{}}
	if got := typeFrom("[ID!]").ParameterMismatch(required); got != "api.yaml:3 requires it; write [ID!]!" {
		t.Error(got)
	}
	asJSON := &Parameter{Media: "application/json", Schema: &Schema{Place: Place{"api.yaml", 3, 1}, Types: []string{"string"}}}
	if got := typeFrom("Int").ParameterMismatch(asJSON); got != "api.yaml:3 says string; write String" {
		t.Errorf("a parameter in JSON is no text: %q", got)
	}
}
