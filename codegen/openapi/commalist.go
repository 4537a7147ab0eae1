package openapi

import (
	"fmt"
	"regexp/syntax"
	"slices"
)

// IsText reports whether the document describes the parameter as a text, and neither as a list nor
// as JSON. A list that fills it is sent as one text, with commas between its elements: many
// documents describe such a parameter as "type: string", since their authors know no other way.
func (p *Parameter) IsText() bool {
	return p.textLeaf() != nil
}

// textLeaf returns the branch of the parameter's schema that is a text, nil if there is none or if
// the schema allows lists.
func (p *Parameter) textLeaf() *Schema {
	if p.Media != "" && isJSON(p.Media) {
		return nil
	}
	var text *Schema
	for _, leaf := range p.Schema.Leaves() {
		switch {
		case leaf.AllowsAny(), leaf.AllowsType("array"):
			return nil
		case leaf.AllowsType("string") && text == nil:
			text = leaf
		}
	}
	return text
}

// CommaListMismatch explains why a parameter for which IsText holds cannot take several elements
// with commas between them. It returns "" if it can. The text continues a sentence such as
// "{$batch.id} is [ID!]!, but ".
func (p *Parameter) CommaListMismatch() string {
	s := p.textLeaf()
	switch {
	case len(s.Enum) > 0:
		return fmt.Sprintf("%s takes one of %s", s.Place, s.enumText())
	case excludesLists(s.Format):
		return fmt.Sprintf("%s takes one value (%s)", s.Place, s.Format)
	case s.Pattern != "" && excludesComma(s.Pattern):
		return fmt.Sprintf("%s has a pattern without a comma, %s", s.Place, s.Pattern)
	}
	return ""
}

// excludesLists reports whether a format is that of a single value.
func excludesLists(format string) bool {
	return ofFormat(format) != nil || slices.Contains(upload.Formats, format) || slices.Contains(foreignFormats, format)
}

// excludesComma reports whether no text that matches a pattern has a comma. It returns false for a
// pattern that Go cannot read, such as one that looks ahead.
func excludesComma(pattern string) bool {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return false
	}
	re = re.Simplify()
	return isAnchored(re, syntax.OpBeginText, syntax.OpBeginLine, func(parts []*syntax.Regexp) *syntax.Regexp { return parts[0] }) &&
		isAnchored(re, syntax.OpEndText, syntax.OpEndLine, func(parts []*syntax.Regexp) *syntax.Regexp { return parts[len(parts)-1] }) &&
		!matchesComma(re)
}

// isAnchored reports whether every match begins or ends with an anchor. A pattern that is not
// anchored matches a part of the text, so that the rest of the text may have commas.
func isAnchored(re *syntax.Regexp, text, line syntax.Op, end func([]*syntax.Regexp) *syntax.Regexp) bool {
	switch re.Op {
	case text, line:
		return true
	case syntax.OpCapture, syntax.OpConcat:
		return isAnchored(end(re.Sub), text, line, end)
	case syntax.OpAlternate:
		return !slices.ContainsFunc(re.Sub, func(branch *syntax.Regexp) bool { return !isAnchored(branch, text, line, end) })
	}
	return false
}

// matchesComma reports whether a part of a pattern matches a comma.
func matchesComma(re *syntax.Regexp) bool {
	const comma = ','
	switch re.Op {
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return true
	case syntax.OpLiteral:
		return slices.Contains(re.Rune, comma)
	case syntax.OpCharClass:
		for i := 0; i+1 < len(re.Rune); i += 2 {
			if re.Rune[i] <= comma && comma <= re.Rune[i+1] {
				return true
			}
		}
	}
	return slices.ContainsFunc(re.Sub, matchesComma)
}
