package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// docs/settings.md is generated from the types and their comments, as schema.json is. Its descriptions
// are those of the schema, where TestSchemaHasEverySettingDescribed requires one for each setting.

const settingsPage = "../../docs/settings.md"

const settingsIntro = `# Settings

Every setting of a gateway, by the blocks of ` + "`gateway.yaml`" + `. This page is generated from the types in
` + "`gateway/config`" + ` and their comments: ` + "`go test ./gateway/config -update`" + ` writes it anew. ` + "`gateway.yaml`" + ` in the root
of this repository is a short commented example, ` + "`gateway config schema`" + ` prints the JSON Schema for editors, and
` + "`gateway config validate`" + ` reports everything that is wrong in a file.

- **Precedence**: flags, then the environment, then the file, then the defaults. ` + "`PORT`, `LOG_LEVEL` and `LOG_FORMAT`" + `
  set ` + "`listen`, `log.level` and `log.format`" + ` where the variables below do not.
- **Variables in the file**: ` + "`${NAME}` and `${NAME:-default}`" + ` in a value are replaced from the environment; ` + "`$${`" + ` is a
  literal ` + "`${`" + `.
- **Types**: a *duration* has a unit, as 500ms, 30s or 1m30s; a *size* is a number of bytes or 500KB, 1MB, 10MiB; a *list*
  has commas between its elements in the environment.
- **Names in the environment**: ` + "`<NAME>`" + ` is the name of a source or a header in upper case, with ` + "`_`" + ` for ` + "`-`" + `;
  ` + "`<N>`" + ` is the number of an issuer, from 0.
- **Secrets** are masked in every message, log line and printed configuration.
- **Changes** of the file are taken up while the gateway runs, as [Upstreams](upstreams.md#reload) says, except for the
  settings with *needs a restart*.
`

func TestSettingsPage(t *testing.T) {
	root := parseSchema(t, makeSchema(t)) // rather than schema.json, which -update may have changed just now
	w := &settingsWriter{t: t, root: root}
	w.text.WriteString(settingsIntro)
	w.block("", reflect.TypeFor[Config](), root, nil)
	golden(t, settingsPage, []byte(w.text.String()))
}

// settingsWriter writes the page, a section for each block.
type settingsWriter struct {
	t    *testing.T
	root *checkedSchema
	text strings.Builder
}

// block writes the section of a struct: its own settings in a table, then the blocks in it.
func (w *settingsWriter) block(description string, t reflect.Type, s *checkedSchema, path []string) {
	heading := "Top level"
	if len(path) > 0 {
		heading = "`" + settingName(path) + "`"
	}
	fmt.Fprintf(&w.text, "\n## %s\n", heading)
	if description != "" {
		fmt.Fprintf(&w.text, "\n%s\n", sentence(withoutName(description, " is ", " are ")))
	}
	s = s.resolve(w.root)
	var rows strings.Builder
	var blocks []func()
	for _, f := range fieldsOf(t) {
		property, p := s.Properties[f.name], append(path[:len(path):len(path)], f.name)
		if property == nil {
			w.t.Fatalf("%s is not in the schema", settingName(p))
		}
		inner, schema, at := f.typ, property, p
		switch {
		case f.typ.Kind() == reflect.Map:
			inner, schema, at = f.typ.Elem(), property.resolve(w.root).entries(), append(p[:len(p):len(p)], "<name>")
		case f.typ.Kind() == reflect.Slice:
			inner, schema, at = f.typ.Elem(), property.resolve(w.root).Items, append(p[:len(p):len(p)], "<n>")
		}
		if kindOf(inner) == mapping {
			blocks = append(blocks, func() { w.block(property.Description, inner, schema, at) })
			continue
		}
		if f.typ.Kind() != reflect.Map {
			at = p
		}
		rows.WriteString(w.row(f, property.Description, at))
	}
	if rows.Len() > 0 {
		w.text.WriteString("\n| setting | type | default | meaning | environment |\n|---|---|---|---|---|\n" + rows.String())
	}
	for _, write := range blocks {
		write()
	}
}

// row writes a setting. A comment ends with its default: "Default 30s."
func (w *settingsWriter) row(f field, description string, path []string) string {
	meaning, fallback := splitDefault(withoutName(description, " is ", " are ", " "))
	if fallback == "" && strings.Contains(meaning, "Required") {
		fallback = "required"
	}
	name := strings.Join(path[len(path)-1:], "")
	if name == "<name>" {
		name = f.name + ".<name>"
	}
	typ := typeWord(f.typ)
	if isSecretSetting(path) {
		typ += ", secret"
	}
	if needsRestart(parsePath(strings.Join(path, "."))) {
		typ += ", needs a restart"
	}
	cells := []string{"`" + name + "`", typ, fallback, sentence(meaning), "`" + settingVariable(path) + "`"}
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

var defaultClause = regexp.MustCompile(`\bDefault (.*?)(; |: |\. |\.$)`)

// splitDefault returns a description without its default, and the default. What the comment says
// after a semicolon or a colon stays in the description.
func splitDefault(description string) (meaning, fallback string) {
	match := defaultClause.FindStringSubmatchIndex(description)
	if match == nil {
		return description, ""
	}
	fallback = strings.ReplaceAll(description[match[2]:match[3]], `"`, "")
	meaning = strings.TrimSpace(description[:match[0]])
	if rest := strings.TrimSpace(description[match[1]:]); rest != "" {
		meaning = strings.TrimSpace(meaning + " " + sentence(rest))
	}
	return meaning, fallback
}

// withoutName returns a description without the name with which a Go comment begins, if one of the
// verbs follows it.
func withoutName(description string, verbs ...string) string {
	for _, verb := range verbs {
		if name, rest, found := strings.Cut(description, verb); found && !strings.Contains(name, " ") {
			return rest
		}
	}
	return description
}

// sentence returns a text with an upper-case letter at its beginning.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// typeWord returns the word of the page for a Go type.
func typeWord(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Map:
		return typeWord(t.Elem())
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t == levelType:
		return "level"
	case t.Kind() == reflect.Int64:
		return "size"
	case t.Kind() == reflect.Int:
		return "number"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Slice:
		return "list"
	}
	return "text"
}

// isSecretSetting reports whether the setting at a path with placeholders is a secret.
func isSecretSetting(path []string) bool { return isSecret(parsePath(strings.Join(path, "."))) }

// settingName returns a path as the page has it: sources.<name>.timeout, auth.issuers[n].secret.
func settingName(path []string) string {
	return strings.ReplaceAll(strings.Join(path, "."), ".<n>", "[n]")
}

// settingVariable returns the variable of a setting, with the placeholders of its path.
func settingVariable(path []string) string {
	words := []string{"GATEWAY"}
	for _, name := range path {
		switch name {
		case "<name>", "<n>":
			words = append(words, strings.ToUpper(name))
		default:
			words = append(words, upstreams.EnvironmentWord(name))
		}
	}
	return strings.Join(words, "_")
}
