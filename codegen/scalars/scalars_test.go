package scalars_test

import (
	"encoding/json"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/packages"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
	"github.com/gatehouse-graphql/gatehouse/engine/decode"
)

// scopes returns what each of the engine's packages declares, by the package's path in engine/.
func scopes(t *testing.T, names ...string) map[string]*types.Scope {
	t.Helper()
	patterns := make([]string, len(names))
	for i, name := range names {
		patterns[i] = "github.com/gatehouse-graphql/gatehouse/engine/" + name
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports}, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*types.Scope{}
	for _, p := range loaded {
		for _, err := range p.Errors {
			t.Fatal(err)
		}
		found[p.Name] = p.Types.Scope()
	}
	return found
}

// Generated code uses a row's functions and types: each exists, and the decoder's method returns
// the row's Go type.
func TestRowsNameGoCode(t *testing.T) {
	engine := scopes(t, "scalar", "decode", "encode", "plan")
	decoder := types.NewPointer(engine["decode"].Lookup("Decoder").Type())
	for _, s := range scalars.Table {
		if engine["encode"].Lookup(strings.TrimSuffix(s.Encode, "[T]")) == nil {
			t.Errorf("%s: engine/encode has no function %s", s.Name, s.Encode)
		}
		if engine["plan"].Lookup(s.Append) == nil {
			t.Errorf("%s: engine/plan has no function %s", s.Name, s.Append)
		}
		if name, ours := strings.CutPrefix(s.Model, "github.com/gatehouse-graphql/gatehouse/engine/scalar."); ours {
			inScalar := engine["scalar"]
			if inScalar.Lookup(name) == nil && (inScalar.Lookup("Marshal"+name) == nil || inScalar.Lookup("Unmarshal"+name) == nil) {
				t.Errorf("%s: engine/scalar has neither a type %s nor the functions Marshal%s and Unmarshal%s", s.Name, name, name, name)
			}
		}
		method, _, _ := types.LookupFieldOrMethod(decoder, false, nil, s.Name)
		if method == nil {
			t.Errorf("%s: engine/decode's Decoder has no method %s", s.Name, s.Name)
			continue
		}
		got := types.TypeString(method.Type().(*types.Signature).Results().At(0).Type(), (*types.Package).Name)
		if got != s.GoType {
			t.Errorf("%s: the decoder's method returns %s, not %s", s.Name, got, s.GoType)
		}
	}
}

// decoded reads text by the decoder's method of a scalar's name. The error is nil if it fits.
func decoded(name, text string) (any, error) {
	return decode.Read("service", []byte(text), nil, func(d *decode.Decoder) any {
		return reflect.ValueOf(d).MethodByName(name).Call(nil)[0].Interface()
	})
}

// Each scalar takes its examples from a service and refuses those of the other kind. One that is
// a type of its own writes a value as JSON that it reads back, from a service and from a client.
func TestExamples(t *testing.T) {
	for _, s := range scalars.Table {
		if len(s.Examples) == 0 || len(s.Refused) == 0 {
			t.Errorf("%s has no examples", s.Name)
		}
		for _, text := range s.Examples {
			value, err := decoded(s.Name, text)
			if err != nil {
				t.Errorf("%s refuses %s: %v", s.Name, text, err)
				continue
			}
			if m, isType := value.(graphql.Marshaler); isType {
				wantRoundTrip(t, s.Name, m)
			}
		}
		for _, text := range s.Refused {
			if value, err := decoded(s.Name, text); err == nil {
				t.Errorf("%s takes %s as %v", s.Name, text, value)
			}
		}
	}
}

func wantRoundTrip(t *testing.T, name string, value graphql.Marshaler) {
	t.Helper()
	var b strings.Builder
	value.MarshalGQL(&b)
	again, err := decoded(name, b.String())
	if diff := cmp.Diff(any(value), again); err != nil || diff != "" {
		t.Errorf("%s is written as %s, which its decoder reads otherwise: %v\n%s", name, b.String(), err, diff)
	}
	var fromClient any
	if err := json.Unmarshal([]byte(b.String()), &fromClient); err != nil {
		t.Fatalf("%s is written as %s, which is not JSON", name, b.String())
	}
	read := reflect.New(reflect.TypeOf(value))
	if err := read.Interface().(graphql.Unmarshaler).UnmarshalGQL(fromClient); err != nil {
		t.Errorf("%s is written as %s, which it refuses from a client: %v", name, b.String(), err)
	}
}

// No two scalars stand for the same format, or the checks could not say which to write.
func TestFormatsAreDistinct(t *testing.T) {
	of := map[string]string{}
	for _, s := range scalars.Table {
		for _, format := range s.Formats {
			if other, taken := of[format]; taken {
				t.Errorf("%s and %s both stand for the format %s", other, s.Name, format)
			}
			of[format] = s.Name
		}
	}
}

// Where a schema of this repository names the specification of a scalar, it is the table's.
func TestSchemasNameTheTablesSpecifications(t *testing.T) {
	files, err := filepath.Glob("../../schema/*.graphqls")
	if err != nil || len(files) == 0 {
		t.Fatalf("no schema: %v", err)
	}
	examples, _ := filepath.Glob("../../examples/*/schema/*.graphqls")
	for _, path := range append(files, examples...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			name, declares := strings.CutPrefix(strings.TrimSpace(line), "scalar ")
			name, _, _ = strings.Cut(name, " ")
			if s := scalars.ByName(name); declares && s != nil && strings.Contains(line, "@specifiedBy") && strings.TrimSpace(line) != s.Declaration() {
				t.Errorf("%s: %s\nwant %s", path, strings.TrimSpace(line), s.Declaration())
			}
		}
	}
}
