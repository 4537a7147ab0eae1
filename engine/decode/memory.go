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
	firstPiece = 64   // bytes
	maxPiece   = 4096 // bytes
	maxShared  = 1024 // bytes; a longer text has memory of its own
)

// texts are copies of an answer's texts, one behind the other. A piece that is full is left
// to those who hold its texts.
type texts struct {
	piece []byte
	size  int // of the piece
}

// keep copies what the text of a string says. There are no more than rest bytes that may
// have to be kept from here on.
func (t *texts) keep(raw []byte, escaped bool, rest int) string {
	switch {
	case len(raw) > maxShared && escaped:
		return string(appendPlain(nil, raw))
	case len(raw) > maxShared:
		return string(raw)
	case cap(t.piece)-len(t.piece) < len(raw):
		t.size = min(max(4*t.size, firstPiece), maxPiece)
		t.piece = make([]byte, 0, max(min(t.size, rest), len(raw)))
	}
	from := len(t.piece)
	if escaped {
		t.piece = appendPlain(t.piece, raw)
	} else {
		t.piece = append(t.piece, raw...)
	}
	return t.since(from)
}

// since is what was appended to the piece from there on. Strings may share these bytes, since
// nobody writes to them again: who has the piece writes behind its end only, which moves on,
// and no slice of it leaves this file.
func (t *texts) since(from int) string {
	text := t.piece[from:]
	return unsafe.String(unsafe.SliceData(text), len(text))
}

// simpleText eats a string of ASCII, and copies it in the same pass; it may have escapes of
// one letter. It leaves all others where they are, as well as one for which the piece might
// have no room.
func (d *Decoder) simpleText() (text string, ok bool) {
	t := &d.texts
	from := len(t.piece)
	room := t.piece[from:min(cap(t.piece), from+maxShared)]
	rest, to := d.data[d.pos+1:], room
	for len(rest) >= 8 && len(to) >= 8 {
		w := binary.LittleEndian.Uint64(rest)
		binary.LittleEndian.PutUint64(to, w)
		at := special(w)
		if at == 0 {
			rest, to = rest[8:], to[8:]
			continue
		}
		n := mathbits.TrailingZeros64(at) / 8
		switch rest[n] {
		case '"':
			d.pos = len(d.data) - len(rest) + n + 1
			t.piece = t.piece[:from+len(room)-len(to)+n]
			return t.since(from), true
		case '\\':
			if n+1 == len(rest) || letters[rest[n+1]] == 0 {
				return "", false
			}
			to[n] = letters[rest[n+1]]
			rest, to = rest[n+2:], to[n+1:]
		default:
			return "", false
		}
	}
	return "", false
}

// piece is how many values of size bytes the next piece has, of which n are expected.
func (s *sighting) piece(size uintptr, n int) int {
	s.values = max(min(4*s.values, maxPiece/max(int(size), 1), n), 1)
	return s.values
}
