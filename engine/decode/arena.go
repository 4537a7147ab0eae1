package decode

import (
	"encoding/binary"
	mathbits "math/bits"
	"unsafe"
)

// Values of a response are not allocated one by one: strings are copied one behind the other into
// chunks of bytes, and structs of one Go type are cut off a chunk that is a slice of them. A
// response of a hundred objects costs a few allocations that way. The price is that the garbage
// collector keeps a chunk as long as one of its values is reachable, so chunks stay small: a
// cache that holds one string of a response holds 4 KB, not the response.
const (
	firstChunk     = 64   // bytes
	maxChunk       = 4096 // bytes
	maxArenaString = 1024 // bytes; a longer string is allocated by itself
)

// stringArena holds the copies of a response's strings. It holds the chunk that is being filled;
// a full one is reachable only through its strings.
type stringArena struct {
	chunk     []byte // what is used so far; its capacity is the chunk's size
	chunkSize int    // in bytes, of the last chunk; the next one is four times as large
}

// copyString copies a string into the arena; raw is its text between the quotes, and escaped is
// whether it contains escapes, which are resolved. rest is the length of the response from the
// string on: no more bytes can be needed, so a short response allocates no large chunk.
func (t *stringArena) copyString(raw []byte, escaped bool, rest int) string {
	switch {
	case len(raw) > maxArenaString && escaped:
		return string(appendUnescaped(nil, raw))
	case len(raw) > maxArenaString:
		return string(raw)
	case cap(t.chunk)-len(t.chunk) < len(raw):
		t.chunkSize = min(max(4*t.chunkSize, firstChunk), maxChunk)
		t.chunk = make([]byte, 0, max(min(t.chunkSize, rest), len(raw)))
	}
	from := len(t.chunk)
	if escaped {
		t.chunk = appendUnescaped(t.chunk, raw)
	} else {
		t.chunk = append(t.chunk, raw...)
	}
	return t.stringFrom(from)
}

// stringFrom returns the string that lies in the chunk from that index to its end. The string
// shares the chunk's memory, and strings must never change. They do not: the arena writes only
// behind the chunk's length, which only grows, and no other code has a slice of the chunk.
func (t *stringArena) stringFrom(from int) string {
	text := t.chunk[from:]
	return unsafe.String(unsafe.SliceData(text), len(text))
}

// asciiString consumes a string of ASCII whose escapes, if any, have one letter, and copies it
// into the arena in the same pass, eight bytes at a time. It leaves every other string in place,
// as well as one for which the chunk may lack room; rawString and copyString read those.
//
// Each step copies eight bytes before it knows how many of them belong to the string. The bytes
// after the closing quote then lie behind the chunk's length, where the next string overwrites
// them.
func (d *Decoder) asciiString() (text string, ok bool) {
	t := &d.strings
	from := len(t.chunk)
	room := t.chunk[from:min(cap(t.chunk), from+maxArenaString)]
	rest, to := d.data[d.pos+1:], room
	for len(rest) >= 8 && len(to) >= 8 {
		w := binary.LittleEndian.Uint64(rest)
		binary.LittleEndian.PutUint64(to, w)
		at := specialMask(w)
		if at == 0 {
			rest, to = rest[8:], to[8:]
			continue
		}
		n := mathbits.TrailingZeros64(at) / 8
		switch rest[n] {
		case '"':
			d.pos = len(d.data) - len(rest) + n + 1
			t.chunk = t.chunk[:from+len(room)-len(to)+n]
			return t.stringFrom(from), true
		case '\\':
			if n+1 == len(rest) || escapedBytes[rest[n+1]] == 0 {
				return "", false
			}
			to[n] = escapedBytes[rest[n+1]]
			rest, to = rest[n+2:], to[n+1:]
		default:
			return "", false
		}
	}
	return "", false
}

// nextChunkLen returns the number of structs of size bytes in the next chunk: four times as many
// as in the last one, but at most n, which is the number of objects that may follow, and at most
// maxChunk bytes.
func (s *shapeState) nextChunkLen(size uintptr, n int) int {
	s.chunkLen = max(min(4*s.chunkLen, maxChunk/max(int(size), 1), n), 1)
	return s.chunkLen
}
