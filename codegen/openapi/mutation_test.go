package openapi

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// object is a mapping of a document that is to be rewritten.
type object = map[string]any

// plainValue returns a value of a document in the types of encoding/json.
func plainValue(n *yaml.Node) any {
	switch n.Kind {
	case yaml.Mapping:
		all := object{}
		for _, m := range n.Members {
			all[m.Key.Value] = plainValue(m.Value)
		}
		return all
	case yaml.List:
		all := []any{}
		for _, item := range n.Items {
			all = append(all, plainValue(item))
		}
		return all
	case yaml.Null:
		return nil
	case yaml.Bool:
		return n.Value == "true"
	case yaml.Int, yaml.Float:
		if json.Valid([]byte(n.Value)) {
			return json.Number(n.Value)
		}
	}
	return n.Value
}

// rewriter rewrites each schema of a document in a way that keeps its meaning.
type rewriter struct {
	root    object
	rewrite func(r *rewriter, schema object) any
	count   int
}

// schemas rewrites the schemas within a value. A schema is the value of one of the keywords that hold one.
func (r *rewriter) schemas(v any) any {
	switch v := v.(type) {
	case object:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			switch inner := v[key].(type) {
			case object:
				isSchema := key == "schema" || key == "items"
				if named := key == "properties" || key == "schemas"; named {
					for _, name := range slices.Sorted(maps.Keys(inner)) {
						inner[name] = r.schema(inner[name])
					}
					continue
				}
				if key == "example" || key == "examples" || key == "default" || key == "mapping" {
					continue
				}
				if isSchema {
					v[key] = r.schema(inner)
					continue
				}
				r.schemas(inner)
			case []any:
				if key == "enum" || key == "example" || key == "examples" || key == "required" {
					continue
				}
				for i := range inner {
					inner[i] = r.schemas(inner[i])
				}
			}
		}
	}
	return v
}

func (r *rewriter) schema(v any) any {
	schema, ok := v.(object)
	if !ok {
		return v
	}
	r.schemas(schema)
	rewritten := r.rewrite(r, schema)
	if reflect.ValueOf(rewritten).Pointer() != reflect.ValueOf(schema).Pointer() {
		r.count++
	}
	return rewritten
}

// nullableOf returns whether a schema of OpenAPI 3.0 is nullable, and a copy that is not.
func nullableOf(schema object) (bool, object) {
	bare := maps.Clone(schema)
	delete(bare, "nullable")
	return schema["nullable"] == true, bare
}

// rewritings are ways of writing the same.
var rewritings = map[string]func(r *rewriter, schema object) any{
	"allOf of one": func(_ *rewriter, schema object) any { return object{"allOf": []any{schema}} },
	"oneOf of one": func(_ *rewriter, schema object) any { return object{"oneOf": []any{schema}} },
	"anyOf of one": func(_ *rewriter, schema object) any { return object{"anyOf": []any{schema}} },
	"a reference": func(r *rewriter, schema object) any {
		moved := r.root["x-moved"].(object)
		name := fmt.Sprintf("m%d", len(moved))
		moved[name] = schema
		return object{"$ref": "#/x-moved/" + name}
	},
	"beside a description": func(_ *rewriter, schema object) any {
		return object{"allOf": []any{schema, object{"description": "it"}}}
	},
	"null as a type": func(_ *rewriter, schema object) any {
		nullable, bare := nullableOf(schema)
		kind, ok := schema["type"].(string)
		if !nullable || !ok {
			return schema
		}
		bare["type"] = []any{kind, "null"}
		return bare
	},
	"null as a branch": func(_ *rewriter, schema object) any {
		nullable, bare := nullableOf(schema)
		if !nullable || schema["type"] == nil {
			return schema
		}
		return object{"anyOf": []any{bare, object{"type": "null"}}}
	},
	"null as a part": func(_ *rewriter, schema object) any {
		nullable, bare := nullableOf(schema)
		if !nullable || schema["type"] == nil {
			return schema
		}
		return object{"allOf": []any{bare, object{"nullable": true}}}
	},
}

// meaning describes a schema without its places and names.
func meaning(b *strings.Builder, s *Schema, depth int) {
	if s == nil || depth == 0 {
		b.WriteString("...\n")
		return
	}
	fmt.Fprintf(b, "%v null=%v format=%s read=%v write=%v", s.Types, s.Nullable, s.Format, s.ReadOnly, s.WriteOnly)
	for _, v := range s.Enum {
		b.WriteString(" " + v.Text)
	}
	b.WriteByte('\n')
	for _, name := range slices.Sorted(slices.Values(s.PropertyNames())) {
		p := s.Property(name)
		fmt.Fprintf(b, "%*s%s required=%v ", 10-depth, "", name, p.Required)
		meaning(b, p.Schema, depth-1)
	}
	if s.Items != nil {
		b.WriteString("items ")
		meaning(b, s.Items, depth-1)
	}
	if s.Additional != nil {
		b.WriteString("others ")
		meaning(b, s.Additional, depth-1)
	}
	for _, leaf := range s.Leaves() {
		if leaf != s {
			b.WriteString("branch ")
			meaning(b, leaf, depth-1)
		}
	}
}

// meanings describes each operation of a document.
func meanings(d *Document) map[string]string {
	all := map[string]string{}
	for _, o := range allOperations(d) {
		var b strings.Builder
		for _, p := range o.Parameters {
			fmt.Fprintf(&b, "%s %s %s %v ", p.In, p.Name, p.Style, p.Required)
			meaning(&b, p.Schema, 5)
		}
		if o.Body != nil {
			for _, m := range o.Body.Media {
				b.WriteString("body " + m.Type + " ")
				meaning(&b, m.Schema, 5)
			}
		}
		for _, r := range o.Responses {
			for _, m := range r.Media {
				b.WriteString(r.Status + " " + m.Type + " ")
				meaning(&b, m.Schema, 5)
			}
		}
		all[o.Method+" "+o.Path] = b.String()
	}
	return all
}

// A document that is rewritten in a way which keeps its meaning is read as before.
func TestRewrittenDocuments(t *testing.T) {
	total := 0
	for _, doc := range documents {
		if doc.version == "2.0" {
			continue
		}
		text, err := os.ReadFile(doc.file)
		if err != nil {
			t.Fatal(err)
		}
		// Both are read from JSON, whose members are sorted.
		write := func(root any) *Document {
			written, err := json.Marshal(root)
			if err != nil {
				t.Fatal(err)
			}
			d, err := Parse("x.json", written)
			if err != nil {
				t.Fatal(err)
			}
			return d
		}
		tree := yaml.Parse(text, yaml.Options{Lenient: true}).Root
		want := meanings(write(plainValue(tree)))
		for name, rewrite := range rewritings {
			root := plainValue(tree).(object)
			root["x-moved"] = object{}
			r := &rewriter{root: root, rewrite: rewrite}
			moved := root["x-moved"]
			delete(root, "x-moved")
			r.root = object{"x-moved": moved}
			r.schemas(root)
			root["x-moved"] = moved
			d := write(root)
			if diff := cmp.Diff(want, meanings(d)); diff != "" {
				t.Errorf("%s, %s: -want +got\n%.1500s", doc.file, name, diff)
			}
			if w := d.Warnings(); len(w) > 0 {
				t.Errorf("%s, %s: %q", doc.file, name, w)
			}
			total += r.count
		}
	}
	t.Logf("%d schemas rewritten", total)
	if total < 1000 {
		t.Error("hardly a schema was rewritten")
	}
}
