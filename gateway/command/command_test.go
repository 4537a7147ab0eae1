package command

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
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

const key = "a-secret-of-thirty-two-bytes-or-more"

// called is what became of one call of the command line.
type called struct {
	code     int
	out, err string
	start    *Start // what Run was given; nil when it was not reached
}

// call runs the command line in a folder of its own, with the file as its gateway.yaml,
// if there is one.
func call(t *testing.T, file string, env []string, args ...string) called {
	t.Helper()
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	t.Chdir(t.TempDir())
	if file != "" {
		if err := os.WriteFile("gateway.yaml", []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var c called
	var out, errs bytes.Buffer
	program := Program{
		Issuer: "the-demo", Audience: "the-app", HasDemo: true, HasChaos: true,
		Run: func(_ context.Context, s Start) error { c.start = &s; return nil },
	}
	c.code = run(t.Context(), program, environment{args: args, env: env, out: &out, err: &errs})
	c.out, c.err = out.String(), errs.String()
	return c
}

const sound = "sources: {users: {urls: [http://localhost:9101]}}\n"

func TestRunReceivesSettings(t *testing.T) {
	c := call(t, sound+"listen: :1\n", []string{"LOG_LEVEL=error"}, "--listen", ":2", "--log-format=json")
	if c.code != 0 || c.start == nil {
		t.Fatalf("%+v", c)
	}
	s := c.start
	if s.Config.Listen != ":2" || s.Config.Log != (config.Log{Level: slog.LevelError, Format: "json"}) || len(s.Config.Sources) != 1 {
		t.Errorf("%v", s.Config)
	}
	if s.Mode != (Mode{}) || s.Config.Playground || s.Config.Introspection || s.Config.Metrics.Public || s.Log == nil || s.Out == nil {
		t.Errorf("%+v", s)
	}
	if s.Log.Enabled(t.Context(), slog.LevelWarn) {
		t.Error("the log does not have the settings' level")
	}
}

func TestModesEnablePlayground(t *testing.T) {
	for flag, want := range map[string]Mode{"--dev": {Dev: true}, "--demo": {Demo: true}} {
		c := call(t, sound+"playground: false", nil, flag)
		if c.start == nil || c.start.Mode != want || !c.start.Config.Playground || !c.start.Config.Introspection || !c.start.Config.Metrics.Public {
			t.Errorf("%s: %+v", flag, c)
		}
	}
}

func TestChaos(t *testing.T) {
	if c := call(t, "", nil, "--demo", "--chaos"); c.start == nil || c.start.Mode != (Mode{Demo: true, Chaos: true}) {
		t.Errorf("%+v", c)
	}
}

// The demo prints tokens, so that it must not be open to the network by default.
func TestDemoListensOnLoopback(t *testing.T) {
	for listen, want := range map[string]string{":1": "localhost:1", "0.0.0.0:1": "0.0.0.0:1", "example.com:1": "example.com:1"} {
		if c := call(t, "", nil, "--demo", "--listen", listen); c.start == nil || c.start.Config.Listen != want {
			t.Errorf("%s: %+v", listen, c)
		}
	}
	if c := call(t, sound, nil, "--dev", "--listen", ":1"); c.start == nil || c.start.Config.Listen != ":1" {
		t.Errorf("%+v", c)
	}
}

func TestEngineFlag(t *testing.T) {
	if c := call(t, sound, []string{"GATEWAY_EXECUTION_ENGINE=plan"}, "--engine", "gqlgen"); c.start == nil || c.start.Config.Execution.Engine != engine.EngineGqlgen {
		t.Errorf("%+v", c)
	}
}

func TestDemoWithoutFile(t *testing.T) {
	if c := call(t, "", nil, "--demo"); c.code != 0 || c.start == nil || c.out+c.err != "" {
		t.Errorf("%+v", c)
	}
}

func TestConfigFile(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.yaml")
	third := filepath.Join(t.TempDir(), "third.yaml")
	for file, port := range map[string]string{other: ":3", third: ":4"} {
		if err := os.WriteFile(file, []byte(sound+"listen: "+port), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		env, args []string
		want      string
	}{
		{nil, nil, ":1"},
		{[]string{"GATEWAY_CONFIG=" + other}, nil, ":3"},
		{[]string{"GATEWAY_CONFIG=" + other}, []string{"--config", third}, ":4"},
		{nil, []string{"-c", third}, ":4"},
	} {
		got := call(t, sound+"listen: :1", c.env, c.args...)
		if got.start == nil || got.start.Config.Listen != c.want {
			t.Errorf("%v %v: %+v, want %s", c.env, c.args, got, c.want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	for _, c := range []struct {
		name string
		file string
		args string
		code int
		err  string // part of it
	}{
		{"a mistake in the file", "lissten: x", "", 1, "gateway: a mistake in the settings\n\ngateway.yaml:1:1: lissten: no such setting; did you mean \"listen\"?"},
		{"a file that is not there", "", "--config no.yaml", 1, "gateway: the settings file no.yaml does not exist"},
		{"an unknown flag", sound, "--liste :1", 2, "unknown flag: --liste\n\nRun \"gateway --help\""},
		{"an unknown command", sound, "confg", 2, `"confg" is not a command; did you mean "config"?`},
		{"an unknown subcommand", sound, "config validat", 2, "\"validat\" is not a command; did you mean \"validate\"?\n\nRun \"gateway config --help\""},
		{"a word too many", sound, "config validate gateway.yaml", 2, `"gateway.yaml" is too much`},
		{"a wrong flag value", sound, "--log-level loud", 1, "--log-level: log.level: must be debug, info, warn or error"},
		{"the former name of an engine", sound, "--engine stock", 1, "--engine: execution.engine: must be plan or gqlgen, not \"stock\"; did you mean \"gqlgen\"?"},
		{"an engine that is not there", sound, "--engine fast", 1, "--engine: execution.engine: must be plan or gqlgen"},
		{"chaos without a demo", sound, "--chaos", 2, "--chaos spoils the sample services: write --demo --chaos\n\nRun \"gateway --help\""},
		{"a wrong duration", sound, "token --ttl soon", 2, "--ttl"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, c.file, nil, strings.Fields(c.args)...)
			if got.code != c.code || !strings.Contains(got.err, c.err) || got.start != nil || got.out != "" {
				t.Errorf("%+v", got)
			}
			if strings.Count(got.err, c.err) != 1 {
				t.Errorf("not told once: %s", got.err)
			}
		})
	}
}

func TestRunError(t *testing.T) {
	t.Chdir(t.TempDir())
	var out, errs bytes.Buffer
	p := Program{Name: "shop", HasDemo: true, Run: func(context.Context, Start) error { return errors.New("the port is taken") }}
	code := run(t.Context(), p, environment{args: []string{"--demo"}, out: &out, err: &errs})
	if code != 1 || errs.String() != "shop: the port is taken\n" {
		t.Errorf("%d %q", code, errs.String())
	}
}

func TestWarningsAreLogged(t *testing.T) {
	c := call(t, sound, []string{"GATEWAY_LIMTS_DEPTH=3"}, "--log-format=json")
	var line struct{ Level, Msg, Time string }
	if err := json.Unmarshal([]byte(c.out), &line); err != nil {
		t.Fatal(err, c.out)
	}
	if line.Level != "WARN" || !strings.Contains(line.Msg, "GATEWAY_LIMITS_DEPTH") || line.Time == "" {
		t.Error(c.out)
	}
}

func TestValidate(t *testing.T) {
	secret := "auth: {issuers: [{issuer: me, audiences: [a], algorithms: [HS256], secret: \"${GATEWAY_DEMO_SECRET:-}\"}]}\n"
	for _, c := range []struct {
		name, file string
		env        []string
		args       []string
		code       int
		out, err   string
	}{
		{"right", sound, nil, nil, 0, "gateway.yaml is valid\n", ""},
		{"odd", sound, []string{"GATEWAY_LISTN=:1"}, nil, 0, "gateway.yaml is valid\n", "warning: GATEWAY_LISTN sets nothing"},
		{"wrong", "lissten: 3", nil, nil, 1, "", `did you mean "listen"?`},
		{"absent", "", nil, nil, 1, "", "gateway.yaml does not exist"},
		{"no secret", sound + secret, nil, nil, 1, "", "GATEWAY_DEMO_SECRET is not set"},
		{"no secret for the demo", sound + secret, nil, []string{"--demo"}, 0, "gateway.yaml is valid\n", ""},
		{"with its secret", sound + secret, []string{"GATEWAY_DEMO_SECRET=" + key}, nil, 0, "gateway.yaml is valid\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, c.file, c.env, append([]string{"config", "validate"}, c.args...)...)
			if got.code != c.code || got.out != c.out || !strings.Contains(got.err, c.err) || (c.err == "") != (got.err == "") {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestSchemaIsPrinted(t *testing.T) {
	c := call(t, "", nil, "config", "schema")
	if c.code != 0 || !json.Valid([]byte(c.out)) || !strings.Contains(c.out, "draft/2020-12") {
		t.Errorf("%+v", c)
	}
}

func TestToken(t *testing.T) {
	c := call(t, "", []string{"GATEWAY_DEMO_SECRET=" + key}, "token", "--subject", "u1", "--scope", "users:read",
		"--scope", "orders:read", "--role", "admin", "--ttl", "5m")
	if c.code != 0 {
		t.Fatalf("%+v", c)
	}
	token, err := jwt.Parse(strings.TrimSpace(c.out), func(*jwt.Token) (any, error) { return []byte(key), nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithIssuer("the-demo"), jwt.WithAudience("the-app"), jwt.WithExpirationRequired())
	if err != nil {
		t.Fatal(err)
	}
	claims := token.Claims.(jwt.MapClaims)
	expiry, _ := claims.GetExpirationTime()
	if claims["sub"] != "u1" || claims["scope"] != "users:read orders:read" || claims["roles"].([]any)[0] != "admin" ||
		time.Until(expiry.Time) > 5*time.Minute || time.Until(expiry.Time) < 4*time.Minute {
		t.Errorf("%v", claims)
	}
}

func TestTokenRequiresSecret(t *testing.T) {
	for secret, want := range map[string]string{
		"":          "GATEWAY_DEMO_SECRET is not set",
		"swordfish": "GATEWAY_DEMO_SECRET has 9 bytes; it needs at least 32",
	} {
		c := call(t, "", []string{"GATEWAY_DEMO_SECRET=" + secret}, "token", "--subject", "u1")
		if c.code != 1 || c.out != "" || !strings.Contains(c.err, want) || strings.Contains(c.err, "swordfish") {
			t.Errorf("%+v", c)
		}
	}
	if c := call(t, "", []string{"GATEWAY_DEMO_SECRET=" + key}, "token", "--ttl", "-1s"); c.code != 2 {
		t.Errorf("a token that has expired: %+v", c)
	}
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"--version", "version"} {
		c := call(t, "", nil, arg)
		if c.code != 0 || !regexp.MustCompile(`^gateway \S+ \(commit \S+, .+, go1\S* \w+/\w+\)\n$`).MatchString(c.out) {
			t.Errorf("%s: %+v", arg, c)
		}
	}
	if c := call(t, "", nil, "version", "now"); c.code != 2 || !strings.Contains(c.err, `"now" is too much`) {
		t.Errorf("%+v", c)
	}
}

// shopGraph is a graph with one thing that each check finds.
type shopGraph struct{ warnings, mistakes []string }

func (shopGraph) SDL() string { return "type Query {\n  a: Int\n}\n" }

func (g shopGraph) Check(c *config.Config) ([]string, error) {
	var errs []error
	for _, m := range g.mistakes {
		errs = append(errs, errors.New(m))
	}
	return g.warnings, errors.Join(errs...)
}

// Printing the schema takes no settings file, no secret and no service.
func TestSchemaPrint(t *testing.T) {
	var out, errs bytes.Buffer
	p := Program{Graph: shopGraph{}, Run: func(context.Context, Start) error { t.Error("the gateway ran"); return nil }}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("gateway.yaml", []byte("lissten: ${NOT_SET}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := run(t.Context(), p, environment{args: []string{"schema", "print"}, out: &out, err: &errs}); code != 0 || out.String() != (shopGraph{}).SDL() || errs.Len() > 0 {
		t.Errorf("%d %s %s", code, out.String(), errs.String())
	}
	if c := call(t, "", nil, "schema", "print"); c.code != 2 || !strings.Contains(c.err, `"schema" is not a command`) {
		t.Errorf("without a graph: %+v", c)
	}
}

// What a start would refuse or warn of is reported together.
func TestValidateAsksTheGraph(t *testing.T) {
	for _, c := range []struct {
		graph    shopGraph
		code     int
		out, err string
	}{
		{shopGraph{}, 0, "gateway.yaml is valid\n", ""},
		{shopGraph{warnings: []string{"no binding uses sources.users"}}, 0, "gateway.yaml is valid\n", "warning: no binding uses sources.users\n"},
		{shopGraph{warnings: []string{"w"}, mistakes: []string{"a", "b"}}, 1, "", "warning: w\ngateway: the gateway would not start with gateway.yaml:\na\nb\n"},
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("gateway.yaml", []byte(sound), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := run(t.Context(), Program{Graph: c.graph}, environment{args: []string{"config", "validate"}, out: &out, err: &errs})
		if code != c.code || out.String() != c.out || errs.String() != c.err {
			t.Errorf("%+v: %d %q %q", c.graph, code, out.String(), errs.String())
		}
	}
}

func TestCompletion(t *testing.T) {
	if c := call(t, "", nil, "completion", "bash"); c.code != 0 || !strings.Contains(c.out, "__start_gateway") {
		t.Errorf("no script: %d %.200s %s", c.code, c.out, c.err)
	}
	if c := call(t, "", nil, "__complete", "--log-level", ""); !strings.Contains(c.out, "debug\ninfo\nwarn\nerror\n") {
		t.Errorf("%+v", c)
	}
	if c := call(t, "", nil, "__complete", "config", ""); !strings.Contains(c.out, "validate\t") || !strings.Contains(c.out, "schema\t") {
		t.Errorf("%+v", c)
	}
}

func TestLogFormats(t *testing.T) {
	for _, c := range []struct {
		format string
		json   bool
	}{{"auto", true}, {"json", true}, {"text", false}} { // a buffer is no terminal
		var out bytes.Buffer
		newLogger(&out, c.format, slog.LevelInfo, false, isTerminal(&out)).Info("hello", "n", 1)
		if json.Valid(out.Bytes()) != c.json || strings.Contains(out.String(), "\x1b") {
			t.Errorf("%s: %q", c.format, out.String())
		}
	}
}

// A process of its own, since signals are the process's.
func TestSignals(t *testing.T) {
	if os.Getenv("BE_THE_GATEWAY") != "" {
		os.Args = []string{"gateway", "--demo"}
		os.Exit(Main(Program{HasDemo: true, Run: func(ctx context.Context, start Start) error {
			if os.Getenv("BE_THE_GATEWAY") == "chatty" {
				for range 100_000 {
					start.Log.Info("a line of the log that is not read, as long as that of an operation")
				}
				os.Stderr.WriteString("ready\n")
				<-ctx.Done()
				return nil
			}
			os.Stdout.WriteString("ready\n")
			for running := true; running; {
				select {
				case <-start.Hangups:
					os.Stdout.WriteString("hung up\n")
				case <-ctx.Done():
					running = false
				}
			}
			os.Stdout.WriteString("stopped\n")
			if os.Getenv("BE_THE_GATEWAY") == "stubborn" {
				select {}
			}
			return nil
		}}))
	}
	for _, c := range []struct {
		manner  string
		signals []syscall.Signal
		well    bool
	}{
		{"tidy", []syscall.Signal{syscall.SIGTERM}, true},
		{"tidy", []syscall.Signal{syscall.SIGINT}, true},
		{"tidy", []syscall.Signal{syscall.SIGHUP, syscall.SIGTERM}, true},
		{"tidy", []syscall.Signal{syscall.SIGHUP, syscall.SIGHUP, syscall.SIGINT}, true},
		{"stubborn", []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, false},
	} {
		child := exec.Command(os.Args[0], "-test.run=^TestSignals$")
		child.Env = append(os.Environ(), "BE_THE_GATEWAY="+c.manner)
		child.Dir = t.TempDir()
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		stop := time.AfterFunc(30*time.Second, func() { child.Process.Kill() })
		for _, signal := range c.signals {
			if _, err := out.Read(make([]byte, 64)); err != nil { // ready, then hung up or stopped
				t.Fatal(err)
			}
			child.Process.Signal(signal)
		}
		err = child.Wait()
		if !stop.Stop() || (err == nil) != c.well {
			t.Errorf("%s %v: %v", c.manner, c.signals, err)
		}
	}
}

// A log that is not read holds up neither the program nor its end.
func TestUnreadLog(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestSignals$")
	child.Env = append(os.Environ(), "BE_THE_GATEWAY=chatty")
	child.Dir = t.TempDir()
	if _, err := child.StdoutPipe(); err != nil { // which is not read
		t.Fatal(err)
	}
	errs, err := child.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(30*time.Second, func() { child.Process.Kill() })
	if _, err := errs.Read(make([]byte, 64)); err != nil { // ready, after all lines
		t.Fatal(err)
	}
	child.Process.Signal(syscall.SIGTERM)
	if state, err := child.Process.Wait(); err != nil || state.ExitCode() != 0 || !stop.Stop() {
		t.Errorf("%v %v", state, err)
	}
}

// A log whose reader has ended does not end the program.
func TestLogWithoutReader(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestSignals$")
	child.Env = append(os.Environ(), "BE_THE_GATEWAY=chatty")
	child.Dir = t.TempDir()
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := child.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	stop := time.AfterFunc(30*time.Second, func() { child.Process.Kill() })
	out.Close()
	if _, err := errs.Read(make([]byte, 64)); err != nil { // ready, after all lines
		t.Error(err)
	}
	child.Process.Signal(syscall.SIGTERM)
	if state, err := child.Process.Wait(); err != nil || state.ExitCode() != 0 || !stop.Stop() {
		t.Errorf("%v %v", state, err)
	}
}

// A program without a demo neither offers --demo nor names it in its help.
func TestNoDemo(t *testing.T) {
	p := Program{Name: "gateway", Run: func(context.Context, Start) error { return nil }}
	for _, args := range [][]string{{"--help"}, {"config", "validate", "--help"}, {"token", "--help"}, {"--demo"}} {
		var out, errs bytes.Buffer
		code := run(t.Context(), p, environment{args: args, out: &out, err: &errs})
		if isRefused := args[0] == "--demo"; isRefused && (code == 0 || !strings.Contains(errs.String(), "unknown flag: --demo")) {
			t.Errorf("--demo: code %d, %s", code, errs.String())
		} else if text := out.String(); !isRefused && (text == "" || strings.Contains(text, "--demo")) {
			t.Errorf("%q prints %s", args, text)
		}
	}
}

// The settings are loaded again from the same file, environment and flags.
func TestLoadAgain(t *testing.T) {
	c := call(t, sound+"limits:\n  depth: 5\n  aliases: ${ALIASES}\nlog: {level: info}\n", []string{"ALIASES=7", "GATEWAY_LIMITS_TOKENS=9"}, "--listen", ":2", "--dev")
	if c.code != 0 {
		t.Fatalf("%+v", c)
	}
	load := func() (*config.Config, error) { return c.start.Load() }
	again, err := load()
	if err != nil || !slices.Equal(config.Compare(c.start.Config, again).Live, nil) || again.Digest != c.start.Config.Digest {
		t.Fatalf("%v, %+v", err, config.Compare(c.start.Config, again))
	}
	rewrite := func(text string) {
		t.Helper()
		if err := os.WriteFile("gateway.yaml", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("ALIASES", "8") // the environment is that of the start
	rewrite(sound + "listen: :1\nplayground: false\nlimits:\n  depth: 6\n  aliases: ${ALIASES}\n  tokens: 10\n")
	again, err = load()
	if err != nil || again.Listen != ":2" || !again.Playground || again.Limits.Depth != 6 || again.Limits.Aliases != 7 || again.Limits.Tokens != 9 {
		t.Errorf("%v, %v", again, err)
	}
	rewrite("limits: 3\n")
	if _, err = load(); err == nil || !strings.Contains(err.Error(), "gateway.yaml:1:9") {
		t.Errorf("%v", err)
	}
	if err := os.Remove("gateway.yaml"); err != nil {
		t.Fatal(err)
	}
	if _, err = load(); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("a file that was there and is missing: %v", err)
	}

	c.start.SetLogLevel(slog.LevelDebug)
	if !c.start.Log.Enabled(t.Context(), slog.LevelDebug) {
		t.Error("the level of the log does not change")
	}
}

// What a program changes in the settings at the start is changed whenever they are loaded.
func TestChangeSettings(t *testing.T) {
	c := call(t, sound, nil, "--demo")
	change := func(c *config.Config) { c.Limits.Depth++ }
	if c.start.ChangeSettings(change); c.start.Config.Limits.Depth != 1 {
		t.Errorf("depth %d", c.start.Config.Limits.Depth)
	}
	if again, err := c.start.Load(); err != nil || again.Limits.Depth != 1 || !strings.HasPrefix(again.Listen, "localhost:") {
		t.Errorf("%v, %v", again, err)
	}
	start := Start{Config: &config.Config{}} // of a program that cannot load its settings again
	if start.ChangeSettings(change); start.Config.Limits.Depth != 1 || start.Load != nil {
		t.Errorf("%+v", start)
	}
}

// Secrets that come with a reload are redacted in the log of the start.
func TestSecretsOfAReload(t *testing.T) {
	t.Chdir(t.TempDir())
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	write := func(secret string) {
		file := "sources: {users: {urls: [http://u:1], headers: {X-Odd: " + secret + "}}}\n"
		if err := os.WriteFile("gateway.yaml", []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("the-first-value")
	var out, errs bytes.Buffer
	program := Program{Run: func(_ context.Context, s Start) error {
		write("the-second-value")
		if _, err := s.Load(); err != nil {
			return err
		}
		s.Log.Info("a service has answered the-first-value, the-second-value")
		return nil
	}}
	if code := run(t.Context(), program, environment{out: &out, err: &errs}); code != 0 || strings.Contains(out.String(), "value") || strings.Count(out.String(), "[redacted]") != 2 {
		t.Errorf("%d %s %s", code, out.String(), errs.String())
	}
}

func TestReloadByPID(t *testing.T) {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	got := call(t, "", nil, "reload", "--pid", strconv.Itoa(os.Getpid()))
	if got.code != 0 || !strings.Contains(got.out, "was asked to reload") {
		t.Errorf("%+v", got)
	}
	select {
	case <-hangups:
	case <-time.After(5 * time.Second):
		t.Error("no SIGHUP")
	}
	if got := call(t, "", nil, "reload", "--pid", "2147483647"); got.code != 1 || !strings.Contains(got.err, "2147483647 cannot be signalled") {
		t.Errorf("%+v", got)
	}
}

// The command asks the gateway at its admin listener, and its exit code says whether the settings are in
// use.
func TestReloadByAdmin(t *testing.T) {
	answer, status := "", 200
	admin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/reload" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	defer admin.Close()
	address := strings.TrimPrefix(admin.URL, "http://")
	file := sound + "admin: {listen: " + address + "}\n"
	for _, c := range []struct {
		name, file, answer string
		status             int
		args               []string
		code               int
		out, err           string
	}{
		{
			"applied", file, `{"outcome":"applied","changed":["sources.users.urls"],"needsRestart":["listen"]}`, 200, nil, 0,
			"the settings are in use; changed: sources.users.urls\na restart is needed for: listen\n", "",
		},
		{"unchanged", file, `{"outcome":"applied"}`, 200, nil, 0, "nothing has changed", ""},
		{"refused", file, `{"outcome":"refused","error":"a mistake in line 3"}`, 422, nil, 1, "", "goes on with the settings from before: a mistake in line 3"},
		{"at another program", file, "404 page not found", 200, nil, 1, "", "not the answer of a gateway"},
		{"named by a flag", "lissten: 3", `{"outcome":"applied"}`, 200, []string{"--admin", address}, 0, "the settings are in use", ""},
		{"without an admin listener", sound, "", 200, nil, 1, "", "the settings have no admin.listen"},
		{"with a mistake in the settings", "lissten: 3", "", 200, nil, 1, "", "or name the address by --admin"},
		{"nothing listens", file, "", 200, []string{"--admin", "127.0.0.1:1"}, 1, "", "cannot be asked at 127.0.0.1:1"},
		{"a wrong address", file, "", 200, []string{"--admin", "localhost"}, 1, "", "is not host:port"},
	} {
		answer, status = c.answer, c.status
		got := call(t, c.file, nil, append([]string{"reload"}, c.args...)...)
		if got.code != c.code || !strings.Contains(got.out, c.out) || !strings.Contains(got.err, c.err) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
