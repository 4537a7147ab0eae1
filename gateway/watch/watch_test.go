package watch

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// noticed is how long a test waits for a change to be noticed. It is shorter than pollInterval, so
// that the tests fail if only the polling notices.
const noticed = 5 * time.Second

// watched is a file that a watcher watches in a test.
type watched struct {
	t       *testing.T
	path    string
	changes chan string // the text at each change, "" if the file is missing
}

// watchFile watches the file at path from now on. change changes the watcher first.
func watchFile(t *testing.T, path string, change ...func(*Watcher)) *watched {
	t.Helper()
	f := &watched{t: t, path: path, changes: make(chan string, 100)}
	ctx, cancel := context.WithCancel(t.Context())
	w := New(Files{What: "the file", Paths: []string{path}, Seen: DigestOf(path)}, func() {
		text, _ := os.ReadFile(path)
		f.changes <- string(text)
	}, slog.New(slog.DiscardHandler))
	for _, c := range change {
		c(w)
	}
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return f
}

// want waits for the change to a text.
func (f *watched) want(text string) {
	f.t.Helper()
	select {
	case got := <-f.changes:
		if got != text {
			f.t.Fatalf("the change was to %q, want %q", got, text)
		}
	case <-time.After(noticed):
		f.t.Fatalf("the change to %q was not noticed", text)
	}
}

// wantNone fails if there is a change within a while.
func (f *watched) wantNone() {
	f.t.Helper()
	select {
	case got := <-f.changes:
		f.t.Fatalf("a change to %q, though the text is the same", got)
	case <-time.After(4 * quietTime):
	}
}

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

func TestChangesOfAFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "gateway.yaml")
	writeFile(t, path, "one")
	f := watchFile(t, path)

	writeFile(t, path, "two")
	f.want("two")

	// As editors and configuration management write it.
	for i := range 3 {
		text := fmt.Sprint("renamed ", i)
		writeFile(t, filepath.Join(folder, ".gateway.yaml.tmp"), text)
		must(t, os.Rename(filepath.Join(folder, ".gateway.yaml.tmp"), path))
		f.want(text)
	}
	must(t, os.Rename(path, path+"~")) // as an editor that keeps a copy
	writeFile(t, path, "beside a copy")
	f.want("beside a copy")

	must(t, os.Remove(path))
	f.want("")
	writeFile(t, path, "back")
	f.want("back")

	// The text is the same, or another file has changed.
	now := time.Now()
	writeFile(t, path, "back")
	must(t, os.Chmod(path, 0o640), os.Chtimes(path, now, now))
	writeFile(t, filepath.Join(folder, "other.yaml"), "other")
	f.wantNone()
}

// A file that is written in pieces is read when it is complete.
func TestPieces(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	writeFile(t, path, "old")
	f := watchFile(t, path)
	file, err := os.Create(path)
	must(t, err)
	for range 8 {
		_, err := file.WriteString("piece ")
		must(t, err)
		time.Sleep(quietTime / 10)
	}
	must(t, file.Close())
	f.want("piece piece piece piece piece piece piece piece ")
}

// A folder in which something changes all the time does not hide the change of the file.
func TestRestlessFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "gateway.yaml")
	writeFile(t, path, "one")
	f := watchFile(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	var writing sync.WaitGroup
	writing.Go(func() {
		for ctx.Err() == nil {
			_ = os.WriteFile(filepath.Join(folder, "access.log"), []byte(time.Now().String()), 0o600)
			time.Sleep(quietTime / 10)
		}
	})
	defer writing.Wait()
	defer cancel()
	writeFile(t, path, "two")
	f.want("two")
}

// configMap has a file as Kubernetes mounts it: gateway.yaml is a link to ..data/gateway.yaml, and ..data
// one to a folder, which a new version exchanges.
type configMap struct {
	t       *testing.T
	folder  string
	version int
}

func newConfigMap(t *testing.T, text string) *configMap {
	m := &configMap{t: t, folder: t.TempDir()}
	m.write(text)
	must(t, os.Symlink("..data/gateway.yaml", m.path()))
	return m
}

func (m *configMap) path() string { return filepath.Join(m.folder, "gateway.yaml") }

func (m *configMap) write(text string) {
	m.t.Helper()
	before := filepath.Join(m.folder, fmt.Sprint("..version_", m.version))
	m.version++
	name := fmt.Sprint("..version_", m.version)
	must(m.t, os.Mkdir(filepath.Join(m.folder, name), 0o700))
	writeFile(m.t, filepath.Join(m.folder, name, "gateway.yaml"), text)
	must(m.t, os.Symlink(name, filepath.Join(m.folder, "..data_tmp")),
		os.Rename(filepath.Join(m.folder, "..data_tmp"), filepath.Join(m.folder, "..data")),
		os.RemoveAll(before))
}

func TestConfigMap(t *testing.T) {
	t.Parallel()
	m := newConfigMap(t, "one")
	f := watchFile(t, m.path())
	for i := range 5 {
		text := fmt.Sprint("version ", i)
		m.write(text)
		f.want(text)
	}
	m.write("version 4")
	f.wantNone()
}

// The file is a link to one in another folder, and its folder is a link, as releases are switched.
func TestLinks(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	for _, name := range []string{"shared", "release1", "release2"} {
		must(t, os.Mkdir(filepath.Join(top, name), 0o700))
	}
	shared := filepath.Join(top, "shared", "settings.yaml")
	writeFile(t, shared, "one")
	must(t, os.Symlink("../shared/settings.yaml", filepath.Join(top, "release1", "gateway.yaml")),
		os.Symlink("release1", filepath.Join(top, "current")))
	f := watchFile(t, filepath.Join(top, "current", "gateway.yaml"))

	writeFile(t, shared, "two")
	f.want("two")
	writeFile(t, filepath.Join(top, "release2", "gateway.yaml"), "three")
	must(t, os.Symlink("release2", filepath.Join(top, "next")), os.Rename(filepath.Join(top, "next"), filepath.Join(top, "current")))
	f.want("three")
	writeFile(t, filepath.Join(top, "release2", "gateway.yaml"), "four")
	f.want("four")
	writeFile(t, shared, "five") // no longer on the way
	f.wantNone()
}

// Without events, as on network file systems, the file is read from time to time.
func TestPolling(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	writeFile(t, path, "one")
	f := watchFile(t, path, func(w *Watcher) {
		must(t, w.notifier.Close())
		w.notifier, w.poll = nil, 20*time.Millisecond
	})
	writeFile(t, path, "two")
	f.want("two")
	f.wantNone()
}

// A change between the load and the watch is not missed.
func TestChangeBeforeTheWatch(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "gateway.yaml")
	writeFile(t, path, "one")
	watchFile(t, path, func(w *Watcher) { w.seen = sha256.Sum256([]byte("zero")) }).want("one")
}

// Of several files in several folders, the change of each is noticed, and so is that of all together, once.
func TestSeveralFiles(t *testing.T) {
	t.Parallel()
	cert, key := filepath.Join(t.TempDir(), "tls.crt"), filepath.Join(t.TempDir(), "tls.key")
	writeFile(t, cert, "one")
	writeFile(t, key, "one")
	changes := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	w := New(Files{What: "the files", Paths: []string{cert, key}, Seen: DigestOf(cert, key)}, func() {
		a, _ := os.ReadFile(cert)
		b, _ := os.ReadFile(key)
		changes <- string(a) + " " + string(b)
	}, slog.New(slog.DiscardHandler))
	var running sync.WaitGroup
	running.Go(func() { w.Run(ctx) })
	defer running.Wait()
	defer cancel()
	f := &watched{t: t, changes: changes}
	writeFile(t, cert, "two")
	f.want("two one")
	writeFile(t, key, "two")
	f.want("two two")
	writeFile(t, cert, "three")
	writeFile(t, key, "three")
	f.want("three three")
	f.wantNone()
}
