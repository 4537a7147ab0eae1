package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gatehouse-graphql/gatehouse/codegen"
)

func ejectCommand(project *codegen.Project) *cobra.Command {
	return &cobra.Command{
		Use:   "eject Type.field",
		Short: "Make a bound field one that is answered by hand",
		Long: "Make a bound field one that is answered by hand: its method moves from\n" +
			"resolvers/connect.gen.go into a file of yours, and its @connect leaves the schema.\n" +
			"The field answers as before. When something goes wrong, every file stays as it was.",
		Example: "  gatehouse eject Order.customer",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := project.Eject(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is answered by hand now, in %s\n", args[0], file)
			return nil
		},
	}
}
