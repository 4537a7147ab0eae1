package yaml

import (
	"bytes"
	"unicode/utf8"
)

// outliner finds the members of a mapping in the text without reading their values. It knows as
// much of YAML as this takes: what is quoted, which brackets belong together, and how far block
// scalars and plain scalars go on. It gives up where more would be needed: at anchors, aliases,
// merges, keys that are not plain names, and tabs that indent.
type outliner struct {
	text   []byte
	at     int // the byte to look at next
	end    int // the byte behind the value
	line   int // of the byte at
	begin  int // of that line, or of an earlier place in it
	column int // of begin
	gaveUp bool
}

// entry is a member of a mapping in the text.
type entry struct {
	key          string
	keyAt        position
	value        position // of the first token of the value; that of the key if there is none
	start, end   int      // the member as a whole; in block style these are whole lines
	first, close int      // the bytes from the first token of the value on
	block        bool     // the member is in block style
	lineColumn   position // of start
}

// position is a line and a column, both from 1.
type position struct{ line, column int }

func (o *outliner) position() position {
	o.column += utf8.RuneCount(o.text[o.begin:o.at])
	o.begin = o.at
	return position{o.line, o.column}
}

// newline records that the byte at is the first of a line.
func (o *outliner) newline() {
	o.line++
	o.begin, o.column = o.at, 1
}

func (o *outliner) peek() byte {
	if o.at < o.end {
		return o.text[o.at]
	}
	return 0
}

func (o *outliner) peekNext() byte {
	if o.at+1 < o.end {
		return o.text[o.at+1]
	}
	return 0
}

// isSpaceOrEnd reports whether a byte separates tokens; 0 stands for the end of the text.
func isSpaceOrEnd(c byte) bool { return c == 0 || c == ' ' || c == '\n' || c == '\t' }

// flow returns the members of the flow mapping whose bracket is at the current place.
func (o *outliner) flow() []entry {
	var all []entry
	o.at++
	for {
		o.skipFlowSpace()
		switch o.peek() {
		case '}':
			o.at++
			return all
		case ',':
			o.at++
			continue
		case 0:
			o.gaveUp = true
		}
		if o.gaveUp {
			return nil
		}
		e := entry{start: o.at, keyAt: o.position()}
		e.lineColumn = e.keyAt
		o.skipFlowScalar()
		key := o.text[e.start:o.at]
		o.skipFlowSpace()
		if o.peek() != ':' || o.gaveUp {
			o.gaveUp = true
			return nil
		}
		o.at++
		absent := o.position()
		o.skipFlowSpace()
		e.first, e.value = o.at, o.position()
		for c := o.peek(); c != ',' && c != '}' && !o.gaveUp; c = o.peek() {
			if c == 0 {
				o.gaveUp = true
				break
			}
			o.skipFlowValue()
			e.end = o.at
			o.skipFlowSpace()
		}
		if e.end == 0 { // no value
			e.end, e.first, e.value = e.first, 0, absent
		}
		e.close = e.end
		e.key = o.key(key)
		all = append(all, e)
	}
}

// key returns the text of a key. Escapes are left to the library.
func (o *outliner) key(text []byte) string {
	if len(text) == 0 || string(text) == "<<" {
		o.gaveUp = true
		return ""
	}
	quote := text[0]
	if quote != '"' && quote != '\'' {
		return string(text)
	}
	text = text[1 : len(text)-1]
	if bytes.IndexByte(text, '\n') >= 0 || quote == '"' && bytes.IndexByte(text, '\\') >= 0 {
		doc := parseEager(append(append([]byte{quote}, text...), quote), Options{Lenient: true}, true)
		if doc.Root == nil {
			o.gaveUp = true
			return ""
		}
		return doc.Root.Value
	}
	if quote == '\'' {
		text = bytes.ReplaceAll(text, []byte("''"), []byte("'"))
	}
	return string(text)
}

// skipFlowSpace skips white space, line breaks and comments.
func (o *outliner) skipFlowSpace() {
	for o.at < o.end {
		switch c := o.text[o.at]; {
		case c == '\n':
			o.at++
			o.newline()
		case c == ' ' || c == '\t' || c == '\r':
			o.at++
		case c == '#' && (o.at == 0 || isSpaceOrEnd(o.text[o.at-1])):
			o.skipLine()
		default:
			return
		}
	}
}

// skipLine skips to the end of the line.
func (o *outliner) skipLine() {
	if i := bytes.IndexByte(o.text[o.at:o.end], '\n'); i >= 0 {
		o.at += i
		return
	}
	o.at = o.end
}

// skipFlowValue skips a value within flow style: a scalar, or everything up to a closing bracket.
func (o *outliner) skipFlowValue() {
	depth := 0
	for !o.gaveUp {
		o.skipFlowSpace()
		switch c := o.peek(); c {
		case 0:
			o.gaveUp = true
			return
		case '{', '[':
			depth++
			o.at++
		case '}', ']':
			if depth == 0 {
				o.gaveUp = true
				return
			}
			depth--
			o.at++
		case ',', ':':
			if depth == 0 {
				o.gaveUp = true
				return
			}
			o.at++
		default:
			o.skipFlowScalar()
		}
		if depth == 0 {
			return
		}
	}
}

// skipFlowScalar skips a scalar within flow style.
func (o *outliner) skipFlowScalar() {
	switch c := o.peek(); c {
	case '"', '\'':
		o.skipQuoted(c)
		return
	case '&', '*', '!', '|', '>', '%', '@', '`':
		o.gaveUp = true
		return
	case '?':
		if isSpaceOrEnd(o.peekNext()) {
			o.gaveUp = true
			return
		}
	}
	for o.at < o.end {
		switch c := o.text[o.at]; {
		case c == ',' || c == '[' || c == ']' || c == '{' || c == '}' || c == '\n':
			o.trimSpace()
			return
		case c == ':' && (isSpaceOrEnd(o.peekNext()) || bytes.IndexByte([]byte(",[]{}"), o.peekNext()) >= 0):
			o.trimSpace()
			return
		case c == '#' && isSpaceOrEnd(o.text[o.at-1]):
			o.trimSpace()
			return
		}
		o.at++
	}
}

// trimSpace goes back over white space.
func (o *outliner) trimSpace() {
	for o.at > 0 && (o.text[o.at-1] == ' ' || o.text[o.at-1] == '\t' || o.text[o.at-1] == '\r') {
		o.at--
	}
}

// skipQuoted skips a scalar in quotes, which may have several lines.
func (o *outliner) skipQuoted(quote byte) {
	for o.at++; o.at < o.end; o.at++ {
		switch c := o.text[o.at]; {
		case c == '\n':
			o.at++
			o.newline()
			o.at--
		case c == '\\' && quote == '"':
			if o.at++; o.peek() == '\n' {
				o.at--
			}
		case c == quote && quote == '\'' && o.peekNext() == quote:
			o.at++
		case c == quote:
			o.at++
			return
		}
	}
	o.gaveUp = true
}

// block returns the members of the block mapping whose first line begins at the current place.
func (o *outliner) block() []entry {
	var all []entry
	indent := -1    // of the mapping
	parent := -1    // the column of the key or dash that the next scalar belongs to
	within := false // a scalar goes on in lines that are indented further than parent
	finish := func() {
		if last := len(all) - 1; last >= 0 {
			all[last].end, all[last].close = o.at, o.at
		}
	}
	for o.at < o.end && !o.gaveUp {
		start := o.at
		for o.peek() == ' ' {
			o.at++
		}
		spaces := o.at - start
		rest := o.peek()
		if rest == '\r' && o.peekNext() == '\n' {
			rest = '\n'
		}
		switch {
		case rest == '\n' || rest == 0:
			o.endLine()
			continue
		case within && spaces > parent:
			o.endLine()
			continue
		case rest == '#':
			o.endLine()
			continue
		case rest == '\t':
			o.gaveUp = true
			return nil
		}
		within = false
		if spaces == 0 && o.isMarker() {
			o.at = start
			finish()
			o.end = start
			return all
		}
		if indent < 0 {
			indent = spaces
		}
		if spaces < indent {
			o.gaveUp = true
			return nil
		}
		var e *entry
		if spaces == indent && !(rest == '-' && isSpaceOrEnd(o.peekNext())) {
			at := o.at
			o.at = start
			finish()
			o.at = at
			all = append(all, entry{start: start, block: true, lineColumn: position{o.line, 1}})
			e = &all[len(all)-1]
		}
		parent, within = o.blockLine(e, start, parent, all)
		if e != nil && e.key == "" {
			o.gaveUp = true
		}
	}
	finish()
	return all
}

// isMarker reports whether a line ends or begins a document.
func (o *outliner) isMarker() bool {
	line := o.text[o.at:min(o.at+4, o.end)]
	return (bytes.HasPrefix(line, []byte("---")) || bytes.HasPrefix(line, []byte("..."))) && (len(line) == 3 || isSpaceOrEnd(line[3]) || line[3] == '\r')
}

// endLine skips the rest of the line, with its break.
func (o *outliner) endLine() {
	o.skipLine()
	if o.at < o.end {
		o.at++
		o.newline()
	}
}

// blockLine reads a line from its first token on: dashes, keys, and the beginning of a scalar. It
// fills in the entry e if that is not nil, and returns the column of the last key or dash, and
// whether a scalar may go on in the next lines. The value of an entry without a value in its line
// begins at the first token of the next line.
func (o *outliner) blockLine(e *entry, start, parent int, all []entry) (column int, within bool) {
	base := start
	seeks := len(all) > 0 && all[len(all)-1].first == 0 // the last entry still lacks its value
	for !o.gaveUp {
		c := o.peek()
		if e == nil && seeks {
			last := &all[len(all)-1]
			last.first, last.value = o.at, o.position()
			seeks = false
		}
		switch {
		case c == '-' && isSpaceOrEnd(o.peekNext()):
			parent = o.at - base
			o.at++
			o.skipSpaces()
			if o.isLineEnd() {
				o.endLine()
				return parent, false
			}
			continue
		case c == '|' || c == '>':
			o.endLine()
			return parent, true
		case c == '{' || c == '[':
			o.skipFlowValue()
		case c == '"' || c == '\'':
			at, here := o.at, o.position()
			line := o.line
			o.skipQuoted(c)
			if o.gaveUp {
				return parent, false
			}
			text := o.text[at:o.at]
			if o.line == line && o.isColon() {
				parent = at - base
				if e != nil && e.key == "" {
					e.key, e.keyAt, e.value = o.key(text), here, here
				}
				if !o.passColon(e) {
					return parent, false
				}
				e = nil
				continue
			}
		case bytes.IndexByte([]byte("&*!%@`"), c) >= 0 || c == '?' && isSpaceOrEnd(o.peekNext()):
			o.gaveUp = true
			return parent, false
		default:
			at, here := o.at, o.position()
			if !o.skipPlain() {
				o.endLine()
				return parent, true
			}
			parent = at - base
			if e != nil && e.key == "" {
				e.key, e.keyAt, e.value = o.key(o.text[at:o.at]), here, here
			} else if string(o.text[at:o.at]) == "<<" {
				o.gaveUp = true
			}
			o.skipSpaces()
			if !o.passColon(e) {
				return parent, false
			}
			e = nil
			continue
		}
		// Behind a value in quotes or brackets only a comment may stand.
		o.skipSpaces()
		if !o.isLineEnd() {
			o.gaveUp = true
		}
		o.endLine()
		return parent, false
	}
	return parent, false
}

// isColon skips spaces and reports whether a colon follows that ends a key.
func (o *outliner) isColon() bool {
	o.skipSpaces()
	return o.peek() == ':' && (isSpaceOrEnd(o.peekNext()) || o.peekNext() == '\r')
}

// passColon skips the colon behind a key and reports whether the line has a value. The value is
// that of e, unless e is nil.
func (o *outliner) passColon(e *entry) bool {
	o.at++
	if e != nil {
		e.value = o.position() // that of a value which is absent
	}
	o.skipSpaces()
	if o.isLineEnd() {
		o.endLine()
		return false
	}
	if e != nil {
		e.first, e.value = o.at, o.position()
	}
	return true
}

// skipPlain skips a plain scalar up to its end in the line, and reports whether a colon follows.
func (o *outliner) skipPlain() bool {
	for o.at < o.end {
		switch c := o.text[o.at]; {
		case c == '\n':
			return false
		case c == ':' && (isSpaceOrEnd(o.peekNext()) || o.peekNext() == '\r'):
			o.trimSpace()
			return true
		case c == '#' && isSpaceOrEnd(o.text[o.at-1]):
			return false
		}
		o.at++
	}
	return false
}

func (o *outliner) skipSpaces() {
	for o.peek() == ' ' || o.peek() == '\t' {
		o.at++
	}
}

// isLineEnd reports whether nothing but a comment follows in the line.
func (o *outliner) isLineEnd() bool {
	switch c := o.peek(); c {
	case 0, '\n':
		return true
	case '\r':
		return o.peekNext() == '\n' || o.peekNext() == 0
	case '#':
		return o.at == 0 || isSpaceOrEnd(o.text[o.at-1])
	}
	return false
}

// hasOddBreaks reports whether a text has line breaks other than "\n" and "\r\n", at which the
// library counts lines and the outliner does not.
func hasOddBreaks(text []byte) bool {
	for _, odd := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.Contains(text, []byte(odd)) {
			return true
		}
	}
	return bytes.Count(text, []byte("\r")) != bytes.Count(text, []byte("\r\n"))
}
