package services

import (
	"fmt"
	"math/big"
	"strings"
)

// Money is an amount in a currency. The amount is a decimal such as "33.00".
type Money struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// mustParseDecimal parses a decimal of data.json exactly. It panics if that is malformed, since
// the data is part of the program.
func mustParseDecimal(text string) *big.Rat {
	amount, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(fmt.Sprintf("services: %q is not a decimal", text))
	}
	return amount
}

func multiply(amount *big.Rat, n int) *big.Rat {
	return new(big.Rat).Mul(amount, new(big.Rat).SetInt64(int64(n)))
}

// formatDecimal formats an amount with two to four decimals, as the document requires.
func formatDecimal(amount *big.Rat) string {
	text := amount.FloatString(4)
	for range 2 {
		text = strings.TrimSuffix(text, "0")
	}
	return text
}
