package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gatehouse-graphql/gatehouse/codegen/escape"
)

// Text writes plans for people to read: one line for each node, grouped by rounds.
func Text(out io.Writer, plans []*Plan) error {
	for i, p := range plans {
		if i > 0 {
			if _, err := io.WriteString(out, "\n"); err != nil {
				return err
			}
		}
		if _, err := io.WriteString(out, p.text()); err != nil {
			return err
		}
	}
	return nil
}

// Title returns the kind and the name of the operation.
func (p *Plan) Title() string { return title(p.Operation, p.Name) }

func title(operation, name string) string { return strings.TrimSpace(operation + " " + name) }

func (p *Plan) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", p.Title(), p.summary())
	lines := alignColumns(p.rows())
	for i, n := range p.Nodes {
		if i == 0 || n.Round != p.Nodes[i-1].Round {
			fmt.Fprintf(&b, "  round %d\n", n.Round)
		}
		fmt.Fprintf(&b, "    %s\n", escape.Line(lines[i]))
	}
	if len(p.Assumed) > 0 {
		fmt.Fprintf(&b, "  assumed that a list has %s, for want of @listSize or its argument: %s\n",
			elementCountText(Count(p.ListSize)), strings.Join(p.Assumed, ", "))
	}
	for _, line := range p.costText() {
		fmt.Fprintf(&b, "  %s\n", escape.Line(line))
	}
	for _, note := range p.Notes {
		fmt.Fprintf(&b, "  note: %s\n", escape.Line(note))
	}
	return b.String()
}

func elementCountText(n Count) string { return plural(n, "element", "elements") }

// summary returns the number of calls and rounds in words.
func (p *Plan) summary() string {
	rounds, byHand := plural(Count(p.Rounds), "round", "rounds"), plural(Count(p.Handwritten), "field is", "fields are")
	var text string
	switch {
	case len(p.Nodes) == 0:
		text = "no calls"
	case p.Handwritten == 0:
		text = fmt.Sprintf("%s in %s", callCount("at most ", p.Calls), rounds)
	case p.Calls == 0:
		text = fmt.Sprintf("calls unknown, since %s answered by hand", byHand)
	default:
		text = fmt.Sprintf("at the worst at least %s in %s or more, since %s answered by hand", callCount("", p.Calls), rounds, byHand)
	}
	if p.Operation == "subscription" {
		text += ", for each event"
	}
	return text
}

// rows returns a row of columns for each node.
func (p *Plan) rows() [][]string {
	var source, method int
	for _, n := range p.Nodes {
		if n.Call != nil {
			source, method = max(source, len(n.Call.Source)), max(method, len(n.Call.Method))
		}
	}
	rows := make([][]string, len(p.Nodes))
	for i, n := range p.Nodes {
		rows[i] = []string{p.label(n, n.Paths), "by hand in resolvers/", "calls unknown", "", "", guardText(n), ""}
		if c := n.Call; c != nil {
			rows[i][1] = fmt.Sprintf("%-*s %-*s %s", method, c.Method, source, c.Source, c.target())
			rows[i][2], rows[i][3], rows[i][4], rows[i][6] = p.callText(n), timeoutText(c), cacheText(c.Cache), c.onErrorText()
		}
	}
	return rows
}

// label returns the title of a node, with its paths if another node has the same title.
func (p *Plan) label(n *Node, paths []string) string {
	title := n.title()
	twice := slices.ContainsFunc(p.Nodes, func(other *Node) bool { return other != n && other.title() == title })
	if !twice {
		return title
	}
	return title + " at " + strings.Join(paths, ", ")
}

// completesPrefix begins the title of a node that completes objects.
const completesPrefix = "completes "

// title returns what the node resolves, with the id of its binding if it has one.
func (n *Node) title() string {
	title := n.Field
	if n.Completes != "" {
		title = completesPrefix + n.Completes
	}
	if n.Call != nil && n.Call.Binding != "" {
		title += " (" + n.Call.Binding + ")"
	}
	return title
}

// target returns the path of the call, with its operationId if it has one.
func (c *Call) target() string {
	if c.Operation == "" {
		return c.Path
	}
	return c.Path + " (" + c.Operation + ")"
}

// nodeName returns the name of a node by its ID.
func (p *Plan) nodeName(id int) string {
	n := p.Nodes[id-1]
	return strings.TrimPrefix(p.label(n, n.Paths[:1]), completesPrefix)
}

// callText returns how many calls a node makes and why.
func (p *Plan) callText(n *Node) string {
	c := n.Call
	if c.SharesCallsOf > 0 {
		return "by the calls of " + p.nodeName(c.SharesCallsOf)
	}
	text := callCount("at most ", c.Calls)
	switch {
	case c.Calls == 0:
		return text
	case c.Page != "" && c.Keys < c.Calls:
		text += ", two in a row for each page"
	case n.After == 0:
	case c.Batch == nil && c.Calls == 1 && c.Keys > 1, c.Batch != nil && c.Batch.Whole:
		text = "1 call for all"
	case c.Batch == nil && c.Keys > 1:
		text += ", one for each"
	case c.Batch != nil && c.Batch.MaxSize > 0:
		text += fmt.Sprintf(" for %s, %s at a time", keyCount(c.Keys), Count(c.Batch.MaxSize))
	case c.Batch != nil:
		text += " for " + keyCount(c.Keys)
	}
	if c.SparesKeysOf > 0 {
		text += ", less the keys of " + p.nodeName(c.SparesKeysOf)
	}
	return text
}

// callCount writes a number of calls, after the words for an upper bound if there are several.
func callCount(most string, n Count) string {
	switch n {
	case 0:
		return "no call"
	case 1:
		most = ""
	}
	return most + plural(n, "call", "calls")
}

func keyCount(n Count) string {
	if n == 1 {
		return "1 key"
	}
	return "up to " + plural(n, "key", "keys")
}

func plural(n Count, one, many string) string {
	if n == 1 {
		many = one
	}
	return n.String() + " " + many
}

func timeoutText(c *Call) string {
	if c.Timeout == "" || c.Calls == 0 {
		return ""
	}
	return "timeout " + c.Timeout
}

func cacheText(c Cache) string {
	switch c {
	case CacheShared:
		return "cache: may be shared"
	case CachePerCaller:
		return "cache: per caller"
	}
	return "cache: never"
}

// onErrorText returns what the field has when the source fails, "" for an error.
func (c *Call) onErrorText() string {
	switch {
	case c.OnError == "":
		return ""
	case c.StaleFor != "":
		return "on error: " + c.OnError + " for " + c.StaleFor
	}
	return "on error: " + c.OnError
}

func guardText(n *Node) string {
	if len(n.Needs) == 0 {
		return ""
	}
	return "needs " + strings.Join(n.Needs, " and ")
}

// alignColumns pads the cells of rows so that columns align. It drops columns that are empty
// everywhere.
func alignColumns(rows [][]string) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	lines := make([]string, len(rows))
	for i, row := range rows {
		var b strings.Builder
		for j, cell := range row {
			if widths[j] > 0 {
				fmt.Fprintf(&b, "%-*s  ", widths[j], cell)
			}
		}
		lines[i] = strings.TrimRight(b.String(), " ")
	}
	return lines
}
