package codegen_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	graphql "github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen"
	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/checks"
	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
)

var (
	hostileDocuments = flag.Int("hostile", 120, "number of hostile documents")
	hostileSeed      = flag.Uint64("hostile-seed", 1, "first seed of the hostile documents")
)

// perProject is how many documents are generated as one project, because a run of generate takes
// seconds.
const perProject = 1000

// canary is part of every text in a document. In generated code it may occur only in strings and
// comments.
const canary = "zcanaryz"

// A hostile document with its schema is either accepted or rejected. If it is accepted, the
// generated Go compiles and contains texts of the document only in strings and comments. If it is
// rejected, the message contains nothing that a terminal interprets.
func TestHostileDocuments(t *testing.T) {
	root, accepted := repository(t), 0
	refused := map[binding.Code]int{}
	for first := 0; first < *hostileDocuments; first += perProject {
		var some []hostileCase
		for i := first; i < min(first+perProject, *hostileDocuments); i++ {
			c := newHostile(*hostileSeed+uint64(i), i)
			if faults := c.check(t); len(faults) > 0 {
				refused[faults[0].Code]++
				continue
			}
			some = append(some, c)
		}
		if err := tryHostile(t, root, some); err != nil { // the prefix of names in the error identifies the case
			t.Errorf("documents of the seeds from %d pass every check, but: %.4000s", *hostileSeed+uint64(first), err)
		}
		accepted += len(some)
		t.Logf("%d documents: %d accepted and generated, refused %v", min(first+perProject, *hostileDocuments), accepted, refused)
	}
	if accepted < *hostileDocuments/20 || len(refused) < 3 {
		t.Error("the documents are hardly hostile or hardly accepted")
	}
}

// tryHostile generates cases as one project and checks the generated files.
func tryHostile(t *testing.T, root string, cases []hostileCase) error {
	dir, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "gqlgen.yml"), string(read(t, filepath.Join(root, "gqlgen.yml"))))
	writeFile(t, filepath.Join(dir, "resolvers/resolver.go"), onlyResolver)
	writeModule(t, root, dir)
	for _, c := range cases {
		c.write(t, filepath.Join(dir, "schema"))
	}
	project := codegen.Project{Dir: dir}
	if err := project.Generate(t.Context()); err != nil {
		return err
	}
	for _, name := range generated {
		if err := onlyQuoted(name, read(t, filepath.Join(dir, name))); err != nil {
			return err
		}
	}
	return nil
}

// onlyQuoted returns an error for a canary outside of strings and comments, and for invisible
// characters.
func onlyQuoted(name string, text []byte) error {
	if i := strings.IndexFunc(string(text), func(r rune) bool { return r != '\n' && r != '\t' && escape.IsInvisible(r) }); i >= 0 {
		return fmt.Errorf("%s has an invisible character behind %q", name, text[max(0, i-60):i])
	}
	files := token.NewFileSet()
	file := files.AddFile(name, -1, len(text))
	var s scanner.Scanner
	s.Init(file, text, nil, scanner.ScanComments)
	for {
		at, tok, literal := s.Scan()
		switch {
		case tok == token.EOF:
			return nil
		case tok != token.STRING && tok != token.COMMENT && strings.Contains(strings.ToLower(literal), canary):
			return fmt.Errorf("%s: %s %s comes from a document", files.Position(at), tok, literal)
		}
	}
}

// hostileCase is a document with a schema that is bound to it.
type hostileCase struct {
	seed             uint64
	name             string // of the source and its files
	schema, document string
}

func (c *hostileCase) write(t *testing.T, dir string) {
	writeFile(t, filepath.Join(dir, c.name+".json"), c.document)
	writeFile(t, filepath.Join(dir, c.name+".graphqls"), c.schema)
}

// check checks a case alone, as generate does before it writes files.
func (c *hostileCase) check(t *testing.T) binding.Faults {
	dir, err := os.MkdirTemp("", "hostile-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	c.write(t, dir)
	schema, err := binding.Load(&graphql.Source{Name: filepath.ToSlash(filepath.Join(dir, c.name+".graphqls")), Input: c.schema})
	if err == nil {
		graph, broken := binding.Compile(schema, binding.CompileOptions{})
		_, unfit := checks.CompareDocuments(schema, graph)
		err = binding.MergeFaults(broken, unfit)
	}
	faults, ok := errors.AsType[binding.Faults](err)
	if err != nil && !ok {
		t.Fatalf("seed %d: %v", c.seed, err)
	}
	for _, f := range faults {
		if strings.ContainsFunc(f.Error(), escape.IsInvisible) {
			t.Errorf("seed %d: the message has characters that a terminal obeys: %q", c.seed, f.Error())
		}
	}
	return faults
}

// hostile generates the texts and names of one case.
type hostile struct {
	*rand.Rand
	prefix string
	used   map[string]bool
}

// hostileTexts start or end something in Go, in comments, in SDL or in terminals.
var hostileTexts = []string{
	"a", "B", "1", "_", "-", ".", "$", "@", "é", "日", "\U0001f600", " ", "'", "`", "*/", "/*", "//", "\"", "\\", "\\n", "\"\"\"", "${x}", "{{.}}", "%s", "%d%!", "func init() { panic(1) }",
	"type", "range", "nil", "string", "error", "ctx", "call", "decode", "Resolver", strings.Repeat("long", 80),
}

// brokenTexts must not occur in names.
var brokenTexts = []string{"\n", "\r", "\r\n", "\x00", "\x1b[2J", "\x7f", "\u0085", "\u202e", "\u2066", "\u2028", "\ufeff", "\n//go:embed x\n", "\nfunc init() {}\n//"}

// text returns a random text.
func (h *hostile) text() string {
	parts := []string{}
	for range h.IntN(4) {
		parts = append(parts, h.piece())
	}
	parts = slices.Insert(parts, h.IntN(len(parts)+1), canary)
	return strings.Join(parts, "")
}

func (h *hostile) piece() string {
	if h.IntN(300) == 0 {
		return brokenTexts[h.IntN(len(brokenTexts))]
	}
	if h.IntN(20) == 0 {
		return string(rune(h.IntN(0x3000) + 1))
	}
	return hostileTexts[h.IntN(len(hostileTexts))]
}

// described returns a description, which may contain any character.
func (h *hostile) described() string {
	text := h.text()
	for range h.IntN(3) {
		text += brokenTexts[h.IntN(len(brokenTexts))] + hostileTexts[h.IntN(len(hostileTexts))]
	}
	return text
}

// hostileNames are GraphQL names that have a meaning in Go or collide after conversion to Go names.
var hostileNames = []string{
	"type", "func", "range", "map", "string", "error", "nil", "true_", "int", "any", "len", "new", "init", "main", "iota", "_", "_a", "a_", "a__b", "a_b", "aB", "AB", "A", "a", "ab", "a1", "a_1",
	"_1", "URL", "Url", "url", "userProfile", "user_profile", "UserProfile", "user", "profile", "ctx", "r", "err", "obj", "call", "keys", "key", "parents", "d", "v", "o", "in", "decode", "encode",
	"model", "graph", "rest", "upstreams", "engine", "context", "Resolver", "Services", "Query", "query", "Field", "String", "Float", "Decode", "decodeQueryA", "shapeQueryA", "found", "item",
	"self", "MarshalGQL", "IsEntity", "ID", "Id", "id", "String_", "i18n", "x" + strings.Repeat("y", 250),
}

// name returns a GraphQL name that is new in a scope.
func (h *hostile) name(scope string) string {
	for {
		name := hostileNames[h.IntN(len(hostileNames))]
		if h.IntN(3) == 0 {
			name += hostileNames[h.IntN(len(hostileNames))]
		}
		if !h.used[scope+" "+name] && !strings.HasPrefix(name, "__") {
			h.used[scope+" "+name] = true
			return name
		}
	}
}

// written returns a text as an SDL string.
func written(text string) string {
	b, _ := json.Marshal(strings.ToValidUTF8(text, "?"))
	return string(b)
}

type object = map[string]any

// newHostile generates a case. Its names start with the number of the case, except in the first
// one, so that cases do not collide within a project.
func newHostile(seed uint64, number int) hostileCase {
	h := &hostile{rand.New(rand.NewPCG(seed, 7)), "", map[string]bool{}}
	if number > 0 {
		h.prefix = fmt.Sprintf("C%d", number)
	}
	c := hostileCase{seed: seed, name: fmt.Sprintf("case%d", number)}
	var sdl strings.Builder
	fmt.Fprintf(&sdl, "extend schema @source(name: %q, openapi: %q%s)\n", c.name, c.name+".json", h.sourceMore())
	paths := object{}
	for range 1 + h.IntN(3) {
		h.operation(c.name, paths, &sdl)
	}
	document, _ := json.MarshalIndent(object{"openapi": "3.1.0", "info": object{"title": h.described(), "version": "1"}, "servers": []any{object{"url": "https://" + h.text()}}, "paths": paths}, "", " ")
	c.schema, c.document = sdl.String(), string(document)
	return c
}

// sourceMore returns further arguments of @source.
func (h *hostile) sourceMore() string {
	if h.IntN(4) > 0 {
		return ""
	}
	return fmt.Sprintf(`, http: {headers: [{name: "X-%d", value: %s}]}, errors: {message: %s}`, h.IntN(9), written(h.plainText()), written(fmt.Sprintf("$(%s)", written(h.text()))))
}

// plainText returns a text without the braces of templates.
func (h *hostile) plainText() string { return strings.NewReplacer("{", "", "}", "").Replace(h.text()) }

// operation adds an operation to the document, and a field of Query that is bound to it.
func (h *hostile) operation(source string, paths object, sdl *strings.Builder) {
	id, wires := h.text(), []string{}
	properties := object{}
	typeName := h.prefix + h.name("type")
	var fields strings.Builder
	for range 1 + h.IntN(4) {
		wire := h.text()
		if _, twice := properties[wire]; twice {
			continue
		}
		wires = append(wires, wire)
		properties[wire] = object{"type": "string", "description": h.described()}
		fmt.Fprintf(&fields, "  %s %s: String @json(name: %s)%s\n", written(h.described()), h.name("field of "+typeName), written(wire), h.deprecated())
	}
	enum := h.enum(properties, &fields, typeName)
	path, parameters, args, given := h.path()
	paths[path] = object{"get": object{
		"operationId": id, "summary": h.described(), "parameters": parameters,
		"responses": object{"200": object{"description": h.described(), "content": object{"application/json": object{"schema": object{"type": "object", "properties": properties}}}}},
	}}
	fmt.Fprintf(sdl, "%s\ntype %s {\n%s}\n", written(h.described()), typeName, fields.String())
	fmt.Fprintf(sdl, "extend type Query {\n %s %s%s: %s @connect(source: %q, %s%s)%s\n}\n", written(h.described()), h.prefix+h.name("field of Query"), args, typeName, source,
		h.called(path, id, parameters, given), h.selection(typeName, wires), h.deprecated())
	sdl.WriteString(enum)
}

// called returns how @connect names the operation: by its operationId, with values for parameters
// that no argument is named after, or by its method and path.
func (h *hostile) called(path, id string, parameters []object, given []string) string {
	switch {
	case len(given) > 0:
		return "operation: " + written(fmt.Sprintf("%s(%s)", id, strings.Join(given, ", ")))
	case h.IntN(4) > 0 || len(parameters) > 0:
		return "operation: " + written(id)
	}
	return fmt.Sprintf("http: {GET: %s}", written(path))
}

func (h *hostile) path() (path string, parameters []object, args string, given []string) {
	var b strings.Builder
	var list []string
	for i := range 1 + h.IntN(3) {
		b.WriteString("/" + strings.NewReplacer("/", "", "{", "", "}", "", " ", "", "\\", "", "%", "", "?", "").Replace(h.text()))
		if h.IntN(3) == 0 {
			name := fmt.Sprintf("p%d%s", i, strings.NewReplacer("{", "", "}", "", "/", "", canary, "").Replace(h.text()))
			b.WriteString("/{" + name + "}")
			parameters = append(parameters, object{"name": name, "in": "path", "required": true, "schema": object{"type": "string"}})
			list = append(list, fmt.Sprintf("%s: ID!", plainName(name)))
			if plainName(name) != name {
				given = append(given, fmt.Sprintf("%s: $args.%s", written(name), plainName(name)))
			}
		}
	}
	if h.IntN(2) == 0 {
		name := h.name("argument")
		parameters = append(parameters, object{"name": name, "in": "query", "description": h.described(), "schema": object{"type": "string", "enum": []string{h.text()}}})
		list = append(list, fmt.Sprintf("%s %s: String = %s", written(h.described()), name, written(h.described())))
	}
	if len(list) > 0 {
		args = "(" + strings.Join(slices.Compact(list), ", ") + ")"
	}
	return b.String(), parameters, args, given
}

// plainName returns the characters of a text that a GraphQL name can have.
func plainName(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return -1
	}, text)
}

// selection selects one member by a quoted name, or a constant.
func (h *hostile) selection(typeName string, wires []string) string {
	if h.IntN(3) > 0 || len(wires) == 0 {
		return ""
	}
	var names []string
	for key := range h.used {
		if name, ok := strings.CutPrefix(key, "field of "+typeName+" "); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	of := fmt.Sprintf("$.%s", written(wires[0]))
	if h.IntN(2) == 0 {
		of = fmt.Sprintf("$(%s)", written(h.text()))
	}
	return ", selection: " + written(fmt.Sprintf("%s: %s", names[0], of))
}

func (h *hostile) deprecated() string {
	if h.IntN(3) > 0 {
		return ""
	}
	return fmt.Sprintf(" @deprecated(reason: %s)", written(h.described()))
}

// enum returns an enum whose values have arbitrary names in the service, and adds a field of its
// type.
func (h *hostile) enum(properties object, fields *strings.Builder, typeName string) string {
	wire := "enum" + h.text()
	if h.IntN(2) > 0 {
		return ""
	}
	var b strings.Builder
	var wires []string
	name := h.prefix + h.name("type")
	fmt.Fprintf(fields, "  %s: %s @json(name: %s)\n", h.name("field of "+typeName), name, written(wire))
	fmt.Fprintf(&b, "enum %s {\n", name)
	for i := range 1 + h.IntN(4) {
		wires = append(wires, fmt.Sprintf("%s%d", h.text(), i))
		fmt.Fprintf(&b, "  %s %s @json(name: %s)\n", written(h.described()), h.name("value of "+name), written(wires[i]))
	}
	properties[wire] = object{"type": "string", "enum": wires}
	return b.String() + "}\n"
}
