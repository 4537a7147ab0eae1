package front

import (
	"context"
	"errors"
	"io"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine"
)

// bytesPerValue is about what a field takes in a response in addition to its name and its text.
const bytesPerValue = 4

// spend takes the value of a field from the operation's budget: the fields of its objects,
// before gqlgen's executor resolves them, and about the bytes that it will write.
func (e *executor) spend(ctx context.Context, budget *engine.Budget, op *graphql.OperationContext, value any) error {
	at := graphql.GetFieldContext(ctx)
	if at == nil { // an extension calls the middleware by itself
		return nil
	}
	field := at.Field
	values, bytes := measure(reflect.ValueOf(value))
	switch {
	case values == 1: // it is not worth looking into fragments, as fields are counted when they begin, too
		values += len(field.Selections)
	case len(field.Selections) > 0:
		values *= 1 + len(graphql.CollectFields(op, field.Selections, e.conditions[field.Definition.Type.Name()]))
	}
	if err := budget.SpendGqlgenValues(values); err != nil {
		return err
	}
	return budget.SpendBytes(len(field.Alias) + bytesPerValue + bytes)
}

// boundWriting has root fields write no more bytes than the budget has: what they will write
// is an estimate until then. A field of a stopped operation is null, so that nothing of it is
// written.
func boundWriting(around graphql.RootFieldMiddleware, budget *engine.Budget) graphql.RootFieldMiddleware {
	return func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		switch m := around(ctx, next); {
		case budget.Err() != nil:
			return graphql.Null
		case m == nil, m == graphql.Null, m == graphql.RequiredNull:
			return m
		default:
			return graphql.WriterFunc(func(w io.Writer) { write(w, m, budget) })
		}
	}
}

// write writes a root field, or a part of it and stops the operation.
func write(w io.Writer, m graphql.Marshaler, budget *engine.Budget) {
	most, limited := budget.MaxBytes()
	if !limited {
		m.MarshalGQL(w)
		return
	}
	bounded := &boundedWriter{to: w, left: most}
	defer func() {
		if thrown := recover(); thrown == errTooManyBytes {
			_ = budget.StopAtBytes() // which Err gives
		} else if thrown != nil {
			panic(thrown)
		}
	}()
	m.MarshalGQL(bounded)
}

// errTooManyBytes is thrown by a boundedWriter: a graphql.Marshaler looks at no errors.
var errTooManyBytes = errors.New("the field has more bytes than the response may have")

// boundedWriter throws errTooManyBytes instead of writing more bytes than are left.
type boundedWriter struct {
	to   io.Writer
	left int
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	b.take(len(p))
	return b.to.Write(p)
}

// WriteString implements io.StringWriter: gqlgen writes most texts by io.WriteString, which
// would copy them.
func (b *boundedWriter) WriteString(s string) (int, error) {
	b.take(len(s))
	return io.WriteString(b.to, s)
}

func (b *boundedWriter) take(n int) {
	if b.left -= n; b.left < 0 {
		panic(errTooManyBytes)
	}
}

// typeConditions returns, by the name of each type, which type conditions its values are sure to
// meet.
func typeConditions(schema *ast.Schema) map[string][]string {
	met := make(map[string][]string, len(schema.Types))
	for name, t := range schema.Types {
		met[name] = append([]string{name}, t.Interfaces...)
	}
	return met
}

// measure returns how many objects, or elements of lists, a value has, and how long its texts
// are. A leaf has no values: its object's fields have been counted.
func measure(v reflect.Value) (values, bytes int) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		return 0, v.Len()
	case reflect.Struct, reflect.Map:
		return 1, 0
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return 0, v.Len()
		}
		return measureList(v)
	}
	return 0, 0
}

func measureList(list reflect.Value) (values, bytes int) {
	n := list.Len()
	values, bytes = n, n*bytesPerValue
	switch element := list.Type().Elem(); element.Kind() {
	case reflect.Struct, reflect.Int, reflect.Bool, reflect.Float64:
		return values, bytes
	case reflect.Pointer:
		if element.Elem().Kind() == reflect.Struct {
			return values, bytes
		}
	}
	for i := range n {
		inner, text := measure(list.Index(i))
		values, bytes = values+inner, bytes+text
	}
	return values, bytes
}
