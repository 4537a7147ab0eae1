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

// decoder writes a tree of settings into Go values. It leaves fields of structs that
// the tree lacks as they are, reports values that do not fit, and continues with the next setting.
type decoder struct{ mistakes *mistakes }

// decode writes n into v, which is the setting at p.
func (d *decoder) decode(v reflect.Value, n *node, p yaml.Path) {
	hasPassword := strings.Contains(n.text, "://") && strings.Contains(n.text, "@") // a URL's
	if isSecret(p) || hasPassword {
		d.mistakes.hide(n)
	}
	want := kindOf(v.Type())
	short, hasShorthand := shorthandOf(v.Type())
	switch {
	case n.kind == null:
	case n.kind == scalar && hasShorthand:
		d.decode(v.FieldByIndex(short.index), n, p)
	case n.kind != want:
		if containsSecrets(p) {
			d.mistakes.hide(n)
		}
		d.mistakes.add(n.at, p, "must be %s, not %s", want, n.kind)
	case want == scalar:
		d.scalar(v, n, p)
	case want == list:
		d.list(v, n, p)
	case v.Kind() == reflect.Map:
		d.mapping(v, n, p)
	default:
		d.structure(v, n, p)
	}
}

func (d *decoder) structure(v reflect.Value, n *node, p yaml.Path) {
	known := map[string]field{}
	for _, field := range fieldsOf(v.Type()) {
		known[field.name] = field
	}
	for _, m := range n.members {
		if field, ok := known[m.name]; ok {
			d.decode(v.FieldByIndex(field.index), m.value, p.Key(m.name))
			continue
		}
		// The value may be a secret whose name is misspelt.
		d.mistakes.hide(m.value)
		d.unknown(m, p.Key(m.name), slices.Sorted(maps.Keys(known)))
	}
}

// unknown reports a setting that its block does not have.
func (d *decoder) unknown(m member, p yaml.Path, known []string) {
	if present := renamedSetting(p); present != nil {
		d.mistakes.add(m.at, p, "no such setting; did you mean %q? That is its name now", presentName(p, present))
		return
	}
	d.mistakes.add(m.at, p, "no such setting%s", suggest.DidYouMean(m.name, known))
}

func (d *decoder) mapping(v reflect.Value, n *node, p yaml.Path) {
	made := reflect.MakeMapWithSize(v.Type(), len(n.members))
	for _, m := range n.members {
		entry := reflect.New(v.Type().Elem()).Elem()
		d.decode(entry, m.value, p.Key(m.name))
		made.SetMapIndex(reflect.ValueOf(m.name).Convert(v.Type().Key()), entry)
	}
	v.Set(made)
}

func (d *decoder) list(v reflect.Value, n *node, p yaml.Path) {
	made := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, item := range n.items {
		if item.kind == null && !item.invalid {
			d.mistakes.add(item.at, p.Item(i), "is empty; write a value or remove it")
		}
		d.decode(made.Index(i), item, p.Item(i))
	}
	v.Set(made)
}

func (d *decoder) scalar(v reflect.Value, n *node, p yaml.Path) {
	if want := decodeScalar(v, n); want != "" {
		text := fmt.Sprintf("must be %s", want)
		if !isSecret(p) {
			text += ", not " + n.describe()
		}
		d.mistakes.add(n.at, p, "%s", text)
	}
}

// decodeScalar reads n as a value of v's type. If n is not one, it leaves v as it is and returns
// what n must be, for a message that begins with "must be".
func decodeScalar(v reflect.Value, n *node) (want string) {
	switch target := v.Addr().Interface().(type) {
	case *time.Duration:
		return decodeDuration(target, n)
	case *int64:
		return decodeSize(target, n)
	case *slog.Level:
		return decodeLevel(target, n)
	}
	switch v.Kind() {
	case reflect.Pointer:
		set := reflect.New(v.Type().Elem())
		if want := decodeScalar(set.Elem(), n); want != "" {
			return want
		}
		v.Set(set)
		return ""
	case reflect.Bool:
		return decodeBool(v, n)
	case reflect.Int:
		return decodeCount(v, n)
	case reflect.String:
		return decodeText(v, n)
	}
	panic("config: no rule for a setting of type " + v.Type().String())
}

func decodeDuration(target *time.Duration, n *node) string {
	const want = "a duration with its unit, as 500ms, 30s or 1m30s"
	d, err := time.ParseDuration(n.text)
	if err != nil {
		return want
	}
	*target = d
	return ""
}

func decodeLevel(target *slog.Level, n *node) string {
	word := strings.ToLower(n.text)
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, word) || target.UnmarshalText([]byte(word)) != nil {
		return "debug, info, warn or error"
	}
	return ""
}

func decodeBool(v reflect.Value, n *node) string {
	if n.scalarType == textScalar || n.text != "true" && n.text != "false" {
		return "true or false"
	}
	v.SetBool(n.text == "true")
	return ""
}

func decodeCount(v reflect.Value, n *node) string {
	count, err := strconv.Atoi(n.text)
	switch {
	case err != nil:
		return "a whole number"
	case n.scalarType == textScalar:
		return "a whole number without quotes"
	}
	v.SetInt(int64(count))
	return ""
}

func decodeText(v reflect.Value, n *node) string {
	if n.scalarType == numberScalar || n.scalarType == boolScalar {
		return "text; put it in quotes"
	}
	v.SetString(n.text)
	return ""
}

// units are the numbers of bytes in the units of sizes, by their names in upper case.
var units = map[string]int64{
	"": 1, "B": 1,
	"KB": 1000, "MB": 1000 * 1000, "GB": 1000 * 1000 * 1000,
	"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30,
}

// decodeSize reads a number of bytes: 1MB is 1,000,000, and 1MiB is 1,048,576.
func decodeSize(target *int64, n *node) string {
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
