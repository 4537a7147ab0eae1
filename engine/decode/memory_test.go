package decode

import (
	"fmt"
	"strings"
	"testing"
	"unsafe"
)

// What an answer gives stays as it is, whatever becomes of the answer's bytes, and of the
// texts and objects beside it.
func TestValuesAreKept(t *testing.T) {
	const n = 1000
	var text strings.Builder
	want := make([]string, n)
	for i := range n {
		want[i] = strings.Repeat(fmt.Sprintf("%d é\n", i), i%40)
		fmt.Fprintf(&text, `,{"id":%d,"note":"%s"}`, i, strings.ReplaceAll(want[i], "\n", `\n`))
	}
	body := []byte("[" + text.String()[1:] + "]")
	things, err := Answer("s", body, nil, ListOf(decodeThing))
	if err != nil || len(things) != n {
		t.Fatal(len(things), err)
	}
	for i := range body {
		body[i] = 'x'
	}
	for i := 1; i < n; i += 2 {
		*things[i] = thing{ID: "changed", Note: new(string)}
	}
	for i := 0; i < n; i += 2 {
		if v := things[i]; v.ID != fmt.Sprint(i) || *v.Note != want[i] || v.N != 0 {
			t.Fatalf("thing %d is %v with %q", i, v, *v.Note)
		}
	}
}

// A text that somebody keeps keeps no more memory than a piece.
func TestPiecesAreSmall(t *testing.T) {
	var kept texts
	for _, text := range []string{"a", strings.Repeat("b", maxShared), strings.Repeat("c", maxShared+1), "", strings.Repeat("d", 100)} {
		for range 100 {
			if got := kept.keep([]byte(text), 1<<30); got != text {
				t.Fatalf("%q is kept as %q", text, got)
			}
			if size := kept.piece.Cap(); size > maxPiece {
				t.Fatalf("a piece has %d bytes", size)
			}
		}
	}
	var few texts
	if few.keep([]byte("abc"), 5); few.piece.Cap() > 16 {
		t.Errorf("a text of an answer with 5 bytes is kept in %d", few.piece.Cap())
	}
}

func TestSlabs(t *testing.T) {
	type big [3 * maxPiece]byte
	if v := new(slab[big]).next(10); v == nil {
		t.Error("a big value has no place")
	}
	var things slab[thing]
	seen := map[*thing]bool{}
	for i := range 500 {
		v := things.next(500 - i)
		if seen[v] || v.ID != "" {
			t.Fatalf("value %d was given out before", i)
		}
		v.ID, seen[v] = "taken", true
		if size := cap(things.free) * int(unsafe.Sizeof(*v)); size > maxPiece {
			t.Fatalf("a piece has %d bytes", size)
		}
	}
	if one := new(slab[thing]); one.next(1) == nil || len(one.free) > 0 {
		t.Error("a single value has room for more")
	}
}
