package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/benchmarks/faults/faulty"
)

// serve starts the services alone, and a listener that controls them, until ctx ends.
func serve(ctx context.Context, args []string) error {
	set := flag.NewFlagSet("faults serve", flag.ExitOnError)
	control := set.String("control", "127.0.0.1:9900", "the `address` by which the services are controlled")
	if err := set.Parse(args); err != nil {
		return err
	}
	s := &setup{}
	defer s.stop()
	if err := s.startServices(plan{replicas: replicas}); err != nil {
		return err
	}
	servers := map[string]*faulty.Server{"orders": s.orders}
	for i := range replicas {
		servers[fmt.Sprint("users-", i)], servers[fmt.Sprint("products-", i)] = s.users[i], s.products[i]
	}
	listener, err := net.Listen("tcp", *control)
	if err != nil {
		return err
	}
	fmt.Printf("users     %s\nproducts  %s\norders    %s\n", strings.Join(urls(s.users), " "), strings.Join(urls(s.products), " "), s.orders.URL())
	fmt.Printf("\nhttp://%s has their faults and counts; for example:\n  curl -X PUT http://%[1]s/products-0 -d '{\"mode\": \"500\"}'\n", listener.Addr())
	server := &http.Server{Handler: faulty.Control(servers)}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
