package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// A Config prints as JSON with the names of the file, with any verb, logger or encoder, so that no
// way of printing shows a secret. So do Cursors, Store, Auth and Sources alone. The types of the parts, to
// which these convert, print as any struct does.

// Format implements fmt.Formatter.
func (c Config) Format(s fmt.State, _ rune) { printJSON(s, c) }

// LogValue implements slog.LogValuer.
func (c Config) LogValue() slog.Value { return slog.AnyValue(redacted(reflect.ValueOf(c), nil)) }

// MarshalJSON implements json.Marshaler.
func (c Config) MarshalJSON() ([]byte, error) { return json.Marshal(redacted(reflect.ValueOf(c), nil)) }

// Format implements fmt.Formatter.
func (c Cursors) Format(s fmt.State, _ rune) { printJSON(s, c) }

// LogValue implements slog.LogValuer.
func (c Cursors) LogValue() slog.Value {
	return slog.AnyValue(redacted(reflect.ValueOf(c), parsePath("cursors")))
}

// MarshalJSON implements json.Marshaler.
func (c Cursors) MarshalJSON() ([]byte, error) {
	return json.Marshal(redacted(reflect.ValueOf(c), parsePath("cursors")))
}

// Format implements fmt.Formatter.
func (s Store) Format(state fmt.State, _ rune) { printJSON(state, s) }

// LogValue implements slog.LogValuer.
func (s Store) LogValue() slog.Value {
	return slog.AnyValue(redacted(reflect.ValueOf(s), parsePath("store")))
}

// MarshalJSON implements json.Marshaler.
func (s Store) MarshalJSON() ([]byte, error) {
	return json.Marshal(redacted(reflect.ValueOf(s), parsePath("store")))
}

// Format implements fmt.Formatter.
func (a Auth) Format(s fmt.State, _ rune) { printJSON(s, a) }

// LogValue implements slog.LogValuer.
func (a Auth) LogValue() slog.Value {
	return slog.AnyValue(redacted(reflect.ValueOf(a), parsePath("auth")))
}

// MarshalJSON implements json.Marshaler.
func (a Auth) MarshalJSON() ([]byte, error) {
	return json.Marshal(redacted(reflect.ValueOf(a), parsePath("auth")))
}

// Format implements fmt.Formatter.
func (s Sources) Format(state fmt.State, _ rune) { printJSON(state, s) }

// LogValue implements slog.LogValuer.
func (s Sources) LogValue() slog.Value {
	return slog.AnyValue(redacted(reflect.ValueOf(s), parsePath("sources")))
}

// MarshalJSON implements json.Marshaler.
func (s Sources) MarshalJSON() ([]byte, error) {
	return json.Marshal(redacted(reflect.ValueOf(s), parsePath("sources")))
}

// Secrets returns the values of the settings that are secrets, for the redaction of logs.
func (c Config) Secrets() []string { return secretsIn(reflect.ValueOf(c), nil) }

// secretsIn returns the secrets within v, which is at p.
func secretsIn(v reflect.Value, p yaml.Path) (found []string) {
	switch {
	case kindOf(v.Type()) == scalar:
		if text := v.Interface(); isSecret(p) {
			found = append(found, fmt.Sprint(text))
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			found = append(found, secretsIn(v.Index(i), p.Item(i))...)
		}
	case v.Kind() == reflect.Map:
		for _, key := range v.MapKeys() {
			found = append(found, secretsIn(v.MapIndex(key), p.Key(key.String()))...)
		}
	default:
		for _, f := range fieldsOf(v.Type()) {
			found = append(found, secretsIn(v.FieldByIndex(f.index), p.Key(f.name))...)
		}
	}
	return found
}

func printJSON(s fmt.State, m json.Marshaler) {
	text, err := m.MarshalJSON()
	if err != nil {
		text = []byte("config: " + err.Error())
	}
	s.Write(text) //nolint:errcheck // fmt keeps the error of its writer itself
}

// redacted returns the settings of v, which is at p, with secrets masked.
func redacted(v reflect.Value, p yaml.Path) any {
	switch {
	case isSecret(p):
		return maskedValue(v)
	case v.Type() == durationType:
		return v.Interface().(time.Duration).String()
	case kindOf(v.Type()) == scalar:
		return v.Interface()
	case v.Kind() == reflect.Slice:
		return redactedList(v, p)
	case v.Kind() == reflect.Map:
		return redactedMap(v, p)
	}
	settings := map[string]any{}
	for _, f := range fieldsOf(v.Type()) {
		settings[f.name] = redacted(v.FieldByIndex(f.index), p.Key(f.name))
	}
	return settings
}

// maskedValue returns the mask for a secret that is set, "" for one that is not.
func maskedValue(v reflect.Value) any {
	if v.IsZero() {
		return ""
	}
	return mask
}

func redactedList(v reflect.Value, p yaml.Path) []any {
	items := make([]any, v.Len())
	for i := range items {
		items[i] = redacted(v.Index(i), p.Item(i))
	}
	return items
}

func redactedMap(v reflect.Value, p yaml.Path) map[string]any {
	entries := map[string]any{}
	for _, key := range v.MapKeys() {
		entries[key.String()] = redacted(v.MapIndex(key), p.Key(key.String()))
	}
	return entries
}
