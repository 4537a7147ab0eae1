package decode

import "strings"

// What an answer's values are kept in: pieces of memory for several of them, of which the
// garbage collector keeps each as long as it keeps one of its values. Who holds on to one
// value of an answer for long holds on to no more than a piece of each kind.
const (
	firstPiece = 64   // bytes
	maxPiece   = 4096 // bytes
	maxShared  = 1024 // bytes; a longer text has memory of its own
)

// texts are copies of an answer's texts, one behind the other. Nothing that was written is
// written again: a piece that is full is left to those who hold its texts.
type texts struct {
	piece strings.Builder
	size  int // of the piece
}

// keep copies a text. There are no more than rest bytes that may have to be kept later.
func (t *texts) keep(text []byte, rest int) string {
	if len(text) > maxShared {
		return string(text)
	}
	if t.piece.Cap()-t.piece.Len() < len(text) {
		t.size = min(max(4*t.size, firstPiece), maxPiece)
		t.piece.Reset()
		t.piece.Grow(max(min(t.size, rest), len(text)))
	}
	from := t.piece.Len()
	t.piece.Write(text)
	return t.piece.String()[from:]
}

// piece is how many values of size bytes the next piece has, of which n are expected.
func (s *sighting) piece(size uintptr, n int) int {
	s.values = max(min(4*s.values, maxPiece/max(int(size), 1), n), 1)
	return s.values
}
