package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/invopop/jsonschema"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine/page"
)

//go:generate go test . -run "^(TestSchemaIsOfTheseTypes|TestSettingsPage)$" -update

// The schema is made here, when building and not when running: descriptions are the
// Go comments, which a binary does not have.

const module = "github.com/gatehouse-graphql/gatehouse/"

// sources of the types that stand in the file, relative to this folder.
var folders = []string{".", "../front", "../limit", "../../engine", "../../engine/page", "../../auth", "../../upstreams"}

func TestSchemaIsOfTheseTypes(t *testing.T) {
	golden(t, "schema.json", makeSchema(t))
}

func makeSchema(t *testing.T) []byte {
	t.Helper()
	comments := &jsonschema.Reflector{}
	for _, folder := range folders {
		if err := comments.AddGoComments(module+"gateway/config", folder); err != nil {
			t.Fatal(err)
		}
	}
	reflector := jsonschema.Reflector{
		Anonymous: true, FieldNameTag: "yaml", RequiredFromJSONSchemaTags: true, ExpandedStruct: true,
		Mapper: scalarSchema,
		Namer:  func(t reflect.Type) string { return typeName(t) },
		LookupComment: func(t reflect.Type, field string) string {
			return comment(comments.CommentMap, t, field)
		},
	}
	made := reflector.Reflect(Config{})
	made.Title = "The settings of a Gatehouse gateway"
	text, err := json.MarshalIndent(made, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(choices(t, text), '\n')
}

// original is the part's own type, where the comments stand.
func original(t reflect.Type) reflect.Type {
	switch t {
	case reflect.TypeFor[Auth]():
		return reflect.TypeFor[auth.Options]()
	case reflect.TypeFor[Cursors]():
		return reflect.TypeFor[page.Options]()
	}
	return t
}

// typeName keeps auth.Options and limit.Options apart.
func typeName(t reflect.Type) string {
	if t.PkgPath() == module+"gateway/config" || t.PkgPath() == "" {
		return t.Name()
	}
	return filepath.Base(t.PkgPath()) + t.Name()
}

// comment calls a setting by the file's name instead of Go's.
func comment(all map[string]string, t reflect.Type, name string) string {
	t = original(t)
	text := strings.Join(strings.Fields(all[t.PkgPath()+"."+t.Name()+"."+name]), " ")
	if name == "" {
		return strings.Join(strings.Fields(all[t.PkgPath()+"."+t.Name()]), " ")
	}
	if field, ok := t.FieldByName(name); ok {
		setting, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if rest, ok := strings.CutPrefix(text, name+" "); ok {
			return setting + " " + rest
		}
	}
	return text
}

const filled = `\$\{` // a variable may stand for any value

// scalarSchema says of each Go type what fill accepts.
func scalarSchema(t reflect.Type) *jsonschema.Schema {
	switch {
	case t == durationType:
		return &jsonschema.Schema{Type: "string", Pattern: `^-?(0|(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+)$|` + filled}
	case t == levelType:
		return &jsonschema.Schema{Type: "string", Pattern: `^(debug|info|warn|error)$|` + filled}
	case t.Kind() == reflect.Int64:
		return anyOf(&jsonschema.Schema{Type: "integer"},
			&jsonschema.Schema{Type: "string", Pattern: `^\d+ ?(([kKmMgG][iI]?)?[bB])?$|` + filled})
	case t.Kind() == reflect.Int:
		return anyOf(&jsonschema.Schema{Type: "integer"}, &jsonschema.Schema{Type: "string", Pattern: filled})
	case t.Kind() == reflect.Bool:
		return anyOf(&jsonschema.Schema{Type: "boolean"}, &jsonschema.Schema{Type: "string", Pattern: filled})
	}
	return nil
}

func anyOf(schemas ...*jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: schemas}
}

// choices adds the words that editors offer.
func choices(t *testing.T, text []byte) []byte {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	offer := func(definition, setting string, words ...any) {
		p, ok := s.Definitions[definition].Properties.Get(setting)
		if !ok {
			t.Fatalf("no %s in %s", setting, definition)
		}
		if p.Items != nil {
			p = p.Items
		}
		pattern := p.Pattern
		p.Type, p.Pattern = "", ""
		if pattern == "" || strings.Contains(pattern, filled) {
			pattern = filled
		}
		p.AnyOf = []*jsonschema.Schema{{Enum: words}, {Type: "string", Pattern: pattern}}
	}
	offer("Log", "level", "debug", "info", "warn", "error")
	offer("Log", "format", LogAuto, LogJSON, LogText)
	offer("authIssuer", "algorithms", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512",
		"PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
	out, err := json.MarshalIndent(&s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSchemaHasEverySettingDescribed(t *testing.T) {
	root := parseSchema(t)
	described(t, root, root, reflect.TypeFor[Config](), nil)
}

// described walks types and schema side by side.
func described(t *testing.T, root, s *checkedSchema, typ reflect.Type, p []string) {
	t.Helper()
	s = s.resolve(root)
	switch {
	case kindOf(typ) == scalar:
		return
	case typ.Kind() == reflect.Slice:
		described(t, root, s.Items, typ.Elem(), append(p, "[]"))
		return
	case typ.Kind() == reflect.Map:
		described(t, root, s.entries(), typ.Elem(), append(p, "*"))
		return
	}
	var names []string
	for _, f := range fieldsOf(typ) {
		names = append(names, f.name)
		property := s.Properties[f.name]
		if property == nil {
			t.Errorf("%s: %s is not in the schema", strings.Join(p, "."), f.name)
			continue
		}
		if !strings.HasSuffix(property.Description, ".") {
			t.Errorf("%s: %s is not described: %q", strings.Join(p, "."), f.name, property.Description)
		}
		described(t, root, property, f.typ, append(p, f.name))
	}
	for name := range s.Properties {
		if !slices.Contains(names, name) {
			t.Errorf("%s: the schema has %s, which is no setting", strings.Join(p, "."), name)
		}
	}
}

func TestSchemaAgreesWithLoad(t *testing.T) {
	root := parseSchema(t)
	for _, c := range []struct {
		name, file string
		wrong      string // part of the complaint, empty when there is none
	}{
		{"empty", `{}`, ""},
		{"numbers", `limits: {depth: 3, body: 1000, tokens: -1}`, ""},
		{"sizes", `limits: {body: 2MiB}`, ""},
		{"duration", `execution: {deadline: 1m30s}`, ""},
		{"variables", "limits: {depth: \"${DEPTH:-3}\"}\nplayground: ${PLAY:-true}", ""},
		{"level", `log: {level: debug, format: json}`, ""},
		{"unknown key", `limits: {depht: 3}`, "depht"},
		{"unknown top key", `lissten: ":8080"`, "lissten"},
		{"unknown source key", `sources: {users: {urls: [], timout: 3s}}`, "timout"},
		{"word for a number", `limits: {depth: deep}`, "depth"},
		{"number for a duration", `execution: {deadline: 30}`, "deadline"},
		{"unit", `limits: {body: 3 bananas}`, "body"},
		{"half a unit", `limits: {body: 3M}`, "body"},
		{"level unknown", `log: {level: loud}`, "level"},
		{"algorithm unknown", `auth: {issuers: [{algorithms: [none]}]}`, "algorithms"},
		{"one for a list", `sources: {users: {urls: "http://localhost"}}`, "urls"},
		{"text for a block", `limits: 5`, "limits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var value any
			if err := yaml.Unmarshal([]byte(c.file), &value); err != nil {
				t.Fatal(err)
			}
			complaint := root.check(root, value, "")
			if (c.wrong == "") != (complaint == "") || !strings.Contains(complaint, c.wrong) {
				t.Errorf("complaint %q, want one about %q", complaint, c.wrong)
			}
			if _, err := Load(LoadOptions{Path: write(t, c.file), Explicit: true}); (err != nil) != (c.wrong != "") {
				t.Errorf("Load says %v", err)
			}
		})
	}
}

func parseSchema(t *testing.T) *checkedSchema {
	t.Helper()
	var root checkedSchema
	decoder := json.NewDecoder(bytes.NewReader(Schema()))
	decoder.DisallowUnknownFields() // a keyword that check does not know would pass anything
	if err := decoder.Decode(&root); err != nil {
		t.Fatal(err)
	}
	return &root
}

// checkedSchema is as much of JSON Schema as ours uses.
type checkedSchema struct {
	Schema               string                    `json:"$schema"`
	Defs                 map[string]*checkedSchema `json:"$defs"`
	Ref                  string                    `json:"$ref"`
	Title, Description   string
	Type                 string
	Properties           map[string]*checkedSchema
	AdditionalProperties json.RawMessage
	Items                *checkedSchema
	AnyOf                []*checkedSchema
	Enum                 []any
	Pattern              string
}

func (s *checkedSchema) resolve(root *checkedSchema) *checkedSchema {
	if name, ok := strings.CutPrefix(s.Ref, "#/$defs/"); ok {
		return root.Defs[name].resolve(root)
	}
	return s
}

// entries is the schema of a map's values; nil when no more keys are allowed.
func (s *checkedSchema) entries() *checkedSchema {
	if string(s.AdditionalProperties) == "false" {
		return nil
	}
	entry := &checkedSchema{}
	if err := json.Unmarshal(s.AdditionalProperties, entry); err != nil {
		panic(err)
	}
	return entry
}

// check gives the first complaint about value.
func (s *checkedSchema) check(root *checkedSchema, value any, at string) string {
	s = s.resolve(root)
	if s.AnyOf != nil && !slices.ContainsFunc(s.AnyOf, func(a *checkedSchema) bool { return a.check(root, value, at) == "" }) {
		return at + " fits no alternative"
	}
	if s.Enum != nil && !slices.Contains(s.Enum, value) {
		return at + " is none of the words"
	}
	switch v := value.(type) {
	case map[string]any:
		return s.checkMap(root, v, at)
	case []any:
		return s.checkList(root, v, at)
	case string:
		if s.Type != "" && s.Type != "string" || !regexp.MustCompile(s.Pattern).MatchString(v) {
			return at + " is no such text"
		}
	case bool:
		if s.Type != "" && s.Type != "boolean" {
			return at + " is true or false"
		}
	case uint64, int64:
		if s.Type != "" && s.Type != "integer" {
			return at + " is a number"
		}
	}
	return ""
}

func (s *checkedSchema) checkMap(root *checkedSchema, value map[string]any, at string) string {
	if s.Type != "object" {
		return at + " is a block"
	}
	for _, name := range slices.Sorted(maps.Keys(value)) {
		property := s.Properties[name]
		if property == nil {
			property = s.entries()
		}
		if property == nil {
			return fmt.Sprintf("%s has %s", at, name)
		}
		if complaint := property.check(root, value[name], at+"."+name); complaint != "" {
			return complaint
		}
	}
	return ""
}

func (s *checkedSchema) checkList(root *checkedSchema, value []any, at string) string {
	if s.Type != "array" {
		return at + " is a list"
	}
	for _, item := range value {
		if complaint := s.Items.check(root, item, at+"[]"); complaint != "" {
			return complaint
		}
	}
	return ""
}
