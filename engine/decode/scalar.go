package decode

import (
	"bytes"
	"math"
	"strconv"
	"time"

	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

// String reads a String: nothing but a string will do.
func (d *Decoder) String() string {
	if !d.expect('"', "a string") {
		return ""
	}
	return d.text()
}

// ID reads an ID: a string, or a whole number with all its digits.
func (d *Decoder) ID() string {
	if d.err == nil && d.next() == '"' {
		return d.text()
	}
	n := d.number("an ID")
	if bytes.ContainsAny(n, ".eE") {
		d.wrong("%s is no ID: an ID is a string or a whole number", short(n))
		return ""
	}
	return string(n)
}

// Boolean reads a Boolean.
func (d *Decoder) Boolean() bool {
	switch {
	case d.err != nil:
	case d.word("true"):
		return true
	case d.word("false"):
	default:
		d.wrong("%s where a boolean is expected", d.kind())
	}
	return false
}

// Int reads an Int: a whole number of 32 bits; 3.0 and 3e0 are whole.
func (d *Decoder) Int() int {
	if d.err == nil {
		if n, ok := d.shortInt(); ok {
			return n
		}
	}
	text := d.number("an Int")
	if d.err != nil {
		return 0
	}
	n, ok := whole(text)
	if !ok || n < math.MinInt32 || n > math.MaxInt32 {
		d.wrong("%s is no Int: an Int is a whole number of 32 bits", short(text))
		return 0
	}
	return int(n)
}

// Int64 reads an Int64: a whole number of 64 bits, or a string of its digits.
func (d *Decoder) Int64() int64 {
	if d.err == nil && d.next() == '"' {
		text := d.text()
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil && d.err == nil {
			d.wrong("%q is no Int64: an Int64 is a whole number of 64 bits", cut(text))
			return 0
		}
		return n
	}
	text := d.number("an Int64")
	if d.err != nil {
		return 0
	}
	n, ok := whole(text)
	if !ok {
		d.wrong("%s is no Int64: an Int64 is a whole number of 64 bits", short(text))
	}
	return n
}

// Float reads a Float: a number that 64 bits can hold, rounded to the nearest of them.
func (d *Decoder) Float() float64 {
	text := d.number("a number")
	if d.err != nil {
		return 0
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil {
		d.wrong("%s does not fit into a Float", short(text))
		return 0
	}
	return f
}

// Decimal reads a Decimal, from a number or from a string that holds one.
func (d *Decoder) Decimal() scalar.Decimal {
	if d.err == nil && d.next() == '"' {
		return text(d, scalar.Decimal.Valid, "decimal number")
	}
	return scalar.Decimal(d.number("a Decimal"))
}

// DateTime reads a moment as RFC 3339 writes it.
func (d *Decoder) DateTime() time.Time {
	text := d.String()
	if d.err != nil {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		d.wrong("%q is no RFC 3339 date-time", cut(text))
		return time.Time{}
	}
	return t
}

// Date reads a Date.
func (d *Decoder) Date() scalar.Date { return text(d, scalar.Date.Valid, "date") }

// UUID reads a UUID.
func (d *Decoder) UUID() scalar.UUID { return text(d, scalar.UUID.Valid, "UUID") }

// URL reads a URL.
func (d *Decoder) URL() scalar.URL { return text(d, scalar.URL.Valid, "URL") }

// text reads a string that must be valid.
func text[T ~string](d *Decoder, valid func(T) bool, what string) T {
	v := T(d.String())
	if d.err == nil && !valid(v) {
		d.wrong("%q is no %s", cut(string(v)), what)
	}
	if d.err != nil {
		return ""
	}
	return v
}

// JSON keeps any value but null as it is, once it has proved to be well-formed.
func (d *Decoder) JSON() scalar.JSON {
	if d.err == nil && d.null() {
		d.wrong("null where a value is expected")
	}
	d.space()
	from := d.pos
	d.Skip()
	if d.err != nil {
		return nil
	}
	return scalar.JSON(bytes.Clone(d.data[from:d.pos]))
}

// Unknown says that text is no value of the named enum.
func (d *Decoder) Unknown(enum, text string) { d.wrong("%q is no value of %s", cut(text), enum) }

// UnknownType says that the text of a member names none of an abstract type's types.
func (d *Decoder) UnknownType(abstract, member, text string) {
	d.wrong("%q of member %q names no type of %s", cut(text), member, abstract)
}

func (d *Decoder) number(what string) []byte {
	if d.err != nil {
		return nil
	}
	text := d.numberText()
	if text == nil {
		d.wrong("%s where %s is expected", d.kind(), what)
	}
	return text
}

func (d *Decoder) expect(c byte, what string) bool {
	if d.err == nil && d.next() != c {
		d.wrong("%s where %s is expected", d.kind(), what)
	}
	return d.err == nil
}

// null eats a null if one comes next.
func (d *Decoder) null() bool { return d.err == nil && d.next() == 'n' && d.word("null") }

func (d *Decoder) peekNull() bool {
	from := d.pos
	defer func() { d.pos = from }()
	return d.null()
}

// text reads a string when one comes next.
func (d *Decoder) text() string {
	if text, ok := d.simpleText(); ok {
		return text
	}
	from := d.pos
	raw, escaped, err := d.stringSpan()
	if err != nil {
		d.broken(err)
	}
	return d.texts.keep(raw, escaped, len(d.data)-from)
}

func short(text []byte) string { return cut(string(text[:min(len(text), maxText+1)])) }
