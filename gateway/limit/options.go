package limit

// What is allowed when nothing is said.
const (
	DefaultTokens     = 2_000
	DefaultDepth      = 15
	DefaultAliases    = 100
	DefaultRootFields = 30
	DefaultDirectives = 50
	DefaultSelections = 10_000
)

// What no setting can lift, because something below would break without it.
const (
	// maxNesting bounds how deep brackets, and fragments within fragments, may nest.
	// Parser and validator recurse as deep as that, and a Go stack that overflows
	// takes the whole process with it.
	maxNesting = 500

	// maxName bounds one name, in bytes. Validation compares an unknown name with
	// every known one to suggest a better one, which costs length times length.
	maxName = 256

	// introspectionDepth is how deep the fields under __schema and __type may nest.
	// The introspection query of graphql-js needs 15.
	introspectionDepth = 20
)

// Options are the limits of one operation. In each, 0 is the default and a
// negative number lifts the limit.
type Options struct {
	// Tokens is how many tokens a document may have, comments included. Default 2,000.
	Tokens int `yaml:"tokens"`

	// Depth is how deep fields may nest; `{a{b}}` is two deep. What introspection asks
	// below __schema and __type is bounded on its own. Default 15.
	Depth int `yaml:"depth"`

	// Aliases is how many fields of an operation may be renamed. Default 100.
	Aliases int `yaml:"aliases"`

	// RootFields is how many different fields an operation may ask of the root;
	// a field asked for twice under one name is one. Default 30.
	RootFields int `yaml:"rootFields"`

	// Directives is how many directives a document may apply. Default 50.
	Directives int `yaml:"directives"`

	// Selections is how many fields and fragments a document may select, where a
	// fragment counts each time it is used. Default 10,000.
	Selections int `yaml:"selections"`
}

// withDefaults fills in what was left at zero.
func (o Options) withDefaults() Options {
	for _, setting := range []struct {
		value    *int
		standard int
	}{
		{&o.Tokens, DefaultTokens},
		{&o.Depth, DefaultDepth},
		{&o.Aliases, DefaultAliases},
		{&o.RootFields, DefaultRootFields},
		{&o.Directives, DefaultDirectives},
		{&o.Selections, DefaultSelections},
	} {
		if *setting.value == 0 {
			*setting.value = setting.standard
		}
	}
	return o
}

// over tells whether count breaks a limit; a negative limit is never broken.
func over(count, limit int) bool { return limit >= 0 && count > limit }
