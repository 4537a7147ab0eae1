package services

import (
	"fmt"
	"math/big"
	"strings"
)

// Money is an amount as decimal text, such as "33.00", in a currency.
type Money struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// readDecimal reads the decimals of data.json, exactly. They are part of the
// program: a mistake in one is a panic.
func readDecimal(text string) *big.Rat {
	amount, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(fmt.Sprintf("services: %q is not a decimal", text))
	}
	return amount
}

func times(amount *big.Rat, n int) *big.Rat {
	return new(big.Rat).Mul(amount, new(big.Rat).SetInt64(int64(n)))
}

// decimal writes an amount with the two to four decimals that the document allows.
func decimal(amount *big.Rat) string {
	text := amount.FloatString(4)
	for range 2 {
		text = strings.TrimSuffix(text, "0")
	}
	return text
}
