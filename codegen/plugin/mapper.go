package plugin

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// mapper writes the expressions of bindings that change values, as calls of package
// engine/mapping.
type mapper struct {
	f        *goFile
	variable func(*binding.Value) string
	member   func(*binding.Value) string // writes a variable as the value of a member, which may be absent
	current  string                      // the current value, @ in a binding
	whole    string                      // what $ stands for in a method's arguments; "" outside of them
}

// value writes the wire value of an expression. A missing member is nil.
func (m *mapper) value(v *binding.Value) string { return m.apply(m.root(v, m.variable), "Get", v) }

// memberValue writes an expression as the value of a member. It is encode.Absent where the client
// omitted what the expression begins with, and the member is left out.
func (m *mapper) memberValue(v *binding.Value) string {
	if v.Concat != nil {
		return m.concat(v.Concat, "ConcatOrAbsent", m.memberValue)
	}
	return m.apply(m.root(v, m.member), "GetOrAbsent", v)
}

// concat writes a text of several parts by a function of engine/encode.
func (m *mapper) concat(parts []binding.Part, function string, value func(*binding.Value) string) string {
	written := make([]string, len(parts))
	for i, p := range parts {
		if written[i] = strconv.Quote(p.Literal); p.Value != nil {
			written[i] = value(p.Value)
		}
	}
	return fmt.Sprintf("%s%s(%s)", m.f.use(encodePkg), function, strings.Join(written, ", "))
}

// apply writes the changes of a value, beginning with expr. Consecutive members are one call of
// find, a function of engine/mapping.
func (m *mapper) apply(expr, find string, v *binding.Value) string {
	for i := 0; i < len(v.Transforms); i++ {
		change := v.Transforms[i]
		if change.Op != binding.Member {
			expr = m.change(expr, change, v.Scope == binding.Current && i == 0)
			continue
		}
		names := strconv.Quote(change.Name)
		for i+1 < len(v.Transforms) && v.Transforms[i+1].Op == binding.Member {
			i++
			names += ", " + strconv.Quote(v.Transforms[i].Name)
		}
		expr = fmt.Sprintf("%s%s(%s, %s)", m.pkg(), find, expr, names)
	}
	return expr
}

func (m *mapper) pkg() string { return m.f.use(mappingPkg) }

// root writes what an expression begins with.
func (m *mapper) root(v *binding.Value, variable func(*binding.Value) string) string {
	switch {
	case v.Scope == binding.Current:
		return m.current
	case v.Scope == binding.Outer:
		return m.whole
	case v.Items != nil:
		items := make([]string, len(v.Items))
		for i, item := range v.Items {
			items[i] = m.value(item)
		}
		return "[]any{" + strings.Join(items, ", ") + "}"
	case v.Concat != nil:
		return m.concat(v.Concat, "Concat", m.value)
	case v.Scope == binding.Constant:
		return m.literal(v.Literal)
	}
	return variable(v)
}

// literal writes a JSON scalar as a wire value. A number is a json.Number, which keeps its digits.
func (m *mapper) literal(text string) string {
	switch {
	case text == "null":
		return "nil"
	case text == "true" || text == "false":
		return text // which Go writes alike
	case text[0] == '"':
		return quote(unquote(text))
	}
	return fmt.Sprintf("%sNumber(%q)", m.f.use("encoding/json"), text)
}

// unquote returns the value of a JSON string. The binding compiler has written it, so it is valid.
func unquote(text string) string {
	var s string
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		panic(err) // since our own code wrote it
	}
	return s
}

// change writes one change of the value expr. isRoot says that expr is the current value itself,
// which is never null there.
func (m *mapper) change(expr string, c binding.Transform, isRoot bool) string {
	switch c.Op {
	case binding.First:
		return fmt.Sprintf("%sFirst(%s)", m.pkg(), expr)
	case binding.Last:
		return fmt.Sprintf("%sLast(%s)", m.pkg(), expr)
	case binding.Entries:
		return fmt.Sprintf("%sEntries(%s)", m.pkg(), expr)
	case binding.Join:
		return fmt.Sprintf("%sJoinNotNull(%s, %q)", m.pkg(), expr, c.Name)
	case binding.Equal:
		return fmt.Sprintf("%sEqual(%s, %s)", m.pkg(), expr, m.literal(c.Equal))
	case binding.Map:
		if c.Inner.Scope == binding.Current && len(c.Inner.Transforms) > 0 && c.Inner.Transforms[0].Op == binding.Object {
			return fmt.Sprintf("%sMapElements(%s, func(at any) any { return %s })", m.pkg(), expr, m.forObject("at").object(c.Inner.Transforms[0].Fields))
		}
		return fmt.Sprintf("%sMap(%s, func(at any) any { return %s })", m.pkg(), expr, m.forMethod().value(c.Inner))
	case binding.Match:
		return fmt.Sprintf("%sApply(%s, func(at any) any { return %s })", m.pkg(), expr, m.forMethod().match(c))
	}
	if isRoot && m.whole == "" {
		return m.object(c.Fields)
	}
	return fmt.Sprintf("%sMapNonNull(%s, func(of any) any { return %s })", m.pkg(), expr, m.forObject("of").object(c.Fields))
}

// forObject returns the mapper for the fields of an object: names refer to the given current
// value.
func (m *mapper) forObject(hand string) *mapper {
	return &mapper{f: m.f, variable: m.variable, member: m.member, current: hand}
}

// forMethod returns the mapper for the arguments of a method: @ is the value at, and $ the value
// that was current outside.
func (m *mapper) forMethod() *mapper {
	return &mapper{m.f, m.variable, m.member, "at", cmp.Or(m.whole, m.current)}
}

// object writes an object without the members whose values are absent.
func (m *mapper) object(fields []binding.ValueField) string {
	var b strings.Builder
	b.WriteString(m.f.use(encodePkg) + "Object{}")
	for _, f := range fields {
		b.WriteString(".")
		if len(fields) > 1 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "With(%q, %s)", f.Name, m.memberValue(f.Value))
	}
	return b.String()
}

// match writes the cases of ->match for the current value.
func (m *mapper) match(c binding.Transform) string {
	otherwise, pairs := "nil", ""
	for _, one := range c.Cases {
		if one.When == "" {
			otherwise = m.value(one.Then)
			break
		}
		pairs += fmt.Sprintf(", [2]any{%s, %s}", m.literal(one.When), m.value(one.Then))
	}
	return fmt.Sprintf("%sMatch(%s, %s%s)", m.pkg(), m.current, otherwise, pairs)
}
