package binding

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// requestScopes are the scopes whose values are known before the call.
var requestScopes = []Scope{Args, This, Keys, Claims, Request, Env, Config}

func quoteScopes(scopes []Scope) string {
	names := make([]string, 0, len(scopes))
	for _, s := range scopes[1:] {
		names = append(names, "$"+string(s))
	}
	return " or " + strings.Join(names, ", ")
}

// compileVariable compiles $scope.name.name. It returns the steps that are not part of the
// variable's path: the first method and all behind it.
func (c *valueCompiler) compileVariable(e *selection.Expr) (*Value, []selection.Step) {
	scope := Scope(e.Name)
	if !slices.Contains(c.scopes, scope) {
		return c.reportUnknownVariable(e), nil
	}
	members := 0
	for members < len(e.Steps) && e.Steps[members].Method == "" {
		members++
	}
	path := make([]string, members)
	for i := range path {
		path[i] = e.Steps[i].Name
	}
	v := &variableCompiler{c, e.Offset, "$" + strings.Join(append([]string{e.Name}, path...), "."), path}
	if members == 0 && scope != Status {
		return c.fault(UnknownVariable, e.Offset, "$%s holds several values; name one of them, such as $%s.name", scope, scope), nil
	}
	return v.compileScope(scope), e.Steps[members:]
}

// scopes are the scopes of all variables.
var scopes = []Scope{Args, This, Keys, Claims, Request, Env, Config, Response, Status}

// Keywords returns the variables and methods of expressions as a schema writes them: $args,
// ->first.
func Keywords() []string {
	var words []string
	for _, s := range scopes {
		words = append(words, "$"+string(s))
	}
	for _, m := range methods {
		words = append(words, "->"+m)
	}
	return words
}

// reportUnknownVariable reports a variable that does not exist, or that exists elsewhere alone.
func (c *valueCompiler) reportUnknownVariable(e *selection.Expr) *Value {
	if slices.Contains(scopes, Scope(e.Name)) {
		return c.fault(MisplacedVariable, e.Offset, "$%s has no value here; write $%s%s", e.Name, c.scopes[0], quoteScopes(c.scopes))
	}
	names := make([]string, len(c.scopes))
	for i, s := range c.scopes {
		names[i] = string(s)
	}
	return c.fault(UnknownVariable, e.Offset, "there is no variable $%s%s", e.Name, DidYouMean(e.Name, names))
}

// variableCompiler compiles one variable.
type variableCompiler struct {
	*valueCompiler
	offset  int
	written string
	path    []string
}

func (p *variableCompiler) fault(code Code, format string, args ...any) *Value {
	return p.valueCompiler.fault(code, p.offset, format, args...)
}

func (p *variableCompiler) compileScope(scope Scope) *Value {
	switch scope {
	case Args:
		return p.compileArgument()
	case This:
		if p.field.Batch != nil {
			return p.fault(MisplacedVariable, "%s differs between the parents of a batch; write $batch.%s, or leave out batch", p.written, p.path[0])
		}
		return p.compileParentValue(This)
	case Keys:
		if p.field.Batch == nil {
			return p.fault(MisplacedVariable, "%s stands for the keys of a batch, but the field has none; add batch: {maxSize: 100}, or write $this", p.written)
		}
		return p.compileParentValue(Keys)
	case Request, Response:
		return p.compileHeader(scope)
	case Env, Config:
		if len(p.path) > 1 {
			return p.fault(UnknownValue, "%s: a value of $%s is a text, so it has no members", p.written, scope)
		}
	case Status:
		if len(p.path) > 0 {
			return p.fault(UnknownValue, "$status is a number, so it has no members")
		}
		return &Value{Scope: Status, Type: ast.NonNullNamedType("Int", nil)}
	}
	return &Value{Scope: scope, Path: p.path}
}

// compileHeader compiles $request.headers.name and $response.headers.name.
func (p *variableCompiler) compileHeader(scope Scope) *Value {
	if p.path[0] != "headers" || len(p.path) != 2 {
		return p.fault(UnknownValue, "%s: only the headers of a %s have values; write $%s.headers.name", p.written, scope, scope)
	}
	if why := upstreams.ForwardError(p.path[1]); scope == Request && why != "" {
		return p.fault(UnforwardedHeader, "a client's header %s is never forwarded: it %s; send $claims, or a header of your own", p.path[1], why)
	}
	return &Value{Scope: scope, Path: p.path, Type: ast.NamedType("String", nil)}
}

// compileArgument compiles $args.name.name, which leads through input objects.
func (p *variableCompiler) compileArgument() *Value {
	field := p.field.Definition
	if field.Name == "" {
		return p.fault(MisplacedVariable, "the binding of a type has no arguments; its key is one of the type's fields: write $this.%s, or $batch.%s with batch", p.path[0], p.path[0])
	}
	arg := field.Arguments.ForName(p.path[0])
	if arg == nil {
		return p.fault(UnknownValue, "%s has no argument %q%s", p.name(), p.path[0], DidYouMean(p.path[0], argumentNames(field.Arguments)))
	}
	p.usedArguments[arg.Name] = true
	if v := p.compilePageArgument(arg); v != nil {
		return v
	}
	t := arg.Type
	for _, name := range p.path[1:] {
		if t = p.memberType(t, name); t == nil {
			return nil
		}
	}
	p.checkSendable(&ast.Type{NamedType: t.Name()}, p.text.Position, map[string]bool{})
	return &Value{Scope: Args, Path: p.path, Type: t}
}

// memberType returns the type of an input object's field. It is nullable if the object is.
func (p *variableCompiler) memberType(t *ast.Type, name string) *ast.Type {
	def := p.schema.Types[t.Name()]
	if isList(t) || def == nil || def.Kind != ast.InputObject {
		p.fault(UnknownValue, "%s: %s is not an object, so it has no field %q", p.written, t, name)
		return nil
	}
	inner := def.Fields.ForName(name)
	if inner == nil {
		p.fault(UnknownValue, "%s has no field %q%s", def.Name, name, DidYouMean(name, fieldNames(def)))
		return nil
	}
	return nullableIf(inner.Type, !t.NonNull)
}

// nullableIf returns t, or its nullable form if nullable is set.
func nullableIf(t *ast.Type, nullable bool) *ast.Type {
	if !nullable || !t.NonNull {
		return t
	}
	loose := *t
	loose.NonNull = false
	return &loose
}

// compileParentValue compiles a field of the parent, whose service has to send it.
func (p *variableCompiler) compileParentValue(scope Scope) *Value {
	if p.isRootField {
		return p.fault(MisplacedVariable, "%s has no parent, so there is no $%s; its values are $args and $claims", p.name(), scope)
	}
	if len(p.path) > 1 {
		return p.fault(UnknownParentField, "%s: write one field of %s, such as $%s.%s", p.written, p.field.Object.Name, scope, p.path[0])
	}
	source := p.parentProperty(p.path[0])
	if source == nil {
		return p.fault(UnknownParentField, "%s has no field %q that its own service sends%s", p.field.Object.Name, p.path[0], DidYouMean(p.path[0], propertyNames(p.field.Object)))
	}
	if scope == Keys {
		return p.compileBatchKey(source)
	}
	if isList(source.Type) {
		return p.fault(MisplacedList, "%s is a list, but a call for each parent takes one value; request all of them with batch and {$batch.%s}", p.written, source.Name)
	}
	p.parentFields = append(p.parentFields, source.Name)
	return &Value{Scope: scope, Path: p.path, Type: source.Type}
}

// compileBatchKey compiles $batch.name, and makes that field of the parent the one that holds the
// keys.
func (p *variableCompiler) compileBatchKey(source *ast.FieldDefinition) *Value {
	batch := p.field.Batch
	if batch.ParentKey != nil && batch.ParentKey != source {
		return p.fault(SecondKey, "%s: a batch has one key, which is already $batch.%s", p.written, batch.ParentKey.Name)
	}
	batch.ParentKey = source
	return &Value{Scope: Keys, Path: p.path, Type: source.Type}
}
