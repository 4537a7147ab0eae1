// Package watch notices when the contents of files change.
//
// It promises that a change is noticed whichever way a file is replaced, that files which are written in
// pieces are read when they are complete, and that only another content counts as a change.
package watch

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quietTime is how long the folders must be quiet before the files are read: a program that writes a
	// file empties it first, and writes it in pieces.
	quietTime = 100 * time.Millisecond
	// maxQuietWait is how long Watch waits for that, in a folder that is never quiet.
	maxQuietWait = time.Second
	// pollInterval is how often the file is read without an event. Network file systems have none, a
	// queue of events may overflow, and a folder may be replaced by another one.
	pollInterval = 10 * time.Second
	// maxLinks is how many symbolic links are followed, as in Linux.
	maxLinks = 40
)

// Digest identifies the contents of files. The zero Digest is that of a single file that cannot be read.
type Digest [sha256.Size]byte

// DigestOf returns the digest of the files at paths: that of its text for a single file.
func DigestOf(paths ...string) Digest {
	var all []byte
	for _, path := range paths {
		var one Digest
		if text, err := os.ReadFile(path); err == nil {
			one = sha256.Sum256(text)
		}
		if len(paths) == 1 {
			return one
		}
		all = append(all, one[:]...)
	}
	return sha256.Sum256(all)
}

// Files are the files of a Watcher.
type Files struct {
	// What names the files in the log: "the settings file".
	What string
	// Paths are their paths. They may be links.
	Paths []string
	// List returns the paths of more files, which may differ from call to call, such as those of a
	// pattern. Default none.
	List func() []string
	// Seen is the digest of the contents that are known.
	Seen Digest
}

// Watcher calls changed when the contents of files change, until its context ends.
//
// It watches the folders of the files, and of each link on the way to them, since a file that is replaced
// is another file: editors rename a new one to the name, and the volume of a ConfigMap in Kubernetes
// exchanges the link ..data, through which the name leads. Whether a file has changed is decided by its
// content alone, so that other files in the folder cause nothing.
type Watcher struct {
	what    string
	fixed   []string
	list    func() []string // of more paths
	seen    Digest          // of the contents that changed was called for last
	changed func()
	log     *slog.Logger
	poll    time.Duration

	notifier *fsnotify.Watcher // nil if the system has none left
	folders  map[string]bool   // those that notifier watches
}

// New returns a watcher of f. The watch begins at once; Run must be called.
func New(f Files, changed func(), log *slog.Logger) *Watcher {
	if f.List == nil {
		f.List = func() []string { return nil }
	}
	w := &Watcher{what: f.What, list: f.List, seen: f.Seen, changed: changed, log: log, poll: pollInterval, folders: map[string]bool{}}
	w.fixed = absolute(f.Paths)
	var err error
	if w.notifier, err = fsnotify.NewWatcher(); err != nil {
		w.log.Warn(w.what+" is read every few seconds, since the system does not say when it changes", "interval_ms", w.poll.Milliseconds(), "error", err)
	}
	w.follow()
	return w
}

// absolute returns paths that stay valid when the working directory changes.
func absolute(paths []string) []string {
	all := make([]string, len(paths))
	for i, path := range paths {
		all[i] = path
		if full, err := filepath.Abs(path); err == nil { // else the working directory is gone
			all[i] = full
		}
	}
	return all
}

// paths returns the paths of all files at present.
func (w *Watcher) paths() []string {
	return append(w.fixed[:len(w.fixed):len(w.fixed)], absolute(w.list())...)
}

// Run watches until ctx ends.
func (w *Watcher) Run(ctx context.Context) {
	var events chan fsnotify.Event // nil receives nothing
	var errs chan error
	if w.notifier != nil {
		defer w.notifier.Close() //nolint:errcheck // there is nothing to do about it
		events, errs = w.notifier.Events, w.notifier.Errors
	}
	poll := time.NewTicker(w.poll)
	defer poll.Stop()
	quiet := time.NewTimer(quietTime) // the file may have changed since it was loaded
	defer quiet.Stop()
	var since time.Time // of the first event that has not been looked at; zero without one
	wait := func() {
		if now := time.Now(); since.IsZero() {
			since = now
		}
		quiet.Reset(min(quietTime, time.Until(since.Add(maxQuietWait))))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				events = nil
			} else if e.Op != fsnotify.Chmod { // as indexers and backups cause it
				wait()
			}
		case _, ok := <-errs: // events may be lost
			if !ok {
				errs = nil
			} else {
				wait()
			}
		case <-poll.C:
			if w.digest() != w.seen {
				wait()
			}
		case <-quiet.C:
			since = time.Time{}
			w.follow()
			if digest := w.digest(); digest != w.seen {
				w.seen = digest
				w.changed()
			}
		}
	}
}

func (w *Watcher) digest() Digest { return DigestOf(w.paths()...) }

// follow has the notifier watch the folders on the way to the files, as they are now.
func (w *Watcher) follow() {
	if w.notifier == nil {
		return
	}
	present := map[string]bool{}
	for _, path := range w.paths() {
		maps.Copy(present, foldersOf(path))
	}
	for folder := range w.folders {
		if !present[folder] {
			_ = w.notifier.Remove(folder) // an error says that it is gone
			delete(w.folders, folder)
		}
	}
	for folder := range present {
		// Again for those that are watched, since a folder that was made anew is another one.
		if err := w.notifier.Add(folder); err != nil {
			if !w.folders[folder] {
				w.log.Warn("changes of a folder on the way to "+w.what+" are noticed late, since it cannot be watched", "folder", folder, "interval_ms", w.poll.Milliseconds(), "error", err)
			}
		}
		w.folders[folder] = true
	}
}

// foldersOf returns the folders that have the file at path, or a link on the way to it. Their own paths
// have no links.
func foldersOf(path string) map[string]bool {
	folders := map[string]bool{}
	for range maxLinks {
		folder, err := filepath.EvalSymlinks(filepath.Dir(path))
		if err != nil {
			break
		}
		folders[folder] = true
		// The folder's own path may have links, as a ConfigMap's ..data is one.
		if outer := filepath.Dir(path); outer != folder {
			if parent, err := filepath.EvalSymlinks(filepath.Dir(outer)); err == nil {
				folders[parent] = true
			}
		}
		target, err := os.Readlink(path)
		if err != nil { // a file, or nothing
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(folder, target)
		}
		path = target
	}
	return folders
}
