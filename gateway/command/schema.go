package command

import (
	"io"

	"github.com/spf13/cobra"
)

func newSchema(p Program, s environment) *cobra.Command {
	c := &cobra.Command{
		Use:   "schema",
		Short: "Print the schema that clients see",
		Args:  noArguments,
		RunE:  func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(&cobra.Command{
		Use:   "print",
		Short: "Print the SDL of the schema that clients see",
		Long: `Prints the SDL of the schema that clients see, sorted by the names of types: for the code
generators of clients, for registries, and to see in a diff what a change publishes. It has no
binding, no guard and nothing else of the gateway's own. It needs no settings, no secrets and no
services. The same text is at /schema.graphql where introspection is on.`,
		Example: "  " + p.Name + " schema print > schema.graphql",
		Args:    noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(s.out, p.Graph.SDL())
			return err
		},
	})
	return c
}
