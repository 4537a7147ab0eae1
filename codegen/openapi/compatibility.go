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
// The text continues a sentence such as "User.age is Int, but ". ReadMismatch does not compare the members
// of objects; HoldsProperty does that for each.
//
// The service may send any branch of a choice, so all of them have to fit.
func (t Type) ReadMismatch(s *Schema) string { return t.readMismatch(s, "%s") }

// readMismatch implements Holds for types within lists: within is the outermost type, with %s in the place
// of t.
func (t Type) readMismatch(s *Schema, within string) string {
	if t.NonNull && s.Nullable {
		return fmt.Sprintf("%s says it may be null; write "+within, s.NullAt, strings.TrimSuffix(t.String(), "!"))
	}
	for _, leaf := range s.Leaves() {
		if why := t.readLeafMismatch(leaf, within); why != "" {
			return why
		}
	}
	return ""
}

// ReadPropertyMismatch is Holds for a member of an object, which can also be absent.
func (t Type) ReadPropertyMismatch(p *Property) string {
	switch {
	case p.Schema.WriteOnly:
		return fmt.Sprintf("%s says it is writeOnly, so it is never sent; remove the field", p.Place)
	case t.NonNull && !p.Required:
		return fmt.Sprintf("%s does not require it; write %s", p.Place, strings.TrimSuffix(t.String(), "!"))
	}
	return t.ReadMismatch(p.Schema)
}

func (t Type) readLeafMismatch(s *Schema, within string) string {
	switch {
	case s.AllowsAny() || t.Name == "JSON":
		return ""
	case t.Elem != nil:
		if !s.allowsOnlyTypes("array") {
			return describeMismatch(s)
		}
		if s.Items == nil {
			return ""
		}
		return t.Elem.readMismatch(s.Items, fmt.Sprintf(within, Type{NonNull: t.NonNull, Elem: &Type{Name: "%s"}}))
	case t.Object:
		return mismatchUnless(s.allowsOnlyTypes("object"), s)
	case len(t.Values) > 0:
		return t.readEnumMismatch(s)
	}
	return t.readScalarMismatch(s)
}

// readEnumMismatch finds a value that the service sends and the enum lacks.
func (t Type) readEnumMismatch(s *Schema) string {
	if !s.allowsOnlyTypes(t.kinds()...) {
		return t.describeEnumMismatch(s)
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

func (t Type) readScalarMismatch(s *Schema) string {
	k := scalarNamed(t.Name)
	switch {
	case k == nil:
		return ""
	case !s.allowsOnlyTypes(k.Reads...) || s.AllowsType("string") && !acceptsFormat(k, s.Format):
		return describeMismatch(s)
	case t.Name == "Int" && exceedsInt32(s):
		return describeMismatch(s)
	}
	return ""
}

// WriteMismatch explains why a value of the type does not fit what a service takes as JSON. It returns ""
// if it does. The text continues a sentence such as "NewUser.age is Int, but ". A nullable type
// fits a schema that does not allow null, because GraphQL has no type for a value that may be
// absent but not null.
//
// The caller may send any branch of a choice, so one of them has to fit.
func (t Type) WriteMismatch(s *Schema) string { return t.writeMismatch(s, false) }

// WritePropertyMismatch is Fills for a member of an object.
func (t Type) WritePropertyMismatch(p *Property) string {
	switch {
	case p.Schema.ReadOnly:
		return fmt.Sprintf("%s says it is readOnly, so the service does not take it; remove the field", p.Place)
	case p.Required && !t.NonNull && !p.Schema.Nullable:
		return fmt.Sprintf("%s requires it; write %s!", p.Place, t)
	}
	return t.WriteMismatch(p.Schema)
}

// ParameterMismatch is Fills for a parameter. There values are text: an ID fits an integer, a single
// value fits a list, and any scalar fits a string.
func (t Type) ParameterMismatch(p *Parameter) string {
	if p.Required && !t.NonNull {
		return fmt.Sprintf("%s requires it; write %s!", p.Place, t)
	}
	return t.writeMismatch(p.Schema, p.Media == "" || !isJSON(p.Media))
}

func (t Type) writeMismatch(s *Schema, asText bool) string {
	why := ""
	for _, leaf := range s.Leaves() {
		if why = t.writeLeafMismatch(leaf, asText); why == "" {
			return ""
		}
	}
	return why
}

func (t Type) writeLeafMismatch(s *Schema, asText bool) string {
	switch {
	case s.AllowsAny() || t.Name == "JSON" && t.Elem == nil:
		return ""
	case t.Elem != nil:
		if !s.AllowsType("array") || s.Items == nil {
			return mismatchUnless(s.AllowsType("array"), s)
		}
		return t.Elem.writeMismatch(s.Items, asText)
	case t.Object:
		return mismatchUnless(s.AllowsType("object"), s)
	case asText && s.AllowsType("array") && s.Items != nil:
		return t.writeMismatch(s.Items, asText)
	case len(t.Values) > 0:
		return t.writeEnumMismatch(s, asText)
	}
	return t.writeScalarMismatch(s, asText)
}

// hasValue reports whether an enum has a value in the spelling of a document.
func (t Type) hasValue(text string) bool {
	return slices.Contains(t.Values, text) || slices.Contains(t.Values, scalar.PlainNumber(text))
}

// describeEnumMismatch says that an enum's values have another JSON type than the document's, and how they are
// written.
func (t Type) describeEnumMismatch(s *Schema) string {
	if len(s.Enum) == 0 {
		return describeMismatch(s)
	}
	if s.AllowsType("string") {
		return fmt.Sprintf("%s says %s, whose values are texts; write @json(name: %q)", s.Place, s, s.Enum[0].Text)
	}
	return fmt.Sprintf("%s says %s; write each value of %s with @json(value: %s), or %s instead of it", s.Place, s, t.Name, s.Enum[0].Text, s.graphQL())
}

// writeEnumMismatch finds a value of the enum that the service does not take.
func (t Type) writeEnumMismatch(s *Schema, asText bool) string {
	if !slices.ContainsFunc(t.kinds(), s.AllowsType) && !(asText && s.AllowsType("string")) {
		return t.describeEnumMismatch(s)
	}
	for _, v := range t.Values {
		same := func(o Value) bool { return scalar.PlainNumber(o.Text) == v || o.Text == v }
		if len(s.Enum) > 0 && !slices.ContainsFunc(s.Enum, same) {
			return fmt.Sprintf("%s does not take its value %q; there is %s", s.Place, v, s.enumText())
		}
	}
	return ""
}

func (t Type) writeScalarMismatch(s *Schema, asText bool) string {
	k := scalarNamed(t.Name)
	if k == nil {
		return ""
	}
	writes := k.Writes
	if asText {
		writes = append(slices.Clone(k.Writes), "string")
	}
	if asText && t.Name == "ID" {
		writes = append(writes, "integer") // which many services' keys are
	}
	for _, kind := range writes {
		switch {
		case kind == "string" && s.AllowsType("string") && (acceptsFormat(k, s.Format) || asText && k.EncodedAs() != "string"):
			return ""
		case kind == "string" && !s.AllowsType("string"):
		case kind != "string" && (s.AllowsType(kind) || kind == "integer" && s.AllowsType("number")):
			return ""
		}
	}
	return describeMismatch(s)
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

func mismatchUnless(ok bool, s *Schema) string {
	if ok {
		return ""
	}
	return describeMismatch(s)
}

// describeMismatch says what a schema is and which type fits it.
func describeMismatch(s *Schema) string {
	return fmt.Sprintf("%s says %s; write %s", s.Place, s, s.graphQL())
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

// graphQL returns the GraphQL type to suggest for a schema.
func (s *Schema) graphQL() string {
	switch {
	case len(s.Types) != 1:
		return "JSON"
	case s.AllowsType("array"):
		return "a list"
	case s.AllowsType("object"):
		return "an object type, or JSON"
	case s.AllowsType("integer") && exceedsInt32(s):
		return "Int64 or ID"
	case s.AllowsType("integer"):
		return "Int"
	case s.AllowsType("number"):
		return "Float or Decimal"
	case s.AllowsType("boolean"):
		return "Boolean"
	}
	return s.graphQLString()
}

func (s *Schema) graphQLString() string {
	if len(s.Enum) > 0 {
		return "String, or an enum of " + s.enumText()
	}
	if k := ofFormat(s.Format); k != nil {
		return k.Name + " or String"
	}
	return "String"
}

func (s *Schema) enumText() string {
	var all []string
	for _, v := range s.Enum {
		all = append(all, v.Text)
	}
	return strings.Join(all, ", ")
}
