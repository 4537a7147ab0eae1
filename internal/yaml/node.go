package yaml

// Kind is what a value is. YAML's core schema decides what a scalar without quotes is.
type Kind int

// The kinds of values.
const (
	Null Kind = iota
	Bool
	Int
	Float
	String
	List
	Mapping
)

// Node is a value of a text. An alias is the node of the value that it names, so that several
// places of a tree may hold the same node.
type Node struct {
	Kind Kind

	// Line and Column are where the value begins, from 1 and in characters: behind its anchor,
	// at the first key of a block mapping, at the bracket of a flow value, at the
	// quote of a quoted scalar.
	Line, Column int

	// Value is the text of a scalar without quotes and escapes, "" for others.
	Value string

	// Source is a scalar as the text has it, quotes included: all of its first line.
	Source string

	// Members are those of a mapping in the order written, followed by those that it merges.
	Members []Member

	// Items are the elements of a list.
	Items []*Node

	// Invalid is set if an error was reported for the value itself. It has no content then.
	Invalid bool

	// size is the number of values in the tree below the node, itself included. It is 0 as long
	// as the node is being built, which is how a cycle is found.
	size int

	deferred *deferred // of a value that has not been read; nil otherwise
}

// Member is a key with its value. Keys are scalars.
type Member struct {
	Key   *Node
	Value *Node
}

// Get returns the value of the first member with that key, or nil if there is none.
func (n *Node) Get(key string) *Node {
	for _, m := range n.Members {
		if m.Key.Value == key {
			return m.Value
		}
	}
	return nil
}

// IsNumber reports whether n is an integer or another number.
func (n *Node) IsNumber() bool { return n.Kind == Int || n.Kind == Float }

// IsScalar reports whether n is neither a list nor a mapping.
func (n *Node) IsScalar() bool { return n.Kind < List }
