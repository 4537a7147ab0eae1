package escape

import "testing"

func TestLength(t *testing.T) {
	for text, want := range map[string]struct {
		n  int
		ok bool
	}{
		`\n`:               {2, true},
		`\`:                {2, true},
		`\u`:               {2, true},
		`\u00e`:            {2, true},
		`\u00eg`:           {2, true},
		`\u00e9`:           {6, true},
		`\uFFFF\uFFFF`:     {6, true},
		`\ud83d\ude00 and`: {12, true},
		`\uD83D\uDE00`:     {12, true},
		`\ud83d`:           {12, false},
		`\ud83d "`:         {12, false},
		`\ud83d\n`:         {12, false},
		`\ud83d\u0041`:     {12, false},
		`\ud83d\ud83d`:     {12, false},
		`\ude00`:           {12, false},
		`\ude00\ud83d`:     {12, false},
	} {
		if n, ok := Length(text); n != want.n || ok != want.ok {
			t.Errorf("%s: got %d, %t, want %d, %t", text, n, ok, want.n, want.ok)
		}
		if n, ok := Length([]byte(text)); n != want.n || ok != want.ok {
			t.Errorf("%s as bytes: got %d, %t, want %d, %t", text, n, ok, want.n, want.ok)
		}
	}
	if n := testing.AllocsPerRun(10, func() { Length([]byte(`\ud83d\ude00`)) }); n != 0 {
		t.Errorf("%f allocations", n)
	}
}
