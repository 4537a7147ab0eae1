package decode

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// decimal is the value of a JSON number in a form that is the same for all ways to write it:
// digits times ten to the power of exponent, where digits neither begin nor end with a zero. Zero
// has no digits and the exponent 0. Two numbers are equal if and only if their decimals are.
type decimal struct {
	negative bool
	digits   string
	exponent int64
}

// parseDecimal parses a well-formed number. It reports false for one whose exponent has more than
// 60 bits, so that adding to the exponent cannot overflow.
func parseDecimal(text []byte) (n decimal, ok bool) {
	mantissa, exponent, scaled := text, []byte(nil), false
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent, scaled = text[:i], text[i+1:], true
	}
	mantissa, n.negative = bytes.CutPrefix(mantissa, []byte("-"))
	before, after, _ := bytes.Cut(mantissa, []byte("."))
	digits := bytes.TrimLeft(slices.Concat(before, after), "0")
	if len(digits) == 0 {
		return decimal{}, true
	}
	if scaled {
		var err error
		if n.exponent, err = strconv.ParseInt(string(exponent), 10, 61); err != nil {
			return n, false
		}
	}
	trimmed := bytes.TrimRight(digits, "0")
	n.exponent += int64(len(digits) - len(trimmed) - len(after))
	n.digits = string(trimmed)
	return n, true
}

// smallInt consumes an integer of up to nine digits without fraction and exponent, as most numbers
// are; it cannot overflow. It leaves all others in place, for numberText.
func (s *scanner) smallInt() (n int, ok bool) {
	s.skipSpace()
	from, p := s.pos, s.pos
	if p < len(s.data) && s.data[p] == '-' {
		from, p = p+1, p+1
	}
	for p < len(s.data) && s.data[p]-'0' <= 9 {
		n = n*10 + int(s.data[p]-'0')
		if p++; p-from > 9 {
			return 0, false
		}
	}
	if p == from || p > from+1 && s.data[from] == '0' || p < len(s.data) && (s.data[p] == '.' || isWordByte(s.data[p])) {
		return 0, false
	}
	if s.data[s.pos] == '-' {
		n = -n
	}
	s.pos = p
	return n, true
}

// parseInt64 returns the value of a number that is whole and fits into 64 bits; 3.0 and 3e0 are
// whole.
func parseInt64(text []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return n, true
	}
	n, ok := parseDecimal(text)
	const most = 19 // digits in 64 bits
	if !ok || n.exponent < 0 || n.exponent+int64(len(n.digits)) > most {
		return 0, false
	}
	if n.digits == "" {
		return 0, true
	}
	digits := n.digits + strings.Repeat("0", int(n.exponent))
	if n.negative {
		digits = "-" + digits
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	return v, err == nil
}

// equalNumbers compares exactly: 1.0 equals 1e0, and no digit is lost.
func equalNumbers(a, b []byte) bool {
	x, ok := parseDecimal(a)
	y, fine := parseDecimal(b)
	if !ok || !fine {
		return bytes.Equal(a, b)
	}
	return x == y
}
