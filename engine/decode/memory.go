package decode

import "unsafe"

// What an answer's values are kept in: pieces of memory for several of them, of which the
// garbage collector keeps each as long as it keeps one of its values. Who holds on to one
// value of an answer for long holds on to no more than a piece of each kind.
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
	// Strings may share these bytes, since nobody writes to them again: the piece is only
	// appended to, behind them, and it never leaves this function otherwise.
	text := t.piece[from:]
	return unsafe.String(unsafe.SliceData(text), len(text))
}

// piece is how many values of size bytes the next piece has, of which n are expected.
func (s *sighting) piece(size uintptr, n int) int {
	s.values = max(min(4*s.values, maxPiece/max(int(size), 1), n), 1)
	return s.values
}
