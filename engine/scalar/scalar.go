// Package scalar is the Go side of the graph's scalars: how each is written into a response and
// read from a query or its variables. A value that does not fit is refused with a *fault.Error
// whose message is meant for clients: it shows the value as JSON and names no Go type.
//
// Package codegen/scalars lists what bindings know of each, and how to add one.
package scalar

import (
	"encoding/json"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// MarshalInt returns the marshaler of an Int.
func MarshalInt(i int) graphql.Marshaler { return graphql.MarshalInt(i) }

// UnmarshalInt reads an Int: a whole number of 32 bits (GraphQL specification, section 3.5.1).
func UnmarshalInt(v any) (int, error) {
	n, ok := ToInt64(v)
	if !ok {
		return 0, inputError("%s is not a whole number", Describe(v))
	}
	if n < math.MinInt32 || n > math.MaxInt32 {
		return 0, inputError("%d does not fit into an Int, which has 32 bits", n)
	}
	return int(n), nil
}

// ToInt64 returns the value of a number that is whole and fits into 64 bits, and reports whether v
// is one. 1.0 and 10e-1 are whole. A string is not a number.
func ToInt64(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case json.Number:
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return n, true
		}
		return parseWhole(string(v))
	case int:
		return int64(v), true
	case float64:
		return int64(v), v == math.Trunc(v) && math.Abs(v) <= 1<<53
	}
	return 0, false
}

// maxDigits is the highest number of digits in a whole number of 64 bits.
const maxDigits = 19

// parseWhole is ToInt64 for the text of a number with a fraction or an exponent. It works on the
// digits: a float64 would round them, and 1e1000000 must not be written out as a million digits.
func parseWhole(text string) (int64, bool) {
	if !Decimal(text).Valid() {
		return 0, false
	}
	mantissa, exponent := text, "0"
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		mantissa, exponent = text[:at], text[at+1:]
	}
	unsigned := strings.TrimPrefix(mantissa, "-")
	sign := mantissa[:len(mantissa)-len(unsigned)]
	whole, fraction, _ := strings.Cut(unsigned, ".")
	significant := strings.TrimLeft(whole+fraction, "0")
	digits := strings.TrimRight(significant, "0")
	if digits == "" {
		return 0, true
	}
	shift, err := strconv.Atoi(exponent)
	length := len(significant) - len(fraction) + shift // of the number, if it is whole
	if err != nil || length < len(digits) || length > maxDigits {
		return 0, false
	}
	n, err := strconv.ParseInt(sign+digits+strings.Repeat("0", length-len(digits)), 10, 64)
	return n, err == nil
}

// MarshalInt64 writes a whole number of 64 bits as a string, since many clients read JSON numbers
// into float64, which is exact up to 2^53 only.
func MarshalInt64(i int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, strconv.Quote(strconv.FormatInt(i, 10)))
	})
}

// UnmarshalInt64 reads a whole number of 64 bits, from a number or from a string of its digits.
func UnmarshalInt64(v any) (int64, error) {
	n, ok := ToInt64(v)
	if text, isText := v.(string); isText {
		digits, err := strconv.ParseInt(text, 10, 64)
		n, ok = digits, err == nil
	}
	if !ok {
		return 0, inputError("%s is not a whole number of 64 bits", Describe(v))
	}
	return n, nil
}

// MarshalDateTime writes a time in the form of RFC 3339.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, strconv.Quote(t.Format(time.RFC3339Nano)))
	})
}

// dateTimePattern is the form of RFC 3339, section 5.6. time.Parse accepts more: an hour of one
// digit, a comma before the fraction, and offsets of 24 hours or 60 minutes.
var dateTimePattern = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

// UnmarshalDateTime reads a time in the form of RFC 3339, with its offset. "T" and "Z" may be
// lower case. Leap seconds are refused, since time.Time has none.
func UnmarshalDateTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, inputError("%s is not a DateTime, a string such as 2026-01-31T12:00:00Z", Describe(v))
	}
	text := strings.ToUpper(s)
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil || !dateTimePattern.MatchString(text) {
		return time.Time{}, inputError("%s is not a DateTime such as 2026-01-31T12:00:00Z", Describe(v))
	}
	return t, nil
}

// Decimal is an exact decimal number, as its digits: it is never rounded, and "1.10" stays "1.10".
type Decimal string

var decimalPattern = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// Valid reports whether d is a number.
func (d Decimal) Valid() bool { return decimalPattern.MatchString(string(d)) }

// MarshalGQL writes the digits as a string, since many clients would round a JSON number.
func (d Decimal) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(d))) }

// UnmarshalGQL reads a string or a number.
func (d *Decimal) UnmarshalGQL(v any) error {
	switch v := v.(type) {
	case string:
		*d = Decimal(v)
	case json.Number:
		*d = Decimal(v)
	case int64:
		*d = Decimal(strconv.FormatInt(v, 10))
	case float64:
		*d = Decimal(strconv.FormatFloat(v, 'f', -1, 64))
	default:
		return inputError("%s is not a Decimal, a number or a string such as 12.50", Describe(v))
	}
	if !d.Valid() {
		return inputError("%s is not a decimal number such as 12.50", Describe(v))
	}
	return nil
}

// JSON is any JSON value. Its text is passed on as it is.
type JSON json.RawMessage

// MarshalGQL writes the value, null for an empty one.
func (j JSON) MarshalGQL(w io.Writer) {
	if len(j) == 0 {
		_, _ = io.WriteString(w, "null")
		return
	}
	_, _ = w.Write(j)
}

// UnmarshalGQL reads any value.
func (j *JSON) UnmarshalGQL(v any) error {
	b, err := json.Marshal(v)
	*j = JSON(b)
	return err
}
