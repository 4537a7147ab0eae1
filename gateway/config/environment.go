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
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// environment has the variables of a process by name.
type environment map[string]string

// parseEnvironment reads entries in the form of os.Environ. The last entry of a name wins.
func parseEnvironment(entries []string) environment {
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

// platformVariables are variables that platforms set for any program. The GATEWAY_ variable of the
// same setting has precedence.
var platformVariables = []struct {
	name, setting, prefix string
}{
	{"PORT", "listen", ":"},
	{"LOG_LEVEL", "log.level", ""},
	{"LOG_FORMAT", "log.format", ""},
}

// ignoredVariables are GATEWAY_ variables that are not settings: our own two, and those that
// Kubernetes sets in every pod of a namespace that has a Service named gateway.
var ignoredVariables = regexp.MustCompile(`^GATEWAY_(CONFIG|DEMO_SECRET|SERVICE_(HOST|PORT(_\w+)?)|PORT(_\d+_\w+)?)$`)

// apply writes the settings of the environment over those in the tree. An empty variable counts as
// unset. It returns a warning for each GATEWAY_ variable that sets nothing.
func (e environment) apply(root *node, m *mistakes) (warnings []string) {
	for _, c := range platformVariables {
		if value := e[c.name]; value != "" {
			root.set(parsePath(c.setting), &node{kind: scalar, text: c.prefix + value, at: origin{name: c.name}})
		}
	}
	for _, name := range e.settingNames() {
		p, typ := findSetting(reflect.TypeFor[Config](), root, strings.TrimPrefix(name, prefix), nil)
		if typ == nil {
			warnings = append(warnings, fmt.Sprintf("%s sets nothing%s", name, suggestVariable(name, root)))
			continue
		}
		if !root.set(p, nodeFromText(e[name], typ, origin{name: name})) {
			m.add(origin{name: name}, p, "there is no place for it; a list's elements are numbered from 0 without gaps")
		}
	}
	return warnings
}

// settingNames returns the names of the GATEWAY_ variables with a value. They are sorted so that
// the elements of a list come in their order, since a list grows by one element at a time.
func (e environment) settingNames() []string {
	var names []string
	for name, value := range e {
		if strings.HasPrefix(name, prefix) && value != "" && !ignoredVariables.MatchString(name) {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return slices.CompareFunc(strings.Split(a, "_"), strings.Split(b, "_"), compareWords)
	})
	return names
}

// compareWords orders words of a name, numbers by their value: 9 comes before 10.
func compareWords(a, b string) int {
	x, errX := strconv.Atoi(a)
	y, errY := strconv.Atoi(b)
	if errX == nil && errY == nil {
		return x - y
	}
	return strings.Compare(a, b)
}

// nodeFromText returns the node for a setting of type t. Commas separate the elements of a list.
func nodeFromText(text string, t reflect.Type, at origin) *node {
	if kindOf(t) != list {
		return &node{kind: scalar, text: text, at: at}
	}
	n := &node{kind: list, at: at}
	for item := range strings.SplitSeq(text, ",") {
		n.items = append(n.items, &node{kind: scalar, text: strings.TrimSpace(item), at: at})
	}
	return n
}

// findSetting returns the path and the type of the setting that the rest of a variable's name stands
// for, or nil if there is none. t, n and p are the type, the value and the path of the block in
// which the search goes on; n has the names of sources that the file uses.
func findSetting(t reflect.Type, n *node, rest string, p yaml.Path) (yaml.Path, reflect.Type) {
	switch kindOf(t) {
	case mapping:
		if t.Kind() == reflect.Map {
			return findInMap(t, n, rest, p)
		}
		if _, ok := shorthandOf(t); ok && rest == "" {
			return p, t
		}
		return findInStruct(t, n, rest, p)
	case list:
		if _, ok := shorthandOf(t.Elem()); kindOf(t.Elem()) == scalar || ok && rest == "" {
			return findScalar(t, rest, p)
		}
		return findInList(t, n, rest, p)
	}
	return findScalar(t, rest, p)
}

// findScalar accepts a setting without parts only where the name ends.
func findScalar(t reflect.Type, rest string, p yaml.Path) (yaml.Path, reflect.Type) {
	if rest != "" {
		return nil, nil
	}
	return p, t
}

func findInStruct(t reflect.Type, n *node, rest string, p yaml.Path) (yaml.Path, reflect.Type) {
	for _, f := range fieldsOf(t) {
		if after, ok := cutWord(rest, upstreams.EnvironmentWord(f.name)); ok {
			if found, typ := findSetting(f.typ, n.memberOrEmpty(f.name), after, p.Key(f.name)); typ != nil {
				return found, typ
			}
		}
	}
	return nil, nil
}

// findInMap prefers the names that the file has. It takes another name from the variable itself,
// the longest that leaves a setting: USERS_API in GATEWAY_SOURCES_USERS_API_URLS is users-api.
func findInMap(t reflect.Type, n *node, rest string, p yaml.Path) (yaml.Path, reflect.Type) {
	for _, name := range n.names() {
		if after, ok := cutWord(rest, upstreams.EnvironmentWord(name)); ok {
			if found, typ := findSetting(t.Elem(), n.memberOrEmpty(name), after, p.Key(name)); typ != nil {
				return found, typ
			}
		}
	}
	for end := len(rest); end > 0; end = strings.LastIndexByte(rest[:end], '_') {
		name := strings.ReplaceAll(strings.ToLower(rest[:end]), "_", "-")
		found, typ := findSetting(t.Elem(), &node{}, strings.TrimPrefix(rest[end:], "_"), p.Key(name))
		if typ != nil {
			return found, typ
		}
	}
	return nil, nil
}

func findInList(t reflect.Type, n *node, rest string, p yaml.Path) (yaml.Path, reflect.Type) {
	digits, after, _ := strings.Cut(rest, "_")
	index, err := strconv.Atoi(digits)
	if err != nil || index < 0 {
		return nil, nil
	}
	item := &node{}
	if index < len(n.items) {
		item = n.items[index]
	}
	return findSetting(t.Elem(), item, after, p.Item(index))
}

// cutWord returns rest without word at its front and the underscore behind it. It reports false
// if rest does not begin with that word.
func cutWord(rest, word string) (after string, ok bool) {
	after, ok = strings.CutPrefix(rest, word)
	if !ok || after == "" {
		return "", ok
	}
	return strings.CutPrefix(after, "_")
}

// memberOrEmpty returns the value of a member, or an empty node if there is none.
func (n *node) memberOrEmpty(name string) *node {
	if found := n.get(name); found != nil {
		return found
	}
	return &node{}
}

// suggestVariable suggests the variable of a setting that the tree has a place for, "" if none is
// similar. It compares what follows GATEWAY_, which all of them share.
func suggestVariable(name string, root *node) string {
	if present := renamedVariable(name); present != "" {
		return fmt.Sprintf("; did you mean %s? That is its name now", present)
	}
	known := variableNames(reflect.TypeFor[Config](), root, nil)
	for i := range known {
		known[i] = strings.TrimPrefix(known[i], prefix)
	}
	if i := suggest.Nearest(strings.TrimPrefix(name, prefix), known); i >= 0 {
		return fmt.Sprintf("; did you mean %s%s?", prefix, known[i])
	}
	return ""
}

// variableNames returns the variables of all settings in a block of type t.
func variableNames(t reflect.Type, n *node, p yaml.Path) []string {
	var names []string
	switch {
	case kindOf(t) == scalar, kindOf(t) == list && kindOf(t.Elem()) == scalar:
		return []string{environmentName(p)}
	case t.Kind() == reflect.Slice:
		for i, item := range n.items {
			names = append(names, variableNames(t.Elem(), item, p.Item(i))...)
		}
	case t.Kind() == reflect.Map:
		for _, name := range n.names() {
			names = append(names, variableNames(t.Elem(), n.memberOrEmpty(name), p.Key(name))...)
		}
	default:
		for _, f := range fieldsOf(t) {
			names = append(names, variableNames(f.typ, n.memberOrEmpty(f.name), p.Key(f.name))...)
		}
	}
	return names
}
