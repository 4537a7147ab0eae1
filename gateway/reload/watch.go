package reload

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

const (
	// quietTime is how long a folder must be quiet before its file is read: a program that writes a
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

// watcher calls changed when the text of a file changes, until its context ends.
//
// It watches the folders of the file, and of each link on the way to it, since a file that is replaced is
// another file: editors rename a new one to the name, and the volume of a ConfigMap in Kubernetes
// exchanges the link ..data, through which the name leads. Whether a file has changed is decided by its
// text alone, so that other files in the folder cause nothing.
type watcher struct {
	path    string
	seen    config.Digest // of the text that changed was called for last
	changed func()
	log     *slog.Logger
	poll    time.Duration

	notifier *fsnotify.Watcher // nil if the system has none left
	folders  map[string]bool   // those that notifier watches
}

// newWatcher returns a watcher of the file at path, whose text with the digest seen is known. The watch
// begins at once; run must be called.
func newWatcher(path string, seen config.Digest, changed func(), log *slog.Logger) *watcher {
	if absolute, err := filepath.Abs(path); err == nil { // else the working directory is gone
		path = absolute
	}
	w := &watcher{path: path, seen: seen, changed: changed, log: log, poll: pollInterval, folders: map[string]bool{}}
	var err error
	if w.notifier, err = fsnotify.NewWatcher(); err != nil {
		w.log.Warn("the settings file is read every few seconds, since the system does not say when it changes", "interval_ms", w.poll.Milliseconds(), "error", err)
	}
	w.follow()
	return w
}

// run watches until ctx ends.
func (w *watcher) run(ctx context.Context) {
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

// digest returns the digest of the file's text, that of a missing file if it cannot be read.
func (w *watcher) digest() config.Digest {
	text, err := os.ReadFile(w.path)
	if err != nil {
		return config.Digest{}
	}
	return config.DigestOf(text)
}

// follow has the notifier watch the folders on the way to the file, as they are now.
func (w *watcher) follow() {
	if w.notifier == nil {
		return
	}
	present := foldersOf(w.path)
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
				w.log.Warn("changes of a folder on the way to the settings file are noticed late, since it cannot be watched", "folder", folder, "interval_ms", w.poll.Milliseconds(), "error", err)
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

// isStream reports whether the file is one that can be read only once, as a pipe or a terminal.
func isStream(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular()
}
