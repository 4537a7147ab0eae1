// Package reload has a running gateway take up changed settings: when the file or a manifest of documents
// changes, on SIGHUP, or
// when an operator asks for it over HTTP.
//
// It promises that settings with a mistake change nothing, and that the log, the metrics and the state
// say why they were refused; that reloads run one after the other; and that every changed setting that
// needs a restart is named.
package reload

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/redact"
	"github.com/gatehouse-graphql/gatehouse/gateway/watch"
)

// Path is where Handler is to be mounted.
const Path = "/reload"

// Outcome is what became of a reload.
type Outcome string

// The outcomes of a reload.
const (
	// Applied settings are in use.
	Applied Outcome = "applied"
	// Refused settings have a mistake. Those from before stay in use.
	Refused Outcome = "refused"
)

// The causes of a reload.
const (
	causeFile      = "file"
	causeDocuments = "documents"
	causeSignal    = "signal"
	causeRequest   = "request"
)

// Result is what one reload did. Its JSON is the response of Handler.
type Result struct {
	Outcome Outcome `json:"outcome"`
	// Cause is what the reload followed: file, documents, signal or request.
	Cause string    `json:"cause"`
	Time  time.Time `json:"time"`
	// Changed are the paths of the settings that are in use with another value than before.
	Changed []string `json:"changed,omitempty"`
	// NeedsRestart are the paths of the settings that have another value in the file than in the running
	// gateway, which reads them at the start only.
	NeedsRestart []string `json:"needsRestart,omitempty"`
	// Error says why the settings were refused, with place and excerpt, and without secrets.
	Error string `json:"error,omitempty"`
}

// State is what the reloads of a gateway have done so far.
type State struct {
	// Applied and Refused count the reloads by their outcome.
	Applied int64 `json:"applied"`
	Refused int64 `json:"refused"`
	// LoadedAt is when the settings that are in use were loaded.
	LoadedAt time.Time `json:"loadedAt"`
	// Last is the last reload, nil before the first one.
	Last *Result `json:"last,omitempty"`
}

// Options configure a Reloader. Load, Apply and Running are required.
type Options struct {
	// Running are the settings with which the gateway has started.
	Running *config.Config
	// Load loads the settings as at the start.
	Load func() (*config.Config, error)
	// Apply has the gateway use settings, or returns why it cannot, and then has changed nothing. The
	// settings that need a restart have their present values.
	Apply func(*config.Config) error
	// File is the path of the settings file, which is watched. "" watches nothing.
	File string
	// Hangups receives a value for each SIGHUP. Nil receives none.
	Hangups <-chan struct{}
	// Log has a line for each reload. Default slog.Default().
	Log *slog.Logger
}

// Reloader reloads the settings of a gateway. It is safe for concurrent use.
type Reloader struct {
	options Options

	reloading sync.Mutex     // held by the reload that runs
	running   *config.Config // guarded by reloading
	documents documentFiles

	mu    sync.Mutex
	state State // guarded by mu
}

// New returns a Reloader. Run has it watch.
func New(o Options) *Reloader {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	r := &Reloader{options: o, running: o.Running, state: State{LoadedAt: time.Now()}}
	r.documents.set(o.Running.DocumentFiles(), o.Running.Manifests)
	return r
}

// Run reloads the settings when the file or a manifest of documents changes, and on each hangup, until ctx
// ends. It returns when the
// last reload has ended.
func (r *Reloader) Run(ctx context.Context) {
	var watching sync.WaitGroup
	defer watching.Wait()
	if r.options.File != "" && !isStream(r.options.File) {
		w := watch.New(watch.Files{
			What: "the settings file", Paths: []string{r.options.File}, Seen: watch.Digest(r.options.Running.Digest),
		}, func() { r.Reload(causeFile) }, r.options.Log)
		watching.Go(func() { w.Run(ctx) })
	}
	watching.Go(func() { r.documents.watch(ctx, func() { r.Reload(causeDocuments) }, r.options.Log) })
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.options.Hangups:
			r.Reload(causeSignal)
		}
	}
}

// Reload loads the settings and has the gateway use them, if they are right. It waits for a reload that
// is running. cause is for the log.
func (r *Reloader) Reload(cause string) Result {
	r.reloading.Lock()
	defer r.reloading.Unlock()
	result := Result{Cause: cause, Time: time.Now()}
	next, err := r.load()
	if err == nil {
		changes := config.Compare(r.running, next)
		result.Changed, result.NeedsRestart = changes.Live, changes.Restart
		next.KeepRestartSettings(r.running)
		err = r.options.Apply(next)
	}
	if err != nil {
		result.Outcome, result.Changed, result.Error = Refused, nil, redact.Text(err.Error())
	} else {
		result.Outcome, r.running = Applied, next
	}
	r.record(result)
	return result
}

// load loads the settings, unless the file is one that can be read only once.
func (r *Reloader) load() (*config.Config, error) {
	if file := r.options.File; file != "" && isStream(file) {
		return nil, fmt.Errorf("the settings file %s is not a regular file, so that it cannot be read again; restart the gateway to change the settings", file)
	}
	next, err := r.options.Load()
	if wrong, ok := errors.AsType[*config.Error](err); ok {
		r.documents.set(wrong.DocumentFiles, nil) // since one of them may have the mistake
	} else if err == nil {
		r.documents.set(next.DocumentFiles(), next.Manifests)
	}
	return next, err
}

// isStream reports whether the file is one that can be read only once, as a pipe or a terminal.
func isStream(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular()
}

// record logs a result, and then keeps it in the state: the log has the reason for what the state says.
func (r *Reloader) record(result Result) {
	took := slog.Int64("duration_ms", time.Since(result.Time).Milliseconds())
	if result.Outcome == Refused {
		r.options.Log.Error("the settings were not reloaded; those from before stay in use", "cause", result.Cause, took, "error", result.Error)
	} else {
		r.options.Log.Info("the settings were reloaded", "cause", result.Cause, took, "changed", result.Changed)
		if len(result.NeedsRestart) > 0 {
			r.options.Log.Warn("changed settings that need a restart of the gateway are not in use", "settings", result.NeedsRestart)
		}
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.Last = &result
	if result.Outcome == Applied {
		r.state.Applied++
		r.state.LoadedAt = result.Time
	} else {
		r.state.Refused++
	}
}

// State returns what the reloads have done so far. Its Last must not be changed.
func (r *Reloader) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// Handler returns a handler that reloads the settings by POST, and answers with the Result: with the
// status 200 if the settings are in use, and 422 if they were refused. Requests of web pages of other
// origins are refused.
func (r *Reloader) Handler() http.Handler {
	return http.NewCrossOriginProtection().Handler(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			http.Error(w, "use POST to reload the settings", http.StatusMethodNotAllowed)
			return
		}
		result := r.Reload(causeRequest)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		if result.Outcome == Refused {
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
		_ = json.NewEncoder(w).Encode(result)
	}))
}

// requestTimeout bounds the request of Request. A reload reads files and opens no connection.
const requestTimeout = 30 * time.Second

// maxResult bounds the response that Request reads, in bytes.
const maxResult = 1 << 20

// Request has the gateway whose Handler is at url reload its settings. The error says that it could not
// be asked; the Result, whether it has.
func Request(ctx context.Context, url string) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return Result{}, err
	}
	// An address of this host or its neighbour: not by a proxy.
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return Result{}, err
	}
	defer resp.Body.Close()
	var result Result
	err = json.NewDecoder(http.MaxBytesReader(nil, resp.Body, maxResult)).Decode(&result)
	if err != nil || result.Outcome != Applied && result.Outcome != Refused {
		return Result{}, errors.Join(fmt.Errorf("%s answered %s, which is not the answer of a gateway", url, resp.Status), err)
	}
	return result, nil
}
