package plan

import (
	"math"
	"math/bits"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

const hex = "0123456789ABCDEF"

// AppendString writes a JSON string as gqlgen does.
func AppendString[T ~string](b []byte, text T) []byte { return appendString(b, string(text)) }

func appendString(b []byte, text string) []byte {
	b = append(b, '"')
	for {
		n := plain(text)
		b = append(b, text[:n]...)
		if n == len(text) {
			return append(b, '"')
		}
		b = appendEscape(b, text[n])
		text = text[n+1:]
	}
}

// plain tells how many bytes at the beginning of a text stand for themselves in a JSON
// string.
func plain(text string) int {
	i := 0
	for ; i+8 <= len(text); i += 8 {
		if at := special(word(text[i : i+8])); at != 0 {
			return i + bits.TrailingZeros64(at)/8
		}
	}
	for i < len(text) && text[i] >= 0x20 && text[i] != '"' && text[i] != '\\' {
		i++
	}
	return i
}

// word is eight bytes as a number, the first one lowest. Go compiles it to one load.
func word(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// Eight bytes at a time: a one, and the highest bit, in each.
const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special sets the highest bit of each byte of ASCII that does not stand for itself. Above
// the first such byte others may be set wrongly, since subtraction borrows: only the lowest
// counts.
func special(w uint64) uint64 {
	quote, backslash := w^ones*'"', w^ones*'\\'
	return ((quote - ones) | (backslash - ones) | (w - ones*0x20)) &^ w & highs
}

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

// AppendInt writes a number.
func AppendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

// AppendBool writes true or false.
func AppendBool(b []byte, v bool) []byte { return strconv.AppendBool(b, v) }

// Finite tells whether AppendFloat can write a number.
func Finite(v float64) bool { return !math.IsInf(v, 0) && !math.IsNaN(v) }

// AppendFloat writes a finite number.
func AppendFloat(b []byte, v float64) []byte { return strconv.AppendFloat(b, v, 'g', -1, 64) }

// AppendInt64 writes a number as a string, as scalar.MarshalInt64 does.
func AppendInt64(b []byte, n int64) []byte {
	return append(strconv.AppendInt(append(b, '"'), n, 10), '"')
}

// AppendQuoted writes text as strconv.Quote does, as scalar.Decimal and gqlgen's enums are.
func AppendQuoted[T ~string](b []byte, text T) []byte { return strconv.AppendQuote(b, string(text)) }

// AppendDateTime writes a moment as scalar.MarshalDateTime does.
func AppendDateTime(b []byte, t time.Time) []byte {
	return append(t.AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

// appender is an io.Writer over a buffer.
type appender struct{ b []byte }

func (a *appender) Write(p []byte) (int, error) {
	a.b = append(a.b, p...)
	return len(p), nil
}

// WriteString spares copies to who asks for it with io.WriteString.
func (a *appender) WriteString(s string) (int, error) {
	a.b = append(a.b, s...)
	return len(s), nil
}

// marshal writes what gqlgen's executor has made of a value; false is a null that must
// not stand here.
func marshal(b []byte, m graphql.Marshaler, nonNull bool) ([]byte, bool) {
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

// AppendJSON writes a value as it is, as scalar.JSON does.
func AppendJSON[T ~[]byte](b []byte, v T) []byte {
	if len(v) == 0 {
		return append(b, "null"...)
	}
	return append(b, v...)
}
