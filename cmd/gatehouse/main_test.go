package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"gatehouse": main})
}

// The scripts run the tool as a user does, each in a small project of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   filepath.Join("testdata", "script"),
		Setup: project,
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"remember":  remember,
			"unchanged": unchanged,
			"gone":      gone,
			"stale":     stale,
			"serves":    serves,
		},
	})
}

// project makes the script's folder a module that uses this one, with a Resolver and the shop's
// gqlgen.yml.
func project(env *testscript.Env) error {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return err
	}
	files := map[string]string{}
	for _, name := range []string{"go.mod", "go.sum", "gqlgen.yml"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		files[name] = string(text)
	}
	files["go.mod"] = regexp.MustCompile(`(?m)^module (.*)$`).ReplaceAllString(files["go.mod"],
		"module example.com/tiny\n\nrequire $1 v0.0.0\n\nreplace $1 => "+root)
	files["resolvers/resolver.go"] = "package resolvers\n\nimport \"github.com/gatehouse-graphql/gatehouse/upstreams\"\n\ntype Resolver struct{ Services *upstreams.Services }\n"
	for name, text := range files {
		path := filepath.Join(env.WorkDir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			return err
		}
	}
	env.Setenv("GOFLAGS", os.Getenv("GOFLAGS"))
	env.Setenv("GOPROXY", "off")
	return caches(env)
}

// caches makes the script use the Go caches that this test was built with: a script has another
// home directory, without caches.
func caches(env *testscript.Env) error {
	names := []string{"GOCACHE", "GOMODCACHE", "GOPATH"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return err
	}
	for i, value := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		env.Setenv(names[i], strings.TrimSpace(value))
	}
	return nil
}

// serves starts a program over a service that knows one user, and queries it. It prints the response to
// the client, and the calls of the service.
func serves(ts *testscript.TestScript, _ bool, args []string) {
	var mu sync.Mutex
	var calls []string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		calls = append(calls, r.Method+" "+r.RequestURI)
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"id": 7, "name": "Ann", "created": "2026-01-31T12:00:00Z"}`)
	}))
	defer service.Close()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	address := free.Addr().String()
	ts.Check(free.Close())

	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	program := exec.CommandContext(ctx, ts.MkAbs(args[0]), "--listen", address)
	program.Dir = ts.MkAbs(".")
	program.Env = append(os.Environ(), "GATEWAY_SOURCES_USERS_URLS="+service.URL)
	var log strings.Builder
	program.Stdout, program.Stderr = &log, &log
	ts.Check(program.Start())
	response, err := queryWhenReady(ctx, "http://"+address)
	_ = program.Process.Signal(os.Interrupt)
	if stopped := program.Wait(); err != nil || stopped != nil {
		ts.Fatalf("the response: %v, the end of the program: %v, its log:\n%s", err, stopped, log.String())
	}
	mu.Lock()
	defer mu.Unlock()
	_, _ = fmt.Fprintf(ts.Stdout(), "%s\n%s\n", response, strings.Join(calls, "\n"))
}

// queryWhenReady waits until a gateway is ready, and returns its response to a query.
func queryWhenReady(ctx context.Context, url string) (string, error) {
	for ; ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
		if ready, err := http.Get(url + "/readyz"); err == nil {
			_ = ready.Body.Close()
			break
		}
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/graphql", strings.NewReader(`{"query": "{ user(id: \"7\") { id name created } }"}`))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return strings.TrimSpace(string(body)), err
}

const memory = ".remembered"

// remember records the state of every file of the project.
func remember(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(os.WriteFile(ts.MkAbs(memory), []byte(state(ts)), 0o644))
}

// unchanged fails if the content, mode or time of a file differs from the recorded state.
func unchanged(ts *testscript.TestScript, _ bool, _ []string) {
	if diff := cmp.Diff(ts.ReadFile(memory), state(ts)); diff != "" {
		ts.Fatalf("files changed: -before +after\n%s", diff)
	}
}

func state(ts *testscript.TestScript) string {
	var all string
	ts.Check(fs.WalkDir(os.DirFS(ts.MkAbs(".")), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || path == memory || entry.Name() == ".tmp" {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		all += fmt.Sprintf("%s %s %s %x\n", path, info.Mode(), info.ModTime().Format(time.RFC3339Nano), sha256.Sum256([]byte(ts.ReadFile(path))))
		return nil
	}))
	return all
}

// stale gives files an old modification time, which a run must restore.
func stale(ts *testscript.TestScript, _ bool, args []string) {
	long := time.Date(2020, 1, 2, 3, 4, 5, 6000, time.UTC)
	for _, path := range args {
		ts.Check(os.Chtimes(ts.MkAbs(path), long, long))
	}
}

// gone waits until a file does not exist: then a run is under way.
func gone(ts *testscript.TestScript, _ bool, args []string) {
	for begin := time.Now(); time.Since(begin) < time.Minute; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
	ts.Fatalf("%s stays", args[0])
}
