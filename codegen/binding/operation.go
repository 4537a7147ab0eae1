package binding

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
	"github.com/gatehouse-graphql/gatehouse/codegen/selection"
)

// operationCompiler compiles a call of an operation that the source's document describes. Each
// parameter has its value from the binding's text, or from the one variable that clearly has the
// parameter's name. If several could be meant, the binding has to say which.
type operationCompiler struct {
	*bindingCompiler
	text       *ast.Value
	op         *openapi.Operation
	parameters []*openapi.Parameter                   // the parameters outside of the body
	explicit   map[*openapi.Parameter]*selection.Expr // the values that the binding's text gives
	byName     map[*openapi.Parameter]variableName    // the variables that fill parameters of their names
	ambiguous  map[*openapi.Parameter]bool            // parameters that several variables could fill, which are reported once
	bodyText   *selection.Expr                        // the body that the binding's text gives; nil if it gives none
}

// compileOperation compiles operation: "name" or "name(parameter: value)".
func (b *bindingCompiler) compileOperation(text *ast.Value) {
	name, args, ok := b.parseOperation(text)
	if !ok {
		return
	}
	s := b.graph.Source(b.field.Source)
	switch {
	case s == nil: // already reported as UnknownSource
		b.isUnknownCall = true
		return
	case s.OpenAPI == "":
		b.faults.Add(NoDocument, text.Position, "operation is looked up in a document, but the source %q has none; add openapi: \"openapi/%s.yaml\" to its @source, or write http", s.Name, s.Name)
		return
	case s.Document == nil: // already reported as UnreadableDocument
		b.isUnknownCall = true
		return
	}
	op := s.Document.Operation(name)
	if op == nil {
		b.faults.Add(UnknownOperation, text.Position, "%s has no operation %q%s", s.Document.File, name, DidYouMean(name, operationIDs(s.Document)))
		return
	}
	if i := slices.IndexFunc(s.Document.Operations, func(o *openapi.Operation) bool { return o != op && o.ID == name }); i >= 0 {
		b.faults.Add(AmbiguousName, text.Position, "two operations are called %q (%s and %s); write verb and path of the right one with http, or give each its own operationId",
			name, op.Place, s.Document.Operations[i].Place)
		return
	}
	if !slices.Contains(verbs, op.Method) {
		b.faults.Add(UnsupportedMedia, text.Position, "%s is a %s call (%s), which no binding can make; resolve the field by hand in resolvers/", name, op.Method, op.Place)
		return
	}
	c := &operationCompiler{
		bindingCompiler: b, text: text, op: op,
		explicit: map[*openapi.Parameter]*selection.Expr{}, byName: map[*openapi.Parameter]variableName{}, ambiguous: map[*openapi.Parameter]bool{},
	}
	c.field.Call = Call{Method: op.Method, Template: op.Path, Position: text.Position, Operation: op, Encoding: JSON}
	if !c.matchParameters(args) {
		return
	}
	c.fillPath()
	for _, p := range c.parameters {
		c.fillParameter(p)
	}
	c.fillBody()
}

// matchParameters determines what fills each parameter: the value in the binding's text, else a
// variable of its name. It reports whether the text has no mistakes.
func (c *operationCompiler) matchParameters(args []selection.Argument) bool {
	c.collectParameters()
	before := len(c.faults)
	for _, a := range args {
		c.resolveArgument(a)
	}
	if len(c.faults) > before {
		return false
	}
	c.matchArguments()
	c.matchPages()
	c.matchKeys()
	return true
}

var operationName = regexp.MustCompile(`^\s*([^\s(]+(?:\s+[^\s(]+)*)\s*(\()?`)

// parseOperation parses name(parameter: value).
func (b *bindingCompiler) parseOperation(text *ast.Value) (string, []selection.Argument, bool) {
	m := operationName.FindStringSubmatchIndex(text.Raw)
	if m == nil {
		b.faults.Add(UnknownOperation, text.Position, "an operation is named by its operationId, such as listUsers or listUsers(ids: $batch.id)")
		return "", nil, false
	}
	name, end := text.Raw[m[2]:m[3]], m[1]
	var args []selection.Argument
	if m[4] >= 0 {
		var err error
		args, end, err = selection.ParseArguments(text.Raw, end)
		if broken, ok := err.(*selection.Error); ok {
			b.faults.addInText(OperationArgument, text, broken.Offset, "%v", err)
			return "", nil, false
		}
	}
	if rest := strings.TrimSpace(text.Raw[end:]); rest != "" {
		b.faults.addInText(OperationArgument, text, end, "unexpected %q after the operation", rest)
		return "", nil, false
	}
	return name, args, true
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

// bodyName stands for the body among the arguments of an operation's text.
const bodyName = "body"

var pathParameter = regexp.MustCompile(`\{([^{}]+)\}`)

// fillPath compiles the operation's path. Its parameters are filled in the order of the path.
func (c *operationCompiler) fillPath() {
	if what, _ := pathProblem(c.op.Path); what != "" {
		c.faults.Add(AmbiguousPath, c.text.Position, "the path %q of %s (%s) has %s, which servers read differently; correct the document, or write http", c.op.Path, c.op.ID, c.op.Place, what)
		return
	}
	at := 0
	for _, m := range pathParameter.FindAllStringSubmatchIndex(c.op.Path, -1) {
		if literal := c.op.Path[at:m[0]]; literal != "" {
			c.field.Call.Path = append(c.field.Call.Path, Part{Literal: literal})
		}
		at = m[1]
		name := c.op.Path[m[2]:m[3]]
		p := c.parametersNamed("path", name)[0]
		if v := c.valueFor(p); v != nil {
			c.checkPathValue(v, p)
			c.checkStyle(v, p)
			c.field.Call.Path = append(c.field.Call.Path, Part{Value: v, Style: p})
		}
	}
	if literal := c.op.Path[at:]; literal != "" {
		c.field.Call.Path = append(c.field.Call.Path, Part{Literal: literal})
	}
}

// checkPathValue refuses values that a path cannot hold.
func (c *operationCompiler) checkPathValue(v *Value, p *openapi.Parameter) {
	switch {
	case v.Scope == Keys:
		c.faults.AddAtValue(KeysInPath, v, "%s fills %s in the path, where a call can carry only one key; write $this and leave out batch", v, p.Name)
	case v.Scope == Constant && v.Literal == "null":
		c.faults.AddAtValue(NullInPath, v, "%s in the path cannot be null; give it a value", p.Name)
	case v.Scope == Args && v.Type != nil && !v.Type.NonNull:
		c.faults.AddAtValue(NullInPath, v, "%s may be null, and %s in the path cannot be null; %s", v, p.Name, notNull(v))
	}
}

// defaultStyles are the styles that join the elements of a list with commas.
var defaultStyles = map[string]string{"query": "form", "cookie": "form", "header": "simple"}

// fillParameter fills a query parameter, a header or a cookie.
func (c *operationCompiler) fillParameter(p *openapi.Parameter) {
	if p.In == "path" {
		return
	}
	v := c.valueFor(p)
	if v == nil {
		return
	}
	c.checkStyle(v, p)
	if v.Scope == Keys && p.IsText() {
		joined := *p
		joined.Style, joined.Explode = defaultStyles[p.In], false
		p = &joined
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
		c.faults.Add(UnsupportedMedia, c.text.Position, "%s takes %s in its %s (%s), which no binding can fill; resolve the field by hand in resolvers/", c.op.ID, p.Name, p.In, p.Place)
	}
}

// valueFor returns the value of a parameter: the one in the binding's text, else the variable of
// the parameter's name. It returns nil if there is none, and reports that if the parameter is
// required.
func (c *operationCompiler) valueFor(p *openapi.Parameter) *Value {
	if e := c.explicit[p]; e != nil {
		return c.compileValue(c.text, e)
	}
	if v, ok := c.byName[p]; ok {
		return c.compileNamed(v.scope, v.name)
	}
	if p.Required && !c.ambiguous[p] && !c.graph.Source(c.field.Source).Fills(p) {
		c.reportMissing(p)
	}
	return nil
}

// compileNamed compiles $scope.name as if the binding had written it.
func (c *operationCompiler) compileNamed(scope, name string) *Value {
	return c.compileValue(c.text, &selection.Expr{Root: selection.Variable, Name: scope, Steps: []selection.Step{{Name: name}}})
}

// fillBody compiles the operation's body. In this order it is: the body in the binding's text, an
// argument called body or input, the only input object that no parameter takes, or an object of the
// arguments that have the names of the body's properties.
func (c *operationCompiler) fillBody() {
	if c.op.Body == nil || !c.chooseEncoding() {
		return
	}
	call := &c.field.Call
	if c.bodyText != nil {
		call.Body = c.compileValue(c.text, c.bodyText)
	} else if arg := c.findBodyArgument(); arg != nil {
		call.Body = c.compileNamed("args", arg.Name)
	} else {
		call.Body = c.bodyFromArguments()
	}
	c.setDocumentedFields(c.op)
	if call.Body != nil && (call.Encoding == Form || call.Encoding == Multipart) {
		c.checkForm(c.text, call.Body)
	}
}

// findBodyArgument returns the argument that is the whole body, nil if there is none.
func (c *operationCompiler) findBodyArgument() *ast.ArgumentDefinition {
	var named, objects []*ast.ArgumentDefinition
	for _, arg := range c.field.Definition.Arguments {
		switch {
		case c.usedArguments[arg.Name]:
		case arg.Name == bodyName || arg.Name == "input":
			if c.isWholeBody(arg) {
				named = append(named, arg)
			}
		case c.couldBeBody(arg):
			objects = append(objects, arg)
		}
	}
	switch {
	case len(named) > 1:
		c.faults.Add(AmbiguousName, c.text.Position, "$args.body and $args.input could both be the body of %s (%s); write %s(body: $args.input) or %s(body: $args.body)", c.op.ID, c.op.Body.Place, c.op.ID, c.op.ID)
		return nil
	case len(named) == 1:
		return named[0]
	case len(objects) == 1:
		return objects[0]
	}
	return nil
}

// isWholeBody reports whether an argument called body or input is the whole body. If the document
// has a property of that name, the type decides between the body and the property; if both fit, the
// binding has to say which, and that is reported. A list is the whole body only if the document
// describes a list.
func (c *operationCompiler) isWholeBody(arg *ast.ArgumentDefinition) bool {
	body := mediaOf(c.op.Body, c.field.Call.Encoding).Schema
	member := body.Property(arg.Name)
	whole := c.hasShape(arg.Type, body)
	if member == nil {
		return whole || !isList(arg.Type)
	}
	if whole && c.hasShape(arg.Type, member.Schema) {
		c.faults.Add(AmbiguousName, c.text.Position, "$args.%s could be the whole body of %s or its member %s (%s), and the name alone does not tell which; write %s(body: $args.%s) or %s(body: { %s: $args.%s })",
			arg.Name, c.op.ID, arg.Name, member.Place, c.op.ID, arg.Name, c.op.ID, arg.Name, arg.Name)
	}
	return whole
}

// hasShape reports whether a type has the shape of a schema: a list, an object or a scalar.
func (c *operationCompiler) hasShape(t *ast.Type, s *openapi.Schema) bool {
	return slices.ContainsFunc(s.Leaves(), func(leaf *openapi.Schema) bool {
		isObject := c.schema.Types[t.Name()].Kind == ast.InputObject
		switch {
		case leaf.AllowsAny() || c.graph.scalarName(t.NamedType) == "JSON":
			return true
		case isList(t):
			return leaf.AllowsType("array")
		}
		return leaf.AllowsType("object") == isObject && (isObject || !leaf.AllowsType("array"))
	})
}

// couldBeBody reports whether an argument has the shape of the body, and the name of none of its
// properties.
func (c *operationCompiler) couldBeBody(arg *ast.ArgumentDefinition) bool {
	body := mediaOf(c.op.Body, c.field.Call.Encoding).Schema
	return c.schema.Types[arg.Type.Name()].Kind == ast.InputObject && (body.AllowsAny() || body.AllowsType("array") == isList(arg.Type)) &&
		!slices.ContainsFunc(body.PropertyNames(), func(name string) bool { return sameName(arg.Name, name) })
}

// bodyFromArguments builds an object of the arguments that have the names of the body's properties.
// An argument that fills a path parameter is not also a property. One that fills another parameter
// could be meant for both, which is reported.
func (c *operationCompiler) bodyFromArguments() *Value {
	properties := c.bodyProperties()
	filled, doubts := matchNames(c.bodyCandidates(), properties)
	for _, d := range doubts {
		c.reportAmbiguousProperty(d.names, properties[d.targets[0]])
	}
	made := Transform{Op: Object}
	for i, property := range properties {
		arg, ok := filled[i]
		if !ok {
			continue
		}
		if c.usedArguments[arg] {
			c.reportAmbiguousProperty([]string{arg}, property)
			continue
		}
		if v := c.compileNamed("args", arg); v != nil {
			made.Fields = append(made.Fields, ValueField{property, v})
		}
	}
	if len(made.Fields) == 0 {
		return nil
	}
	return &Value{Scope: Current, Transforms: []Transform{made}, Text: c.text}
}

// bodyProperties returns the names of the body's properties.
func (c *operationCompiler) bodyProperties() []string {
	var names []string
	for _, p := range mediaOf(c.op.Body, c.field.Call.Encoding).Schema.Properties {
		names = append(names, p.Name)
	}
	return names
}

// bodyCandidates returns the arguments that may be properties of the body: those that nothing
// takes, and those that a parameter outside of the path takes for its name alone.
func (c *operationCompiler) bodyCandidates() []string {
	var names []string
	for _, arg := range c.field.Definition.Arguments {
		if !c.usedArguments[arg.Name] || c.fillsByName(arg.Name) {
			names = append(names, arg.Name)
		}
	}
	return names
}

func (c *operationCompiler) fillsByName(arg string) bool {
	for p, v := range c.byName {
		if p.In != "path" && v == (variableName{string(Args), arg}) && !c.isPageArgument(arg) {
			return true
		}
	}
	return false
}

// reportAmbiguousProperty reports that an argument may or may not be a property of the body.
func (c *operationCompiler) reportAmbiguousProperty(args []string, property string) {
	c.faults.Add(AmbiguousName, c.text.Position, "$args.%s could be the member %s of the body of %s (%s) or another parameter, and the name alone does not tell which; write %s(body: { %s: $args.%s }), and name the parameter that another argument fills",
		strings.Join(args, " and $args."), property, c.op.ID, c.op.Body.Place, c.op.ID, property, args[0])
}

// chooseEncoding chooses the first encoding that both the gateway and the document know. It reports
// whether there is one.
func (c *operationCompiler) chooseEncoding() bool {
	for _, encoding := range []Encoding{JSON, Form, Multipart, Text} {
		m := mediaOf(c.op.Body, encoding)
		if m == nil {
			continue
		}
		c.field.Call.Encoding = encoding
		if encoding == JSON && !strings.Contains(m.Type, "*") && !strings.EqualFold(m.Type, "application/json") {
			c.field.Call.MediaType = m.Type
		}
		return true
	}
	if c.op.Body.Required || c.bodyText != nil {
		c.faults.Add(UnsupportedMedia, c.text.Position, "%s takes %s (%s), which no binding can send; resolve the field by hand in resolvers/", c.op.ID, mediaTypes(c.op.Body), c.op.Body.Place)
	}
	return false
}

// mediaOf returns how a document describes a body in an encoding, nil if it does not.
func mediaOf(body *openapi.Body, encoding Encoding) *openapi.Media {
	types := map[Encoding]string{Form: "application/x-www-form-urlencoded", Multipart: "multipart/form-data", Text: "text/plain"}
	if encoding == JSON {
		return body.JSON()
	}
	for i, m := range body.Media {
		base, _, _ := strings.Cut(m.Type, ";")
		if strings.EqualFold(strings.TrimSpace(base), types[encoding]) {
			return &body.Media[i]
		}
	}
	return nil
}

func mediaTypes(body *openapi.Body) string {
	var types []string
	for _, m := range body.Media {
		types = append(types, m.Type)
	}
	return cmp.Or(joinNames(types), "a body of no media type")
}

// Operation returns the operation of the source's document that a binding calls, nil if there is
// none.
func (g *Graph) Operation(f *Field) *openapi.Operation {
	if f.Call.Operation != nil {
		return f.Call.Operation
	}
	s := g.Source(f.Source)
	if s == nil || s.Document == nil {
		return nil
	}
	return s.Document.Find(f.Call.Method, f.Call.PathTemplate())
}
