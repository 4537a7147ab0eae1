package request

import "github.com/gatehouse-graphql/gatehouse/fault"

// The defaults of Limits.
const (
	DefaultVariables      = 200
	DefaultVariablesBytes = 500_000
)

// Limits bound the parameters of a request, whichever transport brings them. Zero is the default of a
// limit, and a negative number lifts it.
type Limits struct {
	// Variables is the number of variables that a request sends. Default 200.
	Variables int `yaml:"variables"`

	// VariablesBytes is the size of the JSON text of the variables. Default 500KB.
	VariablesBytes int64 `yaml:"variablesBytes"`

	// JSONDepth is how deep objects and lists nest in the JSON of a request. Default 500, which cannot be
	// exceeded.
	JSONDepth int `yaml:"jsonDepth"`
}

// depth returns the limit of nesting.
func (l Limits) depth() int {
	if l.JSONDepth <= 0 {
		return maxNesting
	}
	return min(l.JSONDepth, maxNesting)
}

// checkBytes returns an error if the text of the variables is too long. It is called before the text is
// decoded.
func (l Limits) checkBytes(n int) error {
	limit := l.VariablesBytes
	if limit == 0 {
		limit = DefaultVariablesBytes
	}
	if limit > 0 && int64(n) > limit {
		return fault.New(fault.BadRequest, "the request's variables have %d bytes; the limit is %d (limits.variablesBytes)", n, limit)
	}
	return nil
}

// checkCount returns an error if there are too many variables.
func (l Limits) checkCount(variables map[string]any) error {
	limit := l.Variables
	if limit == 0 {
		limit = DefaultVariables
	}
	if limit > 0 && len(variables) > limit {
		return fault.New(fault.BadRequest, "the request has %d variables; the limit is %d (limits.variables)", len(variables), limit)
	}
	return nil
}
