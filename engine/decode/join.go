package decode

import "strings"

// JoinNotNull makes a decoder of lists of scalars that gives their texts, with sep between
// them. Nulls are left out.
func JoinNotNull(sep string) func(*Decoder) string {
	return func(d *Decoder) string {
		if !d.open('[', "a list") {
			return ""
		}
		var texts []string
		for i := 0; d.more(']', i == 0); i++ {
			d.push(step{index: i})
			if !d.acceptNull() {
				texts = append(texts, d.ScalarText())
			}
			d.pop()
		}
		if d.err != nil {
			return ""
		}
		return strings.Join(texts, sep)
	}
}

// Texts makes of a decoder of texts one of lists of them, joined with sep between them.
// Nulls are left out.
func Texts(sep string, element func(*Decoder) *string) func(*Decoder) string {
	return func(d *Decoder) string {
		if !d.open('[', "a list") {
			return ""
		}
		outer := d.at
		d.at.listDepth = 0 // the texts are none of the graph's elements, so that none can be null for itself
		var texts []string
		for i := 0; d.more(']', i == 0); i++ {
			d.push(step{index: i})
			if text := value(d, element); text != nil {
				texts = append(texts, *text)
			}
			d.pop()
		}
		d.at = outer
		if d.err != nil {
			return ""
		}
		return strings.Join(texts, sep)
	}
}
