package openapi

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/codegen/scalars"
	"github.com/gatehouse-graphql/gatehouse/engine/scalar"
)

// Type is a GraphQL type as far as its values are visible to a service. It is a list if Elem is
// set, an enum if Values is, an object if Object is, and a scalar otherwise. Scalars other than
// GraphQL's and Gatehouse's own fit everything.
type Type struct {
	Name    string
	NonNull bool
	Elem    *Type    // of a list
	Values  []string // of an enum, in the spelling of the services
	Kinds   []string // the JSON types of Values; nil for strings
	Object  bool     // object, interface, union or input
}

// AddKind adds a JSON type of an enum's values.
func (t *Type) AddKind(kind string) {
	if !slices.Contains(t.Kinds, kind) {
		t.Kinds = append(t.Kinds, kind)
	}
}

// kinds returns the JSON types of an enum's values. An integer is also a number, and a document may call
// whole numbers either.
func (t Type) kinds() []string {
	switch {
	case t.Kinds == nil:
		return []string{"string"}
	case slices.Contains(t.Kinds, "integer"):
		return append(slices.Clone(t.Kinds), "number")
	}
	return t.Kinds
}

// String returns the type in GraphQL's notation.
func (t Type) String() string {
	s := t.Name
	if t.Elem != nil {
		s = "[" + t.Elem.String() + "]"
	}
	if t.NonNull {
		s += "!"
	}
	return s
}

// ReadMismatch explains why a field of the type cannot hold what a service sends. It returns "" if it can.
// The text continues a sentence such as "User.age is Int, but ". It advises types that fit, null
// included. ReadMismatch does not compare the members of objects; ReadPropertyMismatch does that
// for each.
//
// The service may send any branch of a choice, so all of them have to fit.
func (t Type) ReadMismatch(s *Schema) string { return t.readMismatch(s, "%s") }

// readMismatch implements ReadMismatch for types within lists: within is the outermost type, with %s in
// the place of t.
func (t Type) readMismatch(s *Schema, within string) string {
	leaves := s.Leaves()
	for _, leaf := range leaves {
		why := t.readLeafMismatch(leaf, within)
		if why != "" && len(leaves) > 1 {
			return describeChoice(s, within)
		}
		if why != "" {
			return why
		}
	}
	if t.NonNull && s.Nullable {
		return fmt.Sprintf("%s says it may be null; write "+within, s.NullAt, strings.TrimSuffix(t.String(), "!"))
	}
	return ""
}

// readableTypes are the types that are advised for the branches of a choice, the most exact first.
var readableTypes = []string{"Boolean", "Int", "Float", "Int64", "Decimal", "String", "ID"}

// describeChoice says what the branches of a choice are and which type can hold all of them.
func describeChoice(s *Schema, within string) string {
	var kinds []string
	objects, lists := true, true
	for _, leaf := range s.Leaves() {
		if !slices.Contains(kinds, leaf.String()) {
			kinds = append(kinds, leaf.String())
		}
		objects = objects && leaf.allowsOnlyTypes("object") && !leaf.AllowsAny()
		lists = lists && leaf.allowsOnlyTypes("array") && !leaf.AllowsAny()
	}
	advice := []string{"JSON"}
	switch {
	case objects:
		advice = []string{"an object type", "JSON"}
	case lists:
		advice = []string{"a list", "JSON"}
	default:
		for _, name := range readableTypes {
			if !slices.ContainsFunc(s.Leaves(), func(leaf *Schema) bool { return leaf.AllowsAny() || !leaf.isReadAs(name) }) {
				advice = []string{name, "JSON"}
				break
			}
		}
	}
	return fmt.Sprintf("%s says %s; write %s", s.Place, strings.Join(kinds, " or "), inLists(advice, within))
}

// inLists joins types to advise. The outermost type around them is within: "%s" for none, "%s!" where
// null is not taken.
func inLists(types []string, within string) string {
	if len(types) == 0 {
		types = []string{"JSON"}
	}
	separator := " or "
	if slices.ContainsFunc(types, func(name string) bool { return strings.HasPrefix(name, "an ") }) {
		separator = ", or "
	}
	isElement := strings.Contains(within, "[")
	all := make([]string, len(types))
	for i, name := range types {
		switch {
		case name == "a list" && isElement:
			all[i] = "a list of lists"
		case strings.HasPrefix(name, "an ") && isElement:
			all[i] = "a list of " + name
		case strings.HasPrefix(name, "an "), name == "a list":
			all[i] = name
		default:
			all[i] = fmt.Sprintf(within, name)
		}
	}
	return strings.Join(all, separator)
}

// ReadPropertyMismatch is ReadMismatch for a member of an object, which can also be absent. A type that
// fits in no case is reported before one that has to be nullable.
func (t Type) ReadPropertyMismatch(p *Property) string {
	if p.Schema.WriteOnly {
		return fmt.Sprintf("%s says it is writeOnly, so it is never sent; remove the field", p.Place)
	}
	nullable := t
	nullable.NonNull = false
	if why := nullable.ReadMismatch(p.Schema); why != "" {
		return why
	}
	if t.NonNull && !p.Required {
		return fmt.Sprintf("%s does not require it; write %s", p.Place, nullable)
	}
	return t.ReadMismatch(p.Schema)
}

func (t Type) readLeafMismatch(s *Schema, within string) string {
	switch {
	case s.AllowsAny() || t.Name == "JSON":
		return ""
	case t.Elem != nil:
		if !s.allowsOnlyTypes("array") {
			return describeMismatch(s, within)
		}
		if s.Items == nil {
			return ""
		}
		return t.Elem.readMismatch(s.Items, fmt.Sprintf(within, Type{NonNull: t.NonNull, Elem: &Type{Name: "%s"}}))
	case t.Object:
		return mismatchUnless(s.allowsOnlyTypes("object"), s, within)
	case len(t.Values) > 0:
		return t.readEnumMismatch(s, within)
	}
	return t.readScalarMismatch(s, within)
}

// readEnumMismatch finds a value that the service sends and the enum lacks.
func (t Type) readEnumMismatch(s *Schema, within string) string {
	if !s.allowsOnlyTypes(t.kinds()...) {
		if len(s.Enum) == 0 {
			return describeMismatch(s, within)
		}
		return t.describeEnumMismatch(s, within)
	}
	for _, v := range s.Enum {
		if t.hasValue(v.Text) {
			continue
		}
		if s.AllowsType("string") || len(s.Types) == 0 {
			return fmt.Sprintf("%s has the value %q; add it to %s, under another name with @json(name: %q) if need be", v.Place, v.Text, t.Name, v.Text)
		}
		return fmt.Sprintf("%s has the value %s; add it to %s, under a name of its own with @json(value: %s)", v.Place, v.Text, t.Name, v.Text)
	}
	return ""
}

func (t Type) readScalarMismatch(s *Schema, within string) string {
	return mismatchUnless(s.isReadAs(t.Name), s, within)
}

// isReadAs reports whether a scalar of GraphQL can hold what a service sends.
func (s *Schema) isReadAs(name string) bool {
	k := scalarNamed(name)
	switch {
	case k == nil:
		return true
	case !s.allowsOnlyTypes(k.Reads...) || s.AllowsType("string") && !acceptsFormat(k, s.Format):
		return false
	}
	return name != "Int" || !exceedsInt32(s)
}

// WriteMismatch explains why a value of the type does not fit what a service takes as JSON. It returns ""
// if it does. The text continues a sentence such as "NewUser.age is Int, but ". A nullable type
// fits a schema that does not allow null, because GraphQL has no type for a value that may be
// absent but not null.
//
// The caller may send any branch of a choice, so one of them has to fit.
func (t Type) WriteMismatch(s *Schema) string { return t.writeMismatch(s, false, "%s") }

// WritePropertyMismatch is WriteMismatch for a member of an object.
func (t Type) WritePropertyMismatch(p *Property) string {
	if p.Schema.ReadOnly {
		return fmt.Sprintf("%s says it is readOnly, so the service does not take it; remove the field", p.Place)
	}
	required := p.Required && !p.Schema.Nullable
	if why := t.writeRequired(p.Schema, false, required); why != "" {
		return why
	}
	if required && !t.NonNull {
		return fmt.Sprintf("%s requires it; write %s!", p.Place, t)
	}
	return ""
}

// ParameterMismatch is WriteMismatch for a parameter. There values are text: an ID fits an integer, a single
// value fits a list, and any scalar fits a string.
func (t Type) ParameterMismatch(p *Parameter) string {
	if why := t.writeRequired(p.Schema, p.Media == "" || !isJSON(p.Media), p.Required); why != "" {
		return why
	}
	if p.Required && !t.NonNull {
		return fmt.Sprintf("%s requires it; write %s!", p.Place, t)
	}
	return ""
}

// writeRequired implements WriteMismatch. For a value that is required it advises types that are not
// null.
func (t Type) writeRequired(s *Schema, asText, required bool) string {
	if !required {
		return t.writeMismatch(s, asText, "%s")
	}
	t.NonNull = false
	return t.writeMismatch(s, asText, "%s!")
}

// writeMismatch implements WriteMismatch for types within lists, as readMismatch does.
func (t Type) writeMismatch(s *Schema, asText bool, within string) string {
	why := ""
	leaves := s.Leaves()
	for _, leaf := range leaves {
		if why = t.writeLeafMismatch(leaf, asText, within); why == "" {
			return ""
		}
	}
	if len(leaves) > 1 {
		return describeTakenChoice(s, leaves, asText, within)
	}
	return why
}

// describeTakenChoice says which types the branches of a choice take. Any of them will do.
func describeTakenChoice(s *Schema, leaves []*Schema, asText bool, within string) string {
	var kinds, advice []string
	for _, leaf := range leaves {
		if !slices.Contains(kinds, leaf.String()) {
			kinds = append(kinds, leaf.String())
		}
		for _, name := range leaf.takenTypes(asText) {
			if name != "JSON" && !slices.Contains(advice, name) {
				advice = append(advice, name)
			}
		}
	}
	return fmt.Sprintf("%s takes %s; write %s", s.Place, strings.Join(kinds, " or "), inLists(append(advice, "JSON"), within))
}

func (t Type) writeLeafMismatch(s *Schema, asText bool, within string) string {
	switch {
	case s.AllowsAny() || t.Name == "JSON" && t.Elem == nil:
		return ""
	case t.Elem != nil:
		if !s.AllowsType("array") || s.Items == nil {
			if !s.AllowsType("array") {
				return describeTaken(s, asText, within)
			}
			return ""
		}
		return t.Elem.writeMismatch(s.Items, asText, fmt.Sprintf(within, Type{NonNull: t.NonNull, Elem: &Type{Name: "%s"}}))
	case t.Object:
		if !s.AllowsType("object") {
			return describeTaken(s, asText, within)
		}
		return ""
	case asText && s.AllowsType("array") && s.Items != nil:
		return t.writeMismatch(s.Items, asText, within)
	case len(t.Values) > 0:
		return t.writeEnumMismatch(s, asText, within)
	}
	return t.writeScalarMismatch(s, asText, within)
}

// hasValue reports whether an enum has a value in the spelling of a document.
func (t Type) hasValue(text string) bool {
	return slices.Contains(t.Values, text) || slices.Contains(t.Values, scalar.PlainNumber(text))
}

// describeEnumMismatch says that an enum's values have another JSON type than the document's, and how they are
// written.
func (t Type) describeEnumMismatch(s *Schema, within string) string {
	if s.AllowsType("string") {
		return fmt.Sprintf("%s says %s, whose values are texts; write @json(name: %q)", s.Place, s, s.Enum[0].Text)
	}
	return fmt.Sprintf("%s says %s; write each value of %s with @json(value: %s), or %s instead of it", s.Place, s, t.Name, s.Enum[0].Text, inLists(s.graphQL(), within))
}

// writeEnumMismatch finds a value of the enum that the service does not take.
func (t Type) writeEnumMismatch(s *Schema, asText bool, within string) string {
	if !slices.ContainsFunc(t.kinds(), s.AllowsType) && !(asText && s.AllowsType("string")) {
		if len(s.Enum) == 0 {
			return describeTaken(s, asText, within)
		}
		return t.describeEnumMismatch(s, within)
	}
	for _, v := range t.Values {
		same := func(o Value) bool { return scalar.PlainNumber(o.Text) == v || o.Text == v }
		if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, same) {
			return fmt.Sprintf("%s does not take its value %q; there is %s", s.Place, v, s.enumText())
		}
	}
	return ""
}

func (t Type) writeScalarMismatch(s *Schema, asText bool, within string) string {
	if s.takes(t.Name, asText) {
		return ""
	}
	return describeTaken(s, asText, within)
}

// takes reports whether a service takes a scalar of GraphQL.
func (s *Schema) takes(name string, asText bool) bool {
	k := scalarNamed(name)
	if k == nil {
		return true
	}
	writes := k.Writes
	if asText {
		writes = append(slices.Clone(k.Writes), "string")
	}
	if asText && name == "ID" {
		writes = append(writes, "integer") // which many services' keys are
	}
	for _, kind := range writes {
		switch {
		case kind == "string" && s.AllowsType("string") && (acceptsFormat(k, s.Format) || asText && k.EncodedAs() != "string"):
			return true
		case kind == "string" && !s.AllowsType("string"):
		case kind != "string" && (s.AllowsType(kind) || kind == "integer" && s.AllowsType("number")):
			return true
		}
	}
	return false
}

// describeTaken says what a service takes and which type fits it.
func describeTaken(s *Schema, asText bool, within string) string {
	return fmt.Sprintf("%s says %s; write %s", s.Place, s, inLists(s.takenTypes(asText), within))
}

// takenTypes returns the types to suggest for what a service takes.
func (s *Schema) takenTypes(asText bool) []string {
	return slices.DeleteFunc(s.graphQL(), func(name string) bool { return name != "JSON" && !s.takes(name, asText) })
}

// upload is the scalar of multipart requests. Bindings cannot carry it, so it is not in the table.
var upload = scalars.Scalar{Name: "Upload", Reads: []string{}, Writes: []string{"string"}, Formats: []string{"binary", "byte"}}

// scalarNamed returns a scalar of the table or Upload, or nil for one that the project declares.
func scalarNamed(name string) *scalars.Scalar {
	if name == upload.Name {
		return &upload
	}
	return scalars.ByName(name)
}

// foreignFormats are formats that no scalar but String and ID accepts.
var foreignFormats = []string{"email", "idn-email", "hostname", "ipv4", "ipv6", "password", "time", "duration", "regex", "json-pointer"}

// acceptsFormat reports whether a scalar accepts strings of a format. It accepts a format that is
// unknown, and none, because documents often declare no more than "string".
func acceptsFormat(k *scalars.Scalar, format string) bool {
	if format == "" || k.Formats == nil || slices.Contains(k.Formats, format) {
		return true
	}
	return ofFormat(format) == nil && !slices.Contains(upload.Formats, format) && !slices.Contains(foreignFormats, format)
}

// ofFormat returns the scalar for strings of a format, or nil if there is none.
func ofFormat(format string) *scalars.Scalar {
	for i := range scalars.Table {
		if slices.Contains(scalars.Table[i].Formats, format) {
			return &scalars.Table[i]
		}
	}
	return nil
}

// allowsOnlyTypes reports whether a schema allows no other types than these.
func (s *Schema) allowsOnlyTypes(types ...string) bool {
	return !slices.ContainsFunc(s.Types, func(t string) bool { return !slices.Contains(types, t) })
}

// exceedsInt32 reports whether integers of a schema can exceed an Int, which has 32 bits. An
// integer without bounds and format counts as small; the gateway reports a value that is not, as a
// fault of its field.
func exceedsInt32(s *Schema) bool {
	switch s.Format {
	case "int64", "uint64", "uint32", "bigint", "unix-time":
		return s.Minimum == nil || s.Maximum == nil || *s.Minimum < math.MinInt32 || *s.Maximum > math.MaxInt32
	}
	return s.Maximum != nil && *s.Maximum > math.MaxInt32 || s.Minimum != nil && *s.Minimum < math.MinInt32
}

func mismatchUnless(ok bool, s *Schema, within string) string {
	if ok {
		return ""
	}
	return describeMismatch(s, within)
}

// describeMismatch says what a schema is and which type fits it, where within is the outermost list.
func describeMismatch(s *Schema, within string) string {
	fitting := slices.DeleteFunc(s.graphQL(), func(name string) bool { return name != "JSON" && !s.isReadAs(name) })
	return fmt.Sprintf("%s says %s; write %s", s.Place, s, inLists(fitting, within))
}

// String returns a short description, such as "array" or "string (date-time)".
func (s *Schema) String() string {
	if s.AllowsAny() {
		return "anything"
	}
	text := strings.Join(s.Types, " or ")
	if len(s.Types) == 0 {
		text = "one of several"
	}
	if s.Format != "" {
		text += " (" + s.Format + ")"
	}
	return text
}

// graphQL returns the GraphQL types to suggest for a schema.
func (s *Schema) graphQL() []string {
	switch {
	case len(s.Types) != 1:
		return []string{"JSON"}
	case s.AllowsType("array"):
		return []string{"a list"}
	case s.AllowsType("object"):
		return []string{"an object type", "JSON"}
	case s.AllowsType("integer") && exceedsInt32(s):
		return []string{"Int64", "ID"}
	case s.AllowsType("integer"):
		return []string{"Int"}
	case s.AllowsType("number"):
		return []string{"Float", "Decimal"}
	case s.AllowsType("boolean"):
		return []string{"Boolean"}
	case len(s.Enum) > 0:
		return []string{"String", "an enum of " + s.enumText()}
	}
	if k := ofFormat(s.Format); k != nil {
		return []string{k.Name, "String"}
	}
	return []string{"String"}
}

func (s *Schema) enumText() string {
	var all []string
	for _, v := range s.Enum {
		all = append(all, v.Text)
	}
	return strings.Join(all, ", ")
}
