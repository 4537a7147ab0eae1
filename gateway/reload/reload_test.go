package reload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

const settings = "listen: :1\nlimits: {depth: 5}\nsources: {users: {urls: [http://u:1]}}\n"

// program is a program whose settings are reloaded.
type program struct {
	*Reloader
	t    *testing.T
	path string
	log  *logBuffer

	mu      sync.Mutex
	inUse   *config.Config // guarded by mu
	problem error          // why settings cannot be used; guarded by mu
}

func newProgram(t *testing.T, hangups <-chan struct{}) *program {
	t.Helper()
	p := &program{t: t, path: filepath.Join(t.TempDir(), "gateway.yaml"), log: &logBuffer{}}
	p.write(settings)
	load := func() (*config.Config, error) { return config.Load(config.LoadOptions{Path: p.path, Explicit: true}) }
	running, err := load()
	if err != nil {
		t.Fatal(err)
	}
	p.inUse = running
	p.Reloader = New(Options{
		Running: running, Load: load, Apply: p.apply, File: p.path, Hangups: hangups,
		Log: slog.New(slog.NewJSONHandler(p.log, nil)),
	})
	return p
}

func (p *program) apply(c *config.Config) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.problem == nil {
		p.inUse = c
	}
	return p.problem
}

func (p *program) write(text string) {
	p.t.Helper()
	writeFile(p.t, p.path, text)
}

func (p *program) depth() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inUse.Limits.Depth
}

// run runs the reloader until the test ends.
func (p *program) run() {
	ctx, cancel := context.WithCancel(p.t.Context())
	var running sync.WaitGroup
	running.Go(func() { p.Run(ctx) })
	p.t.Cleanup(func() { cancel(); running.Wait() })
}

// eventually fails unless a condition holds within a while.
func (p *program) eventually(what string, holds func() bool) {
	p.t.Helper()
	for end := time.Now().Add(noticed); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%s did not happen; the log:\n%s", what, p.log)
		}
	}
}

// logBuffer is a log that is read while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (b *logBuffer) Write(line []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(line)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// Right settings are used, and wrong ones change nothing and say why.
func TestReload(t *testing.T) {
	p := newProgram(t, nil)
	p.write(strings.ReplaceAll(settings, "depth: 5", "depth: 6"))
	got := p.Reload(causeSignal)
	if got.Outcome != Applied || p.depth() != 6 || !gocmp.Equal(got.Changed, []string{"limits.depth"}) || got.NeedsRestart != nil {
		t.Errorf("%+v, depth %d", got, p.depth())
	}

	p.write("listen: :1\nlimits: {dept: 7}\nsources: {users: {urls: [http://u:1]}}\n")
	got = p.Reload(causeSignal)
	if got.Outcome != Refused || p.depth() != 6 || got.Changed != nil {
		t.Errorf("%+v, depth %d", got, p.depth())
	}
	for _, want := range []string{"gateway.yaml:2:10: limits.dept: no such setting; did you mean \"depth\"?", "limits: {dept: ", "^"} {
		if !strings.Contains(got.Error, want) {
			t.Errorf("the error lacks %q: %s", want, got.Error)
		}
	}
	if text := p.log.String(); !strings.Contains(text, `"level":"ERROR"`) || !strings.Contains(text, "limits.dept: no such setting") {
		t.Errorf("the log lacks the reason: %s", text)
	}

	p.write(settings)
	if got = p.Reload(causeSignal); got.Outcome != Applied || p.depth() != 5 {
		t.Errorf("%+v, depth %d", got, p.depth())
	}
	state := p.State()
	if state.Applied != 2 || state.Refused != 1 || state.Last.Outcome != Applied || state.LoadedAt != state.Last.Time {
		t.Errorf("%+v", state)
	}
}

// What the gateway cannot use is refused, and compared with the settings that are in use at the next time.
func TestRefusedByTheProgram(t *testing.T) {
	p := newProgram(t, nil)
	p.problem = errors.New(`the graph is bound to the source "orders"; Authorization: Bearer abcdefghij`)
	p.write(strings.ReplaceAll(settings, "depth: 5", "depth: 6"))
	if got := p.Reload(causeFile); got.Outcome != Refused || !strings.Contains(got.Error, `"orders"`) || strings.Contains(got.Error, "abcdefghij") {
		t.Errorf("%+v", got)
	}
	before := p.State().LoadedAt
	p.problem = nil
	if got := p.Reload(causeFile); got.Outcome != Applied || !gocmp.Equal(got.Changed, []string{"limits.depth"}) || !p.State().LoadedAt.After(before) {
		t.Errorf("%+v", got)
	}
}

// Settings that need a restart keep their values and are named until the file has them again.
func TestSettingsThatNeedARestart(t *testing.T) {
	p := newProgram(t, nil)
	changed := strings.NewReplacer("listen: :1", "listen: :2", "depth: 5", "depth: 6").Replace(settings) + "log: {format: text}\n"
	p.write(changed)
	for _, liveChanges := range [][]string{{"limits.depth"}, nil} { // the second reload finds them still there
		got := p.Reload(causeSignal)
		if got.Outcome != Applied || !gocmp.Equal(got.Changed, liveChanges) || !gocmp.Equal(got.NeedsRestart, []string{"listen", "log.format"}) {
			t.Errorf("%+v", got)
		}
		if p.inUse.Listen != ":1" || p.inUse.Log.Format != config.LogAuto || p.depth() != 6 {
			t.Errorf("in use: %v", p.inUse)
		}
	}
	if text := p.log.String(); strings.Count(text, `"level":"WARN","msg":"changed settings that need a restart of the gateway are not in use","settings":["listen","log.format"]`) != 2 {
		t.Error(text)
	}
	p.write(settings)
	if got := p.Reload(causeSignal); got.NeedsRestart != nil {
		t.Errorf("%+v", got)
	}
}

func TestRunFollowsFileAndHangups(t *testing.T) {
	t.Parallel()
	hangups := make(chan struct{})
	p := newProgram(t, hangups)
	p.run()
	p.write(strings.ReplaceAll(settings, "depth: 5", "depth: 6"))
	p.eventually("the reload after the change of the file", func() bool { return p.depth() == 6 && p.State().Last != nil })
	if last := p.State().Last; last.Cause != causeFile {
		t.Errorf("%+v", last)
	}
	hangups <- struct{}{}
	p.eventually("the reload by the signal", func() bool { return p.State().Last.Cause == causeSignal })
	must(t, os.Remove(p.path))
	p.eventually("the refusal of a missing file", func() bool { return p.State().Refused == 1 })
	if last := p.State().Last; !strings.Contains(last.Error, "does not exist") || p.depth() != 6 {
		t.Errorf("%+v", last)
	}
}

func TestHandler(t *testing.T) {
	p := newProgram(t, nil)
	server := httptest.NewServer(p.Handler())
	defer server.Close()
	p.write(strings.ReplaceAll(settings, "depth: 5", "depth: 6") + "log: {format: text}\n")
	got, err := Request(t.Context(), server.URL+Path)
	if err != nil || got.Outcome != Applied || got.Cause != causeRequest || got.Changed[0] != "limits.depth" || got.NeedsRestart[0] != "log.format" || p.depth() != 6 {
		t.Errorf("%+v, %v", got, err)
	}
	p.write("sources: 3\n")
	if got, err = Request(t.Context(), server.URL+Path); err != nil || got.Outcome != Refused || !strings.Contains(got.Error, "gateway.yaml:1:10") {
		t.Errorf("%+v, %v", got, err)
	}

	for name, c := range map[string]struct {
		method, origin string
		status         int
	}{
		"applied or refused":            {"POST", "", http.StatusUnprocessableEntity},
		"another method":                {"GET", "", http.StatusMethodNotAllowed},
		"a web page of another origin":  {"POST", "https://evil.example", http.StatusForbidden},
		"a web page of the same origin": {"POST", server.URL, http.StatusUnprocessableEntity},
	} {
		req, _ := http.NewRequest(c.method, server.URL, nil)
		if c.origin != "" {
			req.Header.Set("Origin", c.origin)
		}
		resp, err := server.Client().Do(req)
		must(t, err)
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s: %s %s", name, resp.Status, body)
		}
		if c.status == http.StatusUnprocessableEntity && !json.Valid(body) {
			t.Errorf("%s: not JSON: %s", name, body)
		}
	}
}

func TestRequestToSomethingElse(t *testing.T) {
	for name, answer := range map[string]http.HandlerFunc{
		"not found":    http.NotFound,
		"other JSON":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"outcome":"perhaps"}`) },
		"endless text": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bytes.Repeat([]byte(" "), maxResult+1)) },
	} {
		server := httptest.NewServer(answer)
		if got, err := Request(t.Context(), server.URL); err == nil || !strings.Contains(err.Error(), "not the answer of a gateway") {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		server.Close()
	}
	if _, err := Request(t.Context(), "http://127.0.0.1:1/reload"); err == nil {
		t.Error("no error without a gateway")
	}
}

// Reloads run one after the other.
func TestReloadsDoNotOverlap(t *testing.T) {
	p := newProgram(t, nil)
	inside := 0
	p.options.Apply = func(*config.Config) error {
		inside++ // the race detector sees two at the same time
		defer func() { inside-- }()
		if inside != 1 {
			return errors.New("two at the same time")
		}
		return nil
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { p.Reload(causeRequest); _ = p.State() })
	}
	all.Wait()
	if state := p.State(); state.Applied != 8 || state.Refused != 0 {
		t.Errorf("%+v", state)
	}
}

// noticed is how long a test waits for a change of the file to be noticed.
const noticed = 5 * time.Second

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	must(t, os.WriteFile(path, []byte(text), 0o600))
}

// A manifest that changes is taken up, and so is another file of a pattern; one with a mistake is refused,
// and taken up once it is right.
func TestManifestsAreWatched(t *testing.T) {
	p := newProgram(t, nil)
	folder := t.TempDir()
	manifest := func(name, text string) { writeFile(t, filepath.Join(folder, name), text) }
	finds := func(id string) func() bool {
		return func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.inUse.Manifests.Find("", id) != nil
		}
	}
	p.run()
	manifest("web.json", `{"1": "{n}"}`)
	p.write(settings + "documents: {mode: log, manifests: [{files: [" + folder + "/web*.json]}]}\n")
	p.eventually("the first manifest", finds("1"))
	manifest("web.json", `{"2": "{n}"}`)
	p.eventually("another content", finds("2"))
	if last := p.State().Last; last.Cause != "documents" || strings.Join(last.Changed, " ") != "documents.manifests" {
		t.Errorf("%+v", last)
	}
	manifest("web2.json", `{"3": "{s}"}`)
	p.eventually("another file", finds("3"))

	manifest("web.json", `{"2": "{n}",`)
	p.eventually("a refusal", func() bool { return p.State().Refused == 1 })
	if last := p.State().Last; !finds("2")() || !strings.Contains(last.Error, folder+"/web.json:1:") || !strings.Contains(p.log.String(), "web.json:1:") {
		t.Errorf("%+v", last)
	}
	manifest("web.json", `{"4": "{n}"}`)
	p.eventually("a right one", finds("4"))

	// The settings name a manifest with a mistake, which is then put right.
	manifest("ios.json", `{"5": ""}`)
	p.write(settings + "documents: {mode: log, manifests: [{files: [" + folder + "/ios.json]}]}\n")
	p.eventually("another refusal", func() bool { return p.State().Refused == 2 })
	manifest("ios.json", `{"5": "{n}"}`)
	p.eventually("the manifest that was wrong", finds("5"))
	if finds("4")() {
		t.Error("the manifest that is not named any more is in use")
	}
}
