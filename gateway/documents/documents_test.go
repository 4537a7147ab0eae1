package documents

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
)

// The manifests in testdata are those of the real tools: e2e makes them anew and compares.
func TestFormats(t *testing.T) {
	for file, want := range map[string][]string{
		"relay.json":        {"2857e6f6d59aa190afb057f2f6e41354a4e78de51210e259ca8e66f82b45f3a5", "93ee8292ce057c89c923b30e549959a32a9bd17244b092d9bc438ef441616f12"},
		"relay-md5.json":    {"7eed040fce05a9a072b12d632f1d2f85", "8264fe4f7fb6d8d270b56f23e6d0d879"},
		"codegen.json":      {"b97f23b18b5e83554d81e42f818948360cfd3767f3620d5846a75b960d02b2e4", "ed267c8cc3106e6b4dbcbbe5ecbed04328f189ebdf79c0e011cb6818420682af", "59c185d5b3e0c5a48754dffc6c34d1d83ba3f4f91a2831bbf4c757bfc443e7b3"},
		"codegen-sha1.json": {"2e0ecf2b6092d8202452166b89658cacadfb415d", "0b5c0af204894a13de09a0595a96041b7f783128", "a239deecf4016d54d4e3acb89025072b7a5f53d2"},
		"apollo.json":       {"aab73e491da461135ae77b7ae592f4c115cf650243c6828871ab344e42f6e157 Cancel", "564f5a85ccd1238d118b1356d7c7409324db4c8f2d947ef48d3fc0398bf5fcb4 Catalogue", "42b3d36c53403b5d09a9862c465d3c443e5f5f567d8da90403b481c0636f6792 Orders"},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		found, err := Parse(file, text)
		if err != nil {
			t.Errorf("%s: %v", file, err)
		}
		var got []string
		for _, d := range found {
			got = append(got, strings.TrimSpace(d.ID+" "+d.Name))
			if !strings.Contains(d.Text, "{") || d.Hash != Hash(d.Text) || isHash(d.ID) && d.ID != d.Hash || d.Line < 2 || d.Column < 3 {
				t.Errorf("%s: %+v", file, d)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %q, want %q", file, got, want)
		}
	}
}

// A manifest with a mistake is refused with its place and what to do.
func TestWrongManifests(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "m.json:1:1: the file is not JSON: it ends too early",
		"{":                         "m.json:1:2: the file is not JSON: it ends too early",
		"{\n \"a\": \"{n}\",\n}":    "m.json:2:13: the file is not JSON: invalid character '}'",
		"[1]":                       "m.json:1:1: the file is not a JSON object; a manifest maps ids to texts",
		"{\"a\": \"{n}\"}\n{}":      "m.json:2:1: something follows the JSON object",
		"\xff":                      "m.json:1:1: the file is not in UTF-8",
		"{\n  \"a\": 1}":            "m.json:2:8: \"a\" is not a text; a manifest",
		`{"a": ""}`:                 `m.json:1:2: the document "a" is empty`,
		`{"": "{n}"}`:               `m.json:1:2: the id "" is not one`,
		`{"ä": "{n}"}`:              `m.json:1:2: the id "ä" is not one`,
		`{"a b": "{n}"}`:            `the id "a b" is not one`,
		`{"sha256:abc": "{n}"}`:     `the id "sha256:abc" is not the SHA-256 of its document, which is 51e8f92f46e3a74b8ebd6ce95ae65ee4109dc7d7969bd0b8222be342b7de2296`,
		`{"operations": []}`:        `m.json:1:16: "operations" is a list, but "format": "apollo-persisted-query-manifest" is not before it`,
		apollo(`"version": 1`):      `m.json:1:2: the manifest has no list "operations"`,
		apollo(`"version": 2`):      `the manifest has version 2; this gateway reads version 1`,
		apollo(`"operations": [1]`): `the operation is not an object`,
		apollo(`"operations": [{"id": "a", "body": 1}]`):                                     `the operation is not an object`,
		apollo(`"operations": [{"body": "{n}"}]`):                                            `the id "" is not one`,
		apollo("\"operations\": [\n {\"id\": \"a\", \"body\": \"{n}\"},\n {\"id\": \"b\"}]"): `m.json:3:2: the document "b" is empty`,
		apollo(`"b": "{n}", "operations": []`):                                               `has ids beside its operations`,
		`{"` + strings.Repeat("x", 257) + `": "{n}"}`:                                        `of at most 256 bytes`,
	} {
		found, err := Parse("m.json", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) || found != nil {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
		if err != nil && len(err.Error()) > 500 {
			t.Errorf("%s: the message has %d bytes", text[:20], len(err.Error()))
		}
	}
	if found, err := Parse("m.json", []byte("\ufeff{}")); err != nil || len(found) != 0 {
		t.Errorf("an empty manifest with a byte order mark: %v, %v", found, err)
	}
	many := "{"
	for i := range 100 {
		many += fmt.Sprintf("\"%d\": \"\",\n", i)
	}
	if _, err := Parse("m.json", []byte(many+`"x": ""}`)); strings.Count(err.Error(), "\n") != maxMistakes-1 {
		t.Errorf("a hundred mistakes: %v", err)
	}
}

// The places of documents are counted in linear time, also in a manifest that is one line: counted from its
// beginning for each document, this one takes most of a minute.
func TestLongLine(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"first":"# é"`)
	for i := range MaxDocuments - 1 {
		fmt.Fprintf(&b, `,"%05d":"{n} # é padding"`, i)
	}
	b.WriteString("}")
	started := time.Now()
	found, err := Parse("m.json", []byte(b.String()))
	if err != nil || len(found) != MaxDocuments {
		t.Fatalf("%d documents, %v", len(found), err)
	}
	if took := time.Since(started); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
	for i, d := range found[1:] {
		if want := 16 + i*len(`,"00000":"{n} # e padding"`); d.Line != 1 || d.Column != want {
			t.Fatalf("the document %s is at %d:%d, want 1:%d", d.ID, d.Line, d.Column, want)
		}
	}
}

func apollo(rest string) string {
	return `{"format": "apollo-persisted-query-manifest", ` + rest + `}`
}

const hashOfN = "51e8f92f46e3a74b8ebd6ce95ae65ee4109dc7d7969bd0b8222be342b7de2296" // of {n}

// set writes manifests, by client, and loads them.
func set(t *testing.T, manifests map[string]string) *Set {
	t.Helper()
	var o Options
	for client, text := range manifests {
		file := filepath.Join(t.TempDir(), "m.json")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		o.Manifests = append(o.Manifests, Manifest{Client: client, Files: []string{file}})
	}
	s, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// An id stands for one document, by the client that sends it.
func TestFind(t *testing.T) {
	s := set(t, map[string]string{
		"web": `{"1": "{n}", "only": "{web}"}`,
		"ios": `{"1": "{ios}", "` + strings.Repeat("a", 64) + `": "{custom}"}`,
		"":    `{"all": "{all}", "1": "{every}"}`,
	})
	for _, test := range []struct{ client, id, want string }{
		{"web", "1", "{n}"},
		{"ios", "1", "{ios}"},
		{"web", "all", "{all}"},
		{"", "1", "{every}"},
		{"other", "1", "{every}"},
		{"", "only", ""}, // what it stands for may differ by client
		{"other", "only", ""},
		{"ios", "only", ""},
		{"", hashOfN, "{n}"}, // a hash stands for one text
		{"other", "sha256:" + hashOfN, "{n}"},
		{"web", "sha256:" + hashOfN, "{n}"},
		{"ios", hashOfN, ""}, // a client with a manifest has that one
		{"ios", Hash("{all}"), "{all}"},
		{"ios", strings.Repeat("a", 64), "{custom}"},
		{"ios", "sha256:" + strings.Repeat("a", 64), ""}, // the prefix says that it is a hash
		{"", strings.Repeat("a", 64), ""},
		{"web", "sha256:1", ""},
		{"web", "SHA256:" + hashOfN, ""},
		{"web", strings.ToUpper(hashOfN), ""},
		{"web", "", ""},
		{"", "sha256:", ""},
	} {
		got := ""
		if d := s.Find(test.client, test.id); d != nil {
			got = d.Text
		}
		if got != test.want {
			t.Errorf("%s sends %q: got %q, want %q", test.client, test.id, got, test.want)
		}
	}
	if got := len(s.Documents()); got != 6 {
		t.Errorf("%d documents", got)
	}
	var none *Set
	if none.Find("", "1") != nil || none.Has("", "{n}") || none.Documents() != nil || none.Files() != nil {
		t.Error("the nil Set has documents")
	}
}

// What GraphQL ignores does not matter, and nothing else is ignored.
func TestHas(t *testing.T) {
	s := set(t, map[string]string{
		"web": `{"1": "query A($x: Int = 1, $s: String = \"a b\") { a(x: $x, s: $s, l: [1 2]) ... on Q { b } }", "2": "{ s(a: \"\"\"x  y\"\"\") }"}`,
		"ios": `{"1": "{ios}"}`,
	})
	const same = "\ufeff# a comment\r\nquery A($x:Int=1$s:String=\"a b\"){a(x:$x s:$s l:[1,2,])...on Q{b}}# the end"
	for _, test := range []struct {
		client, text string
		want         bool
	}{
		{"web", same, true},
		{"", same, true},
		{"ios", same, false},
		{"ios", "{\tios }", true},
		{"web", strings.Replace(same, "a b", "a  b", 1), false},
		{"web", strings.Replace(same, "1,2", "12", 1), false},
		{"web", strings.Replace(same, "on Q", "onQ", 1), false},
		{"web", strings.Replace(same, "{b}", "{b b}", 1), false},
		{"web", same + "}", true}, // in the comment
		{"web", same + "\n}", false},
		{"web", `{s(a:"""x  y""")}`, true},
		{"web", `{s(a:"""x y""")}`, false},
		{"web", `{s(a:"""x  y"""`, false},
		{"web", "", false},
	} {
		if got := s.Has(test.client, test.text); got != test.want {
			t.Errorf("%s: %q: %t", test.client, test.text, got)
		}
	}
}

// What is wrong with the files says which entry of the settings and which place.
func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	good, wrong, other := write("a1.json", `{"1": "{n}"}`), write("b.json", `{"1": ""}`), write("a2.json", `{"1": "{ n }"}`)
	for name, test := range map[string]struct {
		manifests []Manifest
		want      string
	}{
		"missing":            {[]Manifest{{Files: []string{good}}, {Client: "x", Files: []string{filepath.Join(dir, "none.json")}}}, "manifests[1]: the manifest cannot be read: open " + dir + "/none.json"},
		"wrong":              {[]Manifest{{Files: []string{wrong}}}, "manifests[0]: " + wrong + `:1:2: the document "1" is empty`},
		"nothing fits":       {[]Manifest{{Files: []string{dir + "/c*.json"}}}, "manifests[0]: no file has a name of the pattern"},
		"not a pattern":      {[]Manifest{{Files: []string{dir + "/[.json"}}}, "is not a pattern of file names"},
		"one id, two texts":  {[]Manifest{{Files: []string{dir + "/a*.json"}}}, `a2.json:1:2: the id "1" stands for another document at ` + good + ":1:2"},
		"two clients, to it": {[]Manifest{{Client: "a", Files: []string{good}}, {Client: "b", Files: []string{other}}}, ""},
		"the same file twice": {
			[]Manifest{{Files: []string{good, dir + "/a1*"}}}, "",
		},
	} {
		s, err := Load(Options{Manifests: test.manifests})
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %s", name, err, test.want)
		}
		if err == nil && len(s.Files()) != len(test.manifests) {
			t.Errorf("%s: %v", name, s.Files())
		}
	}
}

func TestValidate(t *testing.T) {
	m := []Manifest{{Files: []string{"a.json"}}}
	for _, test := range []struct {
		options Options
		want    string // "" for none
	}{
		{Options{}, ""},
		{Options{Mode: Off, Manifests: m}, ""},
		{Options{Mode: Enforce, Manifests: m, RequireID: true}, ""},
		{Options{Mode: "on"}, `mode must be off, log, enforce or enforce-anonymous, not "on"`},
		{Options{Mode: EnforceAnonymous}, "mode is enforce-anonymous, but there are no manifests"},
		{Options{Mode: Log, Manifests: m, RequireID: true}, "requireId has no effect in this mode"},
		{Options{Manifests: []Manifest{{}}}, "manifests[0]: has no files"},
		{Options{Manifests: append(m, m...)}, "manifests[1]: is the second entry of all clients"},
		{Options{APQ: APQ{Store: "disk"}}, "apq.store must be memory or redis"},
		{Options{APQ: APQ{TTL: -1}}, "apq.ttl is negative"},
		{Options{APQ: APQ{MaxBytes: -1}}, "apq.maxBytes is negative"},
		{Options{APQ: APQ{MaxDocuments: -1}}, "apq.maxDocuments is negative"},
	} {
		if err := test.options.Validate(); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s", test.options, err, test.want)
		}
	}
	for _, o := range []Options{{Manifests: m}, {Mode: Enforce, Manifests: m, APQ: APQ{Enabled: true}}} {
		if len(o.Warnings()) != 1 {
			t.Errorf("%+v: %q", o, o.Warnings())
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"relay.json", "codegen.json", "apollo.json"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(`{"format":"apollo-persisted-query-manifest","version":1,"operations":[{}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		found, err := Parse("m.json", text)
		if err != nil {
			if found != nil || len(err.Error()) > 100*maxMistakes+maxMistakes*1000 {
				t.Fatalf("%d documents with the error %v", len(found), err)
			}
			return
		}
		s, err := New(found)
		for _, d := range found {
			if d.Text == "" || !isID(d.ID) || d.Line < 1 || d.Column < 1 {
				t.Fatalf("%+v", d)
			}
			if err == nil && (s.Find("", d.ID).Text != d.Text || s.Find("", "sha256:"+d.Hash).Text != d.Text || !s.Has("any", d.Text)) {
				t.Fatalf("%+v is not found", d)
			}
		}
	})
}

// Whatever id a client sends, it finds a document by that id or by its hash, or none.
func FuzzFind(f *testing.F) {
	docs, err := Parse("m.json", []byte(`{"1": "{n}", "sha256:`+hashOfN+`": "{n}", "x-a:b": "{m}"}`))
	if err != nil {
		f.Fatal(err)
	}
	s, err := New(docs)
	if err != nil {
		f.Fatal(err)
	}
	for _, id := range []string{"1", hashOfN, "sha256:" + hashOfN, "x-a:b", "sha256:1", "", ":", "sha256:sha256:1"} {
		f.Add("web", id)
	}
	f.Fuzz(func(t *testing.T, client, id string) {
		bare := strings.TrimPrefix(id, "sha256:")
		if d := s.Find(client, id); d != nil && (bare != d.ID && bare != d.Hash || bare != id && bare != d.Hash) {
			t.Errorf("%q found %+v", id, d)
		}
	})
}

// FuzzForm holds that texts with equal forms have equal tokens as the parser reads them.
func FuzzForm(f *testing.F) {
	for _, text := range []string{"{n}", "query A($x: Int = 1) { a(x: $x) ... on Q { b } }", `{s(a:"a b" b:"""x "" \""" y""" c:-1.5e+3)}`, "#c\n{n,\r\nm}", "{a...b}", `{s(a:"\"")}`} {
		f.Add(text, text+" ")
		f.Add(text, "{ n }")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		for _, other := range []string{b, strings.ReplaceAll(a, " ", ""), strings.ReplaceAll(a, ",", " "), "\ufeff" + a + "# end"} {
			if formOf(a) != formOf(other) {
				continue
			}
			tokens, ok := lex(a)
			others, otherOK := lex(other)
			if ok && otherOK && fmt.Sprint(tokens) != fmt.Sprint(others) {
				t.Fatalf("%q and %q have one form, but the tokens %q and %q", a, other, tokens, others)
			}
		}
	})
}

// lex returns the tokens of a text by the lexer of the parser.
func lex(text string) (tokens []string, ok bool) {
	l := lexer.New(&ast.Source{Input: text})
	for {
		token, err := l.ReadToken()
		if err != nil {
			return nil, false
		}
		switch token.Kind {
		case lexer.EOF:
			return tokens, true
		case lexer.Comment:
			continue
		}
		tokens = append(tokens, fmt.Sprintf("%s %q", token.Kind, token.Value))
	}
}
