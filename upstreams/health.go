package upstreams

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
)

// probe returns the function that reports whether an endpoint can be connected to. It is nil if
// connections go through a proxy, which says nothing about the endpoint: then a call finds out.
func (o Source) probe() func(context.Context, *balance.Endpoint) error {
	if o.ProxyFromEnvironment {
		return nil
	}
	dialer := &net.Dialer{Timeout: o.ConnectTimeout}
	return func(ctx context.Context, e *balance.Endpoint) error {
		conn, err := dialer.DialContext(ctx, "tcp", dialAddress(e))
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// dialAddress returns the host and port of an endpoint.
func dialAddress(e *balance.Endpoint) string {
	if address := e.Address(); address != "" {
		return address
	}
	u := e.URL()
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
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
