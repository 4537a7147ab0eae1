package binding

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// showJSON returns the JSON of a template with variables as <$scope.name>.
func showJSON(v *Value) string {
	if v == nil {
		return "nothing"
	}
	if fields, ok := v.ObjectFields(); ok {
		var all []string
		for _, f := range fields {
			all = append(all, strconv.Quote(f.Name)+":"+showJSON(f.Value))
		}
		return "{" + strings.Join(all, ",") + "}"
	}
	switch {
	case v.Items != nil:
		var all []string
		for _, item := range v.Items {
			all = append(all, showJSON(item))
		}
		return "[" + strings.Join(all, ",") + "]"
	case v.Concat != nil:
		text := ""
		for _, p := range v.Concat {
			if text += p.Literal; p.Value != nil {
				text += showJSON(p.Value)
			}
		}
		return strconv.Quote(text)
	case v.Scope == Constant:
		return v.Literal
	}
	return "<" + v.String() + ">"
}

// JSON may be the whole value of a query parameter or of a header. What is not valid is a mistake
// with its place.
func TestJSONTemplates(t *testing.T) {
	for _, test := range []struct{ query, want string }{
		{`filter={"where":{"id":"{$args.id}"}}`, `filter={"where":{"id":"<$args.id>"}}`},
		{`filter={"where":{"id":{$args.id}}}`, `filter={"where":{"id":<$args.id>}}`},
		{`filter={ "a" : [ 1, -2.5e3 , true, false,null ], "b": {} , "c":[]}`, `filter={"a":[1,-2.5e3,true,false,null],"b":{},"c":[]}`},
		{`filter={"n":{$args.n},"o":{$args.o},"l":{$args.l}}`, `filter={"n":<$args.n>,"o":<$args.o>,"l":<$args.l>}`},
		{`filter={"inq":{$args.l->joinNotNull(",")}}`, `filter={"inq":<$args.l>}`},
		{`filter={"q":"a&b=c#d+e%20{f}"}&x=1`, `filter={"q":"a\u0026b=c#d+e%20{f}"} x=1`},
		{`filter={"q":"a \"{$args.id}\" \u00e9\n"}`, `filter={"q":"a \"<$args.id>\" é\n"}`},
		{`filter={"q":"\\"}&x=2`, `filter={"q":"\\"} x=2`},
		{`ids=["{$args.id}",{$args.n}]`, `ids=["<$args.id>",<$args.n>]`},
		{`ids=[{$args.id}]`, `ids=[<$args.id>]`},
		{"filter={\n  \"a\": 1,\n  \"b\": \"{$args.id}\"\n}", `filter={"a":1,"b":"<$args.id>"}`},
		{`{"a":1}=1`, `GH040`},
		{`range=[1,2]`, `range=[1,2]`},
		{`range=[{$args.id} TO {$args.n}]`, `range=[{$args.id} TO {$args.n}]`},
		{`f[a]={$args.id}`, `f[a]={$args.id}`},
		{`q={$args.id},{$args.n}`, `q={$args.id},{$args.n}`},

		{`filter={"a":}`, `"" is not JSON`},
		{`filter={"a":1`, `lacks a , or a }`},
		{`filter={"a" 1}`, `has a : after the member "a"`},
		{`filter={"a":1,}`, `a member of JSON has a name in double quotes`},
		{`filter={"a":1,"a":2}`, `the member "a" twice`},
		{`filter={"{$args.id}":1}`, `a variable in it could override another member`},
		{`filter={"x{$args.id}":1}`, `a variable in it could override another member`},
		{`filter={"a":'b'}`, `is not JSON; a text has double quotes`},
		{`filter={"a":01}`, `"01" is not JSON`},
		{`filter={"a":$args.id}`, `"$args.id" is not JSON`},
		{`filter={"a":"b}`, `no closing quote`},
		{`filter={"a":"\x"}`, `has an escape or a character that JSON does not have`},
		{`filter={"a":"{$args.id"}`, `is not a variable`},
		{`filter={"a":"{$args.l}"}`, `$args.l is a list, which a text cannot hold; write it without the quotes around it`},
		{`filter={"a":"{$args.o}"}`, `$args.o is an object`},
		{`filter={"a":{$args.l*}}`, `JSON has nothing to repeat; leave out the *`},
		{`filter={"a":1}x`, `JSON has to be the whole value`},
		{`filter=x{"a":1}`, `is not a variable`},
		{`filter={"a":{$args.gone}}`, `has no argument "gone"`},
		{`ids=["{$args.id}",]`, `is not JSON`},
		{`ids=["{$args.id}"`, `lacks a , or a ]`},
		{`filter={a:1}`, `is not a variable; write $args.name, $this.field, $batch.field or $claims.name; JSON is a whole value and has double quotes, {"name": {$args.name}}`},
		{`filter={'a':1}`, `JSON is a whole value and has double quotes`},
		{`filter={"a":` + strings.Repeat("[", 200), `nested too deeply`},
	} {
		schema := `input O { a: String }
type Query { f(id: ID!, n: Int, l: [String!], o: O, unused: ID): ID @connect(source: "s", http: {GET: ` + strconv.Quote("/x?unused={$args.unused}&a={$args.id}&b={$args.n}&c={$args.l}&d={$args.o.a}&"+test.query) + `}) }`
		graph, err := compile(t, "s.graphqls", `extend schema @source(name: "s")`+"\n"+schema)
		if err != nil {
			if !strings.Contains(err.Error(), test.want) || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("%s: %v, want %s", test.query, err, test.want)
			}
			continue
		}
		var all []string
		for _, p := range graph.Fields[0].Call.Query[5:] {
			text := ""
			for _, part := range p.Parts {
				switch {
				case p.JSON:
					text += showJSON(part.Value)
				case part.Value != nil:
					text += "{" + part.Value.String() + "}"
				default:
					text += part.Literal
				}
			}
			all = append(all, p.Name+"="+text)
		}
		if got := strings.Join(all, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.query, got, test.want)
		}
	}
}

// JSON without variables means the same as in encoding/json, and a broken one is refused.
func TestRandomJSONTemplates(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const count = 20_000
	valid := 0
	for i := range count {
		text := randomJSON(r, 0)
		if !strings.HasPrefix(text, "{") {
			text = `{"v":` + text + `}`
		}
		if i%3 == 0 { // break it
			at := r.IntN(len(text))
			text = text[:at] + text[at+1:]
		}
		template, offset, err := parseTemplate("/x?q=" + text)
		if !beginsJSON("/x?q="+text, 5) {
			continue
		}
		if want := json.Valid([]byte(text)) && !hasRepeatedName(text); (err == nil) != want {
			t.Fatalf("%s: %v at %d, but valid is %t", text, err, offset, want)
		}
		if err != nil {
			continue
		}
		valid++
		var b bindingCompiler
		b.compiler = &compiler{}
		got := showJSON(b.compileJSON(nil, template[len(template)-1].json))
		var x, y any
		if json.Unmarshal([]byte(text), &x) != nil || json.Unmarshal([]byte(got), &y) != nil || fmt.Sprint(x) != fmt.Sprint(y) {
			t.Fatalf("%s is read as %s", text, got)
		}
	}
	if valid < count/3 {
		t.Errorf("%d of %d are valid", valid, count)
	}
	t.Logf("%d values, %d of them valid", count, valid)
}

// hasRepeatedName reports whether an object has two members of a name, as encoding/json accepts.
func hasRepeatedName(text string) bool {
	_, _, err := parseTemplate("/x?q=" + text)
	return err != nil && strings.Contains(err.Error(), "twice")
}

func randomJSON(r *rand.Rand, depth int) string {
	space := []string{"", "", " ", "\n"}[r.IntN(4)]
	switch kind := r.IntN(7); {
	case kind == 0 && depth < 4:
		var all []string
		for i := range r.IntN(4) {
			all = append(all, fmt.Sprintf(`%s"%c\u00e%d"%s:%s`, space, 'a'+rune(i), r.IntN(10), space, randomJSON(r, depth+1)))
		}
		return "{" + strings.Join(all, ",") + "}"
	case kind == 1 && depth < 4:
		var all []string
		for range r.IntN(4) {
			all = append(all, randomJSON(r, depth+1)+space)
		}
		return "[" + strings.Join(all, ",") + "]"
	case kind == 2:
		return []string{"true", "false", "null"}[r.IntN(3)]
	case kind == 3:
		return []string{"0", "-1", "12.5", "1e9", "-0.1E-2", "123456789012345678"}[r.IntN(6)]
	}
	text := ""
	for range r.IntN(8) {
		text += []string{`\"`, `\\`, `\n`, `é`, "a", "{", "}", "[", ",", "&", "%41", "+", " ", `\ud83d\ude00`}[r.IntN(14)]
	}
	return `"` + text + `"`
}
