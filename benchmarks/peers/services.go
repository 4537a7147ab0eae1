package main

import (
	"context"
	"encoding/json"
	"net/http"
	"os"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/internal/proc"
	"github.com/gatehouse-graphql/gatehouse/benchmarks/services"
)

// servicesRole is the argument with which the program runs as the services, in another process.
const servicesRole = "services"

// serveServices serves on an address, with options as JSON.
func serveServices(args []string) error {
	var o services.Options
	if err := json.Unmarshal([]byte(args[1]), &o); err != nil {
		return err
	}
	return http.ListenAndServe(args[0], services.New(o))
}

// backend is the process of the services.
type backend struct{ *proc.Process }

func startServices(ctx context.Context, o services.Options) (*backend, error) {
	address, err := proc.FreeAddress()
	if err != nil {
		return nil, err
	}
	options, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	p, err := startCommand(ctx, "the services", address, []string{os.Args[0], servicesRole, address, string(options)})
	return &backend{p}, err
}

func (b *backend) url() string { return "http://" + b.Address }

// calls returns the number of calls so far.
func (b *backend) calls() (int, error) {
	resp, err := http.Get(b.url() + "/_calls")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var byRoute map[string]int
	if err := json.NewDecoder(resp.Body).Decode(&byRoute); err != nil {
		return 0, err
	}
	sum := 0
	for _, n := range byRoute {
		sum += n
	}
	return sum, nil
}
