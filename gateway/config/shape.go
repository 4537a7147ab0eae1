package config

import (
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// A setting is a field with a yaml tag, in Config or in a part's Options; one without
// is no business of the file. What a field accepts follows from its Go type:
//
//	bool           true, false
//	int            a count
//	int64          a size in bytes: 1000000, 1MB, 1MiB
//	time.Duration  500ms, 30s, 1m30s
//	string         text
//	slog.Level     debug, info, warn, error
//	slices, maps and structs of these
type field struct {
	name  string
	index []int
	typ   reflect.Type
}

// fieldsOf lists the settings of a struct in their order, those of inlined structs too.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case strings.Contains(options, "inline"):
			for _, inner := range fieldsOf(f.Type) {
				inner.index = append([]int{i}, inner.index...)
				fields = append(fields, inner)
			}
		case name != "" && name != "-" && f.IsExported():
			fields = append(fields, field{name, f.Index, f.Type})
		}
	}
	return fields
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	levelType    = reflect.TypeFor[slog.Level]()
)

// shape tells how a Go type is written in the file.
func shape(t reflect.Type) kind {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return mapping
	case reflect.Slice:
		return list
	}
	return scalar
}

// secrets are the settings that hold what nobody may read: no message, excerpt, log
// line or printed Config shows them. An empty step is any name or number.
var secrets = [][]string{
	{"cursors", "secret"},
	{"auth", "issuers", "", "secret"},
	{"sources", "", "headers", ""},
	{"sources", "", "config", ""},
}

// secret tells whether the setting at p is one of them.
func secret(p yaml.Path) bool {
	return slices.ContainsFunc(secrets, func(s []string) bool { return len(p) == len(s) && matches(p, s) })
}

// holdsSecrets tells whether one of them lies at p or below it.
func holdsSecrets(p yaml.Path) bool {
	return slices.ContainsFunc(secrets, func(s []string) bool { return len(p) <= len(s) && matches(p, s[:len(p)]) })
}

func matches(p yaml.Path, names []string) bool {
	for i, name := range names {
		if name != "" && p[i].Name != name {
			return false
		}
	}
	return true
}
