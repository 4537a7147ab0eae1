package upstreams

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
)

// probe returns the function that reports whether an endpoint can be connected to. It is nil if
// connections go through a proxy, which says nothing about the endpoint: then a call finds out.
func (o Source) probe() func(context.Context, *balance.Endpoint) error {
	if o.ProxyFromEnvironment {
		return nil
	}
	return func(ctx context.Context, e *balance.Endpoint) error {
		conn, err := e.Transport().(*transport).dialer.Dial(ctx)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// withBlock returns the errors that err joins, each of which begins with the name of a setting, with
// that of the block before it.
func withBlock(block string, err error) error {
	if err == nil {
		return nil
	}
	var errs []error
	for _, err := range err.(interface{ Unwrap() []error }).Unwrap() {
		errs = append(errs, fmt.Errorf("%s.%w", block, err))
	}
	return errors.Join(errs...)
}
