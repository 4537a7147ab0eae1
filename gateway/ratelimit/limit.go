package ratelimit

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/internal/period"
)

// MaxQuantity bounds the numbers of a limit.
const MaxQuantity = 1_000_000_000

// Limit lets a quantity of something pass in each period.
type Limit struct {
	// Quantity is how much passes in each Period: requests, cost, or places of a field.
	Quantity int64
	// Period is the time for Quantity.
	Period time.Duration
	// Burst is how much of it passes at once. It is an advance: what follows has to wait until the rate
	// of Quantity in Period has made up for it. It may be more than Quantity.
	Burst int64
}

// interval is the time that one unit takes at the rate of the limit, in nanoseconds.
func (l Limit) interval() float64 { return float64(l.Period) / float64(l.Quantity) }

// ParseLimit reads a limit: "100/s", "5/15m", "10000/day", "100/s burst 20". Without a burst, all of the
// quantity may come at once.
func ParseLimit(text string) (Limit, error) {
	fields := strings.Fields(text)
	if len(fields) != 1 && (len(fields) != 3 || fields[1] != "burst") {
		return Limit{}, notLimit(text)
	}
	count, per, ok := strings.Cut(fields[0], "/")
	if !ok {
		return Limit{}, notLimit(text)
	}
	quantity, err := parseQuantity(count)
	if err != nil {
		return Limit{}, err
	}
	l := Limit{Quantity: quantity, Burst: quantity}
	if l.Period, err = period.Parse(per); err != nil {
		return Limit{}, err
	}
	if len(fields) == 3 {
		if l.Burst, err = parseQuantity(fields[2]); err != nil {
			return Limit{}, err
		}
	}
	return l, nil
}

func notLimit(text string) error {
	return fmt.Errorf(`%.40q is not a limit; write one as "100/s", "10000/day" or "100/s burst 20"`, text)
}

func parseQuantity(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 || n > MaxQuantity || text[0] == '+' {
		return 0, fmt.Errorf("%.40q is not a number from 1 to %d", text, MaxQuantity)
	}
	return n, nil
}

// String returns the limit as ParseLimit reads it.
func (l Limit) String() string {
	text := strconv.FormatInt(l.Quantity, 10) + "/" + period.Format(l.Period)
	if l.Burst != l.Quantity {
		text += " burst " + strconv.FormatInt(l.Burst, 10)
	}
	return text
}
