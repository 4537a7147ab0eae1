package execute

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/httperror"
)

// bytesPerValue is about what a field takes in a response in addition to its name and its text.
const bytesPerValue = 4

// spend spends the value of the field in ctx from the operation's budget: the fields of its
// objects, before gqlgen's executor resolves them, and an estimate of the bytes that it will
// write.
func (e *Executor) spend(ctx context.Context, budget *engine.Budget, op *graphql.OperationContext, value any) error {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil { // an extension calls the middleware outside of fields
		return nil
	}
	field := fc.Field
	values, bytes := measure(reflect.ValueOf(value))
	switch {
	case values == 1: // not worth looking into fragments, since fields are counted when they begin, too
		values += len(field.Selections)
	case len(field.Selections) > 0:
		values *= 1 + len(graphql.CollectFields(op, field.Selections, e.conditions[field.Definition.Type.Name()]))
	}
	if err := budget.SpendGqlgenValues(values); err != nil {
		return err
	}
	return budget.SpendBytes(len(field.Alias) + bytesPerValue + bytes)
}

// boundWriting has root fields write no more bytes than the budget has, since spend only
// estimates them. A field of a stopped operation is null, so that nothing of it is written.
func boundWriting(resolve graphql.RootFieldMiddleware, budget *engine.Budget) graphql.RootFieldMiddleware {
	return func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		switch m := resolve(ctx, next); {
		case budget.Err() != nil:
			return graphql.Null
		case m == nil, m == graphql.Null, m == graphql.RequiredNull:
			return m
		default:
			return graphql.WriterFunc(func(w io.Writer) { writeBounded(w, m, budget) })
		}
	}
}

// writeBounded writes a root field. It stops the operation when the field has more bytes than
// the response may have; a part of the field has been written then.
func writeBounded(w io.Writer, m graphql.Marshaler, budget *engine.Budget) {
	limit, limited := budget.MaxBytes()
	if !limited {
		m.MarshalGQL(w)
		return
	}
	bounded := &boundedWriter{w: w, left: limit}
	defer func() {
		if p := recover(); p == errTooManyBytes {
			_ = budget.StopTooLarge() // bound presents this error, which Err returns
		} else if p != nil {
			panic(p)
		}
	}()
	m.MarshalGQL(bounded)
}

// errTooManyBytes is the panic of a boundedWriter. An error would not end the writing, since a
// graphql.Marshaler ignores errors.
var errTooManyBytes = errors.New("the field has more bytes than the response may have")

// boundedWriter panics with errTooManyBytes instead of writing more bytes than are left.
type boundedWriter struct {
	w    io.Writer
	left int
}

func (b *boundedWriter) Write(p []byte) (int, error) {
	b.spend(len(p))
	return b.w.Write(p)
}

// WriteString implements io.StringWriter. gqlgen writes most strings by io.WriteString, which
// would copy them without it.
func (b *boundedWriter) WriteString(s string) (int, error) {
	b.spend(len(s))
	return io.WriteString(b.w, s)
}

func (b *boundedWriter) spend(n int) {
	if b.left -= n; b.left < 0 {
		panic(errTooManyBytes)
	}
}

// typeConditions returns, by the name of each type, the type conditions that all of its values
// meet.
func typeConditions(schema *ast.Schema) map[string][]string {
	conditions := make(map[string][]string, len(schema.Types))
	for name, t := range schema.Types {
		conditions[name] = append([]string{name}, t.Interfaces...)
	}
	return conditions
}

// measure returns the number of objects and list elements in a value, and the length of its
// strings in bytes. A leaf has no values, since it is counted as a field of its object.
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

// measureList is measure for a list. It looks at the elements only if they differ in size.
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

// bound shortens the errors of a response, if there is one. A response of an operation that was
// stopped keeps the error that says why only: its data and other errors depend on the moment.
func (e *Executor) bound(ctx context.Context, response *graphql.Response) {
	if response == nil {
		return
	}
	budget := engine.BudgetOf(ctx)
	if limit, limited := budget.MaxBytes(); limited && len(response.Data) > limit {
		_ = budget.StopTooLarge() // Err returns this error
	}
	if err := budget.Err(); err != nil {
		response.Data, response.Errors = nullData, gqlerror.List{e.options.Presenter.Convert(ctx, err)}
		delete(response.Extensions, degradedKey) // of fields that the response does not have
		delete(response.Extensions, degradedMoreKey)
		return
	}
	response.Errors = truncateErrors(response.Errors, budget.OmittedErrors())
}

var nullData = []byte("null")

// truncateErrors shortens a list of errors to engine.MaxErrors, and adds one error that says how
// many more there were, with those that were omitted before.
func truncateErrors(errs gqlerror.List, omitted int) gqlerror.List {
	const n = engine.MaxErrors
	if len(errs) <= n {
		return errs
	}
	message := "1 more error not shown"
	if more := len(errs) - n + omitted; more > 1 {
		message = fmt.Sprintf("%d more errors not shown", more)
	}
	last := &gqlerror.Error{
		Message:    message,
		Extensions: map[string]any{"code": string(httperror.CodeOf(errs[n]))},
	}
	return append(errs[:n:n], last)
}
