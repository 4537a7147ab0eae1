package binding

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
)

// lineColumn returns where a token begins: line and column from 1, the column in characters. It
// counts in the source, because gqlparser places a string behind its opening quote, and a block
// string at the line of its end.
func lineColumn(pos *ast.Position) (line, column int) {
	line, column = 1, 1
	before := pos.Start
	for _, r := range pos.Src.Input {
		if before == 0 {
			break
		}
		before--
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return line, column
}

// lineColumnIn returns where a byte of a string's text is in the schema. The offset counts in the
// text as GraphQL reads it, without escapes and indentation.
func lineColumnIn(v *ast.Value, offset int) (line, column int) {
	line, column = lineColumn(v.Position)
	literal := string([]rune(v.Position.Src.Input)[v.Position.Start:])
	if v.Kind != ast.BlockValue {
		return line, column + 1 + literalLength(literal[1:], offset)
	}
	down, right := offsetInBlock(literal[3:], v.Raw, offset)
	if down == 0 {
		return line, column + 3 + right
	}
	return line + down, 1 + right
}

// literalLength returns how many characters of a literal spell the first n bytes of its text.
func literalLength(literal string, n int) int {
	count := 0
	for n > 0 && literal != "" {
		r, _, rest, err := strconv.UnquoteChar(literal, '"')
		if err != nil { // \/ is an escape in GraphQL alone, not in Go
			r, rest = '/', literal[min(2, len(literal)):]
		}
		count += utf8.RuneCountInString(literal[:len(literal)-len(rest)])
		n -= utf8.RuneLen(r)
		literal = rest
	}
	return count
}

// offsetInBlock returns how many lines down and characters right a byte of a block string's text
// is. GraphQL removes the blank lines at the beginning and the common indentation, so each line of
// the text is the end of a line of the literal.
func offsetInBlock(literal, text string, offset int) (down, right int) {
	lines := strings.Split(literal, "\n")
	for strings.Trim(lines[down], " \t") == "" && down < len(lines)-1 {
		down++
	}
	begin := strings.LastIndexByte(text[:offset], '\n') + 1
	down += strings.Count(text[:begin], "\n")
	full, _, _ := strings.Cut(lines[down], `"""`)
	line, _, _ := strings.Cut(text[begin:], "\n")
	indent := utf8.RuneCountInString(full) - utf8.RuneCountInString(line)
	return down, indent + utf8.RuneCountInString(text[begin:offset])
}
