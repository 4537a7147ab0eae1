package reload

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"slices"
	"sync"

	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/watch"
)

// documentFiles are the manifests of documents that the settings name.
type documentFiles struct {
	mu      sync.Mutex
	names   []string      // with patterns; guarded by mu
	seen    watch.Digest  // of the files that were loaded; guarded by mu
	renamed chan struct{} // closed when names change; guarded by mu
}

// set notes the files of settings that were loaded. loaded is nil if they could not be.
func (d *documentFiles) set(names []string, loaded *documents.Set) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.renamed != nil && slices.Equal(d.names, names) {
		return
	}
	if d.renamed != nil {
		close(d.renamed)
	}
	d.names, d.renamed = names, make(chan struct{})
	if d.seen = watch.DigestOf(documents.Paths(names)...); loaded != nil {
		d.seen = digestOf(loaded.Files()) // a file may have changed since
	}
}

// digestOf returns the digest that watch.DigestOf has returned when the files were loaded.
func digestOf(files []documents.File) watch.Digest {
	if len(files) == 1 {
		return files[0].Digest
	}
	var all []byte
	for _, f := range files {
		all = append(all, f.Digest[:]...)
	}
	return sha256.Sum256(all)
}

// watch calls changed when the content of the files changes, or which files there are of a pattern, until
// ctx ends. It follows changes of the names.
func (d *documentFiles) watch(ctx context.Context, changed func(), log *slog.Logger) {
	for ctx.Err() == nil {
		d.mu.Lock()
		names, seen, renamed := d.names, d.seen, d.renamed
		d.mu.Unlock()
		watching, stop := context.WithCancel(ctx)
		var running sync.WaitGroup
		if len(names) > 0 {
			w := watch.New(watch.Files{What: "the manifests of documents", Seen: seen, List: func() []string { return documents.Paths(names) }}, changed, log)
			running.Go(func() { w.Run(watching) })
		}
		select {
		case <-ctx.Done():
		case <-renamed:
		}
		stop()
		running.Wait()
	}
}
