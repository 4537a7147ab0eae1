package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// reloads says which settings a running gateway takes up when the file changes, and which it reads
// at the start only. An entry is for the setting or the block at its path; of two entries the longer
// one counts. Each setting has one.
var reloads = map[string]bool{
	"listen":              false, // clients are connected to it
	"tls":                 true,
	"tls.redirect":        false, // an address, as listen
	"proxyProtocol":       true,
	"http":                false, // http.Server cannot change its own
	"http.readTimeout":    true,
	"http.writeTimeout":   true,
	"http.maxConnections": true,
	"log.level":           true,
	"log.clientAddress":   true,
	"log.format":          false, // readers of a log expect one format
	"shutdown":            true,
	"playground":          true,
	"introspection":       true,
	"admin":               false, // an address, as listen
	"metrics":             false, // what was not counted from the start would look like a reset
	"cors":                true,
	"compression":         true,
	"limits":              true,
	"execution":           true,
	"admission":           true,
	"cursors":             false, // cursors that clients hold would become invalid, in one replica before the others
	"auth":                true,
	"proxies":             true,
	"callers":             true,
	"networks":            true,
	"sources":             true,
	"blocked":             true,
	"documents":           true,
	"rateLimits":          true,
	"store":               true,
	"cost":                true,
	"csrf":                true,
	"hsts":                true,
}

// needsRestart reports whether the setting at p is read at the start only.
func needsRestart(p yaml.Path) bool {
	for n := len(p); n > 0; n-- {
		if live, ok := reloads[p[:n].String()]; ok {
			return !live
		}
	}
	return true
}

// Changes are the paths of settings that differ between two Configs, such as sources.users.urls. They
// have no values, which may be secrets.
type Changes struct {
	// Live are those that a running gateway takes up.
	Live []string
	// Restart are those that it reads at the start only.
	Restart []string
}

// Compare returns what differs between the settings of a running gateway and those that it is to take
// up.
func Compare(running, next *Config) Changes {
	var changes Changes
	compare(reflect.ValueOf(running).Elem(), reflect.ValueOf(next).Elem(), nil, func(p yaml.Path) {
		if needsRestart(p) {
			changes.Restart = append(changes.Restart, p.String())
		} else {
			changes.Live = append(changes.Live, p.String())
		}
	})
	const manifests = "documents.manifests"
	changed := (running.Manifests != nil || next.Manifests != nil) && !running.Manifests.Equal(next.Manifests)
	if changed && !slices.ContainsFunc(changes.Live, func(s string) bool { return strings.HasPrefix(s, "documents.m") }) {
		changes.Live = append(changes.Live, manifests) // in their content alone
	}
	return changes
}

// KeepRestartSettings gives c the settings of running that cannot change while the gateway runs.
func (c *Config) KeepRestartSettings(running *Config) {
	compare(reflect.ValueOf(running).Elem(), reflect.ValueOf(c).Elem(), nil, func(p yaml.Path) {
		if needsRestart(p) {
			setting(reflect.ValueOf(c).Elem(), p).Set(setting(reflect.ValueOf(running).Elem(), p))
		}
	})
}

// compare calls report with the path of each setting in which a and b differ. Both are the block at p. A
// list with another number of elements, and an entry that only one of them has, differ as a whole.
func compare(a, b reflect.Value, p yaml.Path, report func(yaml.Path)) {
	switch {
	case reflect.DeepEqual(a.Interface(), b.Interface()):
	case kindOf(a.Type()) == scalar, kindOf(a.Type()) == list && (kindOf(a.Type().Elem()) == scalar || a.Len() != b.Len()):
		report(p)
	case kindOf(a.Type()) == list:
		for i := range a.Len() {
			compare(a.Index(i), b.Index(i), p.Item(i), report)
		}
	case a.Kind() == reflect.Map:
		compareMaps(a, b, p, report)
	default:
		for _, f := range fieldsOf(a.Type()) {
			compare(a.FieldByIndex(f.index), b.FieldByIndex(f.index), p.Key(f.name), report)
		}
	}
}

func compareMaps(a, b reflect.Value, p yaml.Path, report func(yaml.Path)) {
	keys := a.MapKeys()
	for _, key := range b.MapKeys() {
		if !a.MapIndex(key).IsValid() {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(x.String(), y.String()) })
	for _, key := range keys {
		x, y := a.MapIndex(key), b.MapIndex(key)
		if x.IsValid() && y.IsValid() {
			compare(x, y, p.Key(key.String()), report)
		} else {
			report(p.Key(key.String()))
		}
	}
}

// setting returns the setting at p, which lies in no list and in no map.
func setting(v reflect.Value, p yaml.Path) reflect.Value {
	for _, step := range p {
		fields := fieldsOf(v.Type())
		v = v.FieldByIndex(fields[slices.IndexFunc(fields, func(f field) bool { return f.name == step.Name })].index)
	}
	return v
}
