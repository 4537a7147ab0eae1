package scalar_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

func TestBuiltInsUnderOtherNames(t *testing.T) {
	read := map[string]func(any) (any, error){
		"String":  func(v any) (any, error) { return scalar.UnmarshalString(v) },
		"Boolean": func(v any) (any, error) { return scalar.UnmarshalBoolean(v) },
		"Float":   func(v any) (any, error) { return scalar.UnmarshalFloat(context.Background(), v) },
		"ID":      func(v any) (any, error) { return scalar.UnmarshalID(v) },
	}
	values := []any{"a", "", true, 5, int64(5), json.Number("5"), json.Number("1.5"), json.Number("1e999"), json.Number("12345678901234567890"), json.Number(""), 1.5, 2.0, math.NaN(), math.Inf(-1), nil, []any{"a"}, map[string]any{}}
	for name, want := range map[string][]any{ // nil where a value is refused
		"String":  {"a", "", nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil},
		"Boolean": {nil, nil, true, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, nil},
		"Float":   {nil, nil, nil, 5.0, 5.0, 5.0, 1.5, nil, 12345678901234567890.0, nil, 1.5, 2.0, nil, nil, nil, nil, nil},
		"ID":      {"a", "", nil, "5", "5", "5", nil, nil, "12345678901234567890", nil, nil, "2", nil, nil, nil, nil, nil},
	} {
		for i, v := range values {
			got, err := read[name](v)
			var refused *fault.Error
			if want[i] == nil && !errors.As(err, &refused) || want[i] != nil && (err != nil || got != want[i]) {
				t.Errorf("%s of %#v is %#v, %v; want %#v", name, v, got, err, want[i])
			}
		}
	}
}
