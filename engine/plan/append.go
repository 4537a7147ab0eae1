package plan

import (
	"math"
	"math/bits"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

const hex = "0123456789ABCDEF"

// AppendString appends text as a JSON string, byte by byte as graphql.MarshalString writes it.
func AppendString[T ~string](b []byte, text T) []byte { return appendString(b, string(text)) }

func appendString(b []byte, text string) []byte {
	b = append(b, '"')
	for {
		n := plainPrefix(text)
		b = append(b, text[:n]...)
		if n == len(text) {
			return append(b, '"')
		}
		b = appendEscape(b, text[n])
		text = text[n+1:]
	}
}

// plainPrefix returns the number of bytes at the beginning of text that need no escape in a JSON string:
// all but control characters, quotes and backslashes. It checks eight bytes at a time.
func plainPrefix(text string) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		if at := specialBytes(loadWord(text[i : i+8])); at != 0 {
			return i + bits.TrailingZeros64(at)/8
		}
	}
	for i < len(text) && text[i] >= 0x20 && text[i] != '"' && text[i] != '\\' {
		i++
	}
	return i
}

// loadWord returns the first eight bytes of s as a little-endian number. Go compiles it to one load.
func loadWord(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// Words of eight bytes that are all 1, and that all have only the highest bit set.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// specialBytes returns a word whose lowest set bit is the highest bit of the first byte of w that needs an
// escape, and 0 if no byte needs one.
//
// For a byte c below 0x80, the highest bit of c-n is set if c < n, and that of (c^q)-1 is set if c == q;
// &^ w discards bytes of 0x80 and above, which need no escape. A subtraction that borrows may set bits of
// the bytes above the first special one wrongly, so only the lowest set bit is meaningful.
func specialBytes(w uint64) uint64 {
	quote, backslash := w^ones*'"', w^ones*'\\'
	return ((quote - ones) | (backslash - ones) | (w - ones*0x20)) &^ w & highs
}

// appendEscape appends the escape sequence of a control character, a quote or a backslash.
func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '\t':
		return append(b, `\t`...)
	case '\r':
		return append(b, `\r`...)
	case '\n':
		return append(b, `\n`...)
	case '"', '\\':
		return append(b, '\\', c)
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}

// AppendInt appends n in decimal.
func AppendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// AppendBool appends true or false.
func AppendBool(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

// IsFinite reports whether v is a number that JSON, and so AppendFloat, can represent.
func IsFinite(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }

// AppendFloat appends a finite number as graphql.MarshalFloat writes it.
func AppendFloat(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'g', -1, 64) }

// AppendInt64 appends a number as a JSON string, as scalar.MarshalInt64 writes it.
func AppendInt64(b []byte, n int64) []byte {
	return append(strconv.AppendInt(append(b, '"'), n, 10), '"')
}

// AppendQuoted appends text in the form of strconv.Quote, as scalar.Decimal and gqlgen's enums write it.
func AppendQuoted[T ~string](b []byte, text T) []byte { return strconv.AppendQuote(b, string(text)) }

// AppendDateTime appends a time as scalar.MarshalDateTime writes it.
func AppendDateTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

// appender is an io.Writer that appends to a buffer.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// WriteString implements io.StringWriter, which saves io.WriteString a copy.
func (a *appender) WriteString(s string) (int, error) {
	a.b = append(a.b, s...)
	return len(s), nil
}

// appendMarshaler appends a value as gqlgen's executor writes it. It returns false if the value is a null
// that its place must not have.
func appendMarshaler(b []byte, m graphql.Marshaler, nonNull bool) ([]byte, bool) {
	switch m {
	case graphql.Null:
		return append(b, "null"...), !nonNull
	case graphql.RequiredNull:
		return append(b, "null"...), false
	}
	w := appender{b}
	m.MarshalGQL(&w)
	return w.b, true
}

// AppendJSON appends the JSON text of a value unchanged, as scalar.JSON writes it.
func AppendJSON[T ~[]byte](b []byte, v T) []byte {
	if len(v) == 0 {
		return append(b, "null"...)
	}
	return append(b, v...)
}
