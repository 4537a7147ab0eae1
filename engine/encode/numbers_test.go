package encode

import (
	"encoding/json"
	"testing"
)

func TestNumerals(t *testing.T) {
	made := func() any {
		return Object{}.With("n", int64(1<<53+1)).With("t", "1.50").With("null", nil).
			With("list", []any{Object{}.With("t", "2").With("n", json.Number("3")), nil, Object{}}).
			With("texts", []any{"1", "x", "007", "true", ""})
	}
	for _, c := range []struct {
		got  any
		want string
	}{
		{
			NumbersAt(made(), "t", "list/t", "texts", "null", "nowhere", "t/deeper", "list/nowhere/t"),
			`{"n":9007199254740993,"t":1.50,"null":null,"list":[{"t":2,"n":3},null,{}],"texts":[1,"x","007","true",""]}`,
		},
		{
			StringsAt(made(), "n", "list/n", "null", "t"),
			`{"n":"9007199254740993","t":"1.50","null":null,"list":[{"t":"2","n":"3"},null,{}],"texts":["1","x","007","true",""]}`,
		},
		{NumbersAt("12.50", ""), `12.50`},
		{StringsAt([]any{int64(1)}, ""), `["1"]`},
		{NumbersAt(nil, "a"), `null`},
	} {
		if got, err := json.Marshal(c.got); err != nil || string(got) != c.want {
			t.Errorf("got %s (%v)\nwant %s", got, err, c.want)
		}
	}
}
