package codegen

import "github.com/99designs/gqlgen/codegen/config"

// refusedSettings are the settings of gqlgen that generated code cannot work with, with the reason.
// What else gqlgen.yml says of types is checked by compiling what comes of it.
var refusedSettings = []struct {
	key    string // as gqlgen.yml has it
	isSet  func(*config.Config) bool
	reason string
}{
	{"resolver", func(c *config.Config) bool { return c.Resolver.IsDefined() }, "gatehouse writes the resolvers"},
	{"exec.layout", func(c *config.Config) bool {
		return c.Exec.Layout == config.ExecLayoutFollowSchema || c.Exec.Filename == ""
	}, "graph/ is one package with one file of gqlgen's; name it by exec.filename"},
	{"model", func(c *config.Config) bool { return !c.Model.IsDefined() }, "it is missing; name the file of the models by model.filename"},
	{"model.model_template", func(c *config.Config) bool { return c.Model.ModelTemplate != "" }, "decoders are written for the models as gqlgen writes them"},
	{"federation", func(c *config.Config) bool { return c.Federation.IsDefined() }, "its directives are declared by gatehouse, which is no subgraph"},
	{"omit_slice_element_pointers", func(c *config.Config) bool { return c.OmitSliceElementPointers }, "decoders read lists of pointers"},
	{"struct_fields_always_pointers", func(c *config.Config) bool { return !c.StructFieldsAlwaysPointers }, "decoders read objects as pointers; leave it true"},
	{"resolvers_always_return_pointers", func(c *config.Config) bool { return !c.ResolversAlwaysReturnPointers }, "resolvers give objects as pointers; leave it true"},
	{"autobind_getter_haser", func(c *config.Config) bool { return c.AutobindGetterHaser }, "decoders write the fields of models, which have to be there"},
	{"use_function_syntax_for_execution_context", func(c *config.Config) bool { return c.UseFunctionSyntaxForExecutionContext }, "plans call methods of the executor"},
	{"subscription_context_field", func(c *config.Config) bool { return c.SubscriptionContextField }, "subscriptions give values, not events"},
	{"omit_panic_handler", func(c *config.Config) bool { return c.OmitPanicHandler }, "a panic in one field would end the gateway"},
	{"go_build_tags", func(c *config.Config) bool { return len(c.GoBuildTags) > 0 }, "the code is checked as go build sees it; say it by GOFLAGS=-tags=..."},
}
