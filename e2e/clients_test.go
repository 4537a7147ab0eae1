package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// Every client of docs/clients.md works as its page says: its files are written, its commands run in
// their order, and each prints the output that stands below it.
func TestClients(t *testing.T) {
	c := newClients(t)
	outputs := 0
	var printed string
	for _, b := range blocks(t, "docs/clients.md") {
		if b.file != "" {
			c.write(t, b.file, b.text)
		}
		switch {
		case b.mark == "run" && b.language == "js":
			printed = c.run(t, "node "+b.file)
		case b.mark == "run":
			printed = c.run(t, b.text)
		case b.mark == "output":
			outputs++
			wantOutput(t, b, printed)
		}
	}
	if outputs < 7 {
		t.Errorf("docs/clients.md shows the output of %d clients", outputs)
	}
}

// clients is a folder with the clients installed, beside a gateway over the shop.
type clients struct {
	folder  string
	gateway string   // the gateway's URL
	env     []string // of the commands
}

// newClients skips the test without Node or the clients' packages; with CI=true it fails.
func newClients(t *testing.T) *clients {
	t.Helper()
	installed, err := filepath.Abs("e2e/testdata/clients")
	if err != nil {
		t.Fatal(err)
	}
	_, noNode := exec.LookPath("node")
	_, noPackages := os.Stat(filepath.Join(installed, "node_modules", "@apollo", "client"))
	if missing := errors.Join(noNode, noPackages); missing != nil {
		const what = "the clients need Node, and `npm ci` in e2e/testdata/clients: %v"
		if os.Getenv("CI") == "true" {
			t.Fatalf(what, missing)
		}
		t.Skipf(what, missing)
	}

	g := newGateway(t, func(c *config.Config) { c.Introspection = true })
	c := &clients{folder: t.TempDir(), gateway: g.URL}
	for _, name := range []string{"go.mod", "go.sum", "package.json"} {
		c.write(t, name, readFile(t, filepath.Join(installed, name)))
	}
	modules := filepath.Join(installed, "node_modules")
	if err := os.Symlink(modules, filepath.Join(c.folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "gateway")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the gateway: %v\n%s", err, out)
	}
	path := strings.Join([]string{filepath.Join(modules, ".bin"), filepath.Dir(program), os.Getenv("PATH")}, string(filepath.ListSeparator))
	c.env = append(os.Environ(), "PATH="+path, "TOKEN="+g.token(t, services.Customer), "GOFLAGS=-mod=readonly", "NO_COLOR=1")
	return c
}

// write puts a file of the page into the folder. Its snippets call the gateway of `make run`.
func (c *clients) write(t *testing.T, name, text string) {
	t.Helper()
	file := filepath.Join(c.folder, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(c.local(text)), 0o644); err != nil {
		t.Fatal(err)
	}
}

func (c *clients) local(text string) string {
	return strings.ReplaceAll(text, "http://localhost:8080", c.gateway)
}

// run runs a command of the page with a POSIX shell and returns what it prints.
func (c *clients) run(t *testing.T, command string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sh", "-e", "-c", c.local(command))
	cmd.Dir, cmd.Env = c.folder, c.env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s%s", command, err, &stdout, &stderr)
	}
	return stdout.String()
}

// wantOutput compares JSON without its white space, and other text as it stands.
func wantOutput(t *testing.T, b block, printed string) {
	t.Helper()
	want, got := strings.TrimSpace(b.text), strings.TrimSpace(printed)
	if b.language == "json" {
		want, got = compactJSON(t, want), compactJSON(t, got)
	}
	if want != got {
		t.Errorf("docs/clients.md shows\n%s\nbut the client prints\n%s", want, got)
	}
}

func compactJSON(t *testing.T, text string) string {
	t.Helper()
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(text)); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	return compact.String()
}
