package execute

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/fault"
	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/document"
)

// maxToldDocuments is how many documents of manifests that cannot be executed are logged one by one.
const maxToldDocuments = 20

// pinned keeps the documents of the manifests and their plans in the caches, whatever clients send, for
// as long as an executor refers to it.
type pinned struct {
	set   *documents.Set
	plans bool // plans are pinned as well
}

// pin prepares the documents of the manifests, so that the first request for each of them takes no
// longer than the next ones. It logs those that cannot be executed: their ids have the errors that
// their texts have.
func (e *Executor) pin(set *documents.Set) *pinned {
	start := time.Now()
	p := &pinner{executor: e}
	if e.UsesPlans() {
		p.plans, _ = e.schema.(engine.Pinner)
	}
	all := set.Documents()
	next := make(chan *documents.Document)
	var working sync.WaitGroup
	for range max(1, runtime.GOMAXPROCS(0)/2) { // requests are served meanwhile
		working.Go(func() {
			for d := range next {
				p.pin(d)
			}
		})
	}
	for _, d := range all {
		next <- d
	}
	close(next)
	working.Wait()

	if len(all) > 0 {
		p.tell(len(all), time.Since(start))
	}
	kept := &pinned{set: set, plans: e.UsesPlans()}
	runtime.AddCleanup(kept, func(releases []func()) {
		for _, release := range releases {
			release()
		}
	}, p.releases)
	return kept
}

// pinner pins documents.
type pinner struct {
	executor *Executor
	plans    engine.Pinner // nil if the schema has no plans, or the settings want none

	mu       sync.Mutex
	bytes    int      // guarded by mu
	releases []func() // guarded by mu
	wrong    []wrongDocument
}

// wrongDocument is a document that cannot be executed.
type wrongDocument struct {
	*documents.Document
	errs gqlerror.List
}

// pin pins a document and its plans.
func (p *pinner) pin(d *documents.Document) {
	store := p.executor.documents // the store keeps the documents; the executor must not be kept by the cleanup
	doc, bytes, errs := store.Pin(d.Text)
	var releases []func()
	if doc != nil {
		releases = append(releases, func() { store.Unpin(d.Text) })
		errs = p.executor.checkOperations(doc)
	}
	if doc != nil && p.plans != nil {
		for _, op := range doc.AST.Operations {
			size, release := p.plans.Pin(&graphql.OperationContext{Doc: doc.AST, Operation: op})
			bytes += size
			releases = append(releases, release)
		}
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	p.bytes += bytes
	p.releases = append(p.releases, releases...)
	if len(errs) > 0 {
		p.wrong = append(p.wrong, wrongDocument{d, errs})
	}
}

// checkOperations returns why operations of a document cannot be executed, whatever their variables are.
func (e *Executor) checkOperations(doc *document.Document) (errs gqlerror.List) {
	for _, op := range doc.AST.Operations {
		if err := doc.Check(op); err != nil {
			errs = append(errs, gqlerror.WrapIfUnwrapped(err))
		}
		if !e.options.Introspection && doc.Introspects(op) {
			errs = append(errs, gqlerror.Wrap(errIntrospection))
		}
	}
	return errs
}

// tell logs what was pinned.
func (p *pinner) tell(n int, took time.Duration) {
	log := p.executor.options.Log
	for _, w := range p.wrong[:min(len(p.wrong), maxToldDocuments)] {
		log.Warn("a document of a manifest cannot be executed", "document", w.Title(), "id", w.ID, "file", w.File, "line", w.Line,
			"error", w.errs[0].Message, "code", string(codeOf(w.errs[0])), "errors", len(w.errs))
	}
	if more := len(p.wrong) - maxToldDocuments; more > 0 {
		log.Warn("more documents of manifests cannot be executed; `gatehouse documents check` lists them", "more", more)
	}
	log.LogAttrs(context.Background(), slog.LevelInfo, "the documents of the manifests are planned",
		slog.Int("documents", n), slog.Int("wrong", len(p.wrong)), slog.Int("bytes", p.bytes), slog.Int64("duration_ms", took.Milliseconds()))
}

// codeOf returns the code of an error that was not presented yet.
func codeOf(err *gqlerror.Error) fault.Code {
	if code, ok := err.Extensions["code"].(string); ok {
		return fault.Code(code)
	}
	return fault.CodeOf(err)
}
