// Package layout tests which packages may import which. docs/architecture.md has the picture.
package layout

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/gatehouse-graphql/gatehouse"

// root is the directory of the module, seen from this package.
const root = "../.."

// rule lists what the packages of a directory may import of the module. Imports point one way,
// floor by floor.
type rule struct {
	path   string   // the directory, with all below it that has no rule of its own
	may    []string // paths of other rules
	reason string
}

var rules = []rule{
	{"fault", nil, "it is a leaf that every package may import"},
	{"internal/yaml", nil, "text is read the same whatever it says"},
	{"internal/buildinfo", nil, "a build is identified the same whatever the program does"},
	{"internal/testcert", nil, "certificates of tests are the same whatever they are for"},
	{"internal/period", nil, "a period is read the same whatever is limited"},
	{"internal/suggest", nil, "names are compared the same whatever they name"},
	{"store", nil, "it knows keys and bytes, and not what they mean"},
	{"store/redistest", nil, "it starts a server, whatever is stored in it"},
	{"auth", []string{"fault"}, "a token is the same whatever is served"},
	{"engine/scalar", []string{"fault"}, "models have its types"},
	{"engine/input", []string{"engine/scalar", "fault"}, "values are coerced by the schema alone"},
	{"engine/coalesce", nil, "work is shared the same whatever it is"},
	{"engine/facts", nil, "facts are stated by the schema alone"},
	{"engine/cost", []string{"engine/facts"}, "what an operation costs follows from the schema and the document alone"},
	{"engine/introspect", nil, "what clients see of a schema follows from the schema alone"},
	{"engine/cache", nil, "what is remembered is so by one rule, whatever it is"},
	{"engine", []string{"fault", "engine/scalar", "engine/coalesce", "engine/cost"}, "an operation runs the same over any services"},
	{"engine/plan", []string{"engine", "engine/cache", "engine/input", "engine/cost"}, "a plan runs the same for any graph"},
	{"engine/page", []string{"engine", "fault"}, "pages are the same whatever is on them"},
	{"graph/model", []string{"engine/scalar"}, "models are a leaf, so that every package can use them"},
	{"graph", []string{"graph/model", "auth", "engine", "engine/facts", "engine/introspect", "engine/plan", "engine/scalar"}, "generated code knows types, not services"},
	{"upstreams/replay", nil, "which requests may be sent again is one rule for all transports"},
	{"upstreams/attempt", nil, "an attempt ends in one of a few ways, whatever is sent"},
	{"upstreams/stale", nil, "it keeps responses by keys, whatever is in either"},
	{"upstreams/observe", []string{"upstreams/attempt", "fault"}, "calls are seen the same whatever is sent"},
	{"upstreams/resilience", []string{"upstreams/attempt"}, "it decides when a call is attempted, whatever is called"},
	{"upstreams/discovery", nil, "it knows names and addresses, and nothing of what is sent to them"},
	{"upstreams/balance", []string{"upstreams/attempt"}, "it chooses replicas and knows neither JSON nor GraphQL"},
	{"upstreams/health", []string{"upstreams/attempt", "upstreams/balance"}, "it requests a path and knows neither JSON nor GraphQL"},
	{"upstreams/http1", []string{"upstreams/attempt", "upstreams/replay"}, "it sends requests and knows neither callers nor contents"},
	{"upstreams", []string{"upstreams/attempt", "upstreams/balance", "upstreams/discovery", "upstreams/health", "upstreams/http1", "upstreams/observe", "upstreams/replay", "upstreams/resilience", "upstreams/stale", "engine", "engine/coalesce", "auth", "fault"}, "services are called the same for any graph"},
	{"resolvers", []string{"graph", "graph/model", "upstreams", "engine", "engine/page", "engine/scalar", "auth", "fault"}, "resolvers answer fields and do not know who asked over what"},
	{"gateway/asynclog", nil, "it writes bytes, whatever is logged"},
	{"gateway/escape", nil, "JSON and GraphQL have the same escapes"},
	{"gateway/compress", nil, "content is compressed the same whatever it is"},
	{"gateway/documents", []string{"engine/cache"}, "an id stands for a text, whatever is in it"},
	{"gateway/network", nil, "addresses are compared the same whatever is limited by them"},
	{"gateway/limit", []string{"gateway/escape", "fault"}, "limits look at the query alone"},
	{"gateway/playground", []string{"gateway/compress"}, "the page knows an endpoint and nothing else"},
	{"gateway/redact", nil, "it redacts texts, independent of their source"},
	{"gateway/admin", nil, "its pages are given to it"},
	{"gateway/metrics", []string{"store", "gateway/ratelimit", "gateway/documents", "gateway/admin", "gateway/front/request", "engine", "upstreams", "upstreams/balance", "upstreams/observe", "upstreams/resilience"}, "it counts for any graph"},
	{"gateway/front/buffer", nil, "it has memory, whatever is in it"},
	{"gateway/ratelimit", []string{"engine", "engine/facts", "auth", "fault", "gateway/front/caller", "gateway/front/execute", "gateway/front/request", "internal/period", "internal/suggest", "store"}, "it is a rule of the executor, and counts for any graph"},
	{"gateway/front/httperror", []string{"fault"}, "an error has its status whichever package returns it"},
	{"gateway/front/admission", []string{"gateway/front/caller", "engine", "fault"}, "operations are counted whatever they do"},
	{"gateway/front/caller", []string{"auth", "gateway/network"}, "a caller is who it is, whatever is limited by that"},
	{"gateway/front/request", []string{"gateway/front/buffer", "gateway/front/caller", "gateway/front/httperror", "gateway/escape", "engine", "fault"}, "a request is read before it is known how it is executed"},
	{"gateway/front/drain", []string{"gateway/front/request"}, "connections end the same whatever was requested on them"},
	{"gateway/front/presenter", []string{"gateway/front/request", "engine", "engine/input", "fault"}, "errors are presented the same over all transports"},
	{"gateway/front/response", []string{"gateway/compress", "gateway/front/buffer", "gateway/front/httperror", "gateway/front/presenter", "gateway/front/request", "fault"}, "a response is written the same whatever executed the operation"},
	{"gateway/front/document", []string{"gateway/limit", "engine/cache", "engine/input", "fault", "engine/cost"}, "a document follows from its text and the schema alone"},
	{"gateway/front/execute", []string{"gateway/front/caller", "gateway/front/admission", "gateway/front/buffer", "gateway/front/document", "gateway/front/httperror", "gateway/front/presenter", "gateway/front/request", "gateway/limit", "engine", "engine/input", "engine/page", "fault", "gateway/documents", "engine/cost"}, "operations are executed the same over all transports"},
	{"gateway/costlimit", []string{"engine/cost", "engine/facts", "gateway/front/execute", "gateway/front/request", "fault"}, "costs are limited the same over all transports"},
	{"gateway/front/middleware", []string{"gateway/front/caller", "gateway/network", "engine", "gateway/front/httperror", "gateway/front/presenter", "gateway/front/request", "gateway/front/response", "upstreams", "auth", "fault"}, "middleware runs before the operation is read"},
	{"gateway/front/coalesce", []string{"gateway/front/buffer", "gateway/front/execute", "gateway/front/presenter", "gateway/front/request", "gateway/front/response", "engine", "engine/coalesce", "auth"}, "executions are shared by transports of one response"},
	{"gateway/front/transport", []string{"gateway/front/buffer", "gateway/front/coalesce", "gateway/front/execute", "gateway/front/httperror", "gateway/front/request", "gateway/front/response", "fault"}, "a transport does not know the middleware around it"},
	{"gateway/front", []string{"gateway/compress", "engine/introspect", "gateway/front/admission", "gateway/front/buffer", "gateway/front/caller", "gateway/front/coalesce", "gateway/front/drain", "gateway/front/execute", "gateway/front/httperror", "gateway/front/middleware", "gateway/front/presenter", "gateway/front/request", "gateway/front/response", "gateway/front/transport", "gateway/limit", "gateway/listen", "gateway/network", "engine", "engine/page", "auth", "fault", "gateway/blocklist", "gateway/documents", "store", "gateway/ratelimit", "engine/facts", "gateway/costlimit"}, "it puts its parts together, and knows no service and no graph"},
	{"gateway/config", []string{"gateway/admin", "gateway/front/admission", "gateway/front/caller", "gateway/network", "internal/yaml", "internal/suggest", "gateway/front", "gateway/limit", "gateway/listen", "upstreams", "upstreams/balance", "upstreams/resilience", "upstreams/stale", "engine", "engine/page", "auth", "fault", "gateway/blocklist", "gateway/documents", "store", "gateway/ratelimit", "gateway/costlimit", "gateway/front/request", "gateway/front/middleware"}, "settings gather the parts' options"},
	{"gateway/blocklist", []string{"gateway/front/execute", "gateway/front/request", "internal/suggest", "fault"}, "an operation is blocked whichever transport brought it"},
	{"gateway/command", []string{"gateway/reload", "gateway/asynclog", "internal/buildinfo", "internal/suggest", "gateway/config", "gateway/front", "gateway/redact", "auth", "fault"}, "the command line knows no graph"},
	{"gateway/listen", []string{"gateway/network", "gateway/watch"}, "connections are the same whatever is served on them"},
	{"gateway/watch", nil, "files are watched the same whatever is in them"},
	{"gateway/reload", []string{"gateway/documents", "gateway/config", "gateway/redact", "gateway/watch"}, "settings are loaded again the same whatever uses them"},
	{"gateway", []string{"gateway/documents", "engine/introspect", "gateway/admin", "gateway/command", "gateway/reload", "gateway/config", "gateway/front", "gateway/listen", "gateway/metrics", "gateway/playground", "gateway/redact", "upstreams", "upstreams/observe", "auth", "fault", "store"}, "it builds each part of the gateway once, for any graph"},
	{"codegen", []string{"internal/yaml", "internal/suggest", "upstreams", "engine/facts", "engine/input", "engine/scalar", "internal/period", "engine/cost"}, "it runs when building, and knows of the running gateway only what a call may hold and how values are read"},
	{"bindingtest", []string{"internal/yaml", "internal/suggest", "gateway/config", "gateway/front", "engine/input", "engine/page", "upstreams", "auth", "fault"}, "it runs what the gateway runs, over services of its own, for any graph"},
	{"enginetest/graph/model", []string{"engine/scalar"}, "models are a leaf"},
	{"enginetest/handmodel", []string{"enginetest/graph/model"}, "a model by hand is a model"},
	{"enginetest/graph", []string{"enginetest/graph/model", "enginetest/handmodel", "auth", "engine", "engine/facts", "engine/introspect", "engine/plan", "engine/scalar"}, "generated code knows types, not services"},
	{"enginetest", []string{"enginetest/graph", "enginetest/graph/model", "enginetest/handmodel", "upstreams", "engine", "engine/page", "engine/scalar", "auth", "fault"}, "it compares the executors over a graph of its own"},
	{"enginetest/inputs/customscalar", []string{"fault"}, "scalars by hand are a leaf"},
	{"enginetest/inputs/graph/model", []string{"enginetest/inputs/customscalar", "engine/scalar"}, "models are a leaf"},
	{"enginetest/inputs", []string{"enginetest/inputs/customscalar", "enginetest/inputs/graph/model", "gateway/front", "upstreams", "engine", "engine/facts", "engine/introspect", "engine/plan", "engine/scalar", "auth", "fault"}, "it tests values over a graph of its own"},
	{"cmd/gatehouse", []string{"internal/buildinfo", "codegen", "bindingtest", "gateway/config", "gateway/documents", "gateway/limit"}, "it is the only one that generates code"},
	{"examples", []string{"auth", "fault"}, "the services of an example know nothing of the gateway before them"},
	{"examples/shop/demo", []string{"examples", "gateway/config", "upstreams", "gateway/playground", "auth"}, "it points the gateway's settings at the shop"},
	{"examples/petstore", []string{"examples/petstore/services", "gateway", "gateway/config", "gateway/command", "gateway/playground", "upstreams", "engine", "engine/page", "engine/facts", "engine/introspect", "engine/plan", "engine/scalar", "auth", "fault"}, "it is a project as users have it, over the library"},
	{"examples/petstore/services", []string{"examples", "auth", "fault"}, "the services of an example know nothing of the gateway before them"},
	{"benchmarks", nil, "what measures is not made of what is measured"},
	{"benchmarks/faults/faulty", nil, "it fails the same whatever calls it"},
	{"benchmarks/faults", []string{"benchmarks", "benchmarks/faults/faulty"}, "what measures is not made of what is measured"},
	{"benchmarks/posts", []string{"gateway", "gateway/config", "gateway/command", "upstreams", "engine", "engine/page", "engine/facts", "engine/introspect", "engine/plan", "engine/scalar", "auth", "fault"}, "it is a project as users have it, over the library"},
	{"internal/layout", nil, "it reads the tree, whatever is in it"},
	{"e2e", []string{"store/redistest", "gateway", "gateway/documents", "gateway/blocklist", "gateway/command", "gateway/config", "gateway/front", "gateway/front/admission", "graph", "resolvers", "upstreams", "examples/shop/demo", "examples", "benchmarks/faults/faulty"}, "it tests the program from outside"},
	{".", []string{"gateway", "gateway/command", "resolvers", "graph", "upstreams", "examples/shop/demo", "examples"}, "it is the program, in which graph and gateway meet"},
}

// ruleOf returns the rule of the innermost directory that holds a package, nil without one.
func ruleOf(pkg string) *rule {
	path := strings.TrimPrefix(strings.TrimPrefix(pkg, module), "/")
	var innermost *rule
	for i, r := range rules {
		below := path == r.path || strings.HasPrefix(path, r.path+"/") || r.path == "." && path == ""
		if below && (innermost == nil || len(r.path) > len(innermost.path)) {
			innermost = &rules[i]
		}
	}
	return innermost
}

type goPackage struct {
	ImportPath, Dir string
	GoFiles         []string
	Standard        bool
}

// listPackages returns the packages that match a pattern, and all that they depend on.
func listPackages(t *testing.T, pattern string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,GoFiles,Standard", pattern)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var packages []goPackage
	for decoder := json.NewDecoder(out); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return packages
}

// imports returns the import paths of a package, each with the files that import it.
func imports(t *testing.T, p goPackage) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, name), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			files[path] = append(files[path], filepath.Join(p.Dir, name))
		}
	}
	return files
}

func TestImportsPointOneWay(t *testing.T) {
	for _, p := range listPackages(t, "./...") {
		if !strings.HasPrefix(p.ImportPath, module) {
			continue
		}
		from := ruleOf(p.ImportPath)
		if from == nil {
			t.Errorf("%s has no rule; add one to internal/layout/imports_test.go, with what it may import and why", p.ImportPath)
			continue
		}
		for path, files := range imports(t, p) {
			if problem := violation(from, path); problem != "" {
				t.Errorf("%s: %s", strings.Join(files, ", "), problem)
			}
		}
	}
}

// violation returns how an import breaks a rule, "" when it does not.
func violation(from *rule, path string) string {
	if from.path == "upstreams/balance" && (path == "encoding/json" || strings.Contains(path, "gqlgen") || strings.Contains(path, "gqlparser")) {
		return fmt.Sprintf("%s must not import %s: %s", from.path, path, from.reason)
	}
	if !strings.HasPrefix(path, module) {
		return ""
	}
	to := ruleOf(path)
	if to == nil || to == from || slices.Contains(from.may, to.path) {
		return ""
	}
	return fmt.Sprintf("%s must not import %s: %s", from.path, to.path, from.reason)
}

// The generator is never linked into the gateway.
func TestGatewayLinksNoGenerator(t *testing.T) {
	for _, p := range listPackages(t, ".") {
		if strings.HasPrefix(p.ImportPath, module+"/codegen") ||
			strings.HasPrefix(p.ImportPath, "github.com/99designs/gqlgen/codegen") || p.ImportPath == "github.com/99designs/gqlgen/api" {
			t.Errorf("the gateway links %s, which is for building only", p.ImportPath)
		}
	}
}

// Only gateway.yaml says where services run.
func TestSchemaNamesNoHost(t *testing.T) {
	var files []string
	for _, pattern := range []string{"schema/*.graphqls", "examples/*/schema/*.graphqls"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(found) == 0 {
			t.Fatal("no schema", pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if strings.Contains(line, "://") && !strings.Contains(line, "@specifiedBy") {
				t.Errorf("%s:%d names a host; name the source here, and its urls in gateway.yaml", file, i+1)
			}
		}
	}
}

// The rules can fail: each kind of forbidden import is found.
func TestRulesForbid(t *testing.T) {
	for _, wrong := range [][2]string{
		{"fault", module + "/auth"},
		{"engine", module + "/upstreams"},
		{"upstreams/balance", "encoding/json"},
		{"upstreams/balance", module + "/engine"},
		{"gateway/front", module + "/graph"},
		{"gateway/front", module + "/resolvers"},
		{"gateway/command", module + "/codegen"},
		{"resolvers", module + "/gateway/front"},
		{"graph", module + "/upstreams"},
		{"graph/model", module + "/engine"},
		{"examples/petstore/services", module + "/upstreams"},
		{"examples/petstore", module + "/codegen"},
	} {
		from := rules[slices.IndexFunc(rules, func(r rule) bool { return r.path == wrong[0] })]
		if violation(&from, wrong[1]) == "" {
			t.Errorf("%s may import %s", wrong[0], wrong[1])
		}
	}
}
