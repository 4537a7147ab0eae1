package decode

import "strings"

// JoinNotNull returns a reader of lists of scalars that joins their texts, with sep between them.
// Nulls are left out.
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

// JoinNotNullOf returns a reader of lists that joins the texts which element reads, with sep between them.
// Nulls are left out.
func JoinNotNullOf(sep string, element func(*Decoder) *string) func(*Decoder) string {
	return func(d *Decoder) string {
		if !d.open('[', "a list") {
			return ""
		}
		outer := d.at
		d.at.listDepth = 0 // the elements are not in the graph: one that does not fit fails the whole text
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
