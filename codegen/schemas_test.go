package codegen_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/codegen"
	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/plugin"
	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
)

var (
	schemaCount = flag.Int("schemas", 3, "number of random schemas")
	schemaSize  = flag.Int("schemas-size", 1, "size of the random schemas: about 170 names each time")
	schemaSeed  = flag.Uint64("schemas-seed", 1, "first seed of the random schemas")
)

// A valid schema generates code that compiles, or Check says with a code and a line which name it
// cannot have. Each random schema has names that mean something in Go, to gqlgen or to our own
// generated code. The test replaces the names that Check refuses until it accepts the schema, so
// that each schema tries many names; then the code is generated and its types are checked. The last
// schema is also built and started.
func TestRandomSchemas(t *testing.T) {
	root, refused, names := repository(t), 0, 0
	for i := range *schemaCount {
		seed := *schemaSeed + uint64(i)
		s := newRandomSchema(seed, *schemaSize)
		dir := newcomer(t, root)
		project := codegen.Project{Dir: dir}
		refused += s.acceptNames(t, &project)
		names += s.count
		err := project.Generate(t.Context())
		if _, onlyMissing := errors.AsType[*plugin.MissingResolvers](err); err != nil && !onlyMissing {
			t.Errorf("seed %d: Check accepts the schema, but: %.3000s", seed, err)
			if path := os.Getenv("FAILED_SCHEMAS"); path != "" {
				writeFile(t, filepath.Join(path, fmt.Sprintf("%d.graphqls", seed)), s.String())
			}
			continue
		}
		if i == *schemaCount-1 {
			startSchema(t, dir)
		}
	}
	t.Logf("%d schemas with %d names, of which %d were refused", *schemaCount, names, refused)
	if refused == 0 || refused > names/2 {
		t.Error("the names are hardly hostile or hardly accepted")
	}
}

// newcomer writes a project without a schema, whose gqlgen.yml is empty.
func newcomer(t *testing.T, root string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	writeModule(t, root, dir)
	writeFile(t, filepath.Join(dir, "gqlgen.yml"), "")
	writeFile(t, filepath.Join(dir, "resolvers/resolver.go"), onlyResolver)
	return dir
}

// startSchema builds the graph of a project and has its executors read the schema, as the gateway
// does when it starts.
func startSchema(t *testing.T, dir string) {
	t.Helper()
	writeFile(t, filepath.Join(dir, "start", "main.go"), `package main

import (
	"os"

	"example.com/everything/graph"
)

func main() {
	if graph.NewSchema(nil).Schema().Query == nil {
		os.Exit(1)
	}
}
`)
	t.Chdir(dir)
	run(t, "go", "run", "-ldflags=-s -w", "./start")
}

// schemaName is a name in a schema. It can be replaced wherever the schema uses it.
type schemaName struct {
	text  string
	plain bool // the name has no meaning anywhere
}

func (n *schemaName) String() string { return n.text }

// randomSchema is a schema whose declarations are lists of lines. A line has at most one name that
// it declares.
type randomSchema struct {
	*rand.Rand
	size  int
	count int // of names
	used  map[string]bool

	scalars, enums, inputs, interfaces, objects, unions []*schemaType

	query, mutation, subscription *schemaType

	lines    []string        // of the text, after String
	declared [][]*schemaName // the names that each line declares
}

type schemaType struct {
	name       *schemaName
	kind       string
	implements []*schemaType
	fields     []*schemaField
	members    []*schemaType // of a union
	values     []*schemaName // of an enum
	oneOf      bool
}

type schemaField struct {
	name       *schemaName
	typ        string // with %s for the name of the type
	of         *schemaType
	builtIn    string // the name of the type, when of is nil
	args       []*schemaField
	value      func() string // the default value; nil for none
	directives string
}

func (f *schemaField) named() string {
	if f.of != nil {
		return fmt.Sprintf(f.typ, f.of.name)
	}
	return fmt.Sprintf(f.typ, f.builtIn)
}

// schemaNames have a meaning in Go, in gqlgen or in generated code, or become the same Go name as
// another one.
var schemaNames = strings.Fields(`
	break case chan const continue default defer else fallthrough for func go goto if import interface map package range
	return select struct switch type var
	any bool byte comparable complex64 error float64 int int32 rune string uint uintptr iota nil append cap clear close
	copy delete len make max min new panic print println recover init main
	auth context decode encode engine fmt graph graphql http introspection io json mapping model page plan rest resolvers
	scalar strconv strings sync atomic time upstreams errors bytes embed gqlparser ast semaphore slices
	ctx obj objs r in out parents parent keys key call ok err item items value found at edges connection d v o text
	field fields args arg rawArgs ec it k i res fc sel rv tmp asMap asMapWithoutNull data zeroVal collected
	directive0 directive1 next first after raw w f g b s x y
	Query Mutation Subscription query mutation subscription Root RootQuery Schema Type Field Directive EnumValue InputValue
	Resolver ResolverRoot ComplexityRoot DirectiveRoot Config Error Errors Stringer Marshaler Unmarshaler Omittable
	QueryResolver MutationResolver SubscriptionResolver queryResolver mutationResolver executableSchema executionContext
	NewExecutableSchema NewSchema Executor Planner plannedSchema planTypes sources parsedSchema Sources Services Requirements
	Decode Encode DecodeQuery decodeQuery encodeQuery Decoder Encoder DecodeFoo shapeFoo Foo FooBar Foo_Bar foo_bar fooBar
	Bar BarFoo Foo_bar_args FooResolver fooResolver IsNode isNode isLive Live is_live IsLive Node node IsEntity Entity
	Time Map Any Upload Date DateTime JSON UUID URL Url url URLs Int64 Int32 Decimal Duration Strings Ints ID_ Id id ID
	user_profile userProfile UserProfile USER_PROFILE userprofile UserID user_id userId user_ID userID ids IDs Ids
	_ __x_ _24h _24H _1 _a _A a_ a__b a_b aB AB Ab A a ab a1 a_1 A1 _Foo _foo Foo_ foo_ foo FOO _int _Query
	true_ True False Null null_ self this super class html http2 i18n api API Api apiKey APIKey xml XML
	GetFoo getFoo SetFoo Get Set String_ Int_ Float_ MarshalGQL UnmarshalGQL MarshalJSON UnmarshalJSON Format GoString
	IsValid AllFoo Name name Names Kind kind PageInfo Edge Connection FooConnection FooEdge
	Complexity Exec Schema_ Resolvers Middleware Typename typename Fieldmarshal fieldContext Len Less Swap
	unmarshalInputFoo Foo_Args FooArgs OFoo2 NFoo2 marshalNFoo2 Fooᐟ`)

// name returns a new name in a scope: one of the list, a variant of one, or two joined.
func (s *randomSchema) name(scope string) *schemaName {
	for {
		text := s.pick(schemaNames)
		switch s.IntN(8) {
		case 0:
			text += s.pick(schemaNames)
		case 1:
			text += "_" + s.pick(schemaNames)
		case 2:
			text = strings.ToUpper(text[:1]) + text[1:]
		case 3:
			text = strings.ToLower(text)
		case 4:
			text = strings.ToUpper(text)
		}
		if plainName(text) == text && !strings.HasPrefix(text, "__") && s.declare(scope, text) {
			return &schemaName{text: text}
		}
	}
}

// reservedNames cannot be declared.
var reservedNames = []string{"ID", "Int", "Float", "String", "Boolean", "true", "false", "null"}

func (s *randomSchema) declare(scope, text string) bool {
	key := scope + " " + text
	if s.used[key] || slices.Contains(reservedNames, text) && scope != "field" {
		return false
	}
	s.count++
	s.used[key] = true
	return true
}

func (s *randomSchema) pick(from []string) string { return from[s.IntN(len(from))] }

// acceptNames replaces the names that Check refuses until it accepts the schema, and returns how many they
// were. Only codes of names may be reported, and only for names that are not plain.
func (s *randomSchema) acceptNames(t *testing.T, project *codegen.Project) (refused int) {
	t.Helper()
	for range 100 {
		writeFile(t, filepath.Join(project.Dir, "schema", "all.graphqls"), s.String())
		err := project.Check(t.Context())
		if err == nil {
			return refused
		}
		faults, ok := errors.AsType[binding.Faults](err)
		if !ok {
			t.Fatalf("the mistakes of a schema have no codes: %v", err)
		}
		replacedNames := map[*schemaName]bool{} // a field of an interface is declared in several lines
		for _, f := range faults {
			replaced := 0
			for _, name := range s.declared[f.Line-1] {
				if !name.plain {
					refused++
					s.count++
					*name = schemaName{fmt.Sprintf("zz%dq", s.count), true}
					replacedNames[name] = true
				}
				if replacedNames[name] {
					replaced++
				}
			}
			if f.Code != binding.TakenGoName && f.Code != binding.RepeatedWireName || replaced == 0 {
				t.Fatalf("%v\n%s", f, s.lines[f.Line-1])
			}
		}
	}
	t.Fatal("the names are refused again and again")
	return refused
}

func (s *randomSchema) add(line string, names ...*schemaName) {
	s.lines = append(s.lines, line)
	s.declared = append(s.declared, names)
}

// newRandomSchema returns a schema with a few types of every kind.
func newRandomSchema(seed uint64, size int) *randomSchema {
	s := &randomSchema{Rand: rand.New(rand.NewPCG(seed, 11)), used: map[string]bool{}, size: size}
	for range 3 * size {
		s.scalars = append(s.scalars, s.newType("scalar"))
	}
	for range 4 * size {
		e := s.newType("enum")
		for range 1 + s.IntN(6) {
			e.values = append(e.values, s.name("value of "+e.name.text))
		}
		s.enums = append(s.enums, e)
	}
	s.addInputs()
	s.addOutputs()
	return s
}

func (s *randomSchema) newType(kind string) *schemaType {
	return &schemaType{name: s.name("type"), kind: kind}
}

func (s *randomSchema) addInputs() {
	for range 5 * s.size {
		s.inputs = append(s.inputs, s.newType("input"))
	}
	for i, in := range s.inputs {
		in.oneOf = s.IntN(4) == 0
		for j := range 2 + s.IntN(5) {
			f := s.inputValue(fmt.Sprint("field of input ", i))
			if in.oneOf || j == 0 { // so that a value can be written, and cycles end
				f.typ, f.value = strings.TrimSuffix(f.typ, "!"), nil
			}
			if f.of != nil && f.of.kind == "input" { // a chain of required inputs could be endless
				f.typ = strings.TrimSuffix(f.typ, "!")
			}
			in.fields = append(in.fields, f)
		}
	}
}

// inputValue returns an argument or an input field.
func (s *randomSchema) inputValue(scope string) *schemaField {
	f := &schemaField{name: s.name(scope), typ: s.pick([]string{"%s", "%s", "%s", "%s!", "[%s]", "[%s!]!", "[[%s]]", "[[%s!]!]"})}
	switch s.IntN(4) {
	case 0:
		f.of = s.enums[s.IntN(len(s.enums))]
	case 1:
		f.of = s.inputs[s.IntN(len(s.inputs))]
	case 2:
		if strings.HasPrefix(scope, "argument") { // a scalar of the schema's own is only for handwritten code
			f.of = s.scalars[s.IntN(len(s.scalars))]
			break
		}
		fallthrough
	default:
		f.builtIn = s.pick([]string{"Int", "Float", "String", "Boolean", "ID"})
	}
	if s.IntN(2) == 0 {
		f.value = s.defaultOf(f)
	}
	f.directives = s.deprecated(strings.HasSuffix(f.typ, "!") && f.value == nil)
	return f
}

// defaultOf returns a default value of a type, written when the names are known; nil for types that
// get none.
func (s *randomSchema) defaultOf(f *schemaField) func() string {
	if s.IntN(4) == 0 && !strings.HasSuffix(f.typ, "!") {
		return func() string { return "null" }
	}
	element := ""
	switch {
	case f.of != nil && f.of.kind == "enum":
		value := f.of.values[s.IntN(len(f.of.values))]
		return func() string { return strings.ReplaceAll(listValue(f.typ), "%s", value.text) }
	case f.of != nil && f.of.kind == "scalar":
		if scalars.ByName(f.of.name.text) != nil {
			return nil
		}
		element = `"x"`
	case f.of != nil:
		if strings.Contains(f.typ, "[") {
			return func() string { return "[]" }
		}
		return nil
	default:
		element = map[string]string{"Int": "-7", "Float": "1.5e3", "String": `"a\"` + "`" + `\\ %d */ é"`, "Boolean": "true", "ID": `"7"`}[f.builtIn]
	}
	text := strings.ReplaceAll(listValue(f.typ), "%s", element)
	return func() string { return text }
}

// listValue returns a list value of a type, with %s for its element.
func listValue(typ string) string { return strings.ReplaceAll(typ, "!", "") }

func (s *randomSchema) deprecated(required bool) string {
	if required || s.IntN(8) > 0 {
		return ""
	}
	return s.pick([]string{" @deprecated", ` @deprecated(reason: "*/ ` + "`" + ` \\ \" %s")`})
}

func (s *randomSchema) description() string {
	return s.pick([]string{"", "", "", `"*/ // ` + "`" + ` %d \" \\n"`, `"""a "quoted" text"""`, `"go:embed x"`, `"+build ignore"`, `"\u202e"`})
}

// addOutputs adds interfaces in chains and diamonds, objects that implement them, and unions.
func (s *randomSchema) addOutputs() {
	for range 5 * s.size {
		s.interfaces = append(s.interfaces, s.newType("interface"))
	}
	for range 9 * s.size {
		s.objects = append(s.objects, s.newType("type"))
	}
	for range 3 * s.size {
		u := s.newType("union")
		for _, i := range s.Perm(len(s.objects))[:1+s.IntN(4)] {
			u.members = append(u.members, s.objects[i])
		}
		s.unions = append(s.unions, u)
	}
	s.query, s.mutation, s.subscription = s.newType("type"), s.newType("type"), s.newType("type")
	for i, t := range s.interfaces {
		for _, of := range s.interfaces[:i] {
			if s.IntN(3*s.size) == 0 {
				s.implement(t, of)
			}
		}
		s.addFields(t, 1+s.IntN(2))
	}
	for i, t := range s.objects {
		s.implement(t, s.interfaces[i%len(s.interfaces)])
		if s.IntN(2) == 0 {
			s.implement(t, s.interfaces[s.IntN(len(s.interfaces))])
		}
		s.addFields(t, 2+s.IntN(4))
	}
	s.addRoots()
}

// implement makes a type implement an interface and those that it implements. It keeps a type that
// already has another field of one of their names as it is.
func (s *randomSchema) implement(t, of *schemaType) {
	for _, one := range append(slices.Clone(of.implements), of) {
		if slices.Contains(t.implements, one) {
			continue
		}
		t.implements = append(t.implements, one)
		for _, f := range one.fields {
			if !slices.Contains(t.fields, f) {
				t.fields = append(t.fields, f)
			}
		}
	}
}

// addFields adds fields of its own to an object or an interface. All fields of interfaces have one
// scope, because a type may implement several.
func (s *randomSchema) addFields(t *schemaType, n int) {
	for range n {
		f := &schemaField{name: s.name("field")}
		s.output(f)
		if t.kind == "type" {
			switch s.IntN(4) {
			case 0:
				f.directives = " @goField(forceResolver: true)"
				s.addArguments(f)
				if s.IntN(3) == 0 {
					f.of = s.scalars[s.IntN(len(s.scalars))]
				}
			case 1:
				f.directives = ` @json(name: "` + s.pick([]string{"24h", "a b", "*/", "é", "type", "`"}) + fmt.Sprint(s.count) + `")`
			}
		}
		f.directives += s.deprecated(false)
		t.fields = append(t.fields, f)
	}
}

// output gives a field a type that can be returned.
func (s *randomSchema) output(f *schemaField) {
	f.typ = s.pick([]string{"%s", "%s", "%s!", "[%s]", "[%s!]!", "[[%s]]", "[[%s!]!]!"})
	switch s.IntN(8) {
	case 0:
		f.of = s.enums[s.IntN(len(s.enums))]
	case 1:
		f.of = s.interfaces[s.IntN(len(s.interfaces))]
	case 2:
		f.of = s.unions[s.IntN(len(s.unions))]
	case 3, 4:
		f.of = s.objects[s.IntN(len(s.objects))]
	default:
		f.builtIn = s.pick([]string{"Int", "Float", "String", "Boolean", "ID"})
	}
}

func (s *randomSchema) addArguments(f *schemaField) {
	for i := range s.IntN(4) {
		f.args = append(f.args, s.inputValue(fmt.Sprintf("argument of %p %d", f, i)))
	}
	seen := map[string]bool{}
	f.args = slices.DeleteFunc(f.args, func(a *schemaField) bool {
		twice := seen[a.name.text]
		seen[a.name.text] = true
		return twice
	})
}

// addRoots makes every type reachable: by a field of Query that is bound, or answered by hand.
func (s *randomSchema) addRoots() {
	for _, t := range slices.Concat(s.interfaces, s.unions, s.objects) {
		f := &schemaField{name: s.name("field of query"), typ: s.pick([]string{"%s", "[%s]", "[%s!]"}), of: t}
		if s.IntN(3) > 0 {
			f.directives = ` @connect(source: "s", http: {GET: "/x"})`
		} else {
			s.addArguments(f)
		}
		s.query.fields = append(s.query.fields, f)
	}
	for _, t := range slices.Concat(s.inputs, s.enums, s.scalars) {
		f := &schemaField{name: s.name("field of mutation"), typ: "%s", builtIn: "Boolean"}
		a := &schemaField{name: s.name("argument of mutation"), typ: s.pick([]string{"%s", "%s!", "[%s]"}), of: t}
		f.args = []*schemaField{a}
		if t.kind != "scalar" && s.IntN(2) == 0 {
			f.directives = ` @connect(source: "s", http: {POST: "/x", body: "$args.%a"})`
		}
		s.mutation.fields = append(s.mutation.fields, f)
	}
	s.subscription.fields = append(s.subscription.fields, &schemaField{name: s.name("field of subscription"), typ: "%s", of: s.objects[0]})
}

// String returns the schema's text, and sets what each line declares.
func (s *randomSchema) String() string {
	s.lines, s.declared = nil, nil
	s.Rand = rand.New(rand.NewPCG(uint64(s.count), 5)) // for descriptions
	s.add(`schema @source(name: "s") {`)
	s.add(fmt.Sprintf("  query: %s mutation: %s subscription: %s", s.query.name, s.mutation.name, s.subscription.name))
	s.add("}")
	for _, t := range s.scalars {
		s.add("scalar "+t.name.text, t.name)
	}
	for _, e := range s.enums {
		s.add(s.description()+" enum "+e.name.text+" {", e.name)
		for _, v := range e.values {
			s.add("  "+s.description()+" "+v.text+s.deprecated(false), v)
		}
		s.add("}")
	}
	for _, t := range slices.Concat(s.inputs, s.interfaces, s.objects, []*schemaType{s.query, s.mutation, s.subscription}) {
		s.writeType(t)
	}
	for _, u := range s.unions {
		members := make([]string, len(u.members))
		for i, m := range u.members {
			members[i] = m.name.text
		}
		s.add(fmt.Sprintf(`union %s @discriminator(field: "kind") = %s`, u.name, strings.Join(members, " | ")), u.name)
	}
	return strings.Join(s.lines, "\n") + "\n"
}

func (s *randomSchema) writeType(t *schemaType) {
	header := s.description() + " " + t.kind + " " + t.name.text
	for i, of := range t.implements {
		header += []string{" & ", " implements "}[map[bool]int{true: 1}[i == 0]] + of.name.text
	}
	if t.kind == "interface" {
		header += ` @discriminator(field: "kind")`
	}
	if t.oneOf {
		header += " @oneOf"
	}
	s.add(header+" {", t.name)
	for _, f := range t.fields {
		if len(f.args) == 0 {
			s.add("  "+s.description()+" "+f.name.text+": "+f.named()+f.defaultValue()+f.directives, f.name)
			continue
		}
		s.add("  "+f.name.text+"(", f.name)
		for _, a := range f.args {
			s.add("    "+s.description()+" "+a.name.text+": "+a.named()+a.defaultValue()+a.directives, a.name)
		}
		s.add("  ): " + f.named() + strings.ReplaceAll(f.directives, "%a", f.args[0].name.text))
	}
	s.add("}")
}

func (f *schemaField) defaultValue() string {
	if f.value == nil {
		return ""
	}
	return " = " + f.value()
}
