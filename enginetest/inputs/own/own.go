// Package own has scalars as a project may have them: read by a function, by a method, and by
// a function that takes a context.
package own

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/99designs/gqlgen/graphql"

	"github.com/gatehouse-graphql/gatehouse/fault"
)

// Money is an amount in cents. Its function knows gqlgen's numbers and no json.Number.
type Money int64

// MarshalMoney writes an amount.
func MarshalMoney(m Money) graphql.Marshaler { return graphql.MarshalInt64(int64(m)) }

// UnmarshalMoney reads an amount. Its error has the name of a Go type.
func UnmarshalMoney(v any) (Money, error) {
	switch v := v.(type) {
	case int64:
		return Money(v * 100), nil
	case float64:
		return Money(v * 100), nil
	}
	return 0, fmt.Errorf("%T is no Money", v)
}

// Level is a text that begins with an L.
type Level string

// MarshalGQL writes a level.
func (l Level) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(l))) }

// UnmarshalGQL reads a level. Its error is written for clients.
func (l *Level) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok || text == "" || text[0] != 'L' {
		return fault.New(fault.BadUserInput, "a Level begins with an L")
	}
	*l = Level(text)
	return nil
}

// Late is a text that is read when its field runs.
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
