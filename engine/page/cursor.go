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

// Options say how cursors are sealed.
type Options struct {
	// Secret is the key to the cursors that clients hold, 32 bytes or more, the same in
	// all replicas. Default one made at the start, so that a cursor is worth nothing in
	// another replica or after a restart.
	Secret string `yaml:"secret"`
}

// Validate says what is wrong, and never what the secret is.
func (o Options) Validate() error {
	if n := len(o.Secret); n > 0 && n < MinSecret {
		return fmt.Errorf("secret has %d bytes; it needs at least %d, try: openssl rand -hex 32", n, MinSecret)
	}
	return nil
}

// Key seals cursors and opens them. It is safe for concurrent use, and prints as nothing
// but its name.
type Key struct {
	tag   []byte
	block cipher.Block
}

// NewKey makes the key of o's secret, or a random one when there is none.
func NewKey(o Options) (*Key, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	secret := []byte(o.Secret)
	if len(secret) == 0 {
		secret = make([]byte, MinSecret)
		rand.Read(secret) //nolint:errcheck // it never fails
	}
	// The secret may serve elsewhere too, as in the demo: these are keys of our own.
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

// WithKey returns a context under which Of seals and opens cursors with key.
func WithKey(ctx context.Context, key *Key) context.Context {
	return context.WithValue(ctx, keyContextKey{}, key)
}

// What cursors are bound by.
const (
	maxCursor        = 4096    // characters, which a client may send
	maxServiceCursor = 3000    // bytes, which fit into those
	maxSkip          = 1 << 30 // so that it fits into services' 32 bits, with a page added
)

// position is a place between two items.
type position struct {
	cursor string // the service's, of the page; "" for its first, and where it has none
	skip   int    // how many items lie between the beginning of that page and the place
}

// cursors seals the positions of one list. It is for one goroutine.
//
// A cursor is, in base64url, a version, a tag and the encrypted position. The tag is an
// HMAC over list and position, and the encryption's initial counter: SIV (RFC 5297), with
// HMAC-SHA256 in the place of CMAC. So the same position gives the same cursor, and two
// different ones never share a counter. What shows is how long the service's cursor is.
// Decision 0011 has the reasons.
type cursors struct {
	field string // for messages
	listID  []byte // what the tag binds a cursor to
	block cipher.Block
	mac   hash.Hash
}

const (
	version = 1
	tagSize = aes.BlockSize
	headerSize  = 1 + tagSize
)

var encoding = base64.RawURLEncoding.Strict() // one text for one cursor

func newCursors(ctx context.Context, r Request) (*cursors, error) {
	key, ok := ctx.Value(keyContextKey{}).(*Key)
	if !ok {
		return nil, errors.New("page: the context has no key for cursors; give it one by page.WithKey")
	}
	return &cursors{field: r.Field, listID: listID(r), block: key.block, mac: hmac.New(sha256.New, key.tag)}, nil
}

// listID names a list. Lengths stand before texts, so that no two lists, and no list with a
// position behind it, are the same bytes.
func listID(r Request) []byte {
	list := []byte{version, 0}
	if r.Type == NextCursor { // an item is found by offset and by page number alike
		list[1] = 1
	}
	for _, part := range []string{r.Field, r.Parent} {
		list = binary.BigEndian.AppendUint32(list, uint32(len(part)))
		list = append(list, part...)
	}
	return list
}

func (c *cursors) seal(p position) string {
	plain := binary.BigEndian.AppendUint32(nil, uint32(p.skip))
	plain = append(plain, p.cursor...)
	sealed := append([]byte{version}, c.tag(plain)...)
	sealed = append(sealed, plain...)
	cipher.NewCTR(c.block, sealed[1:headerSize]).XORKeyStream(sealed[headerSize:], plain)
	return encoding.EncodeToString(sealed)
}

// open finds the position that text was sealed from; the beginning for nil. It does not
// tell what is wrong with a cursor, since only who forges one would learn from that.
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

func (c *cursors) tag(plain []byte) []byte {
	c.mac.Reset()
	c.mac.Write(c.listID)
	c.mac.Write(plain)
	return c.mac.Sum(nil)[:tagSize]
}
