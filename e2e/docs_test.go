package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/bindingtest"
	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/resolvers"
)

// block is a fenced block of a document. The words after the language in its first line are for the
// tests and are not rendered: `query`, or file="schema/x.graphqls".
type block struct {
	language string
	mark     string // query, answer, output or excerpt; "" without one
	file     string // which file the block is about
	after    string // the line below which it goes; "" for the end of the file
	text     string
}

var (
	fenced     = regexp.MustCompile("(?ms)^```([a-z]+)([^\n]*)\n(.*?)^```$")
	attributes = regexp.MustCompile(`(\w+)="([^"]*)"|(\w+)`)
)

func blocks(t *testing.T, document string) []block {
	t.Helper()
	var all []block
	for _, m := range fenced.FindAllStringSubmatch(readFile(t, document), -1) {
		b := block{language: m[1], text: m[3]}
		for _, a := range attributes.FindAllStringSubmatch(m[2], -1) {
			switch a[1] {
			case "file":
				b.file = a[2]
			case "after":
				b.after = a[2]
			default:
				b.mark = a[3]
			}
		}
		all = append(all, b)
	}
	return all
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The README shows a binding of the shop as it stands in the schema.
func TestReadmeExcerpt(t *testing.T) {
	excerpts := 0
	for _, b := range blocks(t, "README.md") {
		if b.mark != "excerpt" {
			continue
		}
		excerpts++
		if !strings.Contains(readFile(t, b.file), b.text) {
			t.Errorf("README.md shows what is not in %s:\n%s", b.file, b.text)
		}
	}
	if excerpts == 0 {
		t.Error("README.md shows no binding")
	}
}

// docs/errors.md explains the codes that package fault has, and no others.
func TestErrorCodesAreDocumented(t *testing.T) {
	codes := func(text string, pattern string) []string {
		var all []string
		for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
			all = append(all, m[1])
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	var documented []string
	for line := range strings.Lines(readFile(t, "docs/errors.md")) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			documented = append(documented, codes(cells[1], "`([A-Z_]+)`")...)
		}
	}
	slices.Sort(documented)
	if diff := cmp.Diff(codes(readFile(t, "fault/fault.go"), `= "([A-Z_]+)"`), slices.Compact(documented)); diff != "" {
		t.Errorf("docs/errors.md: -fault +documented\n%s", diff)
	}
}

// The README's first query returns the README's response, with one call per operation.
func TestFirstQuery(t *testing.T) {
	var body, want string
	for _, b := range blocks(t, "README.md") {
		if m := regexp.MustCompile(`(?s)curl .*/graphql .*-d '(.*)'`).FindStringSubmatch(b.text); m != nil {
			body = m[1]
		}
		if b.mark == "answer" {
			want = b.text
		}
	}
	if body == "" || want == "" {
		t.Fatal("README.md has no curl with its answer")
	}
	g := newGateway(t)
	a := g.post(t, g.token(t, services.Customer), strings.NewReader(body))
	wantResponse(t, a, want)
	g.wantCalls(t, map[string]int{"getUser": 1, "orderHistory": 1, "listProducts": 1, "stock": 1})
}

// Commands of the documents can be pasted: zsh reads a comment behind a command as its arguments.
func TestCommandsHaveNoComments(t *testing.T) {
	commands := 0
	for _, document := range documents(t) {
		for _, b := range blocks(t, document) {
			if b.language != "sh" {
				continue
			}
			for line := range strings.Lines(b.text) {
				commands++
				if regexp.MustCompile(`(^|\s)#`).MatchString(line) {
					t.Errorf("%s: put the comment into a sentence: %s", document, line)
				}
			}
		}
	}
	if commands < 25 {
		t.Errorf("the documents have %d lines of commands", commands)
	}
}

// wantResponse compares responses as text except white space: the order of members matters.
func wantResponse(t *testing.T, a *response, want string) {
	t.Helper()
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(want)); err != nil {
		t.Fatalf("the document's answer is no JSON: %v\n%s", err, want)
	}
	if compact.String() != strings.TrimSpace(a.Body) {
		t.Errorf("the document says\n%s\nbut the gateway answers\n%s", compact.String(), a.Body)
	}
}

// generated lists the files that make generate writes.
var generated = []string{"graph/generated.go", "graph/model/models_gen.go", "graph/codec.gen.go", "graph/engine.gen.go", "resolvers/connect.gen.go"}

// docs/adding-a-field.md works as written, in a copy of the tree.
func TestAddingAFieldGuide(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it generates and builds a gateway")
	}
	steps := blocks(t, "docs/adding-a-field.md")
	g := &guide{project: newProject(t, steps), queries: map[string]string{}}
	first := true
	for _, b := range steps {
		g.follow(t, b)
		if b.mark == "query" && first { // the first example: one file by hand is enough
			first = false
			g.generate(t, "")
			g.wantChanged(t, "schema/products.graphqls")
		}
	}
	g.generate(t, "")
	g.wantChanged(t, slices.Collect(maps.Keys(g.edited))...)
	g.query(t)
	g.checkMistakes(t)
	g.checkHelp(t)
}

// guide follows docs/adding-a-field.md.
type guide struct {
	*project
	question string            // the last one
	queries  map[string]string // with their answers
	mistakes []mistake
}

// mistake is an edit with the error that it causes.
type mistake struct{ edit, output block }

func (g *guide) follow(t *testing.T, b block) {
	t.Helper()
	switch {
	case b.language == "diff":
		g.mistakes = append(g.mistakes, mistake{edit: b})
	case b.file != "":
		g.insert(t, b)
	case b.mark == "query":
		g.question = b.text
	case b.mark == "answer":
		g.queries[g.question] = b.text
	case b.mark == "output" && len(g.mistakes) > 0:
		g.mistakes[len(g.mistakes)-1].output = b
	case b.mark == "output":
		g.generate(t, b.text)
	}
}

// query starts a gateway of the changed project and sends the document's queries.
func (g *guide) query(t *testing.T) {
	t.Helper()
	if len(g.queries) < 5 {
		t.Fatalf("only %d queries have an answer", len(g.queries))
	}
	gate := g.start(t)
	token := gate.token(t, services.Customer)
	for query, want := range g.queries {
		t.Run(query, func(t *testing.T) { wantResponse(t, gate.query(t, token, query, nil), want) })
	}
}

// checkMistakes makes each mistake, compares the error, and reverts it.
func (g *guide) checkMistakes(t *testing.T) {
	t.Helper()
	if len(g.mistakes) < 2 {
		t.Fatalf("the document shows %d mistakes", len(g.mistakes))
	}
	for _, m := range g.mistakes {
		t.Run(m.edit.text, func(t *testing.T) {
			before := g.tree(t)
			g.generate(t, m.output.text, g.apply(t, m.edit))
			if diff := cmp.Diff(before, g.tree(t)); diff != "" {
				t.Errorf("files have changed: %s", diff)
			}
		})
	}
}

var flag = regexp.MustCompile(`(?:^|[ (])(--[a-z][a-z-]+)`)

// checkHelp checks that every flag in the documents is one that a help text has.
func (g *guide) checkHelp(t *testing.T) {
	t.Helper()
	var help strings.Builder
	for _, words := range []string{"--help", "token --help", "reload --help", "config validate --help", "config schema --help"} {
		out, err := g.command(g.gateway, strings.Fields(words)...).CombinedOutput()
		if err != nil {
			t.Fatalf("gateway %s: %s", words, out)
		}
		help.Write(out)
	}
	for _, word := range []string{"check", "explain", "test"} {
		out, err := g.command(g.gatehouse, word, "--help").CombinedOutput()
		if err != nil {
			t.Fatalf("gatehouse %s --help: %s", word, out)
		}
		help.Write(out)
	}
	for _, document := range documents(t) {
		for _, m := range flag.FindAllStringSubmatch(strings.Join(code(t, document), "\n"), -1) {
			if !regexp.MustCompile(m[1] + `\b`).MatchString(help.String()) {
				t.Errorf("%s: there is no flag %s", document, m[1])
			}
		}
	}
}

// project is a copy of the tree.
type project struct {
	dir                string
	original           map[string]string // file -> text
	edited             map[string]bool   // what the document edits
	gatehouse, gateway string            // built
}

// newProject copies the files that git tracks or would add, without those steps of the document
// that this tree has already.
func newProject(t *testing.T, steps []block) *project {
	t.Helper()
	out, err := exec.Command("git", "ls-files", "-co", "--exclude-standard", "-z").Output()
	if err != nil {
		const missing = "git does not list the tree's files, so there is nothing to copy: %v"
		if os.Getenv("CI") == "true" {
			t.Fatalf(missing, err)
		}
		t.Skipf(missing, err)
	}
	p := &project{dir: t.TempDir(), edited: map[string]bool{}}
	for file := range strings.SplitSeq(strings.TrimRight(string(out), "\x00"), "\x00") {
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		p.write(t, file, string(text))
	}
	for _, b := range steps {
		p.forget(t, b)
	}
	p.original = p.tree(t)
	p.gatehouse, p.gateway = p.build(t, "gatehouse", "./cmd/gatehouse"), filepath.Join(p.dir, "bin", "gateway")
	return p
}

func (p *project) write(t *testing.T, file, text string) {
	t.Helper()
	path := filepath.Join(p.dir, file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// tree returns every file with its text, except built binaries.
func (p *project) tree(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(p.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, _ := filepath.Rel(p.dir, path)
		if file = filepath.ToSlash(file); !strings.HasPrefix(file, "bin/") {
			files[file] = readFile(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// forget removes a block from its file.
func (p *project) forget(t *testing.T, b block) {
	t.Helper()
	path := filepath.Join(p.dir, b.file)
	text, err := os.ReadFile(path)
	if b.file == "" || b.language == "diff" || err != nil {
		return
	}
	switch rest := strings.Replace(string(text), b.text, "", 1); rest {
	case "":
		err = os.Remove(path)
	default:
		err = os.WriteFile(path, []byte(rest), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// insert puts a block below its line, which the file must have once, or at the end of the file.
func (p *project) insert(t *testing.T, b block) {
	t.Helper()
	p.edited[b.file] = true
	text, err := os.ReadFile(filepath.Join(p.dir, b.file))
	switch {
	case errors.Is(err, fs.ErrNotExist) && b.after == "":
		p.write(t, b.file, b.text)
	case err != nil:
		t.Fatal(err)
	case b.after == "":
		p.write(t, b.file, string(text)+"\n"+b.text)
	default:
		p.write(t, b.file, replace(t, b.file, string(text), b.after+"\n", b.after+"\n"+b.text))
	}
}

// apply makes the changes of a diff and returns a function that reverts them.
func (p *project) apply(t *testing.T, b block) (undo func()) {
	t.Helper()
	before := readFile(t, filepath.Join(p.dir, b.file))
	var from, to strings.Builder
	for line := range strings.Lines(b.text) {
		switch line[0] {
		case '-':
			from.WriteString(line[1:])
		case '+':
			to.WriteString(line[1:])
		default:
			t.Fatalf("a diff of lines with - and + alone: %q", line)
		}
	}
	p.write(t, b.file, replace(t, b.file, before, from.String(), to.String()))
	return func() { p.write(t, b.file, before) }
}

func replace(t *testing.T, file, text, from, to string) string {
	t.Helper()
	if n := strings.Count("\n"+text, "\n"+from); n != 1 {
		t.Fatalf("%s has %d times\n%s", file, n, from)
	}
	return strings.TrimPrefix(strings.Replace("\n"+text, "\n"+from, "\n"+to, 1), "\n")
}

// generate does what make generate does. It must print exactly want, and fail if want is not empty;
// undo is called in any case.
func (p *project) generate(t *testing.T, want string, undo ...func()) {
	t.Helper()
	out, err := p.command(p.gatehouse, "generate").CombinedOutput()
	for _, f := range undo {
		f()
	}
	if string(out) != want || (err != nil) != (want != "") {
		t.Fatalf("the document says\n%s\nbut gatehouse generate says (%v)\n%s", want, err, out)
	}
}

// wantChanged fails unless exactly these files and generated ones differ from the original.
func (p *project) wantChanged(t *testing.T, byHand ...string) {
	t.Helper()
	now := p.tree(t)
	var changed []string
	for file := range now {
		if now[file] != p.original[file] && !slices.Contains(generated, file) {
			changed = append(changed, file)
		}
	}
	slices.Sort(changed)
	slices.Sort(byHand)
	if !slices.Equal(changed, byHand) || len(now) < len(p.original) {
		t.Errorf("changed are %v, want %v; there are %d files, were %d", changed, byHand, len(now), len(p.original))
	}
}

func (p *project) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = p.dir
	cmd.Env = append(os.Environ(), "GATEWAY_DEMO_SECRET="+secret, "GOWORK=off")
	return cmd
}

// build compiles a package to bin/name.
func (p *project) build(t *testing.T, name, pkg string) string {
	t.Helper()
	path := filepath.Join(p.dir, "bin", name)
	if out, err := p.command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %s", pkg, out)
	}
	return path
}

// start builds the gateway and runs it with its demo until the test ends.
func (p *project) start(t *testing.T) *gatewayUnderTest {
	t.Helper()
	cmd := p.command(p.build(t, "gateway", "."), "--demo", "--listen", "127.0.0.1:0",
		"--log-format", "json", "--log-level", "info") // the address is read from the log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log := &logBuffer{serving: make(chan string, 1)}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			_, _ = log.Write(lines.Bytes())
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-read
		if err := cmd.Wait(); err != nil {
			t.Errorf("the gateway stopped with %v: %s", err, log)
		}
	})
	select {
	case address := <-log.serving:
		return &gatewayUnderTest{URL: "http://" + address, Shop: services.New(services.Options{Secret: []byte(secret)}), Log: log}
	case <-read:
		t.Fatalf("the gateway ended: %s", log)
	case <-time.After(30 * time.Second):
		t.Fatalf("the gateway does not serve: %s", log)
	}
	return nil
}

// documents returns the paths of all documents.
func documents(t *testing.T) []string {
	t.Helper()
	all := []string{"README.md", "CHANGELOG.md"}
	err := filepath.WalkDir("docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

var inline = regexp.MustCompile("`([^`\n]+)`")

// code returns a document's code spans and shell blocks.
func code(t *testing.T, document string) []string {
	t.Helper()
	var all []string
	for _, b := range blocks(t, document) {
		if b.language == "sh" {
			all = append(all, b.text)
		}
	}
	for _, m := range inline.FindAllStringSubmatch(fenced.ReplaceAllString(readFile(t, document), ""), -1) {
		all = append(all, m[1])
	}
	return all
}

// The tests of bindings in docs/testing-bindings.md have the results that it shows.
func TestTestingBindingsGuide(t *testing.T) {
	steps := blocks(t, "docs/testing-bindings.md")
	t.Chdir(t.TempDir())
	if err := os.Mkdir("schema", 0o755); err != nil {
		t.Fatal(err)
	}
	examples := 0
	for i, b := range steps {
		if b.mark != "test" {
			continue
		}
		examples++
		const file = "schema/example.test.yaml"
		if err := os.WriteFile(file, []byte(b.text), 0o644); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		passed := bindingtest.Project{Requirements: resolvers.Requirements, Schema: newSchema}.Print(t.Context(), &out, nil, file)
		if told := i+1 < len(steps) && steps[i+1].mark == "output"; passed == told || told && out.String() != steps[i+1].text {
			t.Errorf("the document's example\n%s\nends with\n%s", b.text, out.String())
		}
	}
	if examples < 3 {
		t.Errorf("the document has %d examples", examples)
	}
}

// docs/ejecting.md works as written, in a copy of the tree.
func TestEjectingGuide(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it generates and builds")
	}
	steps := blocks(t, "docs/ejecting.md")
	p := newProject(t, nil)
	out, err := p.command(p.gatehouse, "eject", "Order.customer").CombinedOutput()
	if err != nil {
		t.Fatalf("gatehouse eject: %s", out)
	}
	after := p.tree(t)
	for _, b := range steps {
		switch {
		case b.mark == "output" && b.text != string(out):
			t.Errorf("the document says\n%s\nbut gatehouse says\n%s", b.text, out)
		case b.language == "go" && !strings.Contains(after[b.file], b.text):
			t.Errorf("the document shows\n%s\nbut %s is\n%s", b.text, b.file, after[b.file])
		case b.language == "diff":
			p.wantChanged(t, b.file, "resolvers/order.go")
			p.write(t, b.file, p.original[b.file])
			p.apply(t, b)
			if diff := cmp.Diff(readFile(t, filepath.Join(p.dir, b.file)), after[b.file]); diff != "" {
				t.Errorf("%s: -document +file\n%s", b.file, diff)
			}
		}
	}
}

var (
	link     = regexp.MustCompile(`\]\(([^)#\s]+)[^)\s]*\)`)
	pathlike = regexp.MustCompile(`^[\w.*-]+(/[\w.*-]+)+/?$|^[\w.-]+\.(go|md|mod|ya?ml|graphqls)$|^[\w-]+/$|^Makefile$`)
	target   = regexp.MustCompile(`\bmake ([a-z]+)`)

	// notOurs matches spans of the same shape that are not paths of this repository.
	notOurs = regexp.MustCompile(`^(application|multipart|text|bin|\d+)/|^[\w-]+\.(com|org|io|in)/|^runtime/metrics$|^net/http$`)
)

// Every file and Makefile target that the documents name exists.
func TestDocumentsNameExistingFiles(t *testing.T) {
	makefile := readFile(t, "Makefile")
	made := map[string]bool{} // files that a document makes
	for _, document := range documents(t) {
		for _, b := range blocks(t, document) {
			made[b.file] = true
		}
	}
	for _, document := range documents(t) {
		for _, text := range code(t, document) {
			if pathlike.MatchString(text) && !notOurs.MatchString(text) && !made[text] {
				wantFile(t, document, text)
			}
			for _, m := range target.FindAllStringSubmatch(text, -1) {
				if !strings.Contains(makefile, "\n"+m[1]+": ") {
					t.Errorf("%s: the Makefile has no %s", document, m[1])
				}
			}
		}
		for _, m := range link.FindAllStringSubmatch(readFile(t, document), -1) {
			if !strings.Contains(m[1], "://") {
				wantFile(t, document, filepath.Join(filepath.Dir(document), m[1]))
			}
		}
	}
}

func wantFile(t *testing.T, document, pattern string) {
	t.Helper()
	if found, err := filepath.Glob(pattern); err != nil || len(found) == 0 {
		t.Errorf("%s: there is no %s", document, pattern)
	}
}

// Tests that a document names exist: in the directory that the line names before them, or anywhere.
func TestDocumentsNameExistingTests(t *testing.T) {
	folders := map[string]string{} // directory -> the text of its test files
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == ".git") {
			return filepath.SkipDir
		}
		if err == nil && strings.HasSuffix(file, "_test.go") {
			folders[filepath.Dir(file)] += readFile(t, file)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	everywhere := strings.Join(slices.Collect(maps.Values(folders)), "\n")
	name, quoted := regexp.MustCompile(`^(?:Test|Fuzz)[A-Z]\w+$`), regexp.MustCompile("`([^`]+)`")
	named := 0
	for _, document := range documents(t) {
		for line := range strings.Lines(readFile(t, document)) {
			place, tests := "the tree", everywhere
			for _, m := range quoted.FindAllStringSubmatch(line, -1) {
				if text, ok := folders[m[1]]; ok {
					place, tests = m[1], text
				}
				if !name.MatchString(m[1]) {
					continue
				}
				if named++; !strings.Contains(tests, "\nfunc "+m[1]+"(") {
					t.Errorf("%s: there is no test %s in %s", document, m[1], place)
				}
			}
		}
	}
	if named < 50 {
		t.Errorf("only %d tests are named", named)
	}
}
