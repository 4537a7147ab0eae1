// Package cost computes what operations cost, by the GraphQL Cost Directives specification of IBM
// (https://ibm.github.io/graphql-specs/cost-spec.html): before they are executed, at the worst
// (section 5.1.1, Static Query Analysis), and while they are executed, as they are (section 5.1.2,
// Dynamic Query Analysis).
//
// It promises that an estimate takes time linear in the length of the document, however its fragments
// refer to each other; that it is finite and not negative; and that it is not less than what the
// execution costs, if no list is longer than the schema says.
package cost

import (
	"math"
	"strconv"
)

// Cost is a cost in millionths, so that costs of fractional weights add up to the same sum in any order.
// Sums and products of costs saturate at Max.
type Cost int64

const (
	// One is the cost 1.
	One Cost = 1_000_000
	// Max is the greatest cost, 1,000,000,000,000. Sums of two do not overflow.
	Max = 1_000_000_000_000 * One
)

// Of returns the cost of a weight, rounded to millionths. It is -Max or Max beyond them, and 0 for NaN.
func Of(weight float64) Cost {
	micros := math.Round(weight * float64(One))
	switch {
	case math.IsNaN(micros):
		return 0
	case micros >= float64(Max):
		return Max
	case micros <= -float64(Max):
		return -Max
	}
	return Cost(micros)
}

// Float returns the cost as a number.
func (c Cost) Float() float64 { return float64(c) / float64(One) }

// String returns the cost in decimal, such as 2.5, without an exponent.
func (c Cost) String() string { return string(c.append(nil)) }

// MarshalJSON returns a JSON number.
func (c Cost) MarshalJSON() ([]byte, error) { return c.append(nil), nil }

func (c Cost) append(b []byte) []byte {
	if c%One == 0 {
		return strconv.AppendInt(b, int64(c/One), 10)
	}
	return strconv.AppendFloat(b, c.Float(), 'f', -1, 64)
}

// plus returns the sum of two costs.
func (c Cost) plus(other Cost) Cost { return min(max(c+other, -Max), Max) }

// times returns n times a cost. Neither may be negative.
func (c Cost) times(n int64) Cost {
	if n != 0 && c > Max/Cost(n) {
		return Max
	}
	return c * Cost(n)
}

// Total is what an operation, or a part of it, costs by both ways of the specification.
type Total struct {
	// Field is the field cost: the weights of the fields that are resolved, with their arguments
	// (section 5.3.2.2).
	Field Cost
	// Type is the type cost: the weights of the values that are returned (section 5.3.2.1).
	Type Cost
}

// Cost returns the greater of the two, which is the cost that is limited. Few resolvers can return many
// objects, and many can return none, so that neither alone bounds the work.
func (t Total) Cost() Cost { return max(t.Field, t.Type) }

func (t Total) plus(other Total) Total {
	return Total{t.Field.plus(other.Field), t.Type.plus(other.Type)}
}

func (t Total) times(n int64) Total { return Total{t.Field.times(n), t.Type.times(n)} }

// greatest returns the greater of each cost.
func greatest(a, b Total) Total { return Total{max(a.Field, b.Field), max(a.Type, b.Type)} }
