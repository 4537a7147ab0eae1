package binding

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
)

// operationCompiler fills the call of an operation of a document.
type operationCompiler struct {
	*bindingCompiler
	text  *ast.Value
	op    *openapi.Operation
	named map[string]selection.Field // the values that the binding gives by name
}

// operation compiles operation: "name" or "name(parameter: value)".
func (b *bindingCompiler) operation(text *ast.Value) {
	name, named, ok := b.operationText(text)
	if !ok {
		return
	}
	s := b.graph.Source(b.field.Source)
	switch {
	case s == nil:
		return // which is a fault already
	case s.OpenAPI == "":
		b.faults.Add(NoDocument, text.Position, "operation is looked up in a document, but the source %q names none; add openapi: \"openapi/%s.yaml\" to its @source, or write http", s.Name, s.Name)
		return
	case s.Document == nil:
		return
	}
	op := s.Document.Operation(name)
	if op == nil {
		b.faults.Add(UnknownOperation, text.Position, "%s has no operation %q%s", s.Document.File, name, DidYouMean(name, operationIDs(s.Document)))
		return
	}
	if !slices.Contains(verbs, op.Method) {
		b.faults.Add(UnsupportedMedia, text.Position, "%s is a %s call (%s), which nothing binds to; resolve the field by hand in resolvers/", name, op.Method, op.Place)
		return
	}
	c := &operationCompiler{b, text, op, named}
	c.field.Call = Call{Method: op.Method, Template: op.Path, Position: text.Position, Operation: op, Encoding: JSON}
	c.names()
	c.path()
	for _, p := range op.Parameters {
		c.parameter(p)
	}
	c.body()
}

var operationName = regexp.MustCompile(`^\s*([^\s(]+(?:\s+[^\s(]+)*)\s*(\()?`)

// operationText takes apart name(parameter: value).
func (b *bindingCompiler) operationText(text *ast.Value) (string, map[string]selection.Field, bool) {
	m := operationName.FindStringSubmatchIndex(text.Raw)
	if m == nil {
		b.faults.Add(UnknownOperation, text.Position, "an operation is named by its operationId, such as listUsers or listUsers(ids: $batch.id)")
		return "", nil, false
	}
	name, end := text.Raw[m[2]:m[3]], m[1]
	named := map[string]selection.Field{}
	if m[4] >= 0 {
		fields, after, err := selection.ParseArguments(text.Raw, end)
		if broken, ok := err.(*selection.Error); ok {
			b.faults.addIn(OperationArgument, text, broken.Offset, "%v", err)
			return "", nil, false
		}
		for _, f := range fields {
			if _, twice := named[f.Name]; twice {
				b.faults.addIn(OperationArgument, text, f.Offset, "%q is given twice; keep one", f.Name)
			}
			named[f.Name] = f
		}
		end = after
	}
	if rest := strings.TrimSpace(text.Raw[end:]); rest != "" {
		b.faults.addIn(OperationArgument, text, end, "unexpected %q behind the operation", rest)
		return "", nil, false
	}
	return name, named, true
}

func operationIDs(doc *openapi.Document) []string {
	var ids []string
	for _, op := range doc.Operations {
		if op.ID != "" {
			ids = append(ids, op.ID)
		}
	}
	return ids
}

// bodyName is how an operation's text names the body.
const bodyName = "body"

// names refuses names that are no parameter of the operation.
func (c *operationCompiler) names() {
	known := []string{}
	for _, p := range c.op.Parameters {
		known = append(known, p.Name)
	}
	if c.op.Body != nil {
		known = append(known, bodyName)
	}
	for _, name := range slices.Sorted(maps.Keys(c.named)) {
		if !slices.Contains(known, name) {
			c.faults.addIn(OperationArgument, c.text, c.named[name].Offset, "%s has no parameter %q (%s)%s", c.op.ID, name, c.op.Place, DidYouMean(name, known))
		}
	}
}

var pathParameter = regexp.MustCompile(`\{([^{}]+)\}`)

// path compiles the operation's path. Its parameters are filled in the order of the path.
func (c *operationCompiler) path() {
	at := 0
	for _, m := range pathParameter.FindAllStringSubmatchIndex(c.op.Path, -1) {
		if literal := c.op.Path[at:m[0]]; literal != "" {
			c.field.Call.Path = append(c.field.Call.Path, Part{Literal: literal})
		}
		at = m[1]
		name := c.op.Path[m[2]:m[3]]
		p := c.op.Parameter("path", name)
		if p == nil {
			p = &openapi.Parameter{Place: c.op.Place, Name: name, In: "path", Style: "simple", Required: true, Schema: &openapi.Schema{}}
		}
		if v := c.valueFor(p); v != nil {
			c.inPath(v, p)
			c.field.Call.Path = append(c.field.Call.Path, Part{Value: v, Style: p})
		}
	}
	if literal := c.op.Path[at:]; literal != "" {
		c.field.Call.Path = append(c.field.Call.Path, Part{Literal: literal})
	}
}

// inPath refuses values that a path has no place for.
func (c *operationCompiler) inPath(v *Value, p *openapi.Parameter) {
	switch {
	case v.Scope == Keys:
		c.faults.AddTo(KeysInPath, v, "%s fills %s in the path, where one call can carry one key only; write $this and leave out batch", v, p.Name)
	case v.Scope == Constant && v.Literal == "null":
		c.faults.AddTo(NullInPath, v, "the path's %s has no place for null; give it a value", p.Name)
	case v.Scope == Args && v.Type != nil && !v.Type.NonNull:
		c.faults.AddTo(NullInPath, v, "%s may be null, and the path's %s has no place for null; %s", v, p.Name, notNull(v))
	}
}

// parameter fills a query parameter, a header or a cookie.
func (c *operationCompiler) parameter(p *openapi.Parameter) {
	if p.In == "path" {
		return
	}
	v := c.valueFor(p)
	if v == nil {
		return
	}
	param := Param{Name: p.Name, Parts: []Part{{Value: v}}, Style: p}
	call := &c.field.Call
	switch p.In {
	case "query":
		call.Query = append(call.Query, param)
	case "header":
		call.Headers = append(call.Headers, param)
	case "cookie":
		call.Cookies = append(call.Cookies, param)
	default:
		c.faults.Add(UnsupportedMedia, c.text.Position, "%s takes %s in its %s (%s), which nothing binds to; resolve the field by hand in resolvers/", c.op.ID, p.Name, p.In, p.Place)
	}
}

// valueFor finds what fills a parameter: the value that the binding gives by name, the
// argument of the same name, what a page begins with, or, when it is required, the parent's
// field of the same name. Nil is nothing, which is a fault when it is required.
func (c *operationCompiler) valueFor(p *openapi.Parameter) *Value {
	if f, ok := c.named[p.Name]; ok {
		return c.given(c.text, f.Expr)
	}
	for _, arg := range c.field.Definition.Arguments {
		if sameName(arg.Name, p.Name) && !c.pages(arg.Name) {
			return c.variable("args", arg.Name)
		}
	}
	if name := c.pageName(p); name != "" {
		return c.variable("args", name)
	}
	if !p.Required {
		return nil
	}
	if v := c.fromParent(p); v != nil {
		return v
	}
	c.faults.Add(MissingParameter, c.text.Position, "%s requires the %s parameter %s (%s), which nothing fills; give the field an argument of that name, or write %s(%s: value)", c.op.ID, p.In, p.Name, p.Place, c.op.ID, p.Name)
	return nil
}

// variable is $scope.name, as if the binding had written it.
func (c *operationCompiler) variable(scope, name string) *Value {
	return c.given(c.text, &selection.Expr{Root: selection.Variable, Name: scope, Steps: []selection.Step{{Name: name}}})
}

// fromParent is the parent's field of a parameter's name.
func (c *operationCompiler) fromParent(p *openapi.Parameter) *Value {
	if c.root {
		return nil
	}
	for _, f := range c.field.Object.Fields {
		if !Sent(f) || !sameName(f.Name, p.Name) {
			continue
		}
		if c.field.Batch != nil {
			return c.variable("batch", f.Name)
		}
		return c.variable("this", f.Name)
	}
	return nil
}

// sameName compares names as different languages write them: userId, user_id, user-id.
func sameName(a, b string) bool { return plainName(a) == plainName(b) }

func plainName(name string) string {
	return strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune("-_[]. ", r) {
			return -1
		}
		return r
	}, name))
}

// pages tells whether an argument asks for a page.
func (c *operationCompiler) pages(arg string) bool {
	return c.field.Page != nil && (arg == "first" || arg == "after")
}

// The names by which services are told of pages, as plainName writes them.
var (
	sizeNames  = []string{"limit", "pagesize", "perpage", "size", "first", "count", "take", "maxresults", "top"}
	beginNames = map[string][]string{
		"OFFSET":      {"offset", "skip", "start", "from", "startindex"},
		"PAGE_NUMBER": {"page", "pagenumber", "pageno", "pageindex"},
		"NEXT_CURSOR": {"cursor", "after", "nextcursor", "pagetoken", "nexttoken", "startingafter", "continuationtoken", "next"},
	}
)

// pageName is first or after when a parameter is named like what they stand for.
func (c *operationCompiler) pageName(p *openapi.Parameter) string {
	if c.field.Page == nil || p.In != "query" {
		return ""
	}
	name := plainName(p.Name)
	switch {
	case slices.Contains(beginNames[c.field.Page.Type], name) && !c.gives("after"):
		return "after"
	case slices.Contains(sizeNames, name) && !c.gives("first") && isNumber(p.Schema):
		return "first"
	}
	return ""
}

// isNumber tells whether a value may be a number: services have count=true, too.
func isNumber(s *openapi.Schema) bool { return s.Any() || s.Is("integer") || s.Is("number") }

// gives tells whether the binding's text gives one of the field's arguments to a parameter.
func (c *operationCompiler) gives(arg string) bool {
	for _, f := range c.named {
		if f.Expr.Root == selection.Variable && f.Expr.Name == "args" && len(f.Expr.Steps) > 0 && f.Expr.Steps[0].Name == arg {
			return true
		}
	}
	return c.used[arg]
}

// body fills the operation's body: by name, by an argument called body or input, by the
// only input object that no parameter takes, or by the arguments that are named like the
// body's properties.
func (c *operationCompiler) body() {
	if c.op.Body == nil || !c.media() {
		return
	}
	call := &c.field.Call
	if f, ok := c.named[bodyName]; ok {
		call.Body = c.given(c.text, f.Expr)
	} else if arg := c.bodyArgument(); arg != nil {
		call.Body = c.variable("args", arg.Name)
	} else {
		call.Body = c.bodyOfArguments()
	}
	if call.Body != nil && call.Encoding == Form {
		c.flatBody(c.text, call.Body)
	}
}

// bodyArgument is the argument that is the whole body, nil when there is none. A list is
// one only where the document says so: else it is a member of the body.
func (c *operationCompiler) bodyArgument() *ast.ArgumentDefinition {
	var objects []*ast.ArgumentDefinition
	for _, arg := range c.field.Definition.Arguments {
		switch {
		case c.used[arg.Name] || isList(arg.Type) && !c.takesList():
		case arg.Name == bodyName || arg.Name == "input":
			return arg
		case c.wholeBody(arg):
			objects = append(objects, arg)
		}
	}
	if len(objects) != 1 {
		return nil
	}
	return objects[0]
}

// takesList tells whether the body may be a list.
func (c *operationCompiler) takesList() bool {
	s := c.mediaOf(c.field.Call.Encoding).Schema
	return s.Any() || s.Is("array")
}

// wholeBody tells whether an argument holds what a body does, and is no property of it.
func (c *operationCompiler) wholeBody(arg *ast.ArgumentDefinition) bool {
	body := c.mediaOf(c.field.Call.Encoding).Schema
	return c.schema.Types[arg.Type.Name()].Kind == ast.InputObject && (body.Any() || body.Is("array") == isList(arg.Type)) &&
		!slices.ContainsFunc(body.PropertyNames(), func(name string) bool { return sameName(arg.Name, name) })
}

// bodyOfArguments makes an object of the arguments that are named like its properties.
func (c *operationCompiler) bodyOfArguments() *Value {
	media := c.mediaOf(c.field.Call.Encoding)
	made := Change{Op: Object}
	for _, p := range media.Schema.Properties {
		for _, arg := range c.field.Definition.Arguments {
			if c.used[arg.Name] || !sameName(arg.Name, p.Name) {
				continue
			}
			if v := c.variable("args", arg.Name); v != nil {
				made.Fields = append(made.Fields, ValueField{p.Name, v})
			}
		}
	}
	if len(made.Fields) == 0 {
		return nil
	}
	return &Value{Scope: Current, Then: []Change{made}, Place: c.text}
}

// media chooses how the body is written: as the first of the ways that we know.
func (c *operationCompiler) media() bool {
	for _, encoding := range []Encoding{JSON, Form, Multipart, Text} {
		m := c.mediaOf(encoding)
		if m == nil {
			continue
		}
		c.field.Call.Encoding = encoding
		if encoding == JSON && !strings.Contains(m.Type, "*") && !strings.EqualFold(m.Type, "application/json") {
			c.field.Call.Media = m.Type
		}
		return true
	}
	if c.op.Body.Required || c.named[bodyName].Expr != nil {
		c.faults.Add(UnsupportedMedia, c.text.Position, "%s takes %s (%s), which nothing writes; resolve the field by hand in resolvers/", c.op.ID, mediaTypes(c.op.Body), c.op.Body.Place)
	}
	return false
}

func (c *operationCompiler) mediaOf(encoding Encoding) *openapi.Media {
	types := map[Encoding]string{Form: "application/x-www-form-urlencoded", Multipart: "multipart/form-data", Text: "text/plain"}
	if encoding == JSON {
		return c.op.Body.JSON()
	}
	for i, m := range c.op.Body.Media {
		base, _, _ := strings.Cut(m.Type, ";")
		if strings.EqualFold(strings.TrimSpace(base), types[encoding]) {
			return &c.op.Body.Media[i]
		}
	}
	return nil
}

func mediaTypes(body *openapi.Body) string {
	var types []string
	for _, m := range body.Media {
		types = append(types, m.Type)
	}
	return cmp.Or(quoteAll(types), "a body of no media type")
}

// Operation is the operation of its source's document that a binding calls, nil when there
// is none.
func (g *Graph) Operation(f *Field) *openapi.Operation {
	if f.Call.Operation != nil {
		return f.Call.Operation
	}
	s := g.Source(f.Source)
	if s == nil || s.Document == nil {
		return nil
	}
	return s.Document.Find(f.Call.Method, templatePath(f.Call.Path))
}
