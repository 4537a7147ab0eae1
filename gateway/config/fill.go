package config

import (
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// filler writes a tree into the Go value that has its shape, leaving untouched
// what the tree does not mention.
type filler struct{ mistakes *mistakes }

func (f *filler) fill(v reflect.Value, n *node, p yaml.Path) {
	if secret(p) || strings.Contains(n.text, "://") && strings.Contains(n.text, "@") {
		f.mistakes.hide(n) // the second is a URL with a password in it
	}
	want := shape(v.Type())
	switch {
	case n.kind == null:
	case n.kind != want:
		if holdsSecrets(p) {
			f.mistakes.hide(n)
		}
		f.mistakes.add(n.at, p, "must be %s, not %s", want, n.kind)
	case want == scalar:
		f.scalar(v, n, p)
	case want == list:
		f.list(v, n, p)
	case v.Kind() == reflect.Map:
		f.entries(v, n, p)
	default:
		f.fields(v, n, p)
	}
}

func (f *filler) fields(v reflect.Value, n *node, p yaml.Path) {
	known := map[string]field{}
	for _, field := range fieldsOf(v.Type()) {
		known[field.name] = field
	}
	for _, m := range n.fields {
		if field, ok := known[m.name]; ok {
			f.fill(v.FieldByIndex(field.index), m.value, p.Key(m.name))
			continue
		}
		f.mistakes.hide(m.value)
		f.mistakes.add(m.at, p.Key(m.name), "no such setting%s", suggest.DidYouMean(m.name, slices.Sorted(maps.Keys(known))))
	}
}

func (f *filler) entries(v reflect.Value, n *node, p yaml.Path) {
	filled := reflect.MakeMapWithSize(v.Type(), len(n.fields))
	for _, m := range n.fields {
		entry := reflect.New(v.Type().Elem()).Elem()
		f.fill(entry, m.value, p.Key(m.name))
		filled.SetMapIndex(reflect.ValueOf(m.name).Convert(v.Type().Key()), entry)
	}
	v.Set(filled)
}

func (f *filler) list(v reflect.Value, n *node, p yaml.Path) {
	filled := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		if item.kind == null && !item.broken {
			f.mistakes.add(item.at, p.Item(i), "is empty; write a value or remove it")
		}
		f.fill(filled.Index(i), item, p.Item(i))
	}
	v.Set(filled)
}

func (f *filler) scalar(v reflect.Value, n *node, p yaml.Path) {
	if want := set(v, n); want != "" {
		text := fmt.Sprintf("must be %s", want)
		if !secret(p) {
			text += ", not " + n.describe()
		}
		f.mistakes.add(n.at, p, "%s", text)
	}
}

// set reads n as v's type asks; when it cannot, it says what would be right.
func set(v reflect.Value, n *node) (want string) {
	switch target := v.Addr().Interface().(type) {
	case *time.Duration:
		return setDuration(target, n)
	case *int64:
		return setSize(target, n)
	case *slog.Level:
		return setLevel(target, n)
	}
	switch v.Kind() {
	case reflect.Bool:
		return setBool(v, n)
	case reflect.Int:
		return setCount(v, n)
	case reflect.String:
		return setText(v, n)
	}
	panic("config: no rule for a setting of type " + v.Type().String())
}

func setDuration(target *time.Duration, n *node) string {
	const want = "a duration with its unit, as 500ms, 30s or 1m30s"
	d, err := time.ParseDuration(n.text)
	if err != nil {
		return want
	}
	*target = d
	return ""
}

func setLevel(target *slog.Level, n *node) string {
	word := strings.ToLower(n.text)
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, word) || target.UnmarshalText([]byte(word)) != nil {
		return "debug, info, warn or error"
	}
	return ""
}

func setBool(v reflect.Value, n *node) string {
	if n.says == textual || n.text != "true" && n.text != "false" {
		return "true or false"
	}
	v.SetBool(n.text == "true")
	return ""
}

func setCount(v reflect.Value, n *node) string {
	count, err := strconv.Atoi(n.text)
	switch {
	case err != nil:
		return "a whole number"
	case n.says == textual:
		return "a whole number without quotes"
	}
	v.SetInt(int64(count))
	return ""
}

func setText(v reflect.Value, n *node) string {
	if n.says == number || n.says == truth {
		return "text; put it in quotes"
	}
	v.SetString(n.text)
	return ""
}

var units = map[string]int64{
	"": 1, "B": 1,
	"KB": 1000, "MB": 1000 * 1000, "GB": 1000 * 1000 * 1000,
	"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30,
}

// setSize reads bytes: 1MB is a million, 1MiB is 1,048,576.
func setSize(target *int64, n *node) string {
	const want = "a size, as 500KB, 1MB, 10MiB or a number of bytes"
	digits := strings.TrimRight(n.text, "BKMGIbkmgi ")
	unit, known := units[strings.ToUpper(strings.TrimSpace(n.text[len(digits):]))]
	count, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !known || count != count*unit/unit {
		return want
	}
	*target = count * unit
	return ""
}
