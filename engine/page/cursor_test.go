package page

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"testing"
)

// testCursors returns the cursors of the list of r.
func testCursors(t testing.TB, key *Key, r Request) *cursors {
	t.Helper()
	c, err := newCursors(WithKey(t.Context(), key), r)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var positions = []position{
	{},
	{skip: 1},
	{skip: maxSkip},
	{cursor: "n"},
	{cursor: "n", skip: 7},
	{cursor: "\x00\xff\n", skip: 1},
	{cursor: strings.Repeat("x", maxServiceCursor), skip: maxSkip},
}

func TestCursorsOpen(t *testing.T) {
	for _, secret := range []string{secret, ""} {
		c := testCursors(t, newKey(t, secret), Request{Field: "Query.f"})
		for _, p := range positions {
			text := c.seal(p)
			if got, err := c.open(&text); err != nil || got != p {
				t.Errorf("%+v became %+v, %v", p, got, err)
			}
			if again := c.seal(p); again != text {
				t.Errorf("%+v is both %s and %s", p, text, again)
			}
			if len(text) > maxCursor {
				t.Errorf("%d characters", len(text))
			}
		}
	}
}

// Clients keep cursors, so a cursor of this version must open forever.
func TestCursorsStayTheSame(t *testing.T) {
	c := testCursors(t, newKey(t, secret), Request{Field: "Query.users", Parent: "p", Type: NextCursor})
	if got, want := c.seal(position{cursor: "next", skip: 3}), "Ad0PWd6SknwPMgEdqRqN0hl8mq7PnPZfPw"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestCursorsWorkInOneListOnly(t *testing.T) {
	key := newKey(t, secret)
	here := testCursors(t, key, Request{Field: "User.orders", Parent: "u1"}).seal(position{skip: 20})
	for name, there := range map[string]*cursors{
		"another field":       testCursors(t, key, Request{Field: "User.order", Parent: "u1"}),
		"another parent":      testCursors(t, key, Request{Field: "User.orders", Parent: "u2"}),
		"no parent":           testCursors(t, key, Request{Field: "User.orders"}),
		"the same, run on":    testCursors(t, key, Request{Field: "User.ordersu", Parent: "1"}),
		"all of it the field": testCursors(t, key, Request{Field: "User.ordersu1"}),
		"a service's cursors": testCursors(t, key, Request{Field: "User.orders", Parent: "u1", Type: NextCursor}),
		"another secret":      testCursors(t, newKey(t, strings.Repeat("k", MinSecret)), Request{Field: "User.orders", Parent: "u1"}),
		"no secret":           testCursors(t, newKey(t, ""), Request{Field: "User.orders", Parent: "u1"}),
	} {
		if p, err := there.open(&here); err == nil {
			t.Errorf("%s: opens as %+v", name, p)
		}
	}
	one, two := testCursors(t, newKey(t, ""), Request{Field: "f"}), testCursors(t, newKey(t, ""), Request{Field: "f"})
	if one.seal(position{skip: 1}) == two.seal(position{skip: 1}) {
		t.Error("two processes without a secret have the same")
	}
	pages := testCursors(t, key, Request{Field: "User.orders", Parent: "u1", Type: PageNumber})
	if p, err := pages.open(&here); err != nil || p.skip != 20 {
		t.Error("an offset is one by page numbers too:", err)
	}
}

// The beginning of a position cannot be taken for the end of the parent, nor the other way round.
func TestListsAndPositionsAreApart(t *testing.T) {
	key := newKey(t, secret)
	short, long := testCursors(t, key, Request{Field: "f", Parent: "p"}), testCursors(t, key, Request{Field: "f", Parent: "p\x00\x00\x00\x01"})
	if bytes.Equal(short.tag([]byte("\x00\x00\x00\x01\x00\x00\x00\x02")), long.tag([]byte("\x00\x00\x00\x02"))) {
		t.Error("two lists have the same tags")
	}
}

func TestForgedCursors(t *testing.T) {
	c := testCursors(t, newKey(t, secret), Request{Field: "Query.f", Type: NextCursor})
	good := c.seal(position{cursor: "next", skip: 3})
	raw, err := base64.RawURLEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	forged := []string{
		"", "x", "AQ", good + "A", good + "=", good + "\n", good[:9] + "\r\n" + good[9:], " " + good, good[:len(good)/2],
		base64.StdEncoding.EncodeToString(raw), base64.StdEncoding.EncodeToString([]byte("arrayconnection:3")),
		strings.Repeat("A", maxCursor), strings.Repeat("A", maxCursor+1), strings.Repeat("A", 1<<20), "é" + good, "40", "null",
	}
	for i := range raw {
		forged = append(forged, base64.RawURLEncoding.EncodeToString(raw[:i]))
		for bit := range 8 {
			changed := bytes.Clone(raw)
			changed[i] ^= 1 << bit
			forged = append(forged, base64.RawURLEncoding.EncodeToString(changed))
		}
	}
	last := len(good) - 1 // some of this character's bits stand for nothing
	for _, other := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if rune(good[last]) != other {
			forged = append(forged, good[:last]+string(other))
		}
	}
	for _, text := range append(forged, c.seal(position{cursor: strings.Repeat("x", maxCursor)})) {
		p, err := c.open(&text)
		if err == nil {
			t.Fatalf("%.60q opens as %+v", text, p)
		}
		wantRefused(t, err, "after is not a cursor of Query.f, or no longer; send one as this field gave it, or leave after out to begin anew")
	}
}

// A wrong cursor costs no call, and the message does not depend on what is wrong with it.
func TestForgedCursorsCostNoCall(t *testing.T) {
	ctx := withKey(t)
	for _, first := range []*int{nil, new(0)} {
		for _, how := range types {
			p := newPagedService(9)
			_, err := Load(ctx, Request{Field: "Query.f", Type: how, First: first, After: new("x"), WantsTotal: true}, p.fetch(how))
			wantRefused(t, err, "not a cursor of Query.f")
			if len(p.asked) > 0 {
				t.Errorf("asked %+v", p.asked)
			}
		}
	}
}

func TestSkipIsBounded(t *testing.T) {
	ctx := withKey(t)
	for skip, wrong := range map[int]bool{maxSkip: false, maxSkip + 1: true, math.MaxInt32: true} {
		for _, how := range types {
			r := Request{Field: "Query.f", Type: how}
			p := newPagedService(9)
			r.After = new(testCursors(t, newKey(t, secret), r).seal(position{skip: skip}))
			_, err := Load(ctx, r, p.fetch(how))
			if wrong {
				wantRefused(t, err, "further on than Query.f can be paged")
			} else if err != nil {
				t.Error(skip, err)
			}
		}
	}
}

// A cursor reveals neither what the service sent nor how far from the beginning it is.
func TestCursorsRevealNothing(t *testing.T) {
	c := testCursors(t, newKey(t, secret), Request{Field: "Query.f", Parent: "parent"})
	lengths := map[int]bool{}
	for skip := range 1000 {
		lengths[len(c.seal(position{skip: skip * 1_000_000}))] = true
	}
	if len(lengths) != 1 {
		t.Errorf("lengths %v tell places", lengths)
	}
	raw, _ := base64.RawURLEncoding.DecodeString(c.seal(position{cursor: strings.Repeat("customer=42;", 10)}))
	for _, private := range []string{"customer", "=42", "Query", "parent"} {
		if bytes.Contains(raw, []byte(private)) {
			t.Errorf("%q shows in %q", private, raw)
		}
	}
	// Cursors of one page of a service share their version only: any difference changes all other bytes.
	one, _ := base64.RawURLEncoding.DecodeString(c.seal(position{cursor: "customer=42", skip: 1}))
	two, _ := base64.RawURLEncoding.DecodeString(c.seal(position{cursor: "customer=42", skip: 2}))
	if bytes.Equal(one[headerSize:], two[headerSize:]) || bytes.Equal(one[headerSize+4:], two[headerSize+4:]) {
		t.Errorf("%x and %x are alike", one, two)
	}
}

func TestSecrets(t *testing.T) {
	for length, wrong := range map[int]bool{0: false, 1: true, MinSecret - 1: true, MinSecret: false, 500: false} {
		o := Options{Secret: strings.Repeat("s", length)}
		key, err := NewKey(o)
		if (err != nil) != wrong || (key == nil) != wrong || (o.Validate() != nil) != wrong {
			t.Error(length, err)
		}
		if wrong && (!strings.Contains(err.Error(), "needs at least 32") || strings.Contains(err.Error(), "sss")) {
			t.Error(err)
		}
	}
}

func TestKeysDoNotPrint(t *testing.T) {
	key := newKey(t, secret)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		if text := fmt.Sprintf(verb, key); text != "page.Key" {
			t.Errorf("%s prints %s", verb, text)
		}
	}
}

// A text that opens as a cursor is the one that seal returns for its position.
func FuzzOpen(f *testing.F) {
	key := newKey(f, secret)
	for _, p := range positions {
		f.Add(testCursors(f, key, Request{Field: "Query.f"}).seal(p), "Query.f", "")
	}
	f.Add("AQ", "User.orders", "u1")
	f.Fuzz(func(t *testing.T, text, field, parent string) {
		c := testCursors(t, key, Request{Field: field, Parent: parent})
		if p, err := c.open(&text); err == nil && c.seal(p) != text {
			t.Errorf("%q opens as %+v, which is %q", text, p, c.seal(p))
		}
	})
}

// What seal returns opens again in the same list.
func FuzzSeal(f *testing.F) {
	key := newKey(f, secret)
	f.Add("next", uint32(3), "Query.f", "")
	f.Add("", uint32(maxSkip), "User.orders", "u1")
	f.Fuzz(func(t *testing.T, cursor string, skip uint32, field, parent string) {
		p := position{cursor: cursor[:min(len(cursor), maxServiceCursor)], skip: int(skip % (maxSkip + 1))}
		c := testCursors(t, key, Request{Field: field, Parent: parent})
		text := c.seal(p)
		if got, err := c.open(&text); err != nil || got != p {
			t.Errorf("%+v became %+v, %v", p, got, err)
		}
		if _, err := testCursors(t, key, Request{Field: field, Parent: parent + "x"}).open(&text); err == nil {
			t.Error("another parent's list opens it")
		}
	})
}
