package binding

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// bindingCompiler compiles one @connect. It embeds the compiler of the schema, to whose faults it
// adds its own.
type bindingCompiler struct {
	directive *ast.Directive
	*compiler
	field         *Field
	isRootField   bool            // a field of Query or Mutation, which has no parent
	usedArguments map[string]bool // the arguments that the call takes
	parentFields  []string        // the parent's fields that the call takes with $this
	scopes        []Scope         // the scopes whose values the call may take
	isUnknownCall bool            // nothing is known of the call for a reason that is reported elsewhere
}

var verbs = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

// compileCall compiles the request: http, or an operation of the source's document.
func (b *bindingCompiler) compileCall(d *ast.Directive) {
	http, operation := argument(d, "http"), argument(d, "operation")
	switch {
	case http != nil && operation != nil:
		b.faults.Add(VerbCount, operation.Position, "http and operation both describe the call; remove one")
	case http == nil && operation == nil:
		b.faults.Add(VerbCount, d.Position, "nothing describes the call; write http: {GET: \"/path\"}, or operation: \"operationId\"")
	case operation != nil:
		before := len(b.faults)
		if b.compileOperation(operation); len(b.faults) == before && b.field.Call.Operation != nil {
			b.settleKeys(operation)
		}
	default:
		b.compileHTTP(http)
	}
}

// argument returns the value of a directive's argument, nil if it is absent or null.
func argument(d *ast.Directive, name string) *ast.Value {
	arg := d.Arguments.ForName(name)
	if arg == nil || arg.Value.Kind == ast.NullValue {
		return nil
	}
	return arg.Value
}

func (b *bindingCompiler) compileHTTP(http *ast.Value) {
	call := &b.field.Call
	var written *ast.Value
	for _, verb := range verbs {
		v := memberValue(http, verb)
		if v == nil {
			continue
		}
		if written != nil {
			b.faults.Add(VerbCount, v.Position, "a call has one verb, but there are %s and %s; remove one", call.Method, verb)
		}
		call.Method, written = verb, v
	}
	if written == nil {
		b.faults.Add(VerbCount, http.Position, "the call has no verb; write http: {GET: \"/path\"}, or %s", joinNames(verbs[1:]))
		return
	}
	call.Template, call.Position = written.Raw, written.Position
	call.Idempotent = memberValue(http, "idempotent") != nil && memberValue(http, "idempotent").Raw == "true"
	before := len(b.faults)
	b.compileURL(written)
	b.headers(http)
	b.compileBody(http)
	if len(b.faults) == before {
		b.settleKeys(written)
	}
}

// compileURL compiles the path and the query of a template.
func (b *bindingCompiler) compileURL(v *ast.Value) {
	t, ok := b.readTemplate(v)
	if !ok {
		return
	}
	path, query, hasQuery := t.splitFirst("?")
	if len(path) == 0 || !strings.HasPrefix(path[0].literal, "/") {
		b.faults.Add(RelativePath, v.Position, "a path begins with \"/\"; the host belongs to gateway.yaml, under sources.%s.urls", b.field.Source)
		return
	}
	b.field.Call.Path = b.compilePath(v, path)
	if hasQuery {
		for _, part := range query.split("&") {
			b.compileQuery(v, part)
		}
	}
}

func (b *bindingCompiler) compilePath(v *ast.Value, t template) []Part {
	written := ""
	for _, p := range t {
		written += p.String()
	}
	if what, at := pathProblem(written); what != "" {
		b.faults.addInText(AmbiguousPath, v, at, "the path %q has %s, which servers read differently; write the path that is meant", written, what)
	}
	parts := b.compileParts(v, t)
	b.refuseStars(v, t, "a path")
	for i, part := range parts {
		if part.Value == nil || part.Value.Type == nil {
			continue
		}
		switch {
		case part.Value.Scope == Keys:
			b.faultAt(KeysInPath, v, t[i], "%s is in the path, where a call can carry only one key; put the keys into the query, or write $this and leave out batch", t[i].source)
		case isList(part.Value.Type):
			b.faultAt(MisplacedList, v, t[i], "%s is a list, which a path cannot hold", t[i].source)
		case part.Value.Scope == Args && !part.Value.Type.NonNull:
			b.faultAt(NullInPath, v, t[i], "%s may be null, and a path cannot hold null; %s", t[i].source, notNull(part.Value))
		}
		b.checkScalar(v, t[i], part.Value)
	}
	return parts
}

// notNull returns advice on how to make a value non-null.
func notNull(v *Value) string {
	if len(v.Path) > 1 {
		return "mark it with !, and every field that leads to it"
	}
	return fmt.Sprintf("make it %s!", v.Type)
}

// refuseStars refuses {$args.x*} in a template where nothing can be repeated.
func (b *bindingCompiler) refuseStars(v *ast.Value, t template, what string) {
	for _, p := range t {
		if p.explode {
			b.faultAt(NothingToRepeat, v, p, "%s has nothing to repeat; leave out the *", what)
		}
	}
}

func (b *bindingCompiler) compileQuery(v *ast.Value, t template) {
	if len(t) == 0 {
		return
	}
	name, value, found := t.splitFirst("=")
	if !found || len(name) != 1 || !name[0].isLiteral() {
		b.faultAt(InvalidQuery, v, t[0], "a query parameter is written name=value")
		return
	}
	for _, p := range t {
		if p.isLiteral() && strings.ContainsFunc(p.literal, unicode.IsControl) {
			b.faultAt(ControlInQuery, v, p, "%q holds a control character; write its percent-encoding, such as %%0A for a line break", p.literal)
		}
	}
	param := Param{Name: name[0].literal, Parts: b.compileParts(v, value), JSON: value.isJSON()}
	if !param.JSON {
		b.followDocument(value, &param)
		b.checkLists(v, value, &param)
	}
	b.field.Call.Query = append(b.field.Call.Query, param)
}

// checkLists checks the values of a query parameter. A list has to be alone in its parameter, and
// only a list can have a star, which repeats the parameter for each element.
func (b *bindingCompiler) checkLists(v *ast.Value, t template, param *Param) {
	for i, part := range param.Parts {
		param.Explode = param.Explode || t[i].explode
		if part.Value == nil || part.Value.Type == nil {
			continue
		}
		list := isList(part.Value.Type) || part.Value.Scope == Keys
		if list && len(param.Parts) > 1 {
			b.faultAt(MisplacedList, v, t[i], "%s is a list, which has to be alone in its parameter", t[i].source)
		}
		object := !list && b.isInput(part.Value.Type)
		if t[i].explode && !list && !object {
			b.faultAt(NothingToRepeat, v, t[i], "%s is not a list, so there is nothing to repeat; leave out the *", t[i].source)
		}
		switch {
		case param.Style != nil:
			b.checkStyle(part.Value, param.Style)
		case object && t[i].explode && len(param.Parts) == 1:
			b.checkStyle(part.Value, spread)
		default:
			b.checkScalar(v, t[i], part.Value)
		}
	}
}

// checkScalar refuses values that cannot be written as text: objects, nested lists and JSON.
func (b *bindingCompiler) checkScalar(v *ast.Value, p piece, value *Value) {
	def := b.schema.Types[value.Type.Name()]
	switch {
	case def.Kind == ast.InputObject:
		b.faultAt(MisplacedObject, v, p, "%s is an object (%s); name one of its fields, such as %s.%s, or write JSON, such as {\"name\": {%s}}, or {%s*} in a query for a parameter for each of its fields", p.source, def.Name, p.source, firstFieldName(def), p.source, p.source)
	case def.IsCompositeType():
		b.faultAt(MisplacedObject, v, p, "%s is an object (%s); name one of its fields, such as %s.%s", p.source, def.Name, p.source, firstFieldName(def))
	case isList(value.Type) && isList(value.Type.Elem):
		b.faultAt(MisplacedList, v, p, "%s is a list of lists, which only a body can hold", p.source)
	case b.graph.scalarName(def.Name) == "JSON":
		b.faultAt(MisplacedObject, v, p, "%s is any JSON, which only a body or JSON can hold: {\"name\": {%s}}", p.source, p.source)
	}
}

func firstFieldName(def *ast.Definition) string {
	if len(def.Fields) == 0 {
		return "field"
	}
	return def.Fields[0].Name
}

func (b *bindingCompiler) headers(http *ast.Value) {
	b.field.Call.Headers = b.compileHeaders(http)
}

func (b *bindingCompiler) compileHeaders(http *ast.Value) []Param {
	var list []Param
	seen := map[string]bool{}
	for _, h := range listElements(memberValue(http, "headers")) {
		name, value := memberValue(h, "name"), memberValue(h, "value")
		b.checkHeaderName(name, seen)
		if t, ok := b.readTemplate(value); ok {
			param := Param{Name: name.Raw, Parts: b.compileParts(value, t), JSON: t.isJSON()}
			if !param.JSON {
				b.checkHeaderValue(value, t, param.Parts)
			}
			b.checkCookie(value, t, name.Raw)
			list = append(list, param)
		}
	}
	return list
}

// cookie is the one header that a binding may set several times. Each sets one cookie, and the call
// joins them into a single header.
const cookie = "cookie"

func (b *bindingCompiler) checkHeaderName(name *ast.Value, seen map[string]bool) {
	key := strings.ToLower(name.Raw)
	switch {
	case !rest.ValidHeaderName(name.Raw):
		b.faults.Add(InvalidHeaderName, name.Position, "%q is not a valid name of a header", name.Raw)
	case rest.ReservedHeader(name.Raw):
		b.faults.Add(ReservedHeader, name.Position, "%s belongs to the connection, not to a call; remove it", name.Raw)
	case seen[key] && key != cookie:
		b.faults.Add(RepeatedHeader, name.Position, "%s is set twice; keep one", name.Raw)
	}
	seen[key] = true
}

func (b *bindingCompiler) checkHeaderValue(v *ast.Value, t template, parts []Part) {
	b.refuseStars(v, t, "a header")
	for i, part := range parts {
		switch {
		case part.Value == nil:
			if strings.ContainsFunc(part.Literal, unicode.IsControl) {
				b.faultAt(InvalidHeaderText, v, t[i], "a header cannot hold control characters")
			}
		case part.Value.Type == nil:
		case (isList(part.Value.Type) || part.Value.Scope == Keys) && len(parts) > 1:
			b.faultAt(MisplacedList, v, t[i], "%s is a list, which has to be alone in its header", t[i].source)
		default:
			b.checkScalar(v, t[i], part.Value)
		}
	}
}

// checkCookie refuses a header Cookie that holds several cookies: upstreams/rest would refuse every
// such call.
func (b *bindingCompiler) checkCookie(v *ast.Value, t template, header string) {
	for _, p := range t {
		if strings.EqualFold(header, cookie) && strings.Contains(p.literal, ";") {
			b.faultAt(InvalidCookie, v, p, "a header Cookie is one cookie, name=value; give each cookie a header of its own")
			return
		}
	}
}

func (b *bindingCompiler) compileBody(http *ast.Value) {
	call := &b.field.Call
	encoding := memberValue(http, "encoding")
	call.Encoding = JSON
	if encoding != nil {
		call.Encoding = Encoding(encoding.Raw)
	}
	text := memberValue(http, "body")
	switch {
	case text == nil && encoding != nil && call.Encoding != JSON:
		b.faults.Add(EncodingWithoutBody, encoding.Position, "encoding sets how a body is written, but there is no body; add body: \"$args.input\"")
	case text == nil:
	case call.Method == "GET" || call.Method == "DELETE":
		b.faults.Add(BodyNotAllowed, text.Position, "a %s call has no body; use POST, PUT or PATCH, or leave out body", call.Method)
	default:
		b.checkContentType(memberValue(http, "headers"))
		b.compileFields(http)
		b.setDocumentedFields(b.graph.Operation(b.field))
		b.compileBodyText(text)
	}
}

// checkContentType refuses a Content-Type that the encoding of the body contradicts: the service would
// read another body than the one that is sent.
func (b *bindingCompiler) checkContentType(headers *ast.Value) {
	encoding := b.field.Call.Encoding
	for _, h := range listElements(headers) {
		name, value := memberValue(h, "name"), memberValue(h, "value")
		if !strings.EqualFold(name.Raw, "Content-Type") || strings.Contains(value.Raw, "{$") {
			continue
		}
		switch declared := encodingOf(value.Raw); {
		case encoding == Multipart:
			b.faults.Add(InvalidBody, name.Position, "the Content-Type of a multipart body has its boundary, which the gateway writes; remove the header")
		case declared != "" && declared != encoding:
			b.faults.Add(InvalidBody, value.Position, "%s is not how the body is written (%s); write encoding: %s, or another Content-Type", value.Raw, encoding, declared)
		case encoding == Form && declared == "":
			b.faults.Add(InvalidBody, value.Position, "a body with encoding: FORM is application/x-www-form-urlencoded, not %s; remove the header, or the encoding", value.Raw)
		}
	}
}

// encodingOf returns the encoding that a media type belongs to, "" for one that JSON may have.
func encodingOf(mediaType string) Encoding {
	base, _, _ := strings.Cut(mediaType, ";")
	switch strings.ToLower(strings.TrimSpace(base)) {
	case "application/x-www-form-urlencoded":
		return Form
	case "multipart/form-data":
		return Multipart
	}
	return ""
}

// compileBodyText compiles the expression of the body.
func (b *bindingCompiler) compileBodyText(text *ast.Value) {
	e, ok := b.parseExpression(text)
	if !ok {
		return
	}
	call := &b.field.Call
	if call.Body = b.compileValue(text, e); call.Body != nil && call.Encoding != JSON {
		b.checkForm(text, call.Body)
	}
}

// checkForm checks that the body of a form has fields, and that each can be written.
func (b *bindingCompiler) checkForm(text *ast.Value, body *Value) {
	if made := body.objectTransform(); made != nil {
		var names []string
		for _, f := range made.Fields {
			b.checkFormField(text, f.Name, f.Name, f.Value.Type)
			names = append(names, f.Name)
		}
		b.checkFieldNames(text, names)
		return
	}
	if body.Scope == Constant {
		b.faults.Add(InvalidBody, text.Position, "a form has fields, but %s is a single value; write name: %s", text.Raw, text.Raw)
		return
	}
	if body.Type == nil {
		return // the type of a claim, for example, is known to the service's document alone
	}
	def := b.schema.Types[body.Type.Name()]
	if isList(body.Type) || def == nil || def.Kind != ast.InputObject {
		b.faults.Add(InvalidBody, text.Position, "a form has the fields of an input object, but %s is %s", text.Raw, body.Type)
		return
	}
	var names []string
	for _, f := range def.Fields {
		wire := b.graph.WireName(def.Name, f.Name)
		b.checkFormField(text, def.Name+"."+f.Name, wire, f.Type)
		names = append(names, wire)
	}
	b.checkFieldNames(text, names)
}

// objectTransform returns the object that an expression ends with, nil if it ends with another
// value.
func (v *Value) objectTransform() *Transform {
	if len(v.Transforms) == 0 || v.Transforms[len(v.Transforms)-1].Op != Object {
		return nil
	}
	return &v.Transforms[len(v.Transforms)-1]
}

// ObjectFields returns the members of the object that an expression builds; ok is false if it does not
// build one.
func (v *Value) ObjectFields() (fields []ValueField, ok bool) {
	if made := v.objectTransform(); made != nil {
		return made.Fields, true
	}
	return nil, false
}

// readTemplate parses a template and reports a mistake at its place.
func (b *bindingCompiler) readTemplate(v *ast.Value) (template, bool) {
	t, offset, err := parseTemplate(v.Raw)
	if err != nil {
		b.faults.addInText(InvalidTemplate, v, offset, "%v", err)
	}
	return t, err == nil
}

// faultAt reports a fault at a piece of a template.
func (b *bindingCompiler) faultAt(code Code, v *ast.Value, p piece, format string, args ...any) {
	b.faults.addInText(code, v, p.offset, format, args...)
}
