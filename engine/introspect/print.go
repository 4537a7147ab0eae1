package introspect

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/vektah/gqlparser/v2/ast"
)

// Print returns the SDL of a schema that Publish has returned: what its introspection shows, no
// more and no less. Directives come first, then types, each in the order of their names; fields,
// arguments and values are in the order of the schema, which has a meaning for readers. What every
// schema has (the scalars, directives and introspection types of the specification) is left out.
func Print(schema *ast.Schema) string {
	p := &printer{schema: schema}
	p.schemaDefinition()
	for _, d := range (&Schema{schema}).Directives() {
		if !specified[d.def.Name] {
			p.directive(d.def)
		}
	}
	for _, def := range sortedTypes(schema) {
		if !isIntrospection(def.Name) && !specifiedScalars[def.Name] {
			p.definition(def)
		}
	}
	return p.text.String()
}

// specified are the directives of the specification that every schema has.
var specified = map[string]bool{"skip": true, "include": true, "deprecated": true, "specifiedBy": true, "oneOf": true}

// specifiedScalars are the scalars of the specification.
var specifiedScalars = map[string]bool{"Int": true, "Float": true, "String": true, "Boolean": true, "ID": true}

// printer writes the definitions of a schema.
type printer struct {
	schema *ast.Schema
	text   strings.Builder
}

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(&p.text, format, args...) }

// begin begins a definition with its description, after an empty line.
func (p *printer) begin(description string) {
	if p.text.Len() > 0 {
		p.printf("\n")
	}
	p.description("", description)
}

// schemaDefinition writes the schema's own definition if it says what its types do not.
func (p *printer) schemaDefinition() {
	roots := []struct {
		operation, usual string
		def              *ast.Definition
	}{
		{"query", "Query", p.schema.Query},
		{"mutation", "Mutation", p.schema.Mutation},
		{"subscription", "Subscription", p.schema.Subscription},
	}
	implied := p.schema.Description == ""
	for _, r := range roots {
		usual := p.schema.Types[r.usual]
		implied = implied && r.def == usual // else another type has the usual name
	}
	if implied {
		return
	}
	p.begin(p.schema.Description)
	p.printf("schema {\n")
	for _, r := range roots {
		if r.def != nil {
			p.printf("  %s: %s\n", r.operation, r.def.Name)
		}
	}
	p.printf("}\n")
}

func (p *printer) directive(d *ast.DirectiveDefinition) {
	p.begin(d.Description)
	p.printf("directive @%s", d.Name)
	p.arguments("", d.Arguments)
	if d.IsRepeatable {
		p.printf(" repeatable")
	}
	p.printf(" on")
	for i, l := range d.Locations {
		if i > 0 {
			p.printf(" |")
		}
		p.printf(" %s", l)
	}
	p.printf("\n")
}

func (p *printer) definition(def *ast.Definition) {
	p.begin(def.Description)
	switch def.Kind {
	case ast.Scalar:
		p.printf("scalar %s", def.Name)
		if url := definedType(p.schema, def).SpecifiedByURL(); url != nil {
			p.printf(" @specifiedBy(url: %s)", quote(*url))
		}
		p.printf("\n")
	case ast.Object:
		p.printf("type %s", def.Name)
		p.interfaces(def)
		p.fields(def)
	case ast.Interface:
		p.printf("interface %s", def.Name)
		p.interfaces(def)
		p.fields(def)
	case ast.Union:
		p.printf("union %s = %s\n", def.Name, strings.Join(def.Types, " | "))
	case ast.Enum:
		p.printf("enum %s {\n", def.Name)
		for _, v := range def.EnumValues {
			p.description("  ", v.Description)
			p.printf("  %s%s\n", v.Name, deprecation(v.Directives))
		}
		p.printf("}\n")
	case ast.InputObject:
		p.printf("input %s", def.Name)
		if def.Directives.ForName("oneOf") != nil {
			p.printf(" @oneOf")
		}
		p.printf(" {\n")
		for _, f := range def.Fields {
			p.description("  ", f.Description)
			p.printf("  %s: %s%s%s\n", f.Name, f.Type, defaultOf(f.DefaultValue), deprecation(f.Directives))
		}
		p.printf("}\n")
	}
}

func (p *printer) interfaces(def *ast.Definition) {
	if len(def.Interfaces) > 0 {
		p.printf(" implements %s", strings.Join(def.Interfaces, " & "))
	}
}

// fields writes the fields of an object or an interface.
func (p *printer) fields(def *ast.Definition) {
	p.printf(" {\n")
	for _, f := range def.Fields {
		if isIntrospection(f.Name) {
			continue
		}
		p.description("  ", f.Description)
		p.printf("  %s", f.Name)
		p.arguments("  ", f.Arguments)
		p.printf(": %s%s\n", f.Type, deprecation(f.Directives))
	}
	p.printf("}\n")
}

// arguments writes the arguments of a field or a directive: on one line, or on a line each if one
// has a description.
func (p *printer) arguments(indent string, args ast.ArgumentDefinitionList) {
	if len(args) == 0 {
		return
	}
	described := false
	for _, a := range args {
		described = described || a.Description != ""
	}
	p.printf("(")
	for i, a := range args {
		switch {
		case described:
			p.printf("\n")
			p.description(indent+"  ", a.Description)
			p.printf("%s  ", indent)
		case i > 0:
			p.printf(", ")
		}
		p.printf("%s: %s%s%s", a.Name, a.Type, defaultOf(a.DefaultValue), deprecation(a.Directives))
	}
	if described {
		p.printf("\n%s", indent)
	}
	p.printf(")")
}

// description writes a description, as a block string if a block string can hold it.
func (p *printer) description(indent, text string) {
	switch {
	case text == "":
	case !blockHolds(text):
		p.printf("%s%s\n", indent, quote(text))
	default:
		p.printf("%s\"\"\"\n", indent)
		for line := range strings.SplitSeq(strings.ReplaceAll(text, `"""`, `\"""`), "\n") {
			if line != "" {
				p.printf("%s%s", indent, line)
			}
			p.printf("\n")
		}
		p.printf("%s\"\"\"\n", indent)
	}
}

// blockHolds reports whether a block string can hold a text. Its reader removes empty lines around
// the text and the common indentation of its lines (GraphQL specification, section 2.9.4), and
// readers differ in what they make of characters that cannot be seen.
func blockHolds(text string) bool {
	lines := strings.Split(text, "\n")
	isBlank := func(line string) bool { return strings.Trim(line, " \t") == "" }
	if isBlank(lines[0]) || isBlank(lines[len(lines)-1]) {
		return false
	}
	indented := true // all lines that have text
	for _, line := range lines {
		indented = indented && (isBlank(line) || line[0] == ' ' || line[0] == '\t')
		if isBlank(line) && line != "" {
			return false
		}
	}
	return !indented && !strings.HasSuffix(text, `\`) && !strings.ContainsFunc(text, func(r rune) bool {
		return r != '\n' && r != '\t' && isInvisible(r)
	})
}

// isInvisible reports whether a reader cannot see a character, or it changes how text is laid out.
func isInvisible(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' || r == '\ufeff'
}

// deprecation returns @deprecated with a space before it, "" for a place that is not deprecated.
func deprecation(directives ast.DirectiveList) string {
	reason := deprecationReason(directives)
	switch {
	case reason == nil:
		return ""
	case *reason == defaultReason:
		return " @deprecated"
	}
	return " @deprecated(reason: " + quote(*reason) + ")"
}

// defaultOf returns a default value with the sign before it, "" for nil.
func defaultOf(v *ast.Value) string {
	if v == nil {
		return ""
	}
	return " = " + literal(v)
}

// literal returns a constant value as GraphQL writes it.
func literal(v *ast.Value) string {
	switch v.Kind {
	case ast.StringValue, ast.BlockValue:
		return quote(v.Raw)
	case ast.ListValue:
		items := make([]string, len(v.Children))
		for i, c := range v.Children {
			items[i] = literal(c.Value)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case ast.ObjectValue:
		members := make([]string, len(v.Children))
		for i, c := range v.Children {
			members[i] = c.Name + ": " + literal(c.Value)
		}
		return "{" + strings.Join(members, ", ") + "}"
	}
	return v.Raw
}

// quote returns a text as a string of GraphQL on one line.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case isInvisible(r): // all of them have 16 bits
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
