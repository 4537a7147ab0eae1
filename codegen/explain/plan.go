package explain

import (
	"encoding/json"
	"strconv"
)

// Plan is what an operation asks of the services. Of a subscription it is what each event
// asks of them.
type Plan struct {
	Operation string   `json:"operation"` // query, mutation or subscription
	Name      string   `json:"name,omitempty"`
	Calls     Count    `json:"calls"`    // at the worst, without those of fields by hand
	ByHand    int      `json:"byHand"`   // fields whose calls nobody can tell
	Rounds    int      `json:"rounds"`   // of calls, one after the other
	ListSize  int      `json:"listSize"` // what was assumed
	Assumed   []string `json:"assumed,omitempty"`
	Notes     []string `json:"notes,omitempty"`
	Nodes     []*Node  `json:"nodes"` // by rounds
}

// Node is a field that is answered by a call or by hand, at one place of the operation.
type Node struct {
	ID    int    `json:"id"`    // from 1
	Field string `json:"field"` // such as Order.customer
	// Completes is the type whose objects come to the field with some of their fields only;
	// the call brings the others. "" for a field's own call.
	Completes string   `json:"completes,omitempty"`
	Paths     []string `json:"paths"` // in the answer, with <Type> where there are several; one for each alias
	Round     int      `json:"round"` // from 1
	After     int      `json:"after,omitempty"`
	Needs     []string `json:"needs,omitempty"` // guards: who is refused makes no call
	Call      *Call    `json:"call"`            // null: answered by hand, by calls that nobody can tell
}

// Call is how a node is answered.
type Call struct {
	Source string `json:"source"`
	Method string `json:"method"`
	Path   string `json:"path"` // with its query, as the schema writes it, or as a document has it
	// Operation is the operationId, of a call that a document describes.
	Operation string `json:"operation,omitempty"`
	// Binding is the id that @connect gives.
	Binding string `json:"binding,omitempty"`
	// Page is how the service pages: PAGE_NUMBER, OFFSET or NEXT_CURSOR.
	Page  string `json:"page,omitempty"`
	Batch *Batch `json:"batch,omitempty"`
	Keys  Count  `json:"keys"`  // values, or parents, that are asked for at the worst
	Calls Count  `json:"calls"` // at the worst; none when another node makes them
	Cache Cache  `json:"cache"`

	// SharesCallsOf is the node whose calls answer this one, too.
	SharesCallsOf int `json:"sharesCallsOf,omitempty"`
	// SparesKeysOf is a node that may fetch keys of this one: they are asked for once.
	// Whether it is so depends on the data, so the count does not rely on it.
	SparesKeysOf int `json:"sparesKeysOf,omitempty"`
}

// Batch is how keys become calls.
type Batch struct {
	Key     string `json:"key"`               // the parents' field that holds them
	MaxSize int    `json:"maxSize,omitempty"` // of one call; 0 is any number
	Whole   bool   `json:"whole,omitempty"`   // the call carries none, for its answer holds all
}

// Cache says for whom the answer of a call could be kept.
type Cache string

// Whose answers can be kept.
const (
	CacheShared    Cache = "shared"    // nothing of the caller is in the call
	CachePerCaller Cache = "perCaller" // the caller, or what they may see, is part of it
	CacheNever     Cache = "never"     // it is not only read
)

// Count is a number of things at the worst. It ends at a ceiling, since lists in lists
// leave any number behind.
type Count int64

const maxCount Count = 1_000_000_000_000

func (c Count) add(other Count) Count { return min(c+other, maxCount) }

func (c Count) multiply(other Count) Count {
	if c != 0 && other > maxCount/c {
		return maxCount
	}
	return c * other
}

// dividedBy is how many calls of a size carry c keys; 0 is any size.
func (c Count) dividedBy(size int) Count {
	switch {
	case c == 0:
		return 0
	case size == 0:
		return 1
	}
	return (c + Count(size) - 1) / Count(size)
}

// String writes thousands apart: 2,000.
func (c Count) String() string {
	if c >= maxCount {
		return "over " + (maxCount - 1).String()
	}
	if c < 1000 {
		return strconv.FormatInt(int64(c), 10)
	}
	last := strconv.FormatInt(int64(c%1000+1000), 10)[1:]
	return (c / 1000).String() + "," + last
}

// MarshalJSON writes a plain number.
func (c Count) MarshalJSON() ([]byte, error) { return json.Marshal(int64(c)) }
