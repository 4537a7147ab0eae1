package page

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// MinSecret is the shortest Options.Secret, in bytes.
const MinSecret = 32

// Options say how cursors are encrypted.
type Options struct {
	// Secret is the key of the cursors that clients hold. It has at least 32 bytes and is the
	// same in all replicas. Default a random one, made at the start: cursors then work neither in
	// other replicas nor after a restart.
	Secret string `yaml:"secret"`
}

// Validate returns an error if the secret is too short. The error does not contain the secret.
func (o Options) Validate() error {
	if n := len(o.Secret); n > 0 && n < MinSecret {
		return fmt.Errorf("secret has %d bytes; it needs at least %d, try: openssl rand -hex 32", n, MinSecret)
	}
	return nil
}

// Key encrypts cursors and decrypts them. It is safe for concurrent use. Formatted with any verb
// it prints its type only.
type Key struct {
	tag   []byte
	block cipher.Block
}

// NewKey derives the key from the secret of o, or makes a random one if there is none.
func NewKey(o Options) (*Key, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	secret := []byte(o.Secret)
	if len(secret) == 0 {
		secret = make([]byte, MinSecret)
		rand.Read(secret) //nolint:errcheck // it never fails
	}
	// The secret may be used elsewhere, too, so the keys are derived from it for this purpose alone.
	keys, err := hkdf.Key(sha256.New, secret, nil, "gatehouse cursors 1", 64)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(keys[32:])
	if err != nil {
		return nil, err
	}
	return &Key{tag: keys[:32], block: block}, nil
}

// Format implements fmt.Formatter.
func (*Key) Format(s fmt.State, _ rune) { io.WriteString(s, "page.Key") } //nolint:errcheck // fmt keeps the error

type keyContextKey struct{}

// WithKey returns a context that holds the key with which Load encrypts and decrypts cursors.
func WithKey(ctx context.Context, key *Key) context.Context {
	return context.WithValue(ctx, keyContextKey{}, key)
}

// Bounds on cursors.
const (
	maxCursor        = 4096    // characters in a cursor that a client sends
	maxServiceCursor = 3000    // bytes in a cursor of a service; in base64url they fit into maxCursor
	maxSkip          = 1 << 30 // items; with a page added it fits into 32 bits, which services use
)

// position is a place between two items.
type position struct {
	cursor string // the service's cursor of a page; "" for the first page, and for services without cursors
	skip   int    // number of items between the beginning of that page and the place
}

// cursors encrypts the positions of one list. It must not be used by two goroutines at the same
// time.
//
// A cursor is a version, a tag and the encrypted position, in base64url. The tag is an HMAC of the
// list and the position, and serves as the initial counter of the encryption: SIV (RFC 5297) with
// HMAC-SHA256 instead of CMAC. Hence:
//
//   - A cursor that was changed, or comes from another list, does not decrypt to a position with the same tag, and is refused.
//   - The same position always has the same cursor, and two positions never use the same counter, which would reveal their difference.
//   - Only the length of the service's cursor is visible.
//
// Decision 0011 has the reasons.
type cursors struct {
	field  string // for messages
	listID []byte // what the tag binds a cursor to
	block  cipher.Block
	mac    hash.Hash
}

const (
	version    = 1
	tagSize    = aes.BlockSize
	headerSize = 1 + tagSize
)

// encoding is strict, so that each cursor has one text only.
var encoding = base64.RawURLEncoding.Strict()

// newCursors returns the cursors of the list of r. It returns an error if ctx holds no key.
func newCursors(ctx context.Context, r Request) (*cursors, error) {
	key, ok := ctx.Value(keyContextKey{}).(*Key)
	if !ok {
		return nil, errors.New("page: the context has no key for cursors; give it one by page.WithKey")
	}
	return &cursors{field: r.Field, listID: listID(r), block: key.block, mac: hmac.New(sha256.New, key.tag)}, nil
}

// listID returns bytes that identify a list. Each text has its length before it, so that no two
// lists, and no list followed by a position, have the same bytes.
func listID(r Request) []byte {
	list := []byte{version, 0}
	if r.Type == NextCursor { // positions by offset and by page number are interchangeable
		list[1] = 1
	}
	for _, part := range []string{r.Field, r.Parent} {
		list = binary.BigEndian.AppendUint32(list, uint32(len(part)))
		list = append(list, part...)
	}
	return list
}

// seal returns the cursor of a position.
func (c *cursors) seal(p position) string {
	plain := binary.BigEndian.AppendUint32(nil, uint32(p.skip))
	plain = append(plain, p.cursor...)
	sealed := append([]byte{version}, c.tag(plain)...)
	sealed = append(sealed, plain...)
	cipher.NewCTR(c.block, sealed[1:headerSize]).XORKeyStream(sealed[headerSize:], plain)
	return encoding.EncodeToString(sealed)
}

// open returns the position of a cursor; nil is the beginning of the list. The error does not say
// what is wrong with the cursor, since only a forger would learn from that.
func (c *cursors) open(text *string) (position, error) {
	if text == nil {
		return position{}, nil
	}
	plain, ok := c.unseal(*text)
	if !ok {
		return position{}, fault.New(fault.BadUserInput,
			"after is not a cursor of %s, or no longer; send one as this field gave it, or leave after out to begin anew", c.field)
	}
	skip := binary.BigEndian.Uint32(plain)
	if skip > maxSkip {
		return position{}, fault.New(fault.BadUserInput, "after lies further on than %s can be paged", c.field)
	}
	return position{cursor: string(plain[4:]), skip: int(skip)}, nil
}

// unseal decrypts a cursor and reports whether its tag is right. The comparison takes the same
// time wherever the tags differ.
func (c *cursors) unseal(text string) ([]byte, bool) {
	if len(text) > maxCursor || strings.ContainsAny(text, "\r\n") { // base64 would skip these two
		return nil, false
	}
	sealed, err := encoding.DecodeString(text)
	if err != nil || len(sealed) < headerSize+4 || sealed[0] != version {
		return nil, false
	}
	tag, plain := sealed[1:headerSize], make([]byte, len(sealed)-headerSize)
	cipher.NewCTR(c.block, tag).XORKeyStream(plain, sealed[headerSize:])
	return plain, hmac.Equal(tag, c.tag(plain))
}

// tag returns the tag of a position in this list.
func (c *cursors) tag(plain []byte) []byte {
	c.mac.Reset()
	c.mac.Write(c.listID)
	c.mac.Write(plain)
	return c.mac.Sum(nil)[:tagSize]
}
