package mapping

import (
	"encoding/json"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/engine/encode"
)

// Equal reports whether two values are the same JSON. Numbers are compared by their exact value:
// 1, 1.0 and 1e0 are equal, and 9007199254740993 does not equal 9007199254740992. The order of
// members does not count.
func Equal(a, b any) bool {
	b = Normalize(b)
	switch a := Normalize(a).(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && equalNumbers(a, b)
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case encode.Object:
		b, ok := b.(encode.Object)
		return ok && maps.EqualFunc(membersByName(a), membersByName(b), Equal)
	default: // null, a boolean or a string
		return a == b
	}
}

func membersByName(o encode.Object) map[string]any {
	named := make(map[string]any, len(o))
	for _, m := range o {
		named[m.Name] = m.Value
	}
	return named
}

func equalNumbers(a, b json.Number) bool {
	if a == b {
		return true
	}
	x, y := parseDecimal(a), parseDecimal(b)
	if x.digits == "" || y.digits == "" {
		return x.digits == y.digits
	}
	return x.negative == y.negative && x.digits == y.digits && x.exponent.Cmp(y.exponent) == 0
}

// decimal is ±0.digits × 10^exponent, where digits neither begin nor end with a zero. Each number
// has one decimal, and zero has no digits. A decimal takes no more memory than the number's text,
// whatever the exponent: 1e1000000000 is not written out.
type decimal struct {
	negative bool
	digits   string
	exponent *big.Int
}

func parseDecimal(n json.Number) decimal {
	text, negative := strings.CutPrefix(string(n), "-")
	mantissa, power := text, "0"
	if at := strings.IndexAny(text, "eE"); at >= 0 {
		mantissa, power = text[:at], text[at+1:]
	}
	exponent, ok := new(big.Int).SetString(strings.TrimPrefix(power, "+"), 10)
	if !ok {
		exponent = new(big.Int) // no number of JSON
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := strings.TrimLeft(whole+fraction, "0")
	places := len(digits) - len(fraction) // before the point; the zeros cut off count as well
	exponent.Add(exponent, big.NewInt(int64(places)))
	return decimal{negative, strings.TrimRight(digits, "0"), exponent}
}
