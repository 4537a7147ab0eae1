package front

import "github.com/gatehouse-graphql/gatehouse/gateway/front/execute"

// rules returns the rules that decide about operations, in their order: those that count what they let
// pass come after those that do not.
func (f *Front) rules(Options) []execute.Rule { return nil }
