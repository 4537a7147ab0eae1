package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/internal/suggest"
	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// environment is what a process finds around it, by name. Later entries win.
type environment map[string]string

// environ reads the form of os.Environ.
func environ(entries []string) environment {
	env := make(environment, len(entries))
	for _, entry := range entries {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	return env
}

func (e environment) lookup(name string) (string, bool) {
	value, ok := e[name]
	return value, ok
}

// prefix begins the name of each variable that is a setting.
const prefix = "GATEWAY_"

// conventional are variables that every platform knows; the GATEWAY_ form of the same
// setting is closer and wins.
var conventional = []struct {
	name, setting, prefix string
}{
	{"PORT", "listen", ":"},
	{"LOG_LEVEL", "log.level", ""},
	{"LOG_FORMAT", "log.format", ""},
}

// foreign are GATEWAY_ variables that are not settings: our own two, and what Kubernetes
// sets in every pod beside a Service named gateway.
var foreign = regexp.MustCompile(`^GATEWAY_(CONFIG|DEMO_SECRET|SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_\w+)?)$`)

// overlay lays the environment over the tree. An empty variable counts as unset.
// It gives a warning for each GATEWAY_ variable that sets nothing.
func (e environment) overlay(root *node, m *mistakes) (warnings []string) {
	for _, c := range conventional {
		if value := e[c.name]; value != "" {
			root.put(parsePath(c.setting), &node{kind: scalar, text: c.prefix + value, at: origin{name: c.name}})
		}
	}
	for _, name := range e.ours() {
		p, typ := resolve(reflect.TypeFor[Config](), root, strings.TrimPrefix(name, prefix), nil)
		if typ == nil {
			warnings = append(warnings, fmt.Sprintf("%s sets nothing%s", name, suggestVariable(name, root)))
			continue
		}
		if !root.put(p, fromText(e[name], typ, origin{name: name})) {
			m.add(origin{name: name}, p, "there is no place for it; a list's elements are numbered from 0 without gaps")
		}
	}
	return warnings
}

// ours lists the GATEWAY_ variables with a value, sorted so that a list's elements come
// in their order and it can grow.
func (e environment) ours() []string {
	var names []string
	for name, value := range e {
		if strings.HasPrefix(name, prefix) && value != "" && !foreign.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.CompareFunc(strings.Split(a, "_"), strings.Split(b, "_"), compareWords)
	})
	return names
}

// compareWords puts 9 before 10.
func compareWords(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	if errX == nil && errY == nil {
		return x - y
	}
	return strings.Compare(a, b)
}

// fromText makes the node for a setting of type t: lists are separated by commas.
func fromText(text string, t reflect.Type, at origin) *node {
	if shape(t) != list {
		return &node{kind: scalar, text: text, at: at}
	}
	n := &node{kind: list, at: at}
	for item := range strings.SplitSeq(text, ",") {
		n.items = append(n.items, &node{kind: scalar, text: strings.TrimSpace(item), at: at})
	}
	return n
}

// resolve finds the setting that the rest of a variable's name stands for, and its
// type; nil when there is none. n is what the tree holds so far, for its names.
func resolve(t reflect.Type, n *node, rest string, p yaml.Path) (yaml.Path, reflect.Type) {
	switch shape(t) {
	case mapping:
		if t.Kind() == reflect.Map {
			return resolveEntry(t, n, rest, p)
		}
		return resolveField(t, n, rest, p)
	case list:
		if shape(t.Elem()) == scalar {
			return whole(t, rest, p)
		}
		return resolveItem(t, n, rest, p)
	}
	return whole(t, rest, p)
}

func whole(t reflect.Type, rest string, p yaml.Path) (yaml.Path, reflect.Type) {
	if rest != "" {
		return nil, nil
	}
	return p, t
}

func resolveField(t reflect.Type, n *node, rest string, p yaml.Path) (yaml.Path, reflect.Type) {
	for _, f := range fieldsOf(t) {
		if after, ok := cutWord(rest, environmentWord(f.name)); ok {
			if found, typ := resolve(f.typ, n.under(f.name), after, p.Key(f.name)); typ != nil {
				return found, typ
			}
		}
	}
	return nil, nil
}

// resolveEntry knows the names that the file has. Another one is taken from the
// variable itself: USERS_API in GATEWAY_SOURCES_USERS_API_URLS becomes users-api.
func resolveEntry(t reflect.Type, n *node, rest string, p yaml.Path) (yaml.Path, reflect.Type) {
	for _, name := range n.names() {
		if after, ok := cutWord(rest, environmentWord(name)); ok {
			if found, typ := resolve(t.Elem(), n.under(name), after, p.Key(name)); typ != nil {
				return found, typ
			}
		}
	}
	for end := len(rest); end > 0; end = strings.LastIndexByte(rest[:end], '_') {
		name := strings.ReplaceAll(strings.ToLower(rest[:end]), "_", "-")
		found, typ := resolve(t.Elem(), &node{}, strings.TrimPrefix(rest[end:], "_"), p.Key(name))
		if typ != nil {
			return found, typ
		}
	}
	return nil, nil
}

func resolveItem(t reflect.Type, n *node, rest string, p yaml.Path) (yaml.Path, reflect.Type) {
	digits, after, _ := strings.Cut(rest, "_")
	index, err := strconv.Atoi(digits)
	if err != nil || index < 0 {
		return nil, nil
	}
	item := &node{}
	if index < len(n.items) {
		item = n.items[index]
	}
	return resolve(t.Elem(), item, after, p.Item(index))
}

// cutWord takes word off the front of rest, where an underscore or nothing follows.
func cutWord(rest, word string) (after string, ok bool) {
	after, ok = strings.CutPrefix(rest, word)
	if !ok || after == "" {
		return "", ok
	}
	return strings.CutPrefix(after, "_")
}

// under gives the member's node, an empty one when there is none.
func (n *node) under(name string) *node {
	if found := n.get(name); found != nil {
		return found
	}
	return &node{}
}

// suggestVariable suggests the variable of a setting that the tree has a place for, "" if none is
// similar. It compares what follows GATEWAY_, which all of them share.
func suggestVariable(name string, root *node) string {
	known := variables(reflect.TypeFor[Config](), root, nil)
	for i := range known {
		known[i] = strings.TrimPrefix(known[i], prefix)
	}
	if i := suggest.Nearest(strings.TrimPrefix(name, prefix), known); i >= 0 {
		return fmt.Sprintf("; did you mean %s%s?", prefix, known[i])
	}
	return ""
}

// variables names the variables of all settings in t.
func variables(t reflect.Type, n *node, p yaml.Path) []string {
	var names []string
	switch {
	case shape(t) == scalar, shape(t) == list && shape(t.Elem()) == scalar:
		return []string{environmentName(p)}
	case t.Kind() == reflect.Slice:
		for i, item := range n.items {
			names = append(names, variables(t.Elem(), item, p.Item(i))...)
		}
	case t.Kind() == reflect.Map:
		for _, name := range n.names() {
			names = append(names, variables(t.Elem(), n.under(name), p.Key(name))...)
		}
	default:
		for _, f := range fieldsOf(t) {
			names = append(names, variables(f.typ, n.under(f.name), p.Key(f.name))...)
		}
	}
	return names
}
