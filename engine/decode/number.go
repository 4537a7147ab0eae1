package decode

import (
	"bytes"
	"strconv"
)

// number is what a JSON number says, whatever way it is written: digits times ten to the
// power of exponent. The digits neither begin nor end with a zero; zero has none.
type number struct {
	negative bool
	digits   string
	exponent int64
}

// parseNumber reads a number that is well-formed. It fails for an exponent that is itself
// beyond 64 bits.
func parseNumber(text []byte) (n number, ok bool) {
	if text, n.negative = bytes.CutPrefix(text, []byte("-")); n.negative && len(text) == 0 {
		return n, false
	}
	if i := bytes.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.ParseInt(string(text[i+1:]), 10, 62)
		if err != nil {
			return n, false
		}
		n.exponent, text = exponent, text[:i]
	}
	before, after, _ := bytes.Cut(text, []byte("."))
	n.exponent -= int64(len(after))
	digits := bytes.TrimLeft(append(bytes.Clone(before), after...), "0")
	trimmed := bytes.TrimRight(digits, "0")
	n.exponent += int64(len(digits) - len(trimmed))
	if n.digits = string(trimmed); n.digits == "" {
		return number{}, true
	}
	return n, true
}

// whole is the number as a whole one of 64 bits.
func whole(text []byte) (int64, bool) {
	if n, err := strconv.ParseInt(string(text), 10, 64); err == nil {
		return n, true
	}
	n, ok := parseNumber(text)
	const most = 19 // digits in 64 bits
	if !ok || n.exponent < 0 || n.exponent+int64(len(n.digits)) > most {
		return 0, false
	}
	digits := n.digits + "0000000000000000000"[:n.exponent]
	if n.negative {
		digits = "-" + digits
	}
	if n.digits == "" {
		return 0, true
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	return v, err == nil
}

// sameNumber compares exactly: 1.0 is 1e0, and no digit is lost.
func sameNumber(a, b []byte) bool {
	x, ok := parseNumber(a)
	y, fine := parseNumber(b)
	if !ok || !fine {
		return bytes.Equal(a, b)
	}
	return x == y
}
