package limit

// The defaults of Options.
const (
	DefaultTokens     = 2_000
	DefaultDepth      = 15
	DefaultAliases    = 100
	DefaultRootFields = 30
	DefaultDirectives = 50
	DefaultSelections = 10_000
)

// Limits that no option can lift, since the parser or the validator needs them.
const (
	// maxNesting bounds the nesting of brackets, and of fragments within fragments. The parser and
	// the validator recurse that deep, and a Go stack that overflows ends the process.
	maxNesting = 500

	// maxName bounds a name, in bytes. For its suggestions the validator compares an unknown name
	// with all known ones, which takes time in proportion to the product of both lengths.
	maxName = 256

	// introspectionDepth bounds the depth of fields under __schema and __type. The introspection
	// query of graphql-js needs 15.
	introspectionDepth = 20
)

// Options are the limits of one operation. Zero is the default of a limit, and a negative number
// lifts it.
type Options struct {
	// Tokens is the number of tokens in a document, comments included. Default 2,000.
	Tokens int `yaml:"tokens"`

	// Depth is the number of levels of fields: `{a{b}}` has two. Fields below __schema and __type
	// have a limit of their own. Default 15.
	Depth int `yaml:"depth"`

	// Aliases is the number of fields with an alias in an operation. Default 100.
	Aliases int `yaml:"aliases"`

	// RootFields is the number of fields of the root type in an operation. Fields with the same
	// response name count once. Default 30.
	RootFields int `yaml:"rootFields"`

	// Directives is the number of directives that are applied in a document. Default 50.
	Directives int `yaml:"directives"`

	// Selections is the number of fields and fragments that a document selects. The content of a
	// fragment counts at each place where it is spread. Default 10,000.
	Selections int `yaml:"selections"`
}

// withDefaults replaces zeros by the defaults.
func (o Options) withDefaults() Options {
	for _, setting := range []struct {
		value    *int
		fallback int
	}{
		{&o.Tokens, DefaultTokens},
		{&o.Depth, DefaultDepth},
		{&o.Aliases, DefaultAliases},
		{&o.RootFields, DefaultRootFields},
		{&o.Directives, DefaultDirectives},
		{&o.Selections, DefaultSelections},
	} {
		if *setting.value == 0 {
			*setting.value = setting.fallback
		}
	}
	return o
}

// exceeds reports whether count is above a limit. Nothing exceeds a negative limit.
func exceeds(count, limit int) bool { return limit >= 0 && count > limit }
