package plugin

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// callWriter writes the call of one binding as a chain of method calls on a rest.Call. The first
// error is kept in err.
type callWriter struct {
	g       *generator
	f       *goFile
	binding *binding.Field
	field   *codegen.Field // nil for the binding of a type
	request *requestText   // nil: the steps are Go; otherwise they have placeholders for variables
	steps   []string
	inBody  bool
	service bool // the steps so far end with values of services
	err     error
}

// call writes the expression that builds the call.
func (w *callWriter) call() (string, error) {
	call := &w.binding.Call
	w.path()
	for _, p := range w.g.graph.FullCall(w.binding).Query {
		w.origin(valuesOf(p.Parts)...)
		w.query(p)
	}
	w.headersCookiesBody()
	w.timeout()
	if call.CarriesKeysInHead() {
		w.step("Batch(len(keys), %d)", w.binding.Batch.MaxLength)
	}
	if call.Method == http.MethodGet && !call.Idempotent && w.isMutation() {
		w.step("NonIdempotent()")
	}
	if call.Method == http.MethodGet && w.g.usesRequest(w.binding) {
		w.step("RequestScoped()")
	}
	if group := w.g.callGroups()[w.binding].name; group != "" {
		w.step("Shared(%q)", group)
	}
	return strings.Join(w.steps, ".\n"), w.err
}

// headersCookiesBody writes the steps for what is sent after the URL.
func (w *callWriter) headersCookiesBody() {
	call := &w.binding.Call
	headers := w.g.graph.FullCall(w.binding).Headers
	if w.request != nil { // only the order of cookies has an effect
		slices.SortStableFunc(headers, func(a, b binding.Param) int {
			return strings.Compare(http.CanonicalHeaderKey(a.Name), http.CanonicalHeaderKey(b.Name))
		})
	}
	for _, p := range headers {
		w.origin(valuesOf(p.Parts)...)
		w.header(p)
	}
	if types := w.g.accept(w.binding); len(types) > 0 {
		w.step("Accept(%q)", strings.Join(types, ", "))
	}
	for _, p := range call.Cookies {
		w.origin(valuesOf(p.Parts)...)
		method := "Cookie"
		if p.Style.Style == "cookie" {
			method = "PlainCookie"
		}
		w.step("%s(%q, %s, %t)", method, p.Name, w.parts(p.Parts), p.Style.Explode)
	}
	if call.Body != nil {
		w.origin(call.Body)
		w.body()
	}
	if call.Idempotent {
		w.step("Idempotent()")
	}
}

// timeout writes the step for the binding's own timeout.
func (w *callWriter) timeout() {
	timeout := w.binding.Call.Timeout
	if timeout == 0 {
		return
	}
	unit := durationUnits[slices.IndexFunc(durationUnits, func(u durationUnit) bool { return timeout%u.of == 0 })]
	text := w.f.use("time") + unit.name
	if n := timeout / unit.of; n != 1 {
		text = fmt.Sprintf("%d*%s", n, text)
	}
	w.step("Timeout(%s)", text)
}

// durationUnits are the constants of package time, the longest first.
var durationUnits = []durationUnit{
	{time.Hour, "Hour"}, {time.Minute, "Minute"}, {time.Second, "Second"},
	{time.Millisecond, "Millisecond"}, {time.Microsecond, "Microsecond"}, {time.Nanosecond, "Nanosecond"},
}

type durationUnit struct {
	of   time.Duration
	name string
}

// isMutation reports whether the call resolves a field of Mutation. A GET that does is not
// repeated, since it is expected to change something.
func (w *callWriter) isMutation() bool {
	mutation := w.g.data.Schema.Mutation
	return w.field != nil && mutation != nil && w.field.Object != nil && w.field.Object.Name == mutation.Name
}

// origin writes the step that says where the values of the next step come from, if that is not where
// the values before it come from. It matters for a value that does not fit its place: only a client
// can correct its own. So values that always fit, such as numbers, belong to either side.
func (w *callWriter) origin(values ...*binding.Value) {
	if step := w.originStep(values...); step != "" {
		w.steps = append(w.steps, step)
	}
}

// originStep returns the step that origin writes, "" for none.
func (w *callWriter) originStep(values ...*binding.Value) string {
	fromService, fromClient := false, false
	for _, value := range values {
		for v := range value.Variables() {
			switch v.Scope {
			case binding.This, binding.Keys:
				fromService = true
			case binding.Args, binding.Request, binding.Claims, binding.PageScope:
				fromClient = fromClient || w.mayNotFit(v)
			}
		}
	}
	service := fromService && !fromClient
	if w.request != nil || service == w.service || !fromService && !fromClient {
		return ""
	}
	w.service = service
	if service {
		return "ServiceValues()"
	}
	return "ClientValues()"
}

// mayNotFit reports whether a variable has values that not every place can hold.
func (w *callWriter) mayNotFit(v *binding.Value) bool {
	if v.Type == nil || v.Type.Elem != nil {
		return true
	}
	def := w.g.data.Config.Schema.Types[v.Type.NamedType]
	s := w.g.graph.Scalar(def.Name)
	return def.Kind != ast.Enum && (s == nil || s.EncodedAs() == "string")
}

// valuesOf returns the values in the parts of a parameter.
func valuesOf(parts []binding.Part) (values []*binding.Value) {
	for _, p := range parts {
		if p.Value != nil {
			values = append(values, p.Value)
		}
	}
	return values
}

// step adds a method call.
func (w *callWriter) step(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

// path writes the path. Its first literal is an argument of rest.New.
func (w *callWriter) path() {
	method := w.binding.Call.Method
	verb := w.f.use("net/http") + "Method" + method[:1] + strings.ToLower(method[1:])
	parts := w.binding.Call.Path
	w.step("%sNew(%s, %q)", w.f.use(restPkg), verb, parts[0].Literal)
	many := len(parts) > maxOnLine
	for _, p := range parts[1:] {
		last := &w.steps[len(w.steps)-1]
		if p.Value == nil {
			*last += fmt.Sprintf(".Literal(%q)", p.Literal)
			continue
		}
		if origin := w.originStep(p.Value); origin != "" {
			*last += "." + origin
		}
		if many {
			w.steps = append(w.steps, w.segment(p))
		} else {
			*last += "." + w.segment(p)
		}
	}
}

// segment writes a value in a path, in the style of the OpenAPI document.
func (w *callWriter) segment(p binding.Part) string {
	value := w.value(p.Value)
	switch s := p.Style; {
	case s != nil && s.Style == "label":
		return fmt.Sprintf("Label(%s, %t)", value, s.Explode)
	case s != nil && s.Style == "matrix":
		return fmt.Sprintf("Matrix(%q, %s, %t)", s.Name, value, s.Explode)
	case s != nil && w.composite(p.Value) && delimiters[s.Style] != "":
		return fmt.Sprintf("SegmentDelimited(%s, %s%s)", value, w.f.use(restPkg), delimiters[s.Style])
	case s != nil && w.composite(p.Value):
		return fmt.Sprintf("SegmentList(%s, %t)", value, s.Explode)
	}
	return fmt.Sprintf("Segment(%s)", value)
}

// composite reports whether a value is a list or an object, or may be one. The type of an
// expression that changes a value is not known, so such a value may be.
func (w *callWriter) composite(v *binding.Value) bool {
	if v.Type == nil {
		return len(v.Transforms) > 0
	}
	return v.Scope == binding.Keys || v.Type.Elem != nil || !w.g.data.Config.Schema.Types[v.Type.NamedType].IsLeafType()
}

// maxOnLine is the number of pieces of a path up to which the path is written on one line.
const maxOnLine = 5

// delimiters are the names of the constants of upstreams/rest for the styles with a delimiter.
var delimiters = map[string]string{"spaceDelimited": "Spaces", "pipeDelimited": "Pipes", "tabDelimited": "Tabs"}

// query writes a query parameter. Without a document, a parameter has the style form.
func (w *callWriter) query(p binding.Param) {
	if p.JSON {
		w.step("Query(%q, %s)", p.Name, w.jsonText(p))
		return
	}
	if hasQueryText(p) {
		w.step("QueryText(%q, %s)", p.Name, w.queryParts(p.Parts))
		return
	}
	value := w.parts(p.Parts)
	style := p.Style
	if style != nil { // the name is that of the document, where a plus sign is a character
		p.Name = strings.ReplaceAll(p.Name, "+", "%2B")
	}
	if style == nil {
		style = &openapi.Parameter{Style: "form", Explode: p.Explode}
	}
	composite := len(p.Parts) == 1 && p.Parts[0].Value != nil && w.composite(p.Parts[0].Value)
	switch {
	case style.Media != "":
		w.step("Query(%q, %sJSONText(%s))", p.Name, w.f.use(encodePkg), value)
	case style.Style == "deepObject":
		w.step("DeepObject(%q, %s)", p.Name, value)
	case style.Explode && (p.Style == nil || composite): // which all styles write alike
		w.step("QueryExploded(%q, %s)", p.Name, value)
	case delimiters[style.Style] != "" && composite:
		w.step("QueryDelimited(%q, %s, %s%s)", p.Name, value, w.f.use(restPkg), delimiters[style.Style])
	default:
		w.step("Query(%q, %s)", p.Name, value)
	}
}

// jsonText writes the text of a parameter that is JSON.
func (w *callWriter) jsonText(p binding.Param) string {
	w.inBody = true // numbers are numbers
	value := w.parts(p.Parts)
	w.inBody = false
	return fmt.Sprintf("%sJSONText(%s)", w.f.use(encodePkg), value)
}

// hasQueryText reports whether a parameter has text besides one value, or text in which a query
// escapes fewer characters than in a value.
func hasQueryText(p binding.Param) bool {
	if len(p.Parts) != 1 {
		return len(p.Parts) > 1
	}
	return p.Parts[0].Value == nil && strings.ContainsAny(p.Parts[0].Literal, "!$'()*+,;=:@/?%")
}

// queryParts writes the arguments of QueryText.
func (w *callWriter) queryParts(parts []binding.Part) string {
	written := make([]string, len(parts))
	for i, p := range parts {
		if p.Value == nil {
			written[i] = fmt.Sprintf("%sText(%q)", w.f.use(restPkg), p.Literal)
		} else {
			written[i] = w.value(p.Value)
		}
	}
	return strings.Join(written, ", ")
}

// accept returns the media types that the service's document has for the responses of a call, nil
// for what rest.Client asks for anyway.
func (g *generator) accept(b *binding.Field) []string {
	op := g.graph.Operation(b)
	if op == nil {
		return nil
	}
	return op.Accept(b.ReportsSuccess && !b.UndocumentedResponse)
}

// header writes a header.
func (w *callWriter) header(p binding.Param) {
	if p.Style != nil && delimiters[p.Style.Style] != "" && w.composite(p.Parts[0].Value) {
		w.step("HeaderDelimited(%q, %s, %s%s)", p.Name, w.parts(p.Parts), w.f.use(restPkg), delimiters[p.Style.Style])
		return
	}
	if len(p.Parts) == 1 && p.Parts[0].Value != nil && w.isList(p) {
		w.step("HeaderList(%q, %s, %t)", p.Name, w.parts(p.Parts), p.Style != nil && p.Style.Explode)
		return
	}
	if p.JSON {
		w.step("Header(%q, %sASCII(%s))", p.Name, w.f.use(encodePkg), w.jsonText(p))
		return
	}
	w.step("Header(%q, %s)", p.Name, w.parts(p.Parts))
}

// isList reports whether a header that is one value has the form of a list or an object. By http, a
// value whose type is not known is a text.
func (w *callWriter) isList(p binding.Param) bool {
	v := p.Parts[0].Value
	return (p.Style != nil || v.Type != nil) && w.composite(v)
}

// parts writes the value of a parameter or a header, as one text if it has several parts.
func (w *callWriter) parts(parts []binding.Part) string {
	written := make([]string, len(parts))
	for i, p := range parts {
		if p.Value == nil {
			written[i] = fmt.Sprintf("%q", p.Literal)
			continue
		}
		written[i] = w.value(p.Value)
	}
	switch len(written) {
	case 0:
		return `""`
	case 1:
		return written[0]
	}
	return fmt.Sprintf("%sConcat(%s)", w.f.use(encodePkg), strings.Join(written, ", "))
}

// value writes the wire value of an expression of a binding.
func (w *callWriter) value(v *binding.Value) string {
	m := &mapper{f: w.f, variable: w.variable, member: w.member}
	return m.value(v)
}

// member writes a variable as the value of a member of an object. An argument that the client
// omitted, or a part of one, is encode.Absent: a member with null would ask the service to erase
// what it has.
func (w *callWriter) member(v *binding.Value) string {
	if w.request != nil {
		return w.request.member(w, v)
	}
	if v.Scope != binding.Args {
		return w.variable(v)
	}
	arg := w.argument(v.Path[0])
	whole := w.checked(w.g.wireValue(w.f, arg.VarName, arg.TypeReference))
	if len(v.Path) > 1 {
		return fmt.Sprintf("%sGetOrAbsent(%s, %s)", w.f.use(mappingPkg), whole, w.wireNames(arg.TypeReference, v.Path[1:]))
	}
	if arg.TypeReference.GQL.NonNull {
		return whole
	}
	return fmt.Sprintf("%sArgumentOrAbsent(ctx, %q, %s)", w.f.use(enginePkg), arg.Name, whole)
}

// wireNames writes the names that the service uses for the fields on a path through input objects.
func (w *callWriter) wireNames(tr *config.TypeReference, path []string) string {
	names := make([]string, len(path))
	for i, name := range path {
		names[i] = strconv.Quote(w.g.graph.WireName(tr.Definition.Name, name))
		tr = w.g.field(tr.Definition.Name, name).TypeReference
	}
	return strings.Join(names, ", ")
}

// variable writes the wire value of a variable.
func (w *callWriter) variable(v *binding.Value) string {
	if w.request != nil {
		return w.request.variable(w, v)
	}
	switch v.Scope {
	case binding.Claims:
		return fmt.Sprintf("%sClaim(ctx, %q)", w.f.use(authPkg), strings.Join(v.Path, "."))
	case binding.Request:
		return fmt.Sprintf("%sRequestHeader(ctx, %q)", w.f.use(upstreamsPkg), v.Path[1])
	case binding.Env:
		return fmt.Sprintf("%sEnv(%q)", w.f.use(upstreamsPkg), v.Path[0])
	case binding.Config:
		return fmt.Sprintf("%s.Config(ctx, %q, %q)", w.services(), w.binding.Source, v.Path[0])
	case binding.PageScope:
		return "at." + strings.ToUpper(v.Path[0][:1]) + v.Path[0][1:]
	case binding.Keys:
		return w.keys(v, "keys")
	case binding.This:
		return w.parentValue(v, "key", "key[%d]")
	}
	arg := w.argument(v.Path[0])
	if len(v.Path) == 1 {
		return w.checked(w.g.wireValue(w.f, arg.VarName, arg.TypeReference))
	}
	return w.inputMember(arg.VarName, arg.TypeReference, v.Path[1:])
}

// keys writes the keys of a batch, given as an expression. Keys are strings; in a body, those of
// an integer type are written as numbers.
func (w *callWriter) keys(v *binding.Value, keys string) string {
	if w.inBody && w.g.isInteger(v.Type.Name()) {
		return w.f.use(encodePkg) + "NumberKeys(" + keys + ")"
	}
	return keys
}

// keyPlaceholder writes what a call takes from its keys, with placeholders for the keys: see
// requestText.
func (w *callWriter) keyPlaceholder(v *binding.Value) string {
	if v.Scope == binding.Keys {
		return w.keys(v, "{keys}")
	}
	return w.parentValue(v, "{key}", "{key%d}")
}

// isInteger reports whether the values of a scalar are integers in JSON.
func (g *generator) isInteger(scalar string) bool {
	s := g.graph.Scalar(scalar)
	return s != nil && s.EncodedAs() == "integer"
}

// services writes the expression for the services of the resolver.
func (w *callWriter) services() string {
	if w.field == nil {
		return "r.Services"
	}
	return w.g.services(w.field.Object)
}

// responseValue writes a variable where the response is decoded: in the Fetch function of a batch,
// which has keys and no key.
func (w *callWriter) responseValue(v *binding.Value) string {
	if v.Scope == binding.This {
		return w.parentValue(v, "keys[0]", "keys[0][%d]")
	}
	return w.variable(v)
}

// parentValue writes a value that the call takes from its parent: key when the key consists of
// this value alone, else the part of the key, in the given format.
func (w *callWriter) parentValue(v *binding.Value, key, part string) string {
	all := parentFields(w.binding)
	if len(all) == 1 && isText(w.g.parentType(w.binding, all[0]).NamedType) {
		return key
	}
	i := slices.IndexFunc(all, func(o *binding.Value) bool { return o.Path[0] == v.Path[0] })
	return partValue(w.f, fmt.Sprintf(part, i), w.g.parentType(w.binding, v))
}

// inputMember writes the value at a path in an input object. It is nil when the object is.
func (w *callWriter) inputMember(holder string, tr *config.TypeReference, path []string) string {
	if tr.GQL.NonNull {
		return w.inputField(holder, tr, path)
	}
	goType := w.f.typ(w.g.objectNamed(tr.Definition.Name).Type)
	return fmt.Sprintf("%sIfNotNil(%s, func(in *%s) any { return %s })", w.f.use(encodePkg), holder, goType, w.inputField("in", tr, path))
}

// inputField writes the value at a path in an input object that is not nil.
func (w *callWriter) inputField(holder string, tr *config.TypeReference, path []string) string {
	field := w.g.field(tr.Definition.Name, path[0])
	expr := holder + "." + field.GoFieldName
	if isOmittable(field) {
		expr += ".Value()"
	}
	if len(path) > 1 {
		return w.inputMember(expr, field.TypeReference, path[1:])
	}
	return w.checked(w.g.wireValue(w.f, expr, field.TypeReference))
}

// checked returns expr, and keeps the first error.
func (w *callWriter) checked(expr string, err error) string {
	if err != nil && w.err == nil {
		w.err = err
	}
	return expr
}

// argument returns gqlgen's view of an argument of the field.
func (w *callWriter) argument(name string) *codegen.FieldArgument {
	for _, a := range w.field.Args {
		if a.Name == name {
			return a
		}
	}
	return nil
}

// body writes the step for the body.
func (w *callWriter) body() {
	call := &w.binding.Call
	w.inBody = true
	value := w.value(call.Body)
	w.inBody = false
	switch call.Encoding {
	case binding.Form:
		w.step("Form(%sFields(%s)%s)", w.f.use(encodePkg), value, w.fields())
	case binding.Multipart:
		w.step("Multipart(%sFields(%s)%s)", w.f.use(encodePkg), value, w.fields())
	case binding.Text:
		w.step("Text(%s)", value)
	default:
		value = w.numberFormats().wrap(w.f, value)
		if call.MediaType != "" {
			w.step("JSONAs(%q, %s)", call.MediaType, value)
			return
		}
		w.step("JSON(%s)", value)
	}
}

// fieldStyles are the names of the constants of upstreams/rest for the styles of forms.
var fieldStyles = map[binding.FieldStyle]string{
	binding.CommaList: "Commas", binding.SpaceList: "SpaceList", binding.PipeList: "PipeList", binding.TabList: "TabList",
	binding.Brackets: "Brackets", binding.Indices: "Indices", binding.SpreadField: "Spread", binding.JSONField: "JSONText",
}

// fields writes how the members of a form are written, as further arguments.
func (w *callWriter) fields() string {
	var b strings.Builder
	for _, f := range w.binding.Call.Fields {
		fmt.Fprintf(&b, ",\n%sField{Name: %q", w.f.use(restPkg), f.Name)
		if style := fieldStyles[f.Style]; style != "" {
			fmt.Fprintf(&b, ", Style: %s%s", w.f.use(restPkg), style)
		}
		if f.ContentType != "" {
			fmt.Fprintf(&b, ", ContentType: %q", f.ContentType)
		}
		if len(f.Headers) > 0 {
			fmt.Fprintf(&b, ", Headers: []%sHeader{", w.f.use(restPkg))
			for i, h := range f.Headers {
				if i > 0 {
					b.WriteString(", ")
				}
				fmt.Fprintf(&b, "{Name: %q, Value: %s}", h.Name, w.parts(h.Parts))
			}
			b.WriteString("}")
		}
		b.WriteString("}")
	}
	return b.String()
}
