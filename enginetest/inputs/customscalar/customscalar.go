// Package customscalar has scalars as a project may have them: one read by a function, one by a
// method, and one by a function that takes a context.
package customscalar

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Money is an amount in cents. Its function accepts the number types of gqlgen and not
// json.Number.
type Money int64

// MarshalMoney writes an amount.
func MarshalMoney(m Money) graphql.Marshaler { return graphql.MarshalInt64(int64(m)) }

// UnmarshalMoney reads an amount. Its error contains the name of a Go type, which clients must not
// see.
func UnmarshalMoney(v any) (Money, error) {
	switch v := v.(type) {
	case int64:
		return Money(v * 100), nil
	case float64:
		return Money(v * 100), nil
	}
	return 0, fmt.Errorf("%T is not Money", v)
}

// Level is a text that begins with an L.
type Level string

// MarshalGQL writes a level.
func (l Level) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(l))) }

// UnmarshalGQL reads a level. Its error is a fault, whose message clients see.
func (l *Level) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok || text == "" || text[0] != 'L' {
		return fault.New(fault.BadUserInput, "a Level begins with an L")
	}
	*l = Level(text)
	return nil
}

// Late is a text that is read when its field runs, not before the operation.
type Late string

// MarshalLate writes a text.
func MarshalLate(l Late) graphql.ContextMarshaler {
	return graphql.ContextWriterFunc(func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, strconv.Quote(string(l)))
		return err
	})
}

// UnmarshalLate reads a text, for which it needs the field's context.
func UnmarshalLate(ctx context.Context, v any) (Late, error) {
	text, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%T is not Late in %s", v, graphql.GetFieldContext(ctx).Field.Name)
	}
	return Late(text), nil
}
