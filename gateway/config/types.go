package config

import (
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// field is a setting: a field of Config, or of the Options of a part, with a yaml tag. Fields
// without one cannot be set in the file. What a setting accepts follows from its Go type:
//
//	bool           true, false
//	int            a count
//	int64          a size in bytes: 1000000, 1MB, 1MiB
//	time.Duration  500ms, 30s, 1m30s
//	string         text
//	slog.Level     debug, info, warn, error
//	slices, maps and structs of these
//	*bool          true, false; nil if it is left out
//
// For a struct with a field whose tag has the option "scalar" that setting alone may be written.
type field struct {
	name  string
	index []int
	typ   reflect.Type
}

// fieldsOf returns the settings of a struct in their order, those of inlined structs included.
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

// shorthandOf returns the setting of a struct whose value may stand for the block, if the struct has no
// other settings to write there: "balance: least_requests". Its yaml tag has the option "scalar".
func shorthandOf(t reflect.Type) (field, bool) {
	if t.Kind() != reflect.Struct {
		return field{}, false
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if name, options, _ := strings.Cut(f.Tag.Get("yaml"), ","); options == "scalar" {
			return field{name, f.Index, f.Type}, true
		}
	}
	return field{}, false
}

// kindOf returns the kind of value that the file has for a Go type.
func kindOf(t reflect.Type) kind {
	switch t.Kind() {
	case reflect.Struct, reflect.Map:
		return mapping
	case reflect.Slice:
		return list
	}
	return scalar
}

// secrets are the settings whose values must not be read: no message, excerpt, log line or
// printed Config shows them. An empty step stands for any name or index.
var secrets = [][]string{
	{"cursors", "secret"},
	{"store", "redis", "urls", ""}, // they may have the password
	{"store", "redis", "password"},
	{"store", "redis", "sentinelPassword"},
	{"auth", "issuers", "", "secret"},
	{"sources", "", "headers", ""},
	{"sources", "", "config", ""},
}

// isSecret reports whether the setting at p is a secret.
func isSecret(p yaml.Path) bool {
	return slices.ContainsFunc(secrets, func(s []string) bool { return len(p) == len(s) && matches(p, s) })
}

// containsSecrets reports whether the setting at p, or one in the block at p, is a secret.
func containsSecrets(p yaml.Path) bool {
	return slices.ContainsFunc(secrets, func(s []string) bool { return len(p) <= len(s) && matches(p, s[:len(p)]) })
}

// matches reports whether p has these names, of which "" is any. p is as long as names.
func matches(p yaml.Path, names []string) bool {
	for i, name := range names {
		if name != "" && p[i].Name != name {
			return false
		}
	}
	return true
}
