package scalar

import (
	"strconv"
	"strings"
)

// PlainNumber returns the shortest text of a number in JSON, so that 1, 1.0 and 1e0 are the same. Whole numbers
// keep all their digits. Other texts are returned as they are.
func PlainNumber(text string) string {
	if !strings.ContainsAny(text, ".eE") {
		return text
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return text
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
