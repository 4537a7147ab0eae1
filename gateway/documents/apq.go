package documents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sync/atomic"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine/cache"
)

// Shared is what replicas share: a store of bytes by keys, whose methods wait for a bounded time. An
// error of Get also says that there is no such key. It is safe for concurrent use.
type Shared interface {
	Get(ctx context.Context, key string) ([]byte, error)
	Set(ctx context.Context, key string, value []byte, ttl time.Duration) error
}

// maxSharedText bounds a text that is read from Shared, in bytes. Registered ones are shorter, since they
// come in bodies and URLs, whose limits are a part of the settings.
const maxSharedText = 16 << 20

// sharedPrefix begins the keys of texts in Shared.
const sharedPrefix = "apq:"

// Registry remembers the texts that clients have registered by their hash. It is safe for concurrent use.
// The nil Registry has none.
type Registry struct {
	options APQ
	shared  Shared // nil for none
	texts   *cache.Cache[string, *registered]
}

// registered is a text in memory.
type registered struct {
	text    string
	expires atomic.Int64 // in Unix nanoseconds
	shared  atomic.Int64 // when it was written to Shared last, in Unix nanoseconds
}

func (r *registered) isExpired() bool { return time.Now().UnixNano() >= r.expires.Load() }

// NewRegistry returns a registry, nil unless the options enable it. It shares the texts by shared if the
// options say so.
func NewRegistry(o APQ, shared Shared) *Registry {
	if !o.Enabled {
		return nil
	}
	o = o.withDefaults()
	r := &Registry{options: o, texts: cache.New[string, *registered](cache.Options{MaxEntries: o.MaxDocuments, MaxWeight: int(o.MaxBytes)})}
	if o.Store == StoreRedis {
		r.shared = shared
	}
	return r
}

// Hash returns the SHA-256 of a text as clients send it, in lower-case hexadecimal digits.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// Find returns the text with a hash, and whether it is known. A text from Shared is only believed if it has
// that hash.
func (r *Registry) Find(ctx context.Context, hash string) (text string, ok bool) {
	if r == nil || !isHash(hash) {
		return "", false
	}
	if known, ok := r.texts.Get(hash); ok && !known.isExpired() {
		r.renew(known)
		return known.text, true
	}
	if r.shared == nil {
		return "", false
	}
	found, err := r.shared.Get(ctx, sharedPrefix+hash)
	if err != nil || len(found) > maxSharedText {
		return "", false
	}
	if text = string(found); Hash(text) != hash {
		return "", false
	}
	r.remember(ctx, hash, text)
	return text, true
}

// Register remembers a text by its hash. The caller has checked that the text has that hash, and that it
// is valid and within the limits.
func (r *Registry) Register(ctx context.Context, hash, text string) {
	if r == nil {
		return
	}
	known := r.remember(ctx, hash, text)
	if now := time.Now().UnixNano(); r.shared != nil && known != nil && now-known.shared.Load() > int64(shareInterval) {
		known.shared.Store(now)
		_ = r.shared.Set(ctx, sharedPrefix+hash, []byte(text), r.options.TTL) // without it, clients send the text to another replica once more
	}
}

// shareInterval is the shortest time between two writes of a text to Shared, for clients that send a text
// with each of their requests.
const shareInterval = time.Minute

// remember keeps a text in memory, or renews the one that is there, and returns it; nil if ctx has ended.
func (r *Registry) remember(ctx context.Context, hash, text string) *registered {
	kept, err := r.texts.Load(ctx, hash, func() (*registered, int) {
		return &registered{text: text}, len(text) + entryBytes
	})
	if err != nil {
		return nil
	}
	r.renew(kept)
	return kept
}

// entryBytes is the memory of an entry besides its text, in bytes.
const entryBytes = 400

func (r *Registry) renew(known *registered) {
	known.expires.Store(time.Now().Add(r.options.TTL).UnixNano())
}

// Len returns the number of texts in memory.
func (r *Registry) Len() int {
	if r == nil {
		return 0
	}
	return r.texts.Len()
}
