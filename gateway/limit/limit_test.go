package limit_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/limit"
)

// ask reads query and lets its operation name pass, as a gateway does.
func ask(query, name string, o limit.Options) error {
	doc, err := limit.Parse(query, o)
	if err != nil {
		return err
	}
	op := doc.AST.Operations.ForName(name)
	if op == nil {
		return errors.New("no such operation")
	}
	return doc.Check(op)
}

// codeOf is "" for nil, and works for both kinds of error that Read has.
func codeOf(err error) fault.Code {
	var syntax *gqlerror.Error
	if errors.As(err, &syntax) {
		code, _ := syntax.Extensions["code"].(string)
		return fault.Code(code)
	}
	return fault.CodeOf(err)
}

func nested(depth int) string {
	return strings.Repeat("{a", depth) + strings.Repeat("}", depth)
}

// fanOut doubles what it selects with every level.
func fanOut(levels int) string {
	var b strings.Builder
	b.WriteString("{...f0}")
	for i := range levels - 1 {
		fmt.Fprintf(&b, " fragment f%d on Q{...f%d ...f%d}", i, i+1, i+1)
	}
	fmt.Fprintf(&b, " fragment f%d on Q{id}", levels-1)
	return b.String()
}

func cycle(length int) string {
	var b strings.Builder
	b.WriteString("{...f0}")
	for i := range length {
		fmt.Fprintf(&b, " fragment f%d on Q{...f%d}", i, (i+1)%length)
	}
	return b.String()
}

func chain(length int) string {
	return strings.Replace(cycle(length), fmt.Sprintf("f%d on Q{...f0}", length-1), fmt.Sprintf("f%d on Q{a}", length-1), 1)
}

var spread = regexp.MustCompile(`\.\.\.f\d+`)

// numbered writes format once for each i from 0.
func numbered(count int, format string) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// unlimited leaves only what no setting lifts.
var unlimited = limit.Options{Tokens: -1, Depth: -1, Aliases: -1, RootFields: -1, Directives: -1, Selections: -1}

func TestLimits(t *testing.T) {
	for name, test := range map[string]struct {
		query string
		op    string
		o     limit.Options
		want  fault.Code
	}{
		"a plain query": {query: "query A($x: Int = 1) @a { a: b(x: $x) { c } }"},

		"tokens at the limit":        {query: "{" + strings.Repeat("a ", 1998) + "}"},
		"tokens over it":             {query: "{" + strings.Repeat("a ", 1999) + "}", want: fault.ParseFailed},
		"a field 50,000 times":       {query: "{" + strings.Repeat("id ", 50_000) + "}", want: fault.ParseFailed},
		"comments are tokens":        {query: strings.Repeat("#\n", 2000) + "{a}", want: fault.ParseFailed},
		"tokens of own choice":       {query: "{a b}", o: limit.Options{Tokens: 3}, want: fault.ParseFailed},
		"tokens without limit":       {query: "{" + strings.Repeat("a ", 9_000) + "}", o: unlimited},
		"a long name":                {query: "{" + strings.Repeat("a", 257) + "}", want: fault.ParseFailed},
		"a name as long as allowed":  {query: "{" + strings.Repeat("a", 256) + "}"},
		"tokens of other operations": {query: "query A{a} query B{" + strings.Repeat("a ", 2000) + "}", op: "A", want: fault.ParseFailed},

		"depth at the limit":               {query: nested(15)},
		"depth over it":                    {query: nested(16), want: fault.MaxDepth},
		"depth of 5,000":                   {query: nested(5_000), want: fault.MaxDepth},
		"depth of 5,000, all lifted":       {query: nested(5_000), o: unlimited, want: fault.MaxDepth},
		"depth through fragments":          {query: "{a{...f}} fragment f on Q" + nested(15), want: fault.MaxDepth},
		"depth through inline fragments":   {query: "{a{...on Q" + nested(15) + "}}", want: fault.MaxDepth},
		"depth of another operation":       {query: "query A" + nested(40) + " query B{a}", op: "B"},
		"depth of the operation":           {query: "query A" + nested(40) + " query B{a}", op: "A", want: fault.MaxDepth},
		"inline fragments are not fields":  {query: strings.Repeat("{...", 100) + "{a}" + strings.Repeat("}", 100)},
		"a long chain of fragments":        {query: chain(600), o: unlimited, want: fault.MaxDepth},
		"a chain, counted from its middle": {query: "{...f300}" + strings.TrimPrefix(chain(600), "{...f0}") + " query B{...f0}", o: unlimited, want: fault.MaxDepth},
		"lists in lists":                   {query: "{a(b:" + strings.Repeat("[", 5_000) + strings.Repeat("]", 5_000) + ")}", o: unlimited, want: fault.MaxDepth},
		"objects in objects":               {query: "{a(b:" + strings.Repeat("{c:", 5_000) + "1" + strings.Repeat("}", 5_000) + ")}", o: unlimited, want: fault.MaxDepth},
		"lists in types":                   {query: "query($a:" + strings.Repeat("[", 5_000) + "){a}", o: unlimited, want: fault.MaxDepth},

		"aliases at the limit":             {query: "{x{" + numbered(100, "a%d:b ") + "}}"},
		"aliases over it":                  {query: "{x{" + numbered(101, "a%d:b ") + "}}", want: fault.MaxAliases},
		"10,000 aliases":                   {query: "{" + numbered(10_000, "a%d:b ") + "}", want: fault.MaxAliases},
		"aliases in a fragment used twice": {query: "{x{...f} y{...f}} fragment f on Q{" + numbered(51, "a%d:b ") + "}", want: fault.MaxAliases},
		"aliases of two operations":        {query: "query A{x{" + numbered(60, "a%d:b ") + "}} query B{x{" + numbered(60, "a%d:b ") + "}}", op: "A"},
		"arguments are no aliases":         {query: "{x{" + strings.Repeat("b(c:1 d:{e:1}) ", 110) + "}}"},

		"root fields at the limit":         {query: "{" + numbered(30, "a%d ") + "}"},
		"root fields over it":              {query: "{" + numbered(31, "a%d ") + "}", want: fault.MaxRootFields},
		"root fields in fragments":         {query: "{...f ...on Q{" + numbered(15, "b%d ") + "}} fragment f on Q{" + numbered(16, "a%d ") + "}", want: fault.MaxRootFields},
		"one root field many times":        {query: "{" + strings.Repeat("a ", 40) + "}"},
		"root fields in a reused fragment": {query: "{...f ...f ...f} fragment f on Q{" + numbered(16, "a%d ") + "}"},
		"fifty introspections":             {query: "{" + numbered(50, "a%d:__schema{types{name}}") + "}", want: fault.MaxRootFields},

		"directives at the limit":             {query: "{a " + strings.Repeat("@b", 50) + "}"},
		"directives over it":                  {query: "{a " + strings.Repeat("@b", 51) + "}", want: fault.MaxDirectives},
		"100,000 directives":                  {query: "{a " + strings.Repeat("@b", 100_000) + "}", want: fault.MaxDirectives},
		"directives in a fragment used often": {query: "{x{...f} y{...f} z{...f}} fragment f on Q{" + strings.Repeat("a@b ", 17) + "}", want: fault.MaxDirectives},
		"directives of an unused fragment":    {query: "{a} fragment f on Q{a" + strings.Repeat("@b", 51) + "}", want: fault.MaxDirectives},

		"selections at the limit":         {query: "{a b}", o: limit.Options{Selections: 2}},
		"selections over it":              {query: "{a b ...{c}}", o: limit.Options{Selections: 3}, want: fault.MaxSelections},
		"a 901 byte fan-out":              {query: fanOut(25), want: fault.MaxSelections},
		"a fan-out no integer holds":      {query: fanOut(100), want: fault.MaxSelections},
		"a fan-out in fields":             {query: spread.ReplaceAllString(fanOut(25), "a{$0}"), want: fault.MaxSelections},
		"an unused fan-out":               {query: strings.Replace(fanOut(25), "{...f0}", "{a}", 1), want: fault.MaxSelections},
		"a fan-out of another operation":  {query: strings.Replace(fanOut(25), "{...f0}", "query A{a} query B{...f0}", 1), op: "A", want: fault.MaxSelections},
		"many operations, one fragment":   {query: numbered(200, "query A%d{...f}") + " fragment f on Q{" + strings.Repeat("a ", 60) + "}", op: "A1", want: fault.MaxSelections},
		"a fragment that uses itself":     {query: cycle(1), want: fault.ValidationFailed},
		"a cycle of 500":                  {query: cycle(500), o: unlimited, want: fault.ValidationFailed},
		"an unused cycle":                 {query: strings.Replace(cycle(5), "{...f0}", "{a}", 1), want: fault.ValidationFailed},
		"a cycle through a field":         {query: "{...f} fragment f on Q{a{...g}} fragment g on Q{b{...f}}", want: fault.ValidationFailed},
		"a cycle that kills gqlparser":    {query: "{pet{owner{...o} ...p}} fragment o on O{name} fragment p on P{owner{name} ...d} fragment d on P{owner{name} ...p}", want: fault.ValidationFailed}, // its rule on overlapping fields overflows the stack
		"a fragment twice":                {query: "{...f} fragment f on Q{a} fragment f on Q{...f}"},
		"a fragment that is not there":    {query: "{...f}"},
		"a fragment used twice, no cycle": {query: "{...f a{...f}} fragment f on Q{a}"},

		"nothing":                {query: "", want: fault.ParseFailed},
		"only a comment":         {query: "# hello", want: fault.ParseFailed},
		"only a fragment":        {query: "fragment f on Q{a}", want: fault.ParseFailed},
		"a syntax error":         {query: "{a", want: fault.ParseFailed},
		"something that is none": {query: "{a \x00}", want: fault.ParseFailed},
		"brackets the wrong way": {query: ")))]]]}}}", want: fault.ParseFailed},
		"an endless string":      {query: `{a(b:"`, want: fault.ParseFailed},
		"a type system document": {query: "type A{a:Int}", want: fault.ParseFailed},
	} {
		t.Run(name, func(t *testing.T) {
			if got := codeOf(ask(test.query, test.op, test.o)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestTextNamesCountAndLimit(t *testing.T) {
	for query, want := range map[string]string{
		nested(20):                              "the operation has 20 levels of fields; the limit is 15",
		"{" + numbered(40, "a%d ") + "}":        "the operation has 40 root fields; the limit is 30",
		"{" + strings.Repeat("id ", 3000) + "}": "the document has more than 2000 tokens, which is the limit",
		fanOut(14):                              "the document has 24575 selections with its fragments expanded; the limit is 10000",
		fanOut(40):                              "the document has over 1073741823 selections with its fragments expanded; the limit is 10000",
	} {
		err := ask(query, "", limit.Options{})
		if f, ok := errors.AsType[*fault.Error](err); !ok || f.Message != want {
			t.Errorf("%.40s: got %v, want %q", query, err, want)
		}
	}
}

func TestSyntaxErrorHasItsPlace(t *testing.T) {
	_, err := limit.Parse("{\n  a(\n}", limit.Options{})
	syntax, ok := errors.AsType[*gqlerror.Error](err)
	if !ok || len(syntax.Locations) != 1 || syntax.Locations[0].Line != 3 {
		t.Errorf("got %#v, want an error on line 3", err)
	}
}

// What GraphiQL and every code generator ask first must pass, also where the
// operator allows less depth to operations.
func TestIntrospectionPasses(t *testing.T) {
	query, err := os.ReadFile("testdata/introspection.graphql")
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []limit.Options{{}, {Depth: 3}} {
		doc, err := limit.Parse(string(query), o)
		if err != nil {
			t.Fatal(err)
		}
		op := doc.AST.Operations[0]
		if err := doc.Check(op); err != nil {
			t.Error(err)
		}
		if !doc.Introspects(op) {
			t.Error("the introspection query is not known as one")
		}
	}
}

func TestIntrospectionIsBounded(t *testing.T) {
	deep := "{__type(name:\"A\")" + strings.Repeat("{ofType", 20) + strings.Repeat("}", 20) + "}"
	if got := codeOf(ask(deep, "", limit.Options{Depth: -1})); got != fault.MaxDepth {
		t.Errorf("got %q", got)
	}
	hidden := "{__schema" + strings.Replace(fanOut(25), "{...f0}", "{...f0}}", 1)
	if got := codeOf(ask(hidden, "", limit.Options{})); got != fault.MaxSelections {
		t.Errorf("got %q", got)
	}
}

func TestIntrospects(t *testing.T) {
	for query, want := range map[string]bool{
		"{__schema{types{name}}}":                          true,
		"{a ...f} fragment f on Q{...{__type(name:\"\")}}": true,
		"{__typename a{__typename}}":                       false,
	} {
		doc, err := limit.Parse(query, limit.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := doc.Introspects(doc.AST.Operations[0]); got != want {
			t.Errorf("%s: got %v", query, got)
		}
	}
}

// FuzzRead looks for a text that brings the process down, or that is let through
// although its own count, taken the slow way, breaks a limit.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"{a}", nested(20), fanOut(12), cycle(3), chain(5), "query A($a:[Int!]=[1]){b:a(c:{d:$a})@e}",
		"{a(b:\"\"\"x\"\"\")}", "fragment f on Q{a}", "{...on Q{a} ...{b}}", "\xef\xbb\xbf{a}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		o := limit.Options{Selections: 200}
		doc, err := limit.Parse(query, o)
		if err != nil {
			if codeOf(err) == fault.Internal {
				t.Fatalf("not understood: %v", err)
			}
			return
		}
		for _, op := range doc.AST.Operations {
			if doc.Check(op) == nil && slowCount(doc.AST, op.SelectionSet) > 200 {
				t.Fatalf("let through: %q", query)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	for name, query := range map[string]func(n int) string{
		"fields":     func(n int) string { return "{" + strings.Repeat("a ", n) + "}" },
		"fan-out":    func(n int) string { return fanOut(n / 7) },
		"chain":      func(n int) string { return chain(min(n/6, 240)) },
		"cycle":      func(n int) string { return cycle(n / 6) },
		"operations": func(n int) string { return numbered(n/7, "query A%d{...f}") + " fragment f on Q{a b c}" },
	} {
		for _, tokens := range []int{250, 500, 1000, 2000} {
			text := query(tokens)
			b.Run(fmt.Sprintf("%s/%d", name, tokens), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					_, _ = limit.Parse(text, limit.Options{Tokens: -1})
				}
			})
		}
	}
}
