// Package period reads the periods of limits, such as "15m" and "day".
package period

import (
	"fmt"
	"time"
)

// The shortest and the longest period.
const (
	Min = time.Millisecond
	Max = 366 * 24 * time.Hour
)

// Day and Month are the lengths of periods with names. A month is 30 days.
const (
	Day   = 24 * time.Hour
	Month = 30 * Day
)

var names = map[string]time.Duration{
	"s": time.Second, "second": time.Second, "m": time.Minute, "minute": time.Minute, "h": time.Hour, "hour": time.Hour,
	"d": Day, "day": Day, "week": 7 * Day, "month": Month,
}

// Parse reads a period: a unit of time (second, minute, hour, day, week, month, or s, m, h, d), or a
// duration as time.ParseDuration reads it, from 1ms to 366 days. A month is 30 days. The error says what
// to write instead.
func Parse(text string) (time.Duration, error) {
	d, ok := names[text]
	if !ok {
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			return 0, fmt.Errorf(`%.40q is not a period; write one as "s", "15m", "hour", "day" or "month"`, text)
		}
	}
	if d < Min || d > Max {
		return 0, fmt.Errorf("%.40q is not a period from 1ms to 366 days", text)
	}
	return d, nil
}

// Format returns a text that Parse reads as d, the shortest one for periods with names.
func Format(d time.Duration) string {
	for _, name := range []string{"s", "m", "h", "day", "week", "month"} {
		if names[name] == d {
			return name
		}
	}
	if d%Day == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
