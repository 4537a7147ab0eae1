package checks

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
	"github.com/gatehouse-graphql/gatehouse/codegen/openapi"
)

// checkResponse checks that an operation returns what a field needs.
func (c *checker) checkResponse(f *binding.Field, op *openapi.Operation) {
	if f.ReportsSuccess {
		return
	}
	success := op.Success()
	if success == nil {
		if len(op.Responses) > 0 {
			c.faults.Add(binding.NoResponse, f.Position, "%s %s responds without JSON (%s), so %s cannot be read", op.Method, op.Path, op.Place, f.Name())
		}
		return
	}
	w := &responseCheck{checker: c, field: f, batch: f.Batch, name: f.Name(), listFormat: "%s", path: "$"}
	s := c.responseMedia(f, success).Schema
	if r := f.Extraction; r != nil && r.Op == binding.ByName && r.Type.NamedType == "Boolean" && s.AllowsType("object") && !s.AllowsType("boolean") {
		w.faultAt(binding.ResponseType, r, "%s is %s, but %s is %s; point selection at a boolean in it, or set with isSuccess when the call succeeded", w.name, r.Type, schemaPlace(s), s)
		return
	}
	if f.Page == nil {
		w.checkExtraction(f.Extraction, s)
		return
	}
	w.checkExtraction(f.Page.Items, s)
	for _, part := range []struct {
		name    string
		reading *binding.Extraction
	}{{"total", f.Page.Total}, {"nextCursor", f.Page.NextCursor}, {"hasMore", f.Page.HasMore}} {
		if part.reading != nil {
			inner := *w
			inner.part = part.name
			inner.checkExtraction(part.reading, s)
		}
	}
}

// responseMedia returns the body of a response that a call asks for: the one that its header Accept names
// first, or else the first that is JSON.
func (c *checker) responseMedia(f *binding.Field, success *openapi.Response) *openapi.Media {
	for _, h := range slices.Concat(f.Call.Headers, c.graph.Source(f.Source).Headers) {
		if !strings.EqualFold(h.Name, "Accept") {
			continue
		}
		if len(h.Parts) != 1 || h.Parts[0].Value != nil {
			break
		}
		first, _, _ := strings.Cut(h.Parts[0].Literal, ",")
		base, _, _ := strings.Cut(first, ";")
		if i := slices.IndexFunc(success.Media, func(m openapi.Media) bool { return includesMedia(m.Type, strings.TrimSpace(base)) }); i >= 0 {
			return &success.Media[i]
		}
		break
	}
	return success.JSON()
}

// responseCheck follows an extraction through the schema of a response.
type responseCheck struct {
	*checker
	field      *binding.Field
	batch      *binding.Batch // the batch whose whole response this is; nil inside of its items, and without a batch
	name       string         // the field that is read, for messages
	part       string         // total, nextCursor or hasMore of a page; "" for the field's value
	listFormat string         // the lists around the value, as a type with %s for the value's
	path       string         // the selection that leads here; "" where a longer one is no advice
	nullable   *openapi.Place // where the document says that a part of the path may be missing or null; nil if none may
}

// checkExtraction checks that the response has what an extraction reads.
func (w *responseCheck) checkExtraction(r *binding.Extraction, s *openapi.Schema) {
	if s == nil || s.AllowsAny() && r.Op != binding.ByName {
		return
	}
	if w.isNullViolation(r) {
		w.faults.Add(binding.NullableResponse, r.Type.Position, "%s is %s, but %s says that it may be missing or null; write %s", w.name, w.inLists(r.Type.String()), w.nullable, w.inLists(strings.TrimSuffix(r.Type.String(), "!")))
		return
	}
	switch r.Op {
	case binding.ByName:
		w.checkByName(r, s)
	case binding.Object:
		w.checkObject(r, s)
	case binding.Member:
		w.checkMember(r, s)
	case binding.First, binding.Last:
		w.checkElements(r, s, false)
	case binding.Map, binding.Join:
		w.checkElements(r, s, true)
	case binding.ByKey, binding.Entries:
		w.checkMemberValues(r, s)
	}
}

func (w *responseCheck) faultAt(code binding.Code, r *binding.Extraction, format string, args ...any) {
	w.faults.AddAtExtraction(code, r, format, args...)
}

// isNullViolation reports whether a value is non-null in the graph, but may be null in the
// document. The list of a page may be null: it has no field in the graph, and a page without a list
// is an error of its own.
func (w *responseCheck) isNullViolation(r *binding.Extraction) bool {
	if w.field.Page != nil && w.name == w.field.Name() && r.Type.Elem != nil {
		return false
	}
	switch r.Op {
	case binding.ByName, binding.Object, binding.Map, binding.Entries, binding.Join:
		return w.nullable != nil && r.Type.NonNull && w.batch == nil
	}
	return false
}

func (w *responseCheck) inLists(t string) string { return fmt.Sprintf(w.listFormat, t) }

// checkByName checks a value that is read by its type.
func (w *responseCheck) checkByName(r *binding.Extraction, s *openapi.Schema) {
	t := r.Type
	if w.part != "" {
		if w.partMismatch(t, s) {
			w.faultAt(binding.ResponseType, r, "%s is read as %s, but %s is %s; name another member", w.part, t, schemaPlace(s), s)
		}
		return
	}
	if w.batch != nil {
		if w.batch.ItemKey != "" && !s.AllowsAny() && (!s.AllowsType("array") || s.Items == nil) {
			w.faultAt(binding.BatchResponse, r, "%s is matched by %q, so the response is a list, but %s is %s; %s", w.name, w.batch.ItemKey, schemaPlace(s), s, cmp.Or(w.adviseMember(t, s), "point selection at the list"))
			return
		}
		loose := *t
		loose.NonNull = false // the document says nothing about missing keys
		t = &loose
	}
	if s.AllowsAny() {
		return
	}
	if w.responseType(withoutNonNull(t), s).ReadMismatch(s) != "" {
		if advice := w.adviseMember(t, s); advice != "" {
			w.faults.Add(binding.ResponseType, t.Position, "%s is %s, but %s is %s; %s", w.name, t, schemaPlace(s), s, advice)
			return
		}
	}
	w.selected = w.path
	w.checkType(w.name, t, s)
	w.selected = ""
}

// partMismatch reports whether a total, a cursor or a sign of more items cannot be read. A total is
// read from any number and from a text of digits, whatever the type of totalCount.
func (w *responseCheck) partMismatch(t *ast.Type, s *openapi.Schema) bool {
	if w.part != "total" {
		return w.openapiType(t).ReadMismatch(s) != ""
	}
	return openapi.Type{Name: "Int64"}.ReadMismatch(s) != "" && openapi.Type{Name: "Float"}.ReadMismatch(s) != ""
}

// adviseMember advises the selection of the member of an object that a type fits, "" if there is none
// or several. Many services wrap what they send.
func (w *responseCheck) adviseMember(t *ast.Type, s *openapi.Schema) string {
	var fitting []string
	for _, name := range s.PropertyNames() {
		p := s.Property(name)
		if w.path == "" || p.Schema.AllowsAny() || t.Elem == nil && w.schema.Types[t.NamedType].IsLeafType() {
			continue
		}
		inner, element := p.Schema, t
		for ; element.Elem != nil && inner.Items != nil; element = element.Elem {
			inner = inner.Items
		}
		def := w.schema.Types[t.Name()]
		if w.responseType(withoutNonNull(t), p.Schema).ReadMismatch(p.Schema) == "" && (!def.IsCompositeType() || w.countProperties(inner, def) < 0 || w.countProperties(inner, def) > w.countProperties(s, def)) {
			fitting = append(fitting, name)
		}
	}
	if len(fitting) != 1 {
		return ""
	}
	argument := "selection"
	if w.field.Page != nil {
		argument = "items"
	}
	return fmt.Sprintf("write %s: %q", argument, memberPath(w.path, fitting[0]))
}

// memberPath returns the selection of a member.
func memberPath(path, name string) string {
	if plainMember.MatchString(name) {
		return path + "." + name
	}
	return fmt.Sprintf("%s.%q", path, name)
}

var plainMember = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (w *responseCheck) checkObject(r *binding.Extraction, s *openapi.Schema) {
	if !s.AllowsType("object") && len(s.OneOf) == 0 {
		w.faultAt(binding.ResponseType, r, "fields are selected here, but %s is %s", schemaPlace(s), s)
		return
	}
	for _, f := range r.Fields {
		inner := *w
		inner.name, inner.nullable, inner.batch, inner.listFormat, inner.path = r.Type.Name()+"."+f.Field.Name, nil, nil, "%s", ""
		inner.checkExtraction(f.Extraction, s)
	}
}

func (w *responseCheck) checkMember(r *binding.Extraction, s *openapi.Schema) {
	p := s.Property(r.Name)
	if p == nil {
		if !s.AllowsOtherMembers() {
			w.faultAt(binding.UnknownResponseMember, r, "%s has no member %q%s", schemaPlace(s), r.Name, binding.DidYouMean(r.Name, s.PropertyNames()))
		}
		return
	}
	inner := *w
	if inner.nullable == nil && (!p.Required || p.Schema.Nullable) {
		inner.nullable = &p.Place
	}
	if w.path != "" {
		inner.path = memberPath(w.path, r.Name)
	}
	inner.checkExtraction(r.Inner, p.Schema)
}

// checkElements checks what is read of a list's elements.
func (w *responseCheck) checkElements(r *binding.Extraction, s *openapi.Schema, all bool) {
	if !s.AllowsType("array") {
		code := binding.ResponseType
		if w.batch != nil {
			code = binding.BatchResponse
		}
		advice := ""
		if member := w.listMember(s); w.field.Page != nil && w.part == "" {
			advice = fmt.Sprintf("; point to the items with items: %q", cmp.Or(member, "path"))
		} else if member != "" {
			advice = fmt.Sprintf("; its list is %s", member)
		}
		w.faultAt(code, r, "a list is expected here, but %s is %s%s", schemaPlace(s), s, advice)
		return
	}
	if s.Items == nil {
		return
	}
	inner := *w
	inner.path = ""
	if all {
		inner.nullable, inner.batch = nil, nil
	}
	if r.Op == binding.Map {
		inner.listFormat = w.inLists(listOf(r.Type))
	}
	if s.Items.Nullable && inner.nullable == nil && r.Op != binding.Join {
		inner.nullable = &s.Items.NullAt
	}
	inner.checkExtraction(r.Inner, s.Items)
}

// listMember returns the selection of the only list in an object, "" if there is none or several.
func (w *responseCheck) listMember(s *openapi.Schema) string {
	var lists []string
	for _, name := range s.PropertyNames() {
		if s.Property(name).Schema.AllowsType("array") {
			lists = append(lists, name)
		}
	}
	if w.path == "" || len(lists) != 1 {
		return ""
	}
	return memberPath(w.path, lists[0])
}

// listOf returns the type of a list with %s for the type of its elements.
func listOf(t *ast.Type) string {
	if t.NonNull {
		return "[%s]!"
	}
	return "[%s]"
}

// checkMemberValues checks what is read of an object whose members have any name.
func (w *responseCheck) checkMemberValues(r *binding.Extraction, s *openapi.Schema) {
	values := s.MemberSchema()
	if values == nil && r.Op == binding.ByKey {
		w.faultAt(binding.BatchResponse, r, "%s has a batch without a key, so the response is an object with a member for each key, but %s is %s; name the item's field with batch: {key: \"id\"}", w.name, schemaPlace(s), s)
	}
	if values != nil && r.Op == binding.ByKey {
		w.checkExtraction(r.Inner, values)
	}
}

// checkType checks that the type of a field fits what the service sends, and then the fields of its
// objects.
func (c *checker) checkType(name string, t *ast.Type, s *openapi.Schema) {
	if why := c.responseType(t, s).ReadMismatch(s); why != "" {
		c.faults.Add(typeOrNullCode(c.responseType(withoutNonNull(t), s).ReadMismatch(s)), t.Position, "%s is %s, but %s", name, t, why)
		return
	}
	c.checkFieldsOf(t, s)
}

// responseType returns the form that a type has in responses: a list of entries is an object whose
// members have any name.
func (c *checker) responseType(t *ast.Type, s *openapi.Schema) openapi.Type {
	if c.isEntryList(t, s) {
		return openapi.Type{Name: t.Name(), NonNull: t.NonNull, Object: true}
	}
	return c.openapiType(t)
}

// isEntryList reports whether a list is read from the members of an object.
func (c *checker) isEntryList(t *ast.Type, s *openapi.Schema) bool {
	return t.Elem != nil && t.Elem.Elem == nil && s.MemberSchema() != nil && c.graph.IsEntry(c.schema.Types[t.Name()])
}

// typeOrNullCode returns the check that a type fails. The argument is what is wrong with the type
// if null is allowed everywhere, "" if nothing is.
func typeOrNullCode(besides string) binding.Code {
	if besides == "" {
		return binding.NullableResponse
	}
	return binding.ResponseType
}

// withoutNonNull returns a type in which null is allowed everywhere, in its lists too.
func withoutNonNull(t *ast.Type) *ast.Type {
	loose := &ast.Type{NamedType: t.NamedType}
	if t.Elem != nil {
		loose.Elem = withoutNonNull(t.Elem)
	}
	return loose
}

// checkFieldsOf goes on into objects, and into lists of them.
func (c *checker) checkFieldsOf(t *ast.Type, s *openapi.Schema) {
	if c.isEntryList(t, s) {
		c.checkEntryValues(c.schema.Types[t.Name()], s)
		return
	}
	for ; t.Elem != nil && s.Items != nil; t = t.Elem {
		s = s.Items
	}
	if t.Elem != nil {
		return
	}
	switch def := c.schema.Types[t.Name()]; def.Kind {
	case ast.Object:
		if !c.reportWrongObject(def, t, s) {
			c.checkProperties(def, s)
		}
	case ast.Interface, ast.Union:
		c.checkAbstract(def, s)
	}
}

// reportWrongObject reports an object that has none of a type's fields, once and not for each
// field. Mostly it is the object around the one that is meant. It reports whether it is so.
func (c *checker) reportWrongObject(def *ast.Definition, t *ast.Type, s *openapi.Schema) bool {
	if s.AllowsAny() || s.AllowsOtherMembers() || c.graph.HasInvalidNames(def.Name) || c.graph.Entities[def.Name] != nil || c.countProperties(s, def) != 0 {
		return false
	}
	advice := ""
	for _, p := range s.Properties {
		switch {
		case c.countProperties(p.Schema, def) > 0 && c.selected != "":
			advice = fmt.Sprintf("; they are in its %q, so write selection: %q", p.Name, memberPath(c.selected, p.Name))
		case c.countProperties(p.Schema, def) > 0:
			advice = fmt.Sprintf("; they are in its %q", p.Name)
		case p.Schema.Items != nil && c.countProperties(p.Schema.Items, def) > 0 && c.selected != "":
			path := memberPath(c.selected, p.Name)
			advice = fmt.Sprintf("; they are in the elements of its %q, so write selection: %q, or return a list and write selection: %q", p.Name, path+"->first", path)
		case p.Schema.Items != nil && c.countProperties(p.Schema.Items, def) > 0:
			advice = fmt.Sprintf("; they are in the elements of its %q", p.Name)
		}
	}
	c.faults.Add(binding.UnknownResponseField, t.Position, "%s has none of the fields of %s%s", schemaPlace(s), def.Name, advice)
	return true
}

// countProperties counts the fields of a type that an object has. It returns -1 for a type with
// fewer than two, of which the count says nothing.
func (c *checker) countProperties(s *openapi.Schema, def *ast.Definition) int {
	sent, found := 0, 0
	for _, f := range def.Fields {
		if !binding.IsProperty(f) {
			continue
		}
		sent++
		if s.Property(c.graph.WireName(def.Name, f.Name)) != nil {
			found++
		}
	}
	if sent < 2 {
		return -1
	}
	return found
}

// checkEntryValues checks the values of entries.
func (c *checker) checkEntryValues(def *ast.Definition, s *openapi.Schema) {
	if at := (visit{def.Name, s}); !c.seen[at] {
		c.seen[at] = true
		c.checkType(def.Name+".value", def.Fields.ForName("value").Type, s.MemberSchema())
	}
}

// checkAbstract compares the types of an interface or a union with the branches of a choice.
func (c *checker) checkAbstract(def *ast.Definition, s *openapi.Schema) {
	choice := c.graph.Discriminators[def.Name]
	at := visit{def.Name, s}
	if choice == nil || c.seen[at] || s.AllowsAny() || c.graph.HasInvalidNames(def.Name) {
		return
	}
	c.seen[at] = true
	for _, branch := range s.Leaves() {
		if branch.Property(choice.Member) == nil && !branch.AllowsOtherMembers() && !branch.AllowsAny() {
			c.faults.Add(binding.MissingDiscriminator, choice.Position, "%s tells its types apart by %q, but %s has no such property%s", def.Name, choice.Member, schemaPlace(branch), binding.DidYouMean(choice.Member, branch.PropertyNames()))
			return
		}
	}
	c.checkBranches(choice, s)
	c.checkDiscriminatorValues(def, choice, s)
}

// checkDiscriminatorValues checks that a type stands for each value that the discriminator may
// have.
func (c *checker) checkDiscriminatorValues(def *ast.Definition, choice *binding.Discriminator, s *openapi.Schema) {
	var unknown []string
	at := s.Place
	for _, theirs := range s.ChoicesBy(choice.Member) {
		if !slices.ContainsFunc(choice.Types, func(t binding.TaggedType) bool { return t.Tag == theirs.Value }) {
			unknown, at = append(unknown, fmt.Sprintf("%q", theirs.Value)), theirs.Place
		}
	}
	if len(unknown) > 0 {
		c.faults.Add(binding.UnmappedValue, choice.Position, "%s says that %s may be %s, and no type of %s stands for that; add it to the mapping", at, choice.Member, strings.Join(unknown, " or "), def.Name)
	}
}

// checkBranches checks the fields of an abstract type's object types, each against the branch that
// its value selects. Where the document does not say which branch that is, it is the branch whose
// definition has the name of the type, else one of those that no value selects.
func (c *checker) checkBranches(choice *binding.Discriminator, s *openapi.Schema) {
	known := s.ChoicesBy(choice.Member)
	open := slices.DeleteFunc(s.Leaves(), func(branch *openapi.Schema) bool {
		return slices.ContainsFunc(known, func(k openapi.Choice) bool { return k.Schema != nil && slices.Contains(k.Schema.Leaves(), branch) })
	})
	for _, t := range choice.Types {
		i := slices.IndexFunc(known, func(k openapi.Choice) bool { return k.Value == t.Tag && k.Schema != nil })
		if i >= 0 {
			c.checkProperties(t.Type, known[i].Schema)
			continue
		}
		c.checkOneOf(t.Type, open, len(s.OneOf) == 0)
	}
}

// checkOneOf checks the fields of a type against the branches that may describe it. One of them has
// to fit; if none does, the mistakes are those of the branch with the name of the type, else of the
// branch with the fewest. The schema is whole if the document has no choice, but one object for all
// types.
func (c *checker) checkOneOf(def *ast.Definition, branches []*openapi.Schema, isWhole bool) {
	if i := slices.IndexFunc(branches, func(b *openapi.Schema) bool { return b.Name == def.Name }); i >= 0 {
		branches = branches[i : i+1]
	}
	var fewest binding.Faults
	for i, branch := range branches {
		trial := &checker{schema: c.schema, graph: c.graph, seen: maps.Clone(c.seen)}
		trial.checkProperties(def, branch)
		if isWhole { // one object for all types cannot say what the objects of one of them require
			trial.faults = slices.DeleteFunc(trial.faults, func(f binding.Fault) bool { return f.Code == binding.NullableResponse })
		}
		if len(trial.faults) == 0 {
			c.seen = trial.seen
			return
		}
		if i == 0 || len(trial.faults) < len(fewest) {
			fewest = trial.faults
		}
	}
	c.faults = append(c.faults, fewest...)
}

// checkProperties checks the fields of a type that come with its objects.
func (c *checker) checkProperties(def *ast.Definition, s *openapi.Schema) {
	at := visit{def.Name, s}
	if c.seen[at] || s.AllowsAny() || c.graph.HasInvalidNames(def.Name) {
		return
	}
	c.seen[at] = true
	c.selected = ""
	for _, f := range def.Fields {
		if !binding.IsProperty(f) {
			continue
		}
		wire := c.graph.WireName(def.Name, f.Name)
		p := s.Property(wire)
		if p == nil {
			if !s.AllowsOtherMembers() && c.graph.Entities[def.Name] == nil {
				c.faults.Add(binding.UnknownResponseField, f.Position, "%s.%s: %s has no property %q%s", def.Name, f.Name, schemaPlace(s), wire, binding.DidYouMean(wire, s.PropertyNames()))
			}
			continue
		}
		if why := c.responseType(f.Type, p.Schema).ReadPropertyMismatch(p); why != "" {
			c.faults.Add(typeOrNullCode(c.responseType(withoutNonNull(f.Type), p.Schema).ReadPropertyMismatch(p)), f.Type.Position, "%s.%s is %s, but %s", def.Name, f.Name, f.Type, why)
			continue
		}
		c.checkFieldsOf(f.Type, p.Schema)
	}
}
