package decode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"
)

// A value stays as it is when the response's bytes are overwritten and when other strings and
// objects are read.
func TestValuesOutliveResponse(t *testing.T) {
	const n = 1000
	var text strings.Builder
	want := make([]string, n)
	for i := range n {
		want[i] = strings.Repeat(fmt.Sprintf("%d é\n", i), i%40)
		fmt.Fprintf(&text, `,{"id":%d,"note":"%s"}`, i, strings.ReplaceAll(want[i], "\n", `\n`))
	}
	body := []byte("[" + text.String()[1:] + "]")
	things, err := Read("s", body, nil, ListOf(decodeThing))
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

// Strings are what encoding/json reads, wherever in a word of eight bytes or in a chunk an escape
// or another special byte lies.
func TestStrings(t *testing.T) {
	var raw []string
	for _, odd := range []string{"", `\n`, `\"`, `\\`, `\/`, `\u0041`, `\ud83d\ude00`, `\ud83d`, "é", "😀", "\u007f", `\b\f\r\t`} {
		for before := range 20 {
			for _, after := range []int{0, 1, 7, 8, 30, 300, maxArenaString} {
				raw = append(raw, `"`+strings.Repeat("a", before)+odd+strings.Repeat("b", after)+odd+`"`)
			}
		}
	}
	body := []byte("[" + strings.Join(raw, ",") + "]")
	var want []string
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatal(err)
	}
	got, err := Read("s", body, nil, ListOf((*Decoder).String))
	if err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%s reads as %q, want %q", raw[i], got[i], want[i])
		}
	}
	for _, bad := range []string{"\x1f", "\n", `\x`, `\u12`, "\xff", "\xc3"} {
		for before := range 10 {
			body := []byte(`["enough to have a piece","",""," ","` + strings.Repeat("a", before) + bad + `"]` + strings.Repeat(" ", 10))
			if _, err := Read("s", body, nil, ListOf((*Decoder).String)); err == nil {
				t.Errorf("%s was not refused", body)
			}
		}
	}
	for _, body := range []string{`["enough to have a piece","abc`, `["enough to have a piece","abcdefgh`, `["enough to have a piece","abcdefg\`} {
		if _, err := Read("s", []byte(body), nil, ListOf((*Decoder).String)); err == nil {
			t.Errorf("%s was not refused", body)
		}
	}
}

// A string that outlives its response keeps no more memory than one chunk.
func TestStringKeepsOneChunk(t *testing.T) {
	var kept stringArena
	for _, text := range []string{"a", strings.Repeat("b", maxArenaString), strings.Repeat("c", maxArenaString+1), "", strings.Repeat("d", 100)} {
		for range 100 {
			for _, end := range []string{"", "\n"} {
				raw := text + strings.ReplaceAll(end, "\n", `\u000a`)
				if got := kept.copyString([]byte(raw), end != "", 1<<30); got != text+end {
					t.Fatalf("%q is kept as %q", raw, got)
				}
				if size := cap(kept.chunk); size > maxChunk {
					t.Fatalf("a piece has %d bytes", size)
				}
			}
		}
	}
	var few stringArena
	if few.copyString([]byte("abc"), false, 5); cap(few.chunk) > 16 {
		t.Errorf("a text of an answer with 5 bytes is kept in %d", cap(few.chunk))
	}
}

func TestObjectsShareChunks(t *testing.T) {
	const n = 500
	body := []byte("[" + strings.Repeat(`{"id":"x","n":1},`, n) + `{"id":"y"}]`)
	things, err := Read("s", body, nil, ListOf(decodeThing))
	if err != nil || len(things) != n+1 {
		t.Fatal(len(things), err)
	}
	seen, pieces := map[*thing]bool{}, 1
	for i, v := range things {
		if seen[v] {
			t.Fatalf("thing %d was given out before", i)
		}
		seen[v] = true
		if i > 0 && uintptr(unsafe.Pointer(v)) != uintptr(unsafe.Pointer(things[i-1]))+unsafe.Sizeof(*v) {
			pieces++
		}
	}
	if most := int(n*unsafe.Sizeof(thing{})/maxChunk) + 6; pieces > most {
		t.Errorf("%d things lie in %d pieces", n, pieces)
	}
	for _, size := range []uintptr{0, 1, 100, maxChunk, 10 * maxChunk} {
		var s shapeState
		for range 20 {
			if got := s.nextChunkLen(size, 1<<20); got < 1 || got > 1 && got*int(size) > maxChunk {
				t.Errorf("a piece has %d values of %d bytes", got, size)
			}
		}
		if got := s.nextChunkLen(size, 1); got != 1 {
			t.Errorf("a piece for one value of %d bytes has %d", size, got)
		}
	}
}

// A list takes no more memory than one that grows element by element, wherever it lies and ends: a
// service that chooses the lengths of lists cannot make the gateway keep many times what it sent.
func TestListsAllocateInProportion(t *testing.T) {
	for _, length := range []int{5, 9, 37, 300} {
		list := "[" + strings.Repeat("1,", length-1) + "1]"
		body := []byte("[" + strings.Repeat(list+",", 999) + list + "]")
		lists, err := Read("s", body, nil, ListOf(ListOf((*Decoder).Int)))
		if err != nil || len(lists) != 1000 {
			t.Fatal(len(lists), err)
		}
		for _, l := range lists {
			if len(l) != length || cap(l) > 2*length {
				t.Fatalf("a list of %d elements has room for %d", len(l), cap(l))
			}
		}
		if most := 10 * len(lists); cap(lists) > most {
			t.Errorf("a list of %d lists has room for %d", len(lists), cap(lists))
		}
	}
}

// FuzzStrings compares strings with those that encoding/json reads, also after the response's
// bytes were overwritten.
func FuzzStrings(f *testing.F) {
	f.Add([]byte(`["a","bc\n","0123456\"","01234567","\u00e9\ud83d\ude00","é😀","\ud800"," "]`))
	f.Add([]byte(`["` + strings.Repeat("a", maxArenaString-1) + `\n","` + strings.Repeat("b", maxArenaString+1) + `","c\tabcdefgh"]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		body = append(make([]byte, 0, len(body)), body...) // with nothing behind it
		var want []*string
		wantErr := json.Unmarshal(body, &want)
		utf := utf8.Valid(body)
		got, err := Read("s", body, nil, ListOf(PtrOf((*Decoder).String)))
		if len(bytes.TrimSpace(body)) == 0 || string(bytes.TrimSpace(body)) == "null" {
			return
		}
		if (err == nil) != (wantErr == nil && utf) {
			t.Fatalf("%q: we say %v, and encoding/json %v", body, err, wantErr)
		}
		if err != nil {
			return
		}
		text := string(body)
		for i := range body {
			body[i] = 'x'
		}
		if !slices.EqualFunc(got, want, func(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }) {
			t.Fatalf("%q reads otherwise than by encoding/json", text)
		}
	})
}
