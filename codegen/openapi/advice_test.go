package openapi

import (
	"strings"
	"testing"
)

// advised returns the types that a message advises. Advice on how to fill in an object, and the like,
// has no type.
func advised(message string) []Type {
	_, advice, found := strings.Cut(message, "; write ")
	if !found {
		return nil
	}
	var all []Type
	for _, word := range strings.FieldsFunc(advice, func(r rune) bool { return r == ',' }) {
		for name := range strings.SplitSeq(word, " or ") {
			name = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(name), "or "), "for its elements")
			bare := strings.TrimRight(strings.Trim(name, "[]!"), "]!")
			switch {
			case name == "a list of lists":
				all = append(all, Type{Elem: &Type{Elem: &Type{Name: "JSON"}}})
			case name == "a list of an object type":
				all = append(all, Type{Elem: &Type{Name: "Thing", Object: true}})
			case name == "a list":
				all = append(all, Type{Elem: &Type{Name: "JSON"}})
			case name == "an object type":
				all = append(all, Type{Name: "Thing", Object: true})
			case strings.Contains(name, " "), name == "":
				return all // the rest of the list of values
			case strings.HasPrefix(name, "["):
				inner := Type{Name: bare, NonNull: strings.HasSuffix(name, "!]") || strings.HasSuffix(name, "!]!")}
				all = append(all, Type{Elem: &inner, NonNull: strings.HasSuffix(name, "]!")})
			default:
				all = append(all, Type{Name: bare, NonNull: strings.HasSuffix(name, "!"), Object: bare == "Thing"})
			}
		}
	}
	return all
}

// starts are the types from which advice is followed.
func starts() []Type {
	var all []Type
	for _, name := range []string{"Boolean", "Int", "Int64", "Float", "Decimal", "String", "ID", "DateTime", "JSON", "Thing"} {
		for _, nonNull := range []bool{false, true} {
			t := Type{Name: name, NonNull: nonNull, Object: name == "Thing"}
			all = append(all, t, Type{Elem: &t, NonNull: nonNull})
		}
	}
	return all
}

func (t Type) isScalar() bool { return t.Elem == nil && !t.Object }

// convergence counts what was tried.
type convergence struct {
	*testing.T
	seen           map[*Schema]bool
	tried, advices int
}

// follow gives a type to what a message is about, follows the advice of the message, and reports an
// advised type that is refused. A type is refused twice at most: as a type, and for null.
func (c *convergence) follow(what string, mismatch func(Type) string) {
	for _, start := range starts() {
		c.tried++
		message := mismatch(start)
		if message == "" {
			continue
		}
		for _, next := range advised(message) {
			c.advices++
			strict := next // advice in words says nothing of null
			strict.NonNull = true
			if again := mismatch(next); again != "" && (mismatch(strict) != "" || next.isScalar()) {
				c.Errorf("%s: %s, but %s\nas %s, but %s", what, start, message, next, again)
			}
		}
	}
}

func (c *convergence) schema(s *Schema) {
	if s == nil || c.seen[s] {
		return
	}
	c.seen[s] = true
	c.follow(s.Place.String(), func(t Type) string { return t.ReadMismatch(s) })
	c.follow(s.Place.String(), func(t Type) string { return t.WriteMismatch(s) })
	for _, p := range s.Properties {
		c.follow(p.Place.String(), func(t Type) string { return t.ReadPropertyMismatch(p) })
		c.follow(p.Place.String(), func(t Type) string { return t.WritePropertyMismatch(p) })
		c.schema(p.Schema)
	}
	for _, branch := range s.OneOf {
		c.schema(branch)
	}
	c.schema(s.Items)
	c.schema(s.Additional)
}

// Advice does not contradict itself: a type that a message advises for a schema of a real document is
// not refused for another reason. Only readOnly and writeOnly have advice without a type.
func TestAdviceConverges(t *testing.T) {
	for _, doc := range documents {
		c := &convergence{T: t, seen: map[*Schema]bool{}}
		for _, o := range allOperations(mustRead(t, doc.file)) {
			for _, p := range o.Parameters {
				c.schema(p.Schema)
				c.follow(p.Place.String(), func(t Type) string { return t.ParameterMismatch(p) })
			}
			if o.Body != nil {
				for _, m := range o.Body.Media {
					c.schema(m.Schema)
				}
			}
			for _, r := range o.Responses {
				for _, m := range r.Media {
					c.schema(m.Schema)
				}
			}
		}
		t.Logf("%s: %d types tried, %d advices followed", doc.file, c.tried, c.advices)
		if c.advices == 0 {
			t.Errorf("%s: no advice was followed", doc.file)
		}
	}
	for _, text := range []string{
		"{oneOf: [{type: string}, {type: object}]}", "{oneOf: [{type: integer}, {type: string}]}", "{type: [string, integer]}", "{type: [string, object, 'null']}",
		"{oneOf: [{type: array, items: {type: string}}, {type: string}]}", "{anyOf: [{type: number}, {type: integer}, {type: 'null'}]}", "{oneOf: [{type: object}, {type: object}]}",
		"{type: string, format: date-time}", "{type: integer, format: int64}", "{type: array, items: {oneOf: [{type: string}, {type: object}]}}", "{type: string, enum: [a, b]}", "{type: string, format: binary}",
		"{oneOf: [{type: string, format: date-time}, {type: integer}]}", "{type: array, items: {type: [string, 'null']}}", "{type: [boolean, string]}", "{enum: [1, a]}",
	} {
		s, _ := schemaOf(t, "3.1.0", text, "")
		c := &convergence{T: t, seen: map[*Schema]bool{}}
		c.schema(s)
	}
}
