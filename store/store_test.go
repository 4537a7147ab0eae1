package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/store"
	"github.com/gatehouse-graphql/gatehouse/store/redistest"
)

// logBuffer collects a log that several goroutines write.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// timeout is the bound on waiting in these tests. It is longer than the default, since the machine of
// the tests has other work, and the tests measure whether it holds.
const timeout = 25 * time.Millisecond

func newStore(t *testing.T, urls ...string) (*store.Store, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	s, err := store.New(store.Options{Redis: store.Redis{URLs: urls, Timeout: timeout}}, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, log
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 10*time.Second {
			t.Fatal("never: ", what)
		}
	}
}

func TestStore(t *testing.T) {
	server := redistest.Start(t)
	s, _ := newStore(t, server.URL())
	ctx := t.Context()
	if _, err := s.Get(ctx, "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("Get without a value: %v", err)
	}
	if err := s.Set(ctx, "a", []byte("1\x00"), time.Minute); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Get(ctx, "a"); err != nil || string(v) != "1\x00" {
		t.Errorf("Get: %q, %v", v, err)
	}
	if got := server.Command("TTL", "gatehouse:a"); got != ":60" && got != ":59" {
		t.Errorf("the key has the TTL %s", got)
	}
	script := store.NewScript("return {redis.call('INCRBY', KEYS[1], ARGV[1]), KEYS[1]}")
	for i := range 2 { // the second one by its digest
		v, err := s.Eval(ctx, script, []string{"n"}, 2)
		if got, want := fmt.Sprint(v, err), fmt.Sprintf("[%d gatehouse:n] <nil>", 2*(i+1)); got != want {
			t.Errorf("Eval: %s, want %s", got, want)
		}
	}
	if _, err := s.Eval(ctx, store.NewScript("return redis.call('NONSENSE')"), nil); err == nil || errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a wrong script: %v", err)
	}
	if got := s.Stats(); !got.Up || !got.Configured || got.Failed != 0 || got.OK < 5 {
		t.Errorf("%+v", got)
	}
}

func TestWithoutRedis(t *testing.T) {
	s, err := store.New(store.Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Configured() || (*store.Store)(nil).Configured() {
		t.Error("configured")
	}
	if _, err := s.Get(t.Context(), "a"); !errors.Is(err, store.ErrNotConfigured) {
		t.Error(err)
	}
}

// load executes an operation from several goroutines until stop is called, which returns the longest time
// that it took.
func load(t *testing.T, operation func(context.Context)) (stop func() time.Duration) {
	ctx, cancel := context.WithCancel(t.Context())
	var longest time.Duration
	var mu sync.Mutex
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			for ctx.Err() == nil {
				begin := time.Now()
				operation(context.WithoutCancel(ctx))
				took := time.Since(begin)
				mu.Lock()
				longest = max(longest, took)
				mu.Unlock()
				time.Sleep(time.Millisecond)
			}
		})
	}
	return func() time.Duration { cancel(); running.Wait(); return longest }
}

// slack is what the scheduler of a busy machine may add to the bound.
const slack = 75 * time.Millisecond

// TestOutage lets Redis hang and die under load. No operation takes longer than the bound, Redis is not
// asked while it is down, and it is asked again when it is back; each is one line of the log.
func TestOutage(t *testing.T) {
	outages := []struct {
		name       string
		begin, end func(*redistest.Server)
	}{
		{"hung", (*redistest.Server).Hang, (*redistest.Server).Resume},
		{"killed", (*redistest.Server).Kill, (*redistest.Server).Run},
		{"paused for a second", func(s *redistest.Server) { s.Command("CLIENT", "PAUSE", "1000") }, func(*redistest.Server) {}},
		{"without memory", func(s *redistest.Server) { s.Command("CONFIG", "SET", "maxmemory", "1") }, func(s *redistest.Server) { s.Command("CONFIG", "SET", "maxmemory", "0") }},
	}
	for _, outage := range outages {
		t.Run(outage.name, func(t *testing.T) {
			server := redistest.Start(t)
			s, log := newStore(t, server.URL())
			stop := load(t, func(ctx context.Context) {
				s.Set(ctx, "k", []byte("1"), time.Minute) //nolint:errcheck // it fails while Redis is down
			})
			eventually(t, "an answer", func() bool { return s.Stats().OK > 100 })
			outage.begin(server)
			eventually(t, "Redis is lost", func() bool { return !s.Stats().Up })
			skipped := s.Stats().Skipped
			eventually(t, "operations fail at once", func() bool { return s.Stats().Skipped > skipped+100 })
			outage.end(server)
			eventually(t, "Redis is back", func() bool { return s.Stats().Up })
			ok := s.Stats().OK
			eventually(t, "answers again", func() bool { return s.Stats().OK > ok+100 })
			if longest := stop(); longest > timeout+slack {
				t.Errorf("an operation took %s", longest)
			}
			text := log.String()
			if lost, back := strings.Count(text, "Redis does not answer"), strings.Count(text, "Redis answers again"); lost != back || lost == 0 || lost > 3 {
				t.Errorf("lost %d times and back %d times:\n%s", lost, back, text)
			}
		})
	}
}

// TestDownAtStart starts without Redis, which comes later.
func TestDownAtStart(t *testing.T) {
	server := redistest.Start(t)
	server.Kill()
	s, log := newStore(t, server.URL())
	if _, err := s.Get(t.Context(), "a"); !errors.Is(err, store.ErrUnavailable) {
		t.Error(err)
	}
	server.Run()
	eventually(t, "Redis is found", func() bool { return s.Stats().Up })
	if err := s.Set(t.Context(), "a", []byte("1"), 0); err != nil {
		t.Error(err)
	}
	if text := log.String(); strings.Count(text, "Redis does not answer") != 1 || strings.Count(text, "Redis answers again") != 1 {
		t.Error(text)
	}
}

// TestPrepare replaces one Redis by another, and by none.
func TestPrepare(t *testing.T) {
	first, second := redistest.Start(t), redistest.Start(t)
	s, _ := newStore(t, first.URL())
	if err := s.Set(t.Context(), "a", []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	_, discard, err := s.Prepare(store.Options{Redis: store.Redis{URLs: []string{second.URL()}, Timeout: timeout}})
	if err != nil {
		t.Fatal(err)
	}
	discard()
	if v, err := s.Get(t.Context(), "a"); string(v) != "1" {
		t.Errorf("after discard: %q, %v", v, err)
	}
	apply, _, err := s.Prepare(store.Options{Redis: store.Redis{URLs: []string{second.URL()}, Timeout: timeout}})
	if err != nil {
		t.Fatal(err)
	}
	apply()
	if _, err := s.Get(t.Context(), "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("after apply: %v", err)
	}
	if apply, _, err = s.Prepare(store.Options{}); err != nil {
		t.Fatal(err)
	}
	apply()
	if s.Configured() {
		t.Error("still configured")
	}
}

func TestValidate(t *testing.T) {
	type R = store.Redis
	tests := []struct {
		name  string
		redis R
		want  string // "" for none
	}{
		{"none", R{}, ""},
		{"plain", R{URLs: []string{"redis://localhost"}}, ""},
		{"TLS", R{URLs: []string{"rediss://user:pass@redis.example.com:6380/2"}}, ""},
		{"cluster", R{URLs: []string{"redis://a", "redis://b"}, Cluster: true}, ""},
		{"sentinels", R{URLs: []string{"redis://a", "redis://b"}, Master: "main"}, ""},
		{"no URL", R{Password: "s3cret"}, "redis.urls is missing"},
		{"several", R{URLs: []string{"redis://a", "redis://b"}}, "redis.cluster for the nodes of a cluster"},
		{"both", R{URLs: []string{"redis://a"}, Cluster: true, Master: "m"}, "redis.master is set together"},
		{"scheme", R{URLs: []string{"http://s3cret@a"}}, "redis.urls[0] is not a redis://"},
		{"text", R{URLs: []string{"s3cret:6379"}}, "redis.urls[0] is not a URL of Redis"},
		{"path", R{URLs: []string{"redis://a/s3cret"}}, "redis.urls[0] has a path"},
		{"parameters", R{URLs: []string{"redis://a?pool_size=s3cret"}}, "redis.urls[0] has parameters"},
		{"database of a cluster", R{URLs: []string{"redis://a/1"}, Cluster: true}, "redis.urls[0] has a database number"},
		{"different", R{URLs: []string{"redis://a", "rediss://b"}, Cluster: true}, "redis.urls[1] differs"},
		{"timeout", R{URLs: []string{"redis://a"}, Timeout: -1}, "redis.timeout is negative"},
		{"long timeout", R{URLs: []string{"redis://a"}, Timeout: time.Minute}, "redis.timeout is longer"},
		{"pool", R{URLs: []string{"redis://a"}, PoolSize: -1}, "redis.poolSize is negative"},
		{"prefix", R{URLs: []string{"redis://a"}, Prefix: "{a}"}, "redis.prefix has a brace"},
		{"TLS without rediss", R{URLs: []string{"redis://a"}, TLS: store.TLS{CAFile: "x"}}, "redis.tls is set, but"},
		{"no such CA", R{URLs: []string{"rediss://a"}, TLS: store.TLS{CAFile: "testdata/none"}}, "redis.tls.caFile cannot be read"},
		{"no key", R{URLs: []string{"rediss://a"}, TLS: store.TLS{CertFile: "x"}}, "redis.tls.keyFile is missing"},
	}
	for _, test := range tests {
		err := store.Options{Redis: test.redis}.Validate()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error has the secret: %v", test.name, err)
		}
	}
}

func BenchmarkEval(b *testing.B) {
	server := redistest.Start(b)
	s, err := store.New(store.Options{Redis: store.Redis{URLs: []string{server.URL()}, Timeout: time.Second}}, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	script := store.NewScript("return 1")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Eval(b.Context(), script, []string{"k"}); err != nil {
			b.Fatal(err)
		}
	}
}
