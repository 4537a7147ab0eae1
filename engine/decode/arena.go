package decode

import (
	"encoding/binary"
	mathbits "math/bits"
	"unsafe"
)

// What an answer's values are kept in: pieces of memory for several of them, of which the
// garbage collector keeps each as long as it keeps one of its values. Who holds on to one
// text of an answer holds on to a piece, and who does to an object, to its neighbours too.
const (
	firstChunk = 64   // bytes
	maxChunk   = 4096 // bytes
	maxArenaString  = 1024 // bytes; a longer text has memory of its own
)

// stringArena are copies of an answer's texts, one behind the other. A piece that is full is left
// to those who hold its texts.
type stringArena struct {
	chunk []byte
	chunkSize  int // of the piece
}

// copyString copies what the text of a string says. There are no more than rest bytes that may
// have to be kept from here on.
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

// stringFrom is what was appended to the piece from there on. Strings may share these bytes, since
// nobody writes to them again: who has the piece writes behind its end only, which moves on,
// and no slice of it leaves this file.
func (t *stringArena) stringFrom(from int) string {
	text := t.chunk[from:]
	return unsafe.String(unsafe.SliceData(text), len(text))
}

// asciiString eats a string of ASCII, and copies it in the same pass; it may have escapes of
// one letter. It leaves all others where they are, as well as one for which the piece might
// have no room.
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

// nextChunkLen is how many values of size bytes the next piece has, of which n are expected.
func (s *shapeState) nextChunkLen(size uintptr, n int) int {
	s.chunkLen = max(min(4*s.chunkLen, maxChunk/max(int(size), 1), n), 1)
	return s.chunkLen
}
