package bindingtest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// maxValues bounds the values of a file. An alias counts for all values that it stands for.
const maxValues = 100_000

// expected is a JSON value that a test expects somewhere, as encoding/json decodes it with
// UseNumber. A nil *expected means that the test does not compare that place, whereas a nil value
// expects null.
type expected struct{ value any }

// plainValue returns v as encoding/json decodes it with UseNumber: numbers stay as they are
// written, since a test may expect an exact decimal or a long id.
func plainValue(v *yaml.Node) any {
	switch v.Kind {
	case yaml.Mapping:
		object := make(map[string]any, len(v.Members))
		for _, m := range v.Members {
			object[m.Key.Value] = plainValue(m.Value)
		}
		return object
	case yaml.List:
		items := make([]any, len(v.Items))
		for i, item := range v.Items {
			items[i] = plainValue(item)
		}
		return items
	case yaml.Int, yaml.Float:
		return json.Number(v.Value)
	case yaml.Bool:
		return strings.EqualFold(v.Value, "true")
	case yaml.String:
		return v.Value
	}
	return nil
}

// kindOf names the kind of a value, for messages.
func kindOf(v *yaml.Node) string {
	switch v.Kind {
	case yaml.Mapping:
		return "an object"
	case yaml.List:
		return "a list"
	case yaml.Int, yaml.Float:
		return "a number"
	case yaml.Bool:
		return "true or false"
	case yaml.String:
		return "text"
	}
	return "nothing"
}

// mistakes collects everything that is wrong in a file.
type mistakes struct {
	file string
	list []mistake
}

type mistake struct {
	line, column int
	text         string
}

// add reports a mistake at the place of v.
func (m *mistakes) add(v *yaml.Node, format string, args ...any) {
	m.list = append(m.list, mistake{v.Line, v.Column, fmt.Sprintf(format, args...)})
}

// err returns an error with a line for each mistake, in the order of the file, or nil if there is
// none.
func (m *mistakes) err() error {
	if len(m.list) == 0 {
		return nil
	}
	slices.SortStableFunc(m.list, func(a, b mistake) int {
		return cmp.Or(cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	lines := make([]string, len(m.list))
	for i, one := range m.list {
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", m.file, one.line, one.column, one.text)
	}
	return errors.New(strings.Join(lines, "\n"))
}

// parse returns the value of a YAML text, or nil if it has none, and reports what cannot be read.
func (m *mistakes) parse(text []byte) *yaml.Node {
	doc := yaml.Parse(text, yaml.Options{MaxValues: maxValues})
	for _, err := range doc.Errors {
		message := err.Message
		switch err.Problem {
		case yaml.Syntax:
			message = "it cannot be read as YAML: " + message
		case yaml.TooManyValues:
			message = fmt.Sprintf("there are more than %d values up to here; make several files of them", maxValues)
		}
		m.list = append(m.list, mistake{err.Line, err.Column, message})
	}
	switch {
	case doc.Root != nil:
		m.checkNumbers(doc.Root)
	case len(doc.Errors) == 0:
		m.list = append(m.list, mistake{1, 1, "a file is one YAML document with tests: and a list of them; this one is empty"})
	}
	return doc.Root
}

// checkNumbers reports numbers that YAML has and JSON does not, such as 0x1F and 1_000.
func (m *mistakes) checkNumbers(v *yaml.Node) {
	if v.IsNumber() && !json.Valid([]byte(v.Value)) {
		m.add(v, "%s is not a number of JSON; write it in decimal digits, or in quotes", v.Value)
	}
	for _, member := range v.Members {
		m.checkNumbers(member.Value)
	}
	for _, item := range v.Items {
		m.checkNumbers(item)
	}
}

// A decoder reads a value of the file into a variable, and reports what does not fit.
type decoder func(*yaml.Node)

// fields are the members that an object may have, each with its decoder.
type fields map[string]decoder

// object decodes the members of an object and reports whether v is one. A member that f does not
// have is a mistake. what names the object in messages.
func (m *mistakes) object(v *yaml.Node, what string, f fields) bool {
	if v.Kind != yaml.Mapping {
		m.add(v, "%s is an object, not %s", what, kindOf(v))
		return false
	}
	for _, member := range v.Members {
		name := member.Key.Value
		if decode := f[name]; decode != nil {
			decode(at(member))
			continue
		}
		m.add(member.Key, "%s has no %q%s", what, name, suggest.DidYouMean(name, slices.Sorted(maps.Keys(f))))
	}
	return true
}

// at returns the value of a member at the place of its key, which is where mistakes about it are
// shown: the value itself may stand behind an alias.
func at(m yaml.Member) *yaml.Node {
	v := *m.Value
	v.Line, v.Column = m.Key.Line, m.Key.Column
	return &v
}

// items decodes the elements of a list.
func (m *mistakes) items(v *yaml.Node, what string, decode decoder) {
	if v.Kind != yaml.List {
		m.add(v, "%s is a list, not %s", what, kindOf(v))
		return
	}
	for _, item := range v.Items {
		decode(item)
	}
}

// text decodes text without the white space around it. Text that looks like a number or a truth
// value needs no quotes.
func (m *mistakes) text(to *string) decoder {
	return func(v *yaml.Node) {
		switch v.Kind {
		case yaml.String:
			*to = strings.TrimSpace(v.Value)
		case yaml.Bool, yaml.Int, yaml.Float:
			*to = fmt.Sprint(plainValue(v))
		default:
			m.add(v, "this is text, not %s", kindOf(v))
		}
	}
}

// json decodes a JSON value, which is written as a text of JSON or as YAML's own values.
func (m *mistakes) json(to **expected) decoder {
	return func(v *yaml.Node) {
		*to = &expected{plainValue(v)}
		if v.Kind != yaml.String {
			return
		}
		value, err := decodeJSON(v.Value)
		if err != nil {
			m.add(v, "this is not JSON: %v", err)
			return
		}
		*to = &expected{value}
	}
}

// value decodes a value as it is, so that a text stands for itself.
func value(to **expected) decoder {
	return func(v *yaml.Node) { *to = &expected{plainValue(v)} }
}
