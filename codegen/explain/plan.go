package explain

import (
	"encoding/json"
	"strconv"

	"github.com/gatehouse-graphql/gatehouse/engine/cost"
)

// Plan is the calls of an operation. The plan of a subscription is that of one event.
type Plan struct {
	Operation   string   `json:"operation"` // query, mutation or subscription
	Name        string   `json:"name,omitempty"`
	Calls       Count    `json:"calls"`    // at most, without those of handwritten fields
	Handwritten int      `json:"byHand"`   // handwritten fields, whose calls are unknown
	Rounds      int      `json:"rounds"`   // steps of calls that wait for each other
	ListSize    int      `json:"listSize"` // the assumed size of lists of unknown size
	Assumed     []string `json:"assumed,omitempty"`
	Notes       []string `json:"notes,omitempty"`
	Nodes       []*Node  `json:"nodes"` // ordered by rounds
	Cost        Cost     `json:"cost"`
}

// Cost is what an operation costs at the worst, as the gateway estimates it (cost.max).
type Cost struct {
	Estimated cost.Cost `json:"estimated"` // the greater of the two
	Field     cost.Cost `json:"field"`     // of the fields that are resolved
	Type      cost.Cost `json:"type"`      // of the values that are returned
	// Fields are the fields that cost something, each with its values and without what is below it.
	Fields []FieldCost `json:"fields,omitempty"`
}

// FieldCost is what a field at one place of the operation costs at the worst.
type FieldCost struct {
	Path  string    `json:"path"`  // in the response, with <Type> where a fragment demands a type
	Field string    `json:"field"` // such as Order.customer
	Times Count     `json:"times"` // how often it is resolved
	Cost  cost.Cost `json:"fieldCost"`
	Type  cost.Cost `json:"typeCost"`
}

// Node is a field, at one place of the operation, that a call or handwritten code resolves.
type Node struct {
	ID    int    `json:"id"`    // from 1
	Field string `json:"field"` // such as Order.customer
	// Completes is the type whose objects the node completes: they come with some of their fields,
	// and the call fetches the others. It is "" for the field's own call.
	Completes string   `json:"completes,omitempty"`
	Paths     []string `json:"paths"` // in the response, one for each alias, with <Type> where an object can have several types
	Round     int      `json:"round"` // from 1
	After     int      `json:"after,omitempty"`
	Needs     []string `json:"needs,omitempty"` // guards; a caller that they refuse causes no call
	Call      *Call    `json:"call"`            // null for handwritten code, whose calls are unknown
}

// Call is the call of a node's binding.
type Call struct {
	Source string `json:"source"`
	Method string `json:"method"`
	Path   string `json:"path"` // a template with its query, as written in the schema or in an OpenAPI document
	// Operation is the operationId of a call that an OpenAPI document describes.
	Operation string `json:"operation,omitempty"`
	// Binding is the id of the @connect.
	Binding string `json:"binding,omitempty"`
	// Timeout is how long each call may take, such as 2s; "" for the timeout of the source.
	Timeout string `json:"timeout,omitempty"`
	// Page is the pagination of the service: PAGE_NUMBER, OFFSET or NEXT_CURSOR.
	Page  string `json:"page,omitempty"`
	Batch *Batch `json:"batch,omitempty"`
	Keys  Count  `json:"keys"`  // keys, or parents without keys, at most
	Calls Count  `json:"calls"` // at most; 0 if another node makes them
	Cache Cache  `json:"cache"`
	// OnError is what the field has when the source fails: NULL, DEFAULT or STALE. It is "" for an error.
	OnError string `json:"onError,omitempty"`
	// StaleFor is how old a value may be that STALE shows, such as 5m0s.
	StaleFor string `json:"staleFor,omitempty"`

	// SharesCallsOf is the ID of the node whose calls also serve this one.
	SharesCallsOf int `json:"sharesCallsOf,omitempty"`
	// SparesKeysOf is the ID of a node that may have fetched keys of this one, which are then not
	// fetched again. That depends on the data, so the count does not rely on it.
	SparesKeysOf int `json:"sparesKeysOf,omitempty"`
}

// Batch describes how keys are distributed over calls.
type Batch struct {
	Key     string `json:"key"`               // the field of the parents that holds them
	MaxSize int    `json:"maxSize,omitempty"` // keys of one call; 0 means any number
	Whole   bool   `json:"whole,omitempty"`   // one call without keys returns the items of all keys
}

// Cache says for which callers the response of a call could be cached.
type Cache string

// Whose answers can be kept.
const (
	// Values of Cache.
	CacheShared    Cache = "shared"    // the call does not depend on the caller
	CachePerCaller Cache = "perCaller" // the call, or the permission to make it, depends on the caller
	CacheNever     Cache = "never"     // the call may have an effect
)

// Count is an upper bound on a number of things. It saturates at maxCount, because lists within
// lists exceed any integer type.
type Count int64

const maxCount Count = 1_000_000_000_000

// countOf returns the count of n things. A negative number counts as zero.
func countOf(n int) Count { return min(max(Count(n), 0), maxCount) }

func (c Count) add(other Count) Count { return min(c+other, maxCount) }

func (c Count) multiply(other Count) Count {
	if c != 0 && other > maxCount/c {
		return maxCount
	}
	return c * other
}

// dividedBy returns the number of calls that c keys need, with at most size keys a call. A size of
// 0 means no limit.
func (c Count) dividedBy(size int) Count {
	switch {
	case c == 0:
		return 0
	case size == 0:
		return 1
	}
	return (c-1)/Count(size) + 1
}

// String returns the number with a comma between thousands, such as 2,000.
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

// MarshalJSON returns a JSON number.
func (c Count) MarshalJSON() ([]byte, error) { return json.Marshal(int64(c)) }
