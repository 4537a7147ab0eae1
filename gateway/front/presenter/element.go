package presenter

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// appendIndices returns the path of an element with an error, inside the lists of the field at
// path.
func appendIndices(path ast.Path, indices []int) ast.Path {
	path = slices.Clip(path)
	for _, i := range indices {
		path = append(path, ast.PathIndex(i))
	}
	return path
}

// elementFailed stands for the result of a field that is null since one of its elements has an
// error, which the response lists at the element's path. gqlgen would add an error at the
// field's path, since it finds none there.
type elementFailed struct{}

// markElementError marks the field in ctx as one whose null has an error already.
func markElementError(ctx context.Context) {
	if field := graphql.GetFieldContext(ctx); field != nil && field.Result == nil {
		field.Result = elementFailed{}
	}
}

// hasElementError reports whether the field in ctx is marked by markElementError.
func hasElementError(ctx context.Context) bool {
	field := graphql.GetFieldContext(ctx)
	return field != nil && field.Result == elementFailed{}
}
