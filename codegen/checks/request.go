package checks

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// requestCheck compares the request of one call with an operation of the document.
type requestCheck struct {
	*checker
	field  *binding.Field
	op     *openapi.Operation
	filled map[*openapi.Parameter]bool // the parameters that the call fills
}

// fault reports a mistake at the call's text.
func (r *requestCheck) fault(code binding.Code, format string, args ...any) {
	r.faults.Add(code, r.field.Call.Position, format, args...)
}

// faultAtValue reports a mistake where a value is written.
func (r *requestCheck) faultAtValue(v *binding.Value, code binding.Code, format string, args ...any) {
	r.faults.AddAtValue(code, v, format, args...)
}

// operationName returns verb and path of the operation, for messages.
func (r *requestCheck) operationName() string { return r.op.Method + " " + r.op.Path }

// checkPath checks the values that fill a whole segment of the path, as nearly all parameters of
// documents do.
func (r *requestCheck) checkPath() {
	theirs := strings.Split(r.op.Path, "/")
	for i, part := range segmentValues(r.field.Call.Path) {
		if part == nil || i >= len(theirs) || !strings.HasPrefix(theirs[i], "{") {
			continue
		}
		if p := r.op.Parameter("path", strings.Trim(theirs[i], "{}")); p != nil {
			r.checkValue(part, p)
		}
	}
}

// segmentValues returns for each segment of a path the value that fills it, nil for a segment with
// text or several values.
func segmentValues(parts []binding.Part) []*binding.Value {
	values := []*binding.Value{nil}
	whole := true // the last segment is empty so far, or a single value
	for _, p := range parts {
		last := len(values) - 1
		if p.Value != nil {
			if !whole || values[last] != nil {
				values[last], whole = nil, false
				continue
			}
			values[last] = p.Value
			continue
		}
		for i, text := range strings.Split(p.Literal, "/") {
			if i > 0 {
				values, whole = append(values, nil), true
			}
			if text != "" {
				values[len(values)-1], whole = nil, false
			}
		}
	}
	return values
}

func (r *requestCheck) checkQuery() {
	for _, param := range r.field.Call.Query {
		name := param.PlainName()
		if p := r.op.Parameter("query", name); p != nil {
			r.filled[p] = true
			r.checkParameter(param, p)
			continue
		}
		if r.checkSpread(param) {
			continue
		}
		if member, object := r.op.ExplodedMember(name); member != nil {
			r.filled[object] = true
			r.checkParameter(param, member)
			continue
		}
		if base, path, ok := parseDeepObject(name); ok {
			if p := r.op.Parameter("query", base); p != nil && p.Style == "deepObject" {
				r.filled[p] = true
				r.checkDeepMember(param, p, path)
				continue
			}
		}
		if r.document().Scheme("query", name) != nil {
			continue
		}
		r.fault(binding.UnknownParameter, "%s takes no query parameter %q (%s)%s", r.operationName(), name, r.op.Place, binding.DidYouMean(name, r.parameterNames("query")))
	}
}

// checkSpread checks the fields of an object that are parameters of their own, {$args.x*}. It reports
// whether the parameter is such an object.
func (r *requestCheck) checkSpread(param binding.Param) bool {
	if !param.Explode || len(param.Parts) != 1 || param.Parts[0].Value == nil || param.Parts[0].Value.Type == nil {
		return false
	}
	v := param.Parts[0].Value
	def := r.schema.Types[v.Type.Name()]
	if v.Type.Elem != nil || def.Kind != ast.InputObject {
		return false
	}
	for _, f := range def.Fields {
		name := r.graph.WireName(def.Name, f.Name)
		p, object := r.op.Parameter("query", name), (*openapi.Parameter)(nil)
		if p == nil {
			p, object = r.op.ExplodedMember(name)
		}
		if p == nil {
			r.faultAtValue(v, binding.UnknownParameter, "%s takes no query parameter %q (%s), which %s.%s would be%s", r.operationName(), name, r.op.Place, def.Name, f.Name, binding.DidYouMean(name, r.parameterNames("query")))
			continue
		}
		r.filled[p], r.filled[object] = true, true
		if why := r.openapiType(f.Type).ParameterMismatch(p); why != "" {
			r.faults.Add(binding.ParameterType, f.Type.Position, "%s.%s is %s, but %s", def.Name, f.Name, f.Type, why)
		}
	}
	return true
}

// memberAdvice returns advice on how to write a parameter without JSON.
func memberAdvice(p *openapi.Parameter) string {
	if p.Style == "deepObject" {
		return fmt.Sprintf("its members, %s[name]={$args.name}", p.Name)
	}
	return "the text that the service reads"
}

// separators describe the separators of lists by their styles.
var separators = map[string]string{
	"form": " with commas", "spaceDelimited": " with spaces", "pipeDelimited": " with |", "tabDelimited": " with tabs",
}

// parseDeepObject parses the name of a parameter of the style deepObject: name[member], or
// name[member][inner], where the members of a list are empty or numbers.
func parseDeepObject(name string) (base string, path []string, ok bool) {
	base, rest, found := strings.Cut(name, "[")
	rest, closed := strings.CutSuffix(rest, "]")
	return base, strings.Split(rest, "]["), found && closed
}

// document returns the document of the source.
func (r *requestCheck) document() *openapi.Document { return r.graph.Source(r.field.Source).Document }

func (r *requestCheck) parameterNames(in string) []string {
	var names []string
	for _, p := range r.op.Parameters {
		if p.In == in {
			names = append(names, p.Name)
		}
	}
	return names
}

// checkParameter checks a parameter's value, and the form of a list.
func (r *requestCheck) checkParameter(param binding.Param, p *openapi.Parameter) {
	if len(param.Parts) != 1 {
		return // a text of several parts
	}
	v := param.Parts[0].Value
	if v == nil {
		r.checkText(param.Parts[0].Literal, p)
		return
	}
	if param.JSON {
		if p.Media != "" {
			r.checkJSON("the parameter "+p.Name, v, p.Schema)
			return
		}
		if !p.IsText() && !p.Schema.AllowsAny() {
			r.faultAtValue(v, binding.ListStyle, "%s takes %s in the style %s (%s), not as JSON; write a variable, %s={$args.name}, or %s", r.operationName(), p.Name, p.Style, p.Place, p.Name, memberAdvice(p))
		}
		return
	}
	if v.Type == nil {
		r.checkValue(v, p)
		return
	}
	list := v.Scope == binding.Keys || v.Type.Elem != nil
	if v.Scope == binding.Keys && p.IsText() {
		if param.Explode {
			r.faultAtValue(v, binding.ListStyle, "%s takes %s as one text (%s); write %s={%s}, which sends the keys with commas", r.operationName(), p.Name, p.Place, p.Name, v)
			return
		}
		list = false // which has no style
	}
	takesLists := p.Schema.AllowsAny() || slices.ContainsFunc(p.Schema.Leaves(), func(s *openapi.Schema) bool { return s.AllowsType("array") })
	if param.Style == nil && list && takesLists && p.Style != "deepObject" && p.Media == "" && p.Explode != param.Explode {
		variable := "$" + string(v.Scope) + "." + strings.Join(v.Path, ".")
		if p.Explode {
			r.faultAtValue(v, binding.ListStyle, "%s takes %s once for each element (%s); write %s={%s*}", r.operationName(), p.Name, p.Place, p.Name, variable)
		} else {
			r.faultAtValue(v, binding.ListStyle, "%s takes %s as one list%s (%s); write %s={%s}", r.operationName(), p.Name, separators[p.Style], p.Place, p.Name, variable)
		}
	}
	r.checkValue(v, p)
	r.checkBatchSize(v, p)
}

// checkCommaList checks the keys of a batch that fill a parameter for which the document says "type:
// string". They are sent as one text, since nothing else could be meant by a call for many keys.
func (r *requestCheck) checkCommaList(v *binding.Value, p *openapi.Parameter) {
	if why := p.CommaListMismatch(); why != "" {
		r.faultAtValue(v, binding.ParameterType, "%s is a list of keys, but %s; write $this and leave out batch, or call an operation that takes many keys", variableText(v), why)
	}
}

// checkValue checks that a value fits a parameter.
func (r *requestCheck) checkValue(v *binding.Value, p *openapi.Parameter) {
	switch {
	case v.Type == nil:
		r.checkLiteral(v, p)
		return
	case v.Scope == binding.Keys && p.IsText():
		r.checkCommaList(v, p)
		return
	}
	t := r.valueType(v)
	if def := r.schema.Types[v.Type.Name()]; v.Type.Elem == nil && def.Kind == ast.InputObject {
		if !p.Schema.AllowsAny() && len(p.Schema.OneOf) == 0 && p.Schema.AllowsType("object") {
			r.checkInputFields(def, p.Schema)
			return
		}
	}
	if why := t.ParameterMismatch(p); why != "" {
		if t.Elem != nil && v.Scope == binding.Args && p.IsText() && p.CommaListMismatch() == "" {
			why += fmt.Sprintf(", or join its elements: {%s->joinNotNull(\",\")}", v)
		}
		r.faultAtValue(v, binding.ParameterType, "%s is %s, but %s", variableText(v), t, why)
		return
	}
	if v.Scope != binding.Keys {
		r.checkInputMember(v.Type, p.Schema)
	}
}

// checkText checks the text of a query, in which a list that is written once has commas.
func (r *requestCheck) checkText(text string, p *openapi.Parameter) {
	if p.Media != "" || p.Style != "form" {
		return
	}
	elements := []string{text}
	if p.Schema.AllowsType("array") && !p.Explode {
		elements = strings.Split(text, ",")
	}
	for _, element := range elements {
		plain, err := url.PathUnescape(element) // where a plus sign is one
		if err != nil {
			return
		}
		if why := textType(plain).ParameterMismatch(p); why != "" {
			r.fault(binding.ParameterType, "%s=%s: %q is %s, but %s", p.Name, text, plain, textType(plain).Name, why)
		}
	}
}

// textType returns the type of a value that is written without quotes.
func textType(text string) openapi.Type {
	if text == "true" || text == "false" {
		return openapi.Type{Name: "Boolean", NonNull: true}
	}
	if _, err := strconv.ParseInt(text, 10, 64); err == nil {
		return openapi.Type{Name: "Int", NonNull: true}
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return openapi.Type{Name: "Float", NonNull: true}
	}
	return openapi.Type{Name: "String", NonNull: true, Values: []string{text}}
}

// checkLiteral checks that a literal fits a parameter.
func (r *requestCheck) checkLiteral(v *binding.Value, p *openapi.Parameter) {
	if t := literalType(v); t != nil {
		if why := t.ParameterMismatch(p); why != "" {
			r.faultAtValue(v, binding.ParameterType, "%s is %s, but %s", v.Literal, t, why)
		}
	}
}

// literalType returns the type of a literal, nil for null and for what is not a literal. Of a text,
// the type has its value as the only one, so that it can be compared with an enum.
func literalType(v *binding.Value) *openapi.Type {
	if v.LiteralType() == "" {
		return nil
	}
	t := &openapi.Type{Name: v.LiteralType(), NonNull: true}
	if text, err := strconv.Unquote(v.Literal); err == nil {
		t.Values = []string{text}
	}
	return t
}

// valueType returns the type of a variable. An argument with a default value is nullable all the
// same, since a client can send null.
func (r *requestCheck) valueType(v *binding.Value) openapi.Type {
	t := r.openapiType(v.Type)
	switch v.Scope {
	case binding.Keys:
		key := v.Type
		if key.Elem != nil {
			key = key.Elem
		}
		element := openapi.Type{Name: r.graph.Resolve(key).NamedType, NonNull: true}
		return openapi.Type{NonNull: true, Elem: &element}
	case binding.This:
		t.NonNull = true // where it is null, no call is made
	}
	return t
}

func variableText(v *binding.Value) string {
	return fmt.Sprintf("{$%s.%s}", v.Scope, strings.Join(v.Path, "."))
}

// checkBatchSize checks that a call carries no more keys than the service takes.
func (r *requestCheck) checkBatchSize(v *binding.Value, p *openapi.Parameter) {
	if v.Scope != binding.Keys || p.Schema.MaxItems == nil {
		return
	}
	if size, most := r.field.Batch.MaxSize, *p.Schema.MaxItems; size == 0 || size > most {
		r.fault(binding.BatchTooLarge, "%s takes at most %d values for %s (%s); write batch: {maxSize: %d}", r.operationName(), most, p.Name, p.Place, most)
	}
}

// checkDeepMember checks a value at a path inside of a parameter that is an object or a list.
func (r *requestCheck) checkDeepMember(param binding.Param, p *openapi.Parameter, path []string) {
	as := &openapi.Parameter{Place: p.Place, Name: p.Name, Required: p.Required, Schema: p.Schema}
	for _, name := range path {
		if as.Schema.AllowsAny() {
			return
		}
		property := as.Schema.Property(name)
		_, err := strconv.Atoi(name)
		switch {
		case property != nil:
			as = &openapi.Parameter{Place: property.Place, Name: name, Required: property.Required && as.Required, Schema: property.Schema}
		case as.Schema.AllowsType("array") && (name == "" || err == nil):
			if as.Schema.Items == nil {
				return
			}
			as = &openapi.Parameter{Place: as.Place, Name: as.Name, Schema: as.Schema.Items}
		case as.Schema.AllowsOtherMembers():
			return
		default:
			r.fault(binding.UnknownMember, "%s has no member %q (%s)%s", as.Name, name, as.Place, binding.DidYouMean(name, as.Schema.PropertyNames()))
			return
		}
	}
	if len(param.Parts) != 1 || param.Parts[0].Value == nil {
		return
	}
	v := param.Parts[0].Value
	if repeats := path[len(path)-1] == ""; repeats && v.Type != nil && (v.Type.Elem != nil || v.Scope == binding.Keys) {
		as.Schema = &openapi.Schema{Place: as.Schema.Place, Types: []string{"array"}, Items: as.Schema}
	}
	r.checkValue(v, as)
}

func (r *requestCheck) checkHeaders() {
	for _, h := range r.field.Call.Headers {
		p := r.op.Parameter("header", h.Name)
		if p == nil {
			continue // services may take headers that their documents do not describe
		}
		r.filled[p] = true
		if len(h.Parts) == 1 && h.Parts[0].Value != nil {
			r.checkValue(h.Parts[0].Value, p)
		}
	}
}

// checkRequired reports required parameters that the call does not fill.
func (r *requestCheck) checkRequired() {
	for _, p := range r.op.Parameters {
		if !p.Required || r.filled[p] || p.In != "query" && p.In != "header" || r.graph.Source(r.field.Source).Fills(p) {
			continue
		}
		how := fmt.Sprintf("add %s={...} to the query", p.Name)
		if p.In == "header" {
			how = fmt.Sprintf("add it under headers: [{name: %q, value: ...}]", p.Name)
		}
		r.fault(binding.MissingParameter, "%s requires the %s parameter %s (%s), which has no value; %s", r.operationName(), p.In, p.Name, p.Place, how)
	}
}

func (r *requestCheck) checkBody() {
	sent, body := r.field.Call.Body, r.op.Body
	switch {
	case sent == nil && body != nil && body.Required:
		how := "add body: \"$args.input\""
		if op := r.field.Call.Operation; op != nil {
			how = fmt.Sprintf("give the field an argument input, or write %s(body: value)", op.ID)
		}
		r.fault(binding.MissingBody, "%s requires a body (%s); %s", r.operationName(), body.Place, how)
	case sent != nil && body == nil:
		r.fault(binding.UnwantedBody, "%s takes no body (%s); leave out body", r.operationName(), r.op.Place)
	case sent != nil:
		if media := r.findMedia(body); media != nil {
			r.checkInput(sent, media.Schema, body)
			r.checkFormStyles(media)
			r.checkPartHeaders(sent, media)
		}
	}
}

// checkFormStyles compares the fields that a binding describes with the document's encoding of a form. Both
// styles that write brackets are deepObject, since services differ in lists.
func (r *requestCheck) checkFormStyles(media *openapi.Media) {
	call := &r.field.Call
	if call.Encoding != binding.Form {
		return
	}
	theirs := map[string]binding.FieldStyle{}
	for _, f := range binding.DocumentedFields(media, call.Encoding) {
		theirs[f.Name] = f.Style
	}
	for _, f := range call.Fields {
		encoding, property := media.Encoding(f.Name), media.Schema.Property(f.Name)
		if f.Documented || encoding == nil || property == nil {
			continue
		}
		style := cmp.Or(theirs[f.Name], binding.Repeated)
		isComposite := slices.ContainsFunc(property.Schema.Leaves(), func(s *openapi.Schema) bool { return s.AllowsType("array") || s.AllowsType("object") })
		if isComposite && f.Style != style && (style != binding.Brackets || f.Style != binding.Indices) {
			r.fault(binding.ListStyle, "%s takes the field %q in the style %s (%s), not %s; write style: %s, or leave it out of fields", r.operationName(), f.Name, style, encoding.Place, f.Style, style)
		}
	}
}

// checkPartHeaders reports headers of parts that the document requires and the call does not send.
func (r *requestCheck) checkPartHeaders(body *binding.Value, media *openapi.Media) {
	call := &r.field.Call
	if call.Encoding != binding.Multipart {
		return
	}
	for _, e := range media.Encodings {
		if !r.sendsMember(body, e.Property) {
			continue
		}
		var sent []binding.Param
		if i := slices.IndexFunc(call.Fields, func(f binding.FormField) bool { return f.Name == e.Property }); i >= 0 {
			sent = call.Fields[i].Headers
		}
		for _, h := range e.Headers {
			if h.Required && !strings.EqualFold(h.Name, "Content-Type") && !slices.ContainsFunc(sent, func(p binding.Param) bool { return strings.EqualFold(p.Name, h.Name) }) {
				r.fault(binding.MissingParameter, "%s requires the header %s of the part %q (%s), which has no value; write http with fields: [{name: %q, headers: [{name: %q, value: ...}]}]", r.operationName(), h.Name, e.Property, h.Place, e.Property, h.Name)
			}
		}
	}
}

// sendsMember reports whether a body has a member of this name.
func (r *requestCheck) sendsMember(body *binding.Value, name string) bool {
	if fields, ok := body.ObjectFields(); ok {
		return slices.ContainsFunc(fields, func(f binding.ValueField) bool { return f.Name == name })
	}
	if body.Type == nil || body.Type.Elem != nil {
		return false
	}
	def := r.schema.Types[body.Type.Name()]
	return slices.ContainsFunc(def.Fields, func(f *ast.FieldDefinition) bool { return r.graph.WireName(def.Name, f.Name) == name })
}

// findMedia returns the document's description of the body as the call sends it. If there is none,
// it reports which media types the service takes, and returns nil.
func (r *requestCheck) findMedia(body *openapi.Body) *openapi.Media {
	if r.field.Call.Operation != nil {
		return r.findOperationMedia(body)
	}
	mime := map[binding.Encoding]string{
		binding.JSON: "application/json", binding.Form: "application/x-www-form-urlencoded", binding.Multipart: "multipart/form-data",
	}[r.field.Call.Encoding]
	for _, h := range r.field.Call.Headers {
		if strings.EqualFold(h.Name, "Content-Type") && len(h.Parts) == 1 && h.Parts[0].Value == nil {
			mime = h.Parts[0].Literal
		}
	}
	i := slices.IndexFunc(body.Media, func(m openapi.Media) bool { return includesMedia(m.Type, mime) })
	if i >= 0 {
		return &body.Media[i]
	}
	if len(body.Media) > 0 {
		r.fault(binding.BodyMedia, "%s takes %s (%s), not %s; %s", r.operationName(), body.Media[0].Type, body.Media[0].Place, mime, adviseMedia(body.Media[0].Type))
	}
	return nil
}

// findOperationMedia returns the description of an operation's body, whose encoding follows from
// the document.
func (r *requestCheck) findOperationMedia(body *openapi.Body) *openapi.Media {
	if r.field.Call.Encoding == binding.JSON {
		return body.JSON()
	}
	for i := range body.Media {
		if !strings.Contains(body.Media[i].Type, "json") {
			return &body.Media[i]
		}
	}
	return nil
}

// includesMedia reports whether a media type or range of a document includes a media type.
func includesMedia(theirs, sent string) bool {
	theirs, _, _ = strings.Cut(theirs, ";")
	theirs = strings.ToLower(strings.TrimSpace(theirs))
	kind, all := strings.CutSuffix(theirs, "/*")
	return theirs == strings.ToLower(sent) || theirs == "*/*" || all && strings.HasPrefix(sent, kind+"/")
}

// adviseMedia returns advice on how to send a media type.
func adviseMedia(mime string) string {
	switch {
	case mime == "application/x-www-form-urlencoded":
		return "write encoding: FORM"
	case mime == "multipart/form-data":
		return "write encoding: MULTIPART"
	case strings.HasSuffix(mime, "+json"):
		return fmt.Sprintf("add headers: [{name: \"Content-Type\", value: %q}]", mime)
	case mime == "application/json":
		return "leave out encoding and the header Content-Type"
	}
	return "resolve the field by hand in resolvers/"
}

// checkInput checks that every body that a client may send fits the document.
func (r *requestCheck) checkInput(v *binding.Value, s *openapi.Schema, body *openapi.Body) {
	if fields, ok := v.ObjectFields(); ok {
		r.checkObject("the body", v, fields, s)
		return
	}
	t := r.sentType(v)
	if t == nil {
		return
	}
	if body.Required && !t.NonNull {
		r.faultAtValue(v, binding.BodyType, "the body is %s, but %s requires one; write %s!", t, body.Place, t)
		return
	}
	if why := t.WriteMismatch(s); why != "" {
		r.faultAtValue(v, binding.BodyType, "the body is %s, but %s", t, why)
		return
	}
	if v.Type != nil && v.Scope != binding.Keys {
		r.checkInputMember(v.Type, s)
	}
}

// sentType returns the type of a value that is sent, nil if it is not known.
func (r *requestCheck) sentType(v *binding.Value) *openapi.Type {
	if v.Type == nil {
		return literalType(v)
	}
	t := r.valueType(v)
	return &t
}

// checkJSON checks JSON in a template. The name what of the place is for messages.
func (r *requestCheck) checkJSON(what string, v *binding.Value, s *openapi.Schema) {
	if fields, ok := v.ObjectFields(); ok {
		r.checkObject(what, v, fields, s)
		return
	}
	for _, item := range v.Items {
		if s.Items != nil {
			r.checkJSON(what, item, s.Items)
		}
	}
}

// checkObject checks the members of an object that the binding builds. The name what of its place is for
// messages.
func (r *requestCheck) checkObject(what string, v *binding.Value, fields []binding.ValueField, s *openapi.Schema) {
	if s.AllowsAny() {
		return
	}
	given := map[string]bool{}
	for _, f := range fields {
		given[f.Name] = true
		p := s.Property(f.Name)
		switch {
		case p == nil && !s.AllowsOtherMembers():
			r.faultAtValue(f.Value, binding.UnknownInputField, "%s's %q: %s has no such property%s", what, f.Name, schemaPlace(s), binding.DidYouMean(f.Name, s.PropertyNames()))
		case p == nil:
		default:
			r.checkObjectMember(what, f, p)
		}
	}
	for _, name := range s.PropertyNames() {
		if p := s.Property(name); p.Required && !given[name] && !p.Schema.ReadOnly {
			r.faultAtValue(v, binding.MissingInputField, "%s lacks %q, which %s requires; add it", what, name, p.Place)
		}
	}
}

func (r *requestCheck) checkObjectMember(what string, f binding.ValueField, p *openapi.Property) {
	if inner, ok := f.Value.ObjectFields(); ok {
		r.checkObject(what, f.Value, inner, p.Schema)
		return
	}
	t := r.sentType(f.Value)
	if t == nil {
		return
	}
	if why := t.WritePropertyMismatch(p); why != "" {
		r.faultAtValue(f.Value, binding.BodyType, "%s's %q is %s, but %s", what, f.Name, t, why)
		return
	}
	if f.Value.Type != nil && f.Value.Scope != binding.Keys {
		r.checkInputMember(f.Value.Type, p.Schema)
	}
}

// checkInputFields compares the fields of an input with the properties of an object.
func (c *checker) checkInputFields(def *ast.Definition, s *openapi.Schema) {
	at := visit{def.Name, s}
	if c.seen[at] || s.AllowsAny() || c.graph.HasInvalidNames(def.Name) {
		return
	}
	c.seen[at] = true
	given := map[string]bool{}
	for _, f := range def.Fields {
		wire := c.graph.WireName(def.Name, f.Name)
		given[wire] = true
		property := s.Property(wire)
		if property == nil {
			if !s.AllowsOtherMembers() {
				c.faults.Add(binding.UnknownInputField, f.Position, "%s.%s: %s has no property %q%s", def.Name, f.Name, schemaPlace(s), wire, binding.DidYouMean(wire, s.PropertyNames()))
			}
			continue
		}
		if why := c.openapiType(f.Type).WritePropertyMismatch(property); why != "" {
			c.faults.Add(binding.BodyType, f.Type.Position, "%s.%s is %s, but %s", def.Name, f.Name, f.Type, why)
			continue
		}
		c.checkInputMember(f.Type, property.Schema)
	}
	c.reportMissingFields(def, s, given)
}

// checkInputMember goes on into inputs, and into lists of them.
func (c *checker) checkInputMember(t *ast.Type, s *openapi.Schema) {
	for ; t.Elem != nil; t = t.Elem {
		if s = itemsOf(s); s == nil {
			return
		}
	}
	if def := c.schema.Types[t.Name()]; def.Kind == ast.InputObject {
		c.checkInputFields(def, s)
	}
}

// itemsOf returns the schema of a list's elements, also where a list is the only branch of a choice
// that has them. It returns nil if the document does not describe elements.
func itemsOf(s *openapi.Schema) *openapi.Schema {
	if s.Items != nil {
		return s.Items
	}
	var items *openapi.Schema
	for _, branch := range s.Leaves() {
		if branch.Items != nil && items != nil {
			return nil
		}
		if branch.Items != nil {
			items = branch.Items
		}
	}
	return items
}

func (c *checker) reportMissingFields(def *ast.Definition, s *openapi.Schema, given map[string]bool) {
	for _, name := range s.PropertyNames() {
		if p := s.Property(name); p.Required && !given[name] && !p.Schema.ReadOnly {
			c.faults.Add(binding.MissingInputField, def.Position, "%s lacks %q, which %s requires; add a field for it", def.Name, name, p.Place)
		}
	}
}

// schemaPlace returns the name of a schema with its line, for messages.
func schemaPlace(s *openapi.Schema) string {
	if s.Name == "" {
		return s.Place.String()
	}
	return fmt.Sprintf("%s (%s)", s.Name, s.Place)
}
