package plugin

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/codegen/binding"
)

// mapper writes values that are made of others: Go expressions over engine/mapping.
type mapper struct {
	f        *goFile
	variable func(*binding.Value) string
	member   func(*binding.Value) string // a variable as a member, which is absent when it was not given
	current  string                      // the value at hand
	whole    string                      // what $ stands for in a method's arguments; "" outside of them
}

// value writes a value as services read it.
func (m *mapper) value(v *binding.Value) string { return m.apply(m.root(v, m.variable), "Path", v) }

// memberValue writes the value of a member, encode.Absent where nobody gave it.
func (m *mapper) memberValue(v *binding.Value) string { return m.apply(m.root(v, m.member), "Pick", v) }

// apply writes what becomes of the value at the root. Members are found by a function of
// engine/mapping.
func (m *mapper) apply(expr, find string, v *binding.Value) string {
	for i := 0; i < len(v.Then); i++ {
		change := v.Then[i]
		if change.Op != binding.Member {
			expr = m.change(expr, change, v.Scope == binding.Current && i == 0)
			continue
		}
		names := strconv.Quote(change.Name)
		for i+1 < len(v.Then) && v.Then[i+1].Op == binding.Member {
			i++
			names += ", " + strconv.Quote(v.Then[i].Name)
		}
		expr = fmt.Sprintf("%s%s(%s, %s)", m.pkg(), find, expr, names)
	}
	return expr
}

func (m *mapper) pkg() string { return m.f.use(mappingPkg) }

func (m *mapper) root(v *binding.Value, variable func(*binding.Value) string) string {
	switch {
	case v.Scope == binding.Current:
		return m.current
	case v.Scope == binding.Whole:
		return m.whole
	case v.Items != nil:
		items := make([]string, len(v.Items))
		for i, item := range v.Items {
			items[i] = m.value(item)
		}
		return "[]any{" + strings.Join(items, ", ") + "}"
	case v.Scope == binding.Constant:
		return m.literal(v.Literal)
	}
	return variable(v)
}

// literal writes a JSON scalar as Go.
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

// unquote is a text that stands in JSON.
func unquote(text string) string {
	var s string
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		panic(err) // since our own code wrote it
	}
	return s
}

// change writes what becomes of a value. The value at hand is bare when an object is made
// of it as it is.
func (m *mapper) change(expr string, c binding.Change, bare bool) string {
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
	case binding.Each:
		if c.Of.Scope == binding.Current && len(c.Of.Then) > 0 && c.Of.Then[0].Op == binding.Object {
			return fmt.Sprintf("%sMapOf(%s, func(at any) any { return %s })", m.pkg(), expr, m.forObject("at").object(c.Of.Then[0].Fields))
		}
		return fmt.Sprintf("%sMap(%s, func(at any) any { return %s })", m.pkg(), expr, m.forMethod().value(c.Of))
	case binding.Match:
		return fmt.Sprintf("%sApply(%s, func(at any) any { return %s })", m.pkg(), expr, m.forMethod().match(c))
	}
	if bare && m.whole == "" {
		return m.object(c.Fields)
	}
	return fmt.Sprintf("%sMapNonNull(%s, func(of any) any { return %s })", m.pkg(), expr, m.forObject("of").object(c.Fields))
}

// forObject writes the fields of an object that is made of a value.
func (m *mapper) forObject(hand string) *mapper {
	return &mapper{f: m.f, variable: m.variable, member: m.member, current: hand}
}

// forMethod writes the arguments of a method, in which at is the value at hand.
func (m *mapper) forMethod() *mapper {
	return &mapper{m.f, m.variable, m.member, "at", cmp.Or(m.whole, m.current)}
}

// object writes an object of members, without those that nobody gave.
func (m *mapper) object(fields []binding.ValueField) string {
	var b strings.Builder
	b.WriteString(m.f.use(encodePkg) + "Object{}")
	for _, f := range fields {
		b.WriteString(".")
		if len(fields) > 1 {
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "With(%q, %s)", f.Name, m.memberValue(f.Of))
	}
	return b.String()
}

// match writes the choice among the cases of ->match, for the value at hand.
func (m *mapper) match(c binding.Change) string {
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
