package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/internal/yaml"
)

// Mistake is something wrong in the settings.
type Mistake struct {
	// Where is "gateway.yaml:12:5", or the name of the variable or flag.
	Where string
	// Setting is the path of the setting, as sources.users.timeout. It is empty for a mistake
	// that is not about one setting.
	Setting string
	// Text says what is wrong and what to write instead.
	Text string
	// Excerpt is the line of the file with a marker below the place and with secrets masked.
	// It is empty for a mistake in the environment or in a flag.
	Excerpt string
}

// String returns the place, the setting and the text, and the excerpt in lines of its own.
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

// Error has all mistakes in the settings, in the order of the file. None of its texts has a secret.
type Error struct {
	Mistakes []Mistake
	// DocumentFiles are those of the settings, as Config.DocumentFiles returns them: when one of them
	// changes, the mistakes may be gone.
	DocumentFiles []string
}

// maxShown is how many mistakes Error prints; a file with more of them is not a settings file.
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

// mistakes collects what is wrong, so that all of it is reported at once.
type mistakes struct {
	file     string   // its name in messages
	lines    []string // of the file
	findings []finding
	// hidden are texts that no excerpt may show: secrets, and what an unknown key has, which may
	// be a secret with a misspelt name.
	hidden []hiddenText
	// unreadable is set when the file is not YAML, so that it is unknown which of its values are
	// secrets. Excerpts show the structure of a line alone then.
	unreadable bool
}

// hiddenText is a text of the file, its first line at least, with its place.
type hiddenText struct {
	at  origin
	raw string
}

// finding is a mistake as long as its place may still be compared with others.
type finding struct {
	at   origin
	path yaml.Path
	text string
}

func (m *mistakes) add(at origin, setting yaml.Path, format string, args ...any) {
	m.findings = append(m.findings, finding{at, setting, fmt.Sprintf(format, args...)})
}

// hide keeps n and all values in it out of the excerpts.
func (m *mistakes) hide(n *node) {
	if n == nil {
		return
	}
	if n.raw != "" && n.at.isInFile() {
		m.hidden = append(m.hidden, hiddenText{n.at, strings.TrimSpace(n.raw)})
	}
	for _, f := range n.members {
		m.hidden = append(m.hidden, hiddenText{f.at, f.name})
		m.hide(f.value)
	}
	for _, item := range n.items {
		m.hide(item)
	}
}

// isEcho reports whether one of the findings is at p, around it or within it, so that a mistake at p
// may only be its consequence. If p is not written, it may also be the consequence of a finding in
// the same block, such as an unknown key that is p misspelt.
func isEcho(p yaml.Path, written bool, findings []finding) bool {
	return slices.ContainsFunc(findings, func(l finding) bool {
		depth := len(l.path)
		misspelt := !written && depth > 1 && l.path[:depth-1].Contains(p)
		return misspelt || l.path.Contains(p) || p.Contains(l.path)
	})
}

// err returns an *Error, or nil if there are no mistakes.
func (m *mistakes) err() error {
	if len(m.findings) == 0 {
		return nil
	}
	slices.SortStableFunc(m.findings, func(a, b finding) int {
		if a.at.line != b.at.line {
			return a.at.line - b.at.line
		}
		return a.at.column - b.at.column
	})
	all := make([]Mistake, len(m.findings))
	for i, l := range m.findings {
		all[i] = Mistake{Where: m.location(l.at), Setting: l.path.String(), Text: l.text, Excerpt: m.excerpt(l.at)}
	}
	return &Error{Mistakes: all}
}

// location returns a place as messages have it.
func (m *mistakes) location(at origin) string {
	switch {
	case at.isInFile() && m.file != "":
		return fmt.Sprintf("%s:%d:%d", m.file, at.line, at.column)
	case at.name != "":
		return at.name
	}
	return "the settings"
}

// excerpt returns the line of a place with a marker below it, or "" for a long line.
func (m *mistakes) excerpt(at origin) string {
	if !at.isInFile() || at.line > len(m.lines) {
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
	maxExcerpt = 160 // of characters; a longer line does not help
)

// masked returns the line of a place without comments and secrets, and the column of the place in
// that line, which moves when a text before it is masked.
func (m *mistakes) masked(at origin) (line string, column int) {
	line = strings.ReplaceAll(strings.TrimRight(m.lines[at.line-1], " \t\r"), "\t", " ")
	line = withoutComment(line)
	if m.unreadable {
		return maskContents(line), at.column
	}
	column = at.column
	for _, h := range m.hiddenOn(at.line) {
		before := utf8.RuneCountInString(line)
		line = h.hide(line)
		if h.at.column < at.column {
			column += utf8.RuneCountInString(line) - before
		}
	}
	return line, max(column, 1)
}

// hiddenOn returns the hidden texts that begin in a line, the last one first: masking one does not
// move those before it.
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

// hide masks the text in its line. If the line has another text at that place, the end of the hidden
// text is unknown, and hide masks everything behind the first colon.
func (h hiddenText) hide(line string) string {
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

// withoutComment removes what follows " #", which may be an old password. Within quotes this
// removes a part of the value, which does no harm to an excerpt.
func withoutComment(line string) string {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return "#"
	}
	line, _, _ = strings.Cut(line, " #")
	return line
}

// unquotedText matches words, without the punctuation of YAML around them.
var unquotedText = regexp.MustCompile(`[^\s:{}\[\],"'|>&*#-][^\s:{}\[\],"']*`)

// maskContents masks the words of a line except its first key. Punctuation stays.
func maskContents(line string) string {
	key, value, found := strings.Cut(line, ":")
	if !found {
		key, value = "", line
		return unquotedText.ReplaceAllString(value, mask)
	}
	return key + ":" + unquotedText.ReplaceAllString(value, mask)
}
