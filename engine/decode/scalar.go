package decode

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

// String reads a String, from a JSON string only.
func (d *Decoder) String() string {
	if !d.expect('"', "a string") {
		return ""
	}
	return d.readString()
}

// ID reads an ID, from a string or from a whole number, of which it keeps all digits.
func (d *Decoder) ID() string {
	if d.err == nil && d.peek() == '"' {
		return d.readString()
	}
	n := d.readNumber("an ID")
	if bytes.ContainsAny(n, ".eE") {
		d.mismatch("%s is not an ID: an ID is a string or a whole number", truncateBytes(n))
		return ""
	}
	return string(n)
}

// Boolean reads a Boolean.
func (d *Decoder) Boolean() bool {
	switch {
	case d.err != nil:
	case d.acceptWord("true"):
		return true
	case d.acceptWord("false"):
	default:
		d.mismatch("%s where a boolean is expected", d.kind())
	}
	return false
}

// Int reads an Int: a whole number of 32 bits; 3.0 and 3e0 are whole.
func (d *Decoder) Int() int {
	if d.err == nil {
		if n, ok := d.smallInt(); ok {
			return n
		}
	}
	text := d.readNumber("an Int")
	if d.err != nil {
		return 0
	}
	n, ok := parseInt64(text)
	if !ok || n < math.MinInt32 || n > math.MaxInt32 {
		d.mismatch("%s is not an Int: an Int is a whole number of 32 bits", truncateBytes(text))
		return 0
	}
	return int(n)
}

// Int64 reads an Int64: a whole number of 64 bits, or a string of its digits.
func (d *Decoder) Int64() int64 {
	if d.err == nil && d.peek() == '"' {
		text := d.readString()
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil && d.err == nil {
			d.mismatch("%q is not an Int64: an Int64 is a whole number of 64 bits", truncate(text))
			return 0
		}
		return n
	}
	text := d.readNumber("an Int64")
	if d.err != nil {
		return 0
	}
	n, ok := parseInt64(text)
	if !ok {
		d.mismatch("%s is not an Int64: an Int64 is a whole number of 64 bits", truncateBytes(text))
	}
	return n
}

// Float reads a Float: a number, rounded to the nearest one of 64 bits. One that is too large does
// not fit.
func (d *Decoder) Float() float64 {
	text := d.readNumber("a number")
	if d.err != nil {
		return 0
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		d.mismatch("%s does not fit into a Float", truncateBytes(text))
		return 0
	}
	return f
}

// Decimal reads a Decimal, from a number or from a string that holds one.
func (d *Decoder) Decimal() scalar.Decimal {
	if d.err == nil && d.peek() == '"' {
		return validString(d, scalar.Decimal.Valid, "a decimal number")
	}
	return scalar.Decimal(d.readNumber("a Decimal"))
}

// DateTime reads a time in the form of RFC 3339, with its offset.
func (d *Decoder) DateTime() time.Time {
	text := d.String()
	if d.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		d.mismatch("%q is not an RFC 3339 date-time", truncate(text))
		return time.Time{}
	}
	return t
}

// Date reads a Date, such as "2026-01-31".
func (d *Decoder) Date() scalar.Date { return validString(d, scalar.Date.Valid, "a date") }

// UUID reads a UUID.
func (d *Decoder) UUID() scalar.UUID { return validString(d, scalar.UUID.Valid, "a UUID") }

// URL reads a URL.
func (d *Decoder) URL() scalar.URL { return validString(d, scalar.URL.Valid, "a URL") }

// validString reads a string for which valid reports true. what names the type in errors.
func validString[T ~string](d *Decoder, valid func(T) bool, what string) T {
	v := T(d.String())
	if d.err == nil && !valid(v) {
		d.mismatch("%q is not %s", truncate(string(v)), what)
	}
	if d.err != nil {
		return ""
	}
	return v
}

// JSON reads any value but null and keeps its text, once that has proved to be well-formed.
func (d *Decoder) JSON() scalar.JSON {
	if d.err == nil && d.acceptNull() {
		d.mismatch("null where a value is expected")
	}
	d.skipSpace()
	from := d.pos
	d.Skip()
	if d.err == nil && !utf8.Valid(d.data[from:d.pos]) {
		d.mismatch("%w", errUTF8)
	}
	if d.err != nil {
		return nil
	}
	return scalar.JSON(bytes.Clone(d.data[from:d.pos]))
}

// ScalarText reads a string, a number or a boolean as text.
func (d *Decoder) ScalarText() string {
	switch c := d.peek(); {
	case c == '"':
		return d.readString()
	case c == 't' || c == 'f':
		if d.Boolean() {
			return "true"
		}
		return "false"
	}
	return string(d.readNumber("a scalar"))
}

// EnumText reads a value of an enum that is not always a string: a number as scalar.PlainNumber writes it, true or
// false, or a string after a quotation mark, by which it differs from them.
func (d *Decoder) EnumText() string {
	switch c := d.peek(); {
	case d.err != nil:
		return ""
	case c == '"':
		return `"` + d.readString()
	case c == 't' || c == 'f':
		return strconv.FormatBool(d.Boolean())
	}
	return scalar.PlainNumber(string(d.readNumber("a value of an enum")))
}

// UnknownEnumText fails softly: what EnumText has returned is not a value of the enum. Generated readers of
// enums call it.
func (d *Decoder) UnknownEnumText(enum, text string) {
	if s, ok := strings.CutPrefix(text, `"`); ok {
		d.UnknownEnumValue(enum, s)
		return
	}
	d.mismatch("%s is not a value of %s", truncate(text), enum)
}

// UnknownEnumValue fails softly: text is not a value of the enum. Generated readers of enums call it.
func (d *Decoder) UnknownEnumValue(enum, text string) {
	d.mismatch("%q is not a value of %s", truncate(text), enum)
}

// UnknownType fails softly: the text of a member names none of the types of an interface or a
// union. Generated readers of abstract types call it.
func (d *Decoder) UnknownType(abstract, member, text string) {
	d.mismatch("%q of member %q names no type of %s", truncate(text), member, abstract)
}

// readNumber consumes a number and returns its text. what names the expected type in errors.
func (d *Decoder) readNumber(what string) []byte {
	if d.err != nil {
		return nil
	}
	text := d.numberText()
	if text == nil {
		d.mismatch("%s where %s is expected", d.kind(), what)
	}
	return text
}

// expect reports whether the next value begins with c. It fails softly otherwise; what names the
// expected type.
func (d *Decoder) expect(c byte, what string) bool {
	if d.err == nil && d.peek() != c {
		d.mismatch("%s where %s is expected", d.kind(), what)
	}
	return d.err == nil
}

// acceptNull consumes a null if it comes next, and reports whether it did.
func (d *Decoder) acceptNull() bool { return d.err == nil && d.peek() == 'n' && d.acceptWord("null") }

// peekNull reports whether a null comes next.
func (d *Decoder) peekNull() bool {
	from := d.pos
	defer func() { d.pos = from }()
	return d.acceptNull()
}

// readString reads a string, which must come next, into memory of its own.
func (d *Decoder) readString() string {
	if text, ok := d.asciiString(); ok {
		return text
	}
	from := d.pos
	raw, escaped, err := d.rawString()
	switch {
	case err == errUTF8:
		d.mismatch("%w", err)
		return ""
	case err != nil:
		d.malformed(err)
	}
	return d.strings.copyString(raw, escaped, len(d.data)-from)
}

// truncateBytes is truncate for bytes of the response.
func truncateBytes(text []byte) string { return truncate(string(text[:min(len(text), maxText+1)])) }
