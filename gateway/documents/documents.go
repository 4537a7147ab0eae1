// Package documents has the documents that clients refer to by an id: those of manifests, which
// build tools write (trusted documents), and those that clients have registered (automatic persisted
// queries).
//
// It promises that an id stands for one text at a time, that a manifest with a mistake is refused as a
// whole, with file and place, and that what clients register is bounded in number and bytes. It knows
// ids and texts: whether a text is valid, within the limits and allowed is decided by its callers, as for
// any other text.
package documents

import (
	"cmp"
	"errors"
	"fmt"
	"time"
)

// Mode says what happens to operations that are not in a manifest.
type Mode string

// The modes.
const (
	// Off refuses ids, unless they are those of automatic persisted queries, and executes any text.
	Off Mode = "off"
	// Log executes any text, and logs those that no manifest has.
	Log Mode = "log"
	// Enforce refuses what no manifest has.
	Enforce Mode = "enforce"
	// EnforceAnonymous refuses what no manifest has, to callers without a token.
	EnforceAnonymous Mode = "enforce-anonymous"
)

// Outcome is what became of the id or of the text of a request.
type Outcome string

// The outcomes.
const (
	// Known is the id of a document in a manifest.
	Known Outcome = "known"
	// Registered is the hash of a text that a client has registered.
	Registered Outcome = "registered"
	// Unknown is an id that stands for nothing.
	Unknown Outcome = "unknown"
	// Listed is a text that a manifest has.
	Listed Outcome = "listed"
	// Unlisted is a text that no manifest has, and that was executed.
	Unlisted Outcome = "unlisted"
	// Refused is a text that was refused: no manifest has it, or the id is required.
	Refused Outcome = "refused"
)

// Outcomes returns all outcomes.
func Outcomes() []Outcome { return []Outcome{Known, Registered, Unknown, Listed, Unlisted, Refused} }

// Options are the settings of documents that clients refer to by an id.
type Options struct {
	// Mode says what clients may send: off, log, enforce or enforce-anonymous. With off the manifests are
	// not used. With log, clients may send ids of the manifests, and texts that no manifest has are
	// executed and logged. With enforce those are refused to all callers, with enforce-anonymous to
	// callers without a token. Default off.
	Mode Mode `yaml:"mode"`
	// RequireID refuses texts also if a manifest has them, to the callers for whom the mode refuses other
	// texts. Default false.
	RequireID bool `yaml:"requireId"`
	// Manifests are the manifests, one entry for each client application. Default none.
	Manifests []Manifest `yaml:"manifests"`
	// APQ are automatic persisted queries, which clients register themselves.
	APQ APQ `yaml:"apq"`
}

// Manifest has the documents of one client application.
type Manifest struct {
	// Client is the name that the application sends in the header graphql-client-name. Without it, the
	// documents are those of all clients. Default none.
	Client string `yaml:"client"`
	// Files are the files that Relay's compiler, GraphQL Code Generator or Apollo's generator have written,
	// or patterns of them, as ios/*.json. List those of all versions of the application that are in use. They
	// are read again when they change. Required.
	Files []string `yaml:"files"`
}

// The stores of automatic persisted queries.
const (
	StoreMemory = "memory"
	StoreRedis  = "redis"
)

// The defaults of APQ.
const (
	DefaultMaxDocuments = 10_000
	DefaultMaxBytes     = 16 << 20
	DefaultTTL          = 24 * time.Hour
)

// APQ are the settings of automatic persisted queries: a client sends the SHA-256 of a text, and the text
// itself only if the gateway does not know it.
type APQ struct {
	// Enabled lets clients register texts. They save bandwidth and protect nothing, since any client may
	// register any text. Default false.
	Enabled bool `yaml:"enabled"`
	// MaxDocuments is the number of texts that are remembered in memory. Default 10,000.
	MaxDocuments int `yaml:"maxDocuments"`
	// MaxBytes is the number of bytes that they have together. Default 16MiB.
	MaxBytes int64 `yaml:"maxBytes"`
	// TTL is how long a text is remembered that is not requested. Default 24h.
	TTL time.Duration `yaml:"ttl"`
	// Store is where texts are remembered: memory, or redis (store.redis) for texts that all replicas know.
	// With redis, each replica also remembers texts in memory, and knows those alone while Redis does not
	// answer. Default memory.
	Store string `yaml:"store"`
}

func (o APQ) withDefaults() APQ {
	o.MaxDocuments = cmp.Or(o.MaxDocuments, DefaultMaxDocuments)
	o.MaxBytes = cmp.Or(o.MaxBytes, DefaultMaxBytes)
	o.TTL = cmp.Or(o.TTL, DefaultTTL)
	o.Store = cmp.Or(o.Store, StoreMemory)
	return o
}

// UsesManifests reports whether clients may send the ids of manifests.
func (o Options) UsesManifests() bool { return o.Mode != "" && o.Mode != Off }

// UsesIDs reports whether clients may send ids at all.
func (o Options) UsesIDs() bool { return o.UsesManifests() || o.APQ.Enabled }

// Enforces reports whether a caller may execute nothing but what a manifest has.
func (o Options) Enforces(anonymous bool) bool {
	return o.Mode == Enforce || o.Mode == EnforceAnonymous && anonymous
}

// Validate returns what is wrong with the options, as errors that begin with the setting. It reads no
// file.
func (o Options) Validate() error {
	var wrong []error
	mistake := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	switch o.Mode {
	case "", Off, Log, Enforce, EnforceAnonymous:
	default:
		mistake("mode must be off, log, enforce or enforce-anonymous, not %q", string(o.Mode))
	}
	if (o.Mode == Enforce || o.Mode == EnforceAnonymous) && len(o.Manifests) == 0 {
		mistake("mode is %s, but there are no manifests, so that nothing could be executed; write documents.manifests", o.Mode)
	}
	if o.RequireID && (o.Mode != Enforce && o.Mode != EnforceAnonymous) {
		mistake("requireId has no effect in this mode; write mode: enforce, or leave requireId out")
	}
	seen := map[string]bool{}
	for i, m := range o.Manifests {
		if len(m.Files) == 0 {
			mistake("manifests[%d]: has no files; write those of the client's manifests, as [web.json]", i)
		}
		if seen[m.Client] {
			mistake("manifests[%d]: is the second entry of %s; list all files in one entry", i, clientText(m.Client))
		}
		seen[m.Client] = true
	}
	switch o.APQ.Store {
	case "", StoreMemory, StoreRedis:
	default:
		mistake("apq.store must be memory or redis, not %q", o.APQ.Store)
	}
	for _, setting := range []struct {
		name  string
		value int64
	}{{"maxDocuments", int64(o.APQ.MaxDocuments)}, {"maxBytes", o.APQ.MaxBytes}, {"ttl", int64(o.APQ.TTL)}} {
		if setting.value < 0 {
			mistake("apq.%s is negative; leave it out to get the default", setting.name)
		}
	}
	return errors.Join(wrong...)
}

// Warnings returns what is unusual in the options, but may be intended.
func (o Options) Warnings() (warnings []string) {
	if !o.UsesManifests() && len(o.Manifests) > 0 {
		warnings = append(warnings, "documents.manifests are not used, since documents.mode is off; write log or enforce")
	}
	if o.Mode == Enforce && o.APQ.Enabled {
		warnings = append(warnings, "documents.apq has no effect, since documents.mode is enforce: clients cannot register documents")
	}
	return warnings
}

// clientText names a client in messages.
func clientText(client string) string {
	if client == "" {
		return "all clients"
	}
	return fmt.Sprintf("the client %q", client)
}
