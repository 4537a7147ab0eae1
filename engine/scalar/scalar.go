// Package scalar holds the Go side of the graph's scalars: how each is written into
// an answer and read from a query or its variables. What does not fit is refused.
package scalar

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
)

// MarshalInt writes an Int.
func MarshalInt(i int) graphql.Marshaler { return graphql.MarshalInt(i) }

// UnmarshalInt reads an Int: a whole number of 32 bits and nothing else
// (GraphQL specification, section 3.5.1).
func UnmarshalInt(v any) (int, error) {
	n, err := whole(v)
	if err != nil {
		return 0, err
	}
	if n < math.MinInt32 || n > math.MaxInt32 {
		return 0, fmt.Errorf("%d does not fit into an Int, which has 32 bits", n)
	}
	return int(n), nil
}

func whole(v any) (int64, error) {
	switch v := v.(type) {
	case int:
		return int64(v), nil
	case int64:
		return v, nil
	case json.Number:
		n, err := strconv.ParseInt(v.String(), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s is not a whole number that fits into an Int", v)
		}
		return n, nil
	case float64:
		if v == math.Trunc(v) && math.Abs(v) <= 1<<53 {
			return int64(v), nil
		}
	}
	return 0, fmt.Errorf("%v is not a whole number", v)
}

// MarshalInt64 writes a whole number of 64 bits as a string, since JSON numbers beyond
// 2^53 lose digits in many clients.
func MarshalInt64(i int64) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, strconv.Quote(strconv.FormatInt(i, 10)))
	})
}

// UnmarshalInt64 reads a whole number of 64 bits, from a number or from a string of digits.
func UnmarshalInt64(v any) (int64, error) {
	if text, ok := v.(string); ok {
		v = json.Number(text)
	}
	n, err := whole(v)
	if err != nil {
		return 0, fmt.Errorf("%v is not a whole number of 64 bits", v)
	}
	return n, nil
}

// MarshalDateTime writes a moment as RFC 3339 asks.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		_, _ = io.WriteString(w, strconv.Quote(t.Format(time.RFC3339Nano)))
	})
}

// UnmarshalDateTime reads a moment as RFC 3339 writes it, with its offset.
func UnmarshalDateTime(v any) (time.Time, error) {
	s, ok := v.(string)
	if !ok {
		return time.Time{}, fmt.Errorf("a DateTime is a string such as 2026-01-31T12:00:00Z")
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a DateTime such as 2026-01-31T12:00:00Z", s)
	}
	return t, nil
}

// Decimal is an exact decimal number, kept as its digits: never rounded, "1.10" stays
// "1.10".
type Decimal string

var decimal = regexp.MustCompile(`^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// Valid tells whether d is a number.
func (d Decimal) Valid() bool { return decimal.MatchString(string(d)) }

// MarshalGQL writes the digits as a string, since JSON numbers lose digits in many clients.
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
		return fmt.Errorf("a Decimal is a string or a number")
	}
	if !d.Valid() {
		return fmt.Errorf("%q is not a decimal number such as 12.50", string(*d))
	}
	return nil
}

// JSON is any JSON value, passed on as it is.
type JSON json.RawMessage

// MarshalGQL writes the value.
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
