package main

import (
	"context"
	"os"
)

// logOutput receives progress and warnings; the report goes to standard output.
var logOutput = os.Stderr

// scenario is one thing that the laboratory shows.
type scenario struct {
	name string
	play func(context.Context, *lab) error
}

// scenarios are all of them, in the order in which they are played.
var scenarios = []scenario{
	{"one-bad", oneBad},
	{"one-client", oneClient},
	{"errors-everywhere", errorsEverywhere},
	{"modes", everyMode},
	{"tls", everyTLSMode},
	{"mutations", mutations},
	{"healing", healing},
	{"all-down", allDown},
	{"overload", overload},
	{"disconnect", disconnect},
	{"hanging", hanging},
	{"isolation", isolation},
	{"policies", policies},
	{"weights", weights},
	{"ring-hash", ringHash},
	{"dns", dnsChange},
	{"reload", reload},
	{"soak", soak},
}

func scenarioNames() (names []string) {
	for _, s := range scenarios {
		names = append(names, s.name)
	}
	return names
}
