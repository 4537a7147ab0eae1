package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// Mistake is one thing wrong in the settings: where, what, and what to do about it.
type Mistake struct {
	// Where is "gateway.yaml:12:5", or the name of the variable or flag.
	Where string
	// Setting is the place in the shape, as sources.users.timeout; empty when the
	// mistake is not about one.
	Setting string
	// Text says what is wrong and what to write instead.
	Text string
	// Excerpt is the line of the file with a marker below the place, secrets masked;
	// empty for a mistake elsewhere.
	Excerpt string
}

// String is how people read it: the place, the text, the line.
func (m Mistake) String() string {
	text := m.Where + ": "
	if m.Setting != "" {
		text += m.Setting + ": "
	}
	text += m.Text
	if m.Excerpt != "" {
		text += "\n" + m.Excerpt
	}
	return text
}

// Error is all that is wrong in the settings at once, in the order of the file.
// No text of it holds a secret.
type Error struct{ Mistakes []Mistake }

// maxShown is how many mistakes are told in full; after so many the file is another one.
const maxShown = 20

// Error lists the mistakes, one below the other.
func (e *Error) Error() string {
	heading := "a mistake in the settings"
	if len(e.Mistakes) > 1 {
		heading = fmt.Sprintf("%d mistakes in the settings", len(e.Mistakes))
	}
	texts := []string{heading}
	for _, m := range e.Mistakes[:min(len(e.Mistakes), maxShown)] {
		texts = append(texts, m.String())
	}
	if more := len(e.Mistakes) - maxShown; more > 0 {
		texts = append(texts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(texts, "\n\n")
}

// mistakes collects what is wrong, so that all of it is told at once.
type mistakes struct {
	file  string   // as shown
	lines []string // of the file
	found []located
	// hidden are values that no excerpt may show: secrets, and what stands under
	// an unknown key, since that may be a secret with a misspelt name.
	hidden []hiddenText
	// unreadable is set when the file is not YAML, so that nobody knows which of
	// its values are secret.
	unreadable bool
}

type hiddenText struct {
	at  origin
	raw string
}

type located struct {
	at      origin
	setting yaml.Path
	text    string
}

func (m *mistakes) add(at origin, setting yaml.Path, format string, args ...any) {
	m.found = append(m.found, located{at, setting, fmt.Sprintf(format, args...)})
}

// hide keeps n and all under it out of the excerpts.
func (m *mistakes) hide(n *node) {
	if n == nil {
		return
	}
	if n.raw != "" && n.at.inFile() {
		m.hidden = append(m.hidden, hiddenText{n.at, strings.TrimSpace(n.raw)})
	}
	for _, f := range n.fields {
		m.hidden = append(m.hidden, hiddenText{f.at, f.name})
		m.hide(f.value)
	}
	for _, item := range n.items {
		m.hide(item)
	}
}

// near tells whether one of those found lies at p, above or below it, or in the same
// block, so that what seems wrong at p is perhaps only its echo.
func near(p yaml.Path, found []located) bool {
	return slices.ContainsFunc(found, func(l located) bool {
		depth := len(l.setting)
		sameBlock := depth > 1 && l.setting[:depth-1].Contains(p)
		return sameBlock || l.setting.Contains(p) || p.Contains(l.setting)
	})
}

// err is nil when nothing was found wrong.
func (m *mistakes) err() error {
	if len(m.found) == 0 {
		return nil
	}
	slices.SortStableFunc(m.found, func(a, b located) int {
		if a.at.line != b.at.line {
			return a.at.line - b.at.line
		}
		return a.at.column - b.at.column
	})
	all := make([]Mistake, len(m.found))
	for i, l := range m.found {
		all[i] = Mistake{Where: m.where(l.at), Setting: l.setting.String(), Text: l.text, Excerpt: m.excerpt(l.at)}
	}
	return &Error{Mistakes: all}
}

func (m *mistakes) where(at origin) string {
	switch {
	case at.inFile() && m.file != "":
		return fmt.Sprintf("%s:%d:%d", m.file, at.line, at.column)
	case at.name != "":
		return at.name
	}
	return "the settings"
}

// excerpt shows the line of at with a marker below the place.
func (m *mistakes) excerpt(at origin) string {
	if !at.inFile() || at.line > len(m.lines) {
		return ""
	}
	line, column := m.masked(at)
	if utf8.RuneCountInString(line) > maxExcerpt {
		return ""
	}
	return fmt.Sprintf("%5d | %s\n      | %s^", at.line, line, strings.Repeat(" ", column-1))
}

const (
	mask       = "•••"
	maxExcerpt = 160 // beyond this a line explains nothing
)

// masked gives the line of at without comments and secrets, and the column in it that
// the place has now.
func (m *mistakes) masked(at origin) (line string, column int) {
	line = strings.ReplaceAll(strings.TrimRight(m.lines[at.line-1], " \t\r"), "\t", " ")
	line = withoutComment(line)
	if m.unreadable {
		return structureOf(line), at.column
	}
	column = at.column
	for _, h := range m.hiddenOn(at.line) {
		before := utf8.RuneCountInString(line)
		line = h.cut(line)
		if h.at.column < at.column {
			column += utf8.RuneCountInString(line) - before
		}
	}
	return line, max(column, 1)
}

// hiddenOn lists what begins on a line, the last first, so that a cut moves none of
// the others.
func (m *mistakes) hiddenOn(line int) []hiddenText {
	var on []hiddenText
	for _, h := range m.hidden {
		if h.at.line == line && !slices.Contains(on, h) {
			on = append(on, h)
		}
	}
	slices.SortFunc(on, func(a, b hiddenText) int { return b.at.column - a.at.column })
	return on
}

// cut masks the text. Where the line does not read as the library said, nobody knows how
// far it goes, and all behind the first colon is masked.
func (h hiddenText) cut(line string) string {
	first, _, _ := strings.Cut(h.raw, "\n")
	first = strings.TrimSpace(first)
	runes := []rune(line)
	if start := h.at.column - 1; start <= len(runes) {
		if rest, found := strings.CutPrefix(string(runes[start:]), first); found {
			return string(runes[:start]) + mask + rest
		}
	}
	key, _, _ := strings.Cut(line, ":")
	return key + ": " + mask
}

// withoutComment drops what follows " #": an old password, perhaps. Where that stands in
// quotes a bit of the value is lost, which does no harm.
func withoutComment(line string) string {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return "#"
	}
	line, _, _ = strings.Cut(line, " #")
	return line
}

var contents = regexp.MustCompile(`[^\s:{}\[\],"'|>&*#-][^\s:{}\[\],"']*`)

// structureOf keeps a line's first key and its punctuation.
func structureOf(line string) string {
	key, value, found := strings.Cut(line, ":")
	if !found {
		key, value = "", line
		return contents.ReplaceAllString(value, mask)
	}
	return key + ":" + contents.ReplaceAllString(value, mask)
}
