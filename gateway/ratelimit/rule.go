package ratelimit

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/front/caller"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/execute"
	"github.com/gatehouse-graphql/gatehouse/internal/period"
)

// rule is a Rule as it is applied.
type rule struct {
	name                                string
	by                                  []selector
	classes, clients, operations, kinds []string
	tier                                func(*caller.Caller) string
	tiers                               map[string][]*window
	windows                             []*window // of callers without a tier
	byCost                              bool      // it counts the cost of an operation
	dryRun                              bool
	counter                             *counter
}

// window is one limit of a rule or of a field.
type window struct {
	Limit
	text   string // as ParseLimit reads it
	id     string // begins the keys: the name of the rule, or the coordinate of the field, and the period
	label  string // in the fields of responses
	policy string // its item of RateLimit-Policy
}

// newWindow returns a limit of a rule or of a field. With several limits, their labels have the periods.
func newWindow(name string, l Limit, several bool) *window {
	w := &window{Limit: l, text: l.String(), id: name + ":" + period.Format(l.Period), label: name}
	if several {
		w.label += "/" + period.Format(l.Period)
	}
	w.policy = fmt.Sprintf(`"%s";q=%d`, w.label, l.Quantity)
	if l.Period%time.Second == 0 {
		w.policy += ";w=" + strconv.FormatInt(int64(l.Period/time.Second), 10)
	}
	return w
}

// matches reports whether the rule is for an operation.
func (r *rule) matches(op *execute.Operation, c *caller.Caller) bool {
	return fits(r.classes, c.Class) && fits(r.clients, c.Client) &&
		fits(r.operations, op.OperationContext.Operation.Name) && fits(r.kinds, string(op.OperationContext.Operation.Operation))
}

// fits reports whether a value is in a list, or the list is empty.
func fits(list []string, value string) bool { return len(list) == 0 || slices.Contains(list, value) }

// windowsFor returns the limits of a caller.
func (r *rule) windowsFor(c *caller.Caller) []*window {
	if len(r.tiers) > 0 {
		if windows, ok := r.tiers[r.tier(c)]; ok {
			return windows
		}
	}
	return r.windows
}

// wholeRequest is the group of the limits that decide about the whole request.
const wholeRequest = 0

// charge is one limit that a request is charged to.
type charge struct {
	window   *window
	group    int // those of one group pass together or not at all; groups are in their order
	from, to int // the key in charges.text
	quantity int64
	counter  *counter
	rule     *rule     // nil for that of a field
	key      memoryKey // set by memory
	status   status    // after the decision
	decided  bool
}

// charges are all that a request is charged to.
type charges struct {
	subject subject // here, so that it needs no memory of its own
	text    []byte
	list    []charge
	place   []place // of the fields with limits
}

func (c *charges) reset() {
	clear(c.list) // so that nothing is kept of the request
	clear(c.place)
	c.subject = subject{}
	c.text, c.list, c.place = c.text[:0], c.list[:0], c.place[:0]
}

// add adds the charges of windows to a group. All of them count the same.
func (c *charges) add(group int, windows []*window, by []selector, template charge) {
	for _, w := range windows {
		from := len(c.text)
		c.text = appendText(c.text, w.id)
		for _, selector := range by {
			c.text = selector(c.text, &c.subject)
		}
		template.window, template.group, template.from, template.to = w, group, from, len(c.text)
		c.list = append(c.list, template)
	}
}

// groupEnd returns the index after the group that begins at first.
func (c *charges) groupEnd(first int) int {
	next := first + 1
	for next < len(c.list) && c.list[next].group == c.list[first].group {
		next++
	}
	return next
}

// isRefused reports whether a decision has refused a group.
func isRefused(group []charge) bool {
	return slices.ContainsFunc(group, func(c charge) bool { return c.decided && c.status.refused })
}

// retryAfter returns how long a refused group has to wait, and the charge that makes it wait; false if
// it may never pass, since it is more than a limit lets pass at once.
func retryAfter(group []charge) (wait time.Duration, by *charge, ok bool) {
	ok = true
	for i := range group {
		c := &group[i]
		if !c.decided || !c.status.refused {
			continue
		}
		never := c.quantity > c.window.Burst
		if by == nil || never || c.status.wait > wait {
			by, wait = c, c.status.wait
		}
		if never {
			return 0, c, false
		}
	}
	return wait, by, ok
}
