package upstreams

import (
	"errors"
	"fmt"
	"maps"
	"net/textproto"
	"slices"

	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// tracingHeaders are the canonical names of headers that tell a service which trace a request belongs
// to. They have another value in each request and say nothing about its response, so that a service is
// called once for requests that differ in them alone.
//
// Headers in which applications pass values of their own are missing, since a service may respond by
// these: Baggage (https://www.w3.org/TR/baggage/) and Jaeger's Uberctx-*.
var tracingHeaders = addNames(nil, []string{
	// https://www.w3.org/TR/trace-context/
	"traceparent", "tracestate",
	// https://github.com/openzipkin/b3-propagation
	"b3", "X-B3-TraceId", "X-B3-SpanId", "X-B3-ParentSpanId", "X-B3-Sampled", "X-B3-Flags",
	// https://www.jaegertracing.io/sdk-migration/#propagation-format
	"uber-trace-id",
	// https://opentelemetry.io/docs/specs/otel/context/api-propagators/ (OT Trace)
	"ot-tracer-traceid", "ot-tracer-spanid", "ot-tracer-sampled",
	// https://cloud.google.com/trace/docs/trace-context
	"X-Cloud-Trace-Context",
	// https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html
	"X-Amzn-Trace-Id",
	// https://docs.datadoghq.com/tracing/trace_collection/trace_context_propagation/
	"X-Datadog-Trace-Id", "X-Datadog-Parent-Id", "X-Datadog-Sampling-Priority", "X-Datadog-Origin", "X-Datadog-Tags",
	// https://develop.sentry.dev/sdk/telemetry/traces/
	"sentry-trace",
	// https://docs.newrelic.com/docs/distributed-tracing/concepts/how-new-relic-distributed-tracing-works/
	"newrelic",
	// https://www.elastic.co/docs/reference/apm/agents/go
	"elastic-apm-traceparent",
})

// noVaryHeaders returns the canonical names of the client's headers that the service receives and on
// which no response of it depends: those for tracing, those that the settings list, and X-Request-Id
// unless the settings forward it, which makes it part of what is compared.
func (o Source) noVaryHeaders() []string {
	var names []string
	forwarded, own := addNames(nil, o.Forward), addNames(nil, o.NoVary)
	for _, name := range forwarded {
		if slices.Contains(tracingHeaders, name) || slices.Contains(own, name) {
			names = append(names, name)
		}
	}
	if !slices.Contains(forwarded, RequestIDHeader) {
		names = append(names, RequestIDHeader)
	}
	return names
}

// noVaryHeaders returns the canonical names of the headers that services are forwarded, and on which no
// response of one that is forwarded them depends.
func (o Options) noVaryHeaders() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(o)) {
		names = addNames(names, o[name].Forward)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		for source := range maps.Values(o) {
			if slices.Contains(addNames(nil, source.Forward), name) && !slices.Contains(source.noVaryHeaders(), name) {
				return true
			}
		}
		return false
	})
}

// validateNoVary returns the mistakes in NoVary. A credential must stay part of what is compared: two
// callers would get one response otherwise.
func (o Source) validateNoVary() error {
	var errs []error
	forwarded := addNames(nil, o.Forward)
	for _, name := range o.NoVary {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !rest.ValidHeaderName(name):
			errs = append(errs, fmt.Errorf("noVary: %q is not a header name", name))
		case isCredential(canonical):
			errs = append(errs, fmt.Errorf("noVary: %q may identify the caller, so that callers would get each other's responses: remove it", name))
		case !slices.Contains(forwarded, canonical):
			errs = append(errs, fmt.Errorf("noVary: %q is not forwarded: list it under forward too, or remove it", name))
		}
	}
	return errors.Join(errs...)
}
