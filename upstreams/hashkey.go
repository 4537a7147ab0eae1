package upstreams

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/engine"
	"github.com/gatehouse-graphql/gatehouse/upstreams/balance"
	"github.com/gatehouse-graphql/gatehouse/upstreams/rest"
)

// hashKey is what calls are balanced by, a template of balance.key: a variable alone, or text with
// variables in braces, as bindings write it.
//
//	$claims.sub
//	{$claims.tenant}/{$args.id}
//
// Calls with equal texts go to the same endpoint. Nil is no template.
type hashKey []hashKeyPart

// hashKeyPart is literal text, or a variable.
type hashKeyPart struct {
	literal string
	value   func(context.Context, *rest.Call) any // nil for literal text; returns nil for an absent value
}

const (
	hashKeyExample   = `write one like "$claims.sub"`
	hashKeyVariables = "write $claims.name, $args.name, $request.headers.name or $call.path"
)

// parseHashKey parses a template. "" is no template.
func parseHashKey(text string) (hashKey, error) {
	if text == "" {
		return nil, nil
	}
	if strings.HasPrefix(text, "$") && !strings.ContainsAny(text, "{}") {
		text = "{" + text + "}"
	}
	var key hashKey
	variables := 0
	for text != "" {
		open := strings.IndexAny(text, "{}")
		if open < 0 {
			open = len(text)
		}
		if open > 0 {
			key = append(key, hashKeyPart{literal: text[:open]})
			text = text[open:]
			continue
		}
		name, rest, closed := strings.Cut(text[1:], "}")
		switch {
		case text[0] == '}':
			return nil, fmt.Errorf("%q is a } without its {", text)
		case !closed:
			return nil, fmt.Errorf("%q is a { without its }", text)
		}
		value, err := parseHashKeyVariable(name)
		if err != nil {
			return nil, err
		}
		key = append(key, hashKeyPart{value: value})
		variables++
		text = rest
	}
	if variables == 0 {
		return nil, errors.New("has no variable, so that all calls would go to one endpoint: " + hashKeyExample)
	}
	return key, nil
}

var argumentName = regexp.MustCompile(`^[_A-Za-z][_0-9A-Za-z]*$`)

// parseHashKeyVariable returns the function that evaluates a variable.
func parseHashKeyVariable(name string) (func(context.Context, *rest.Call) any, error) {
	scope, path, _ := strings.Cut(name, ".")
	switch scope {
	case "$claims":
		if path == "" || strings.Trim(path, ".") != path {
			return nil, fmt.Errorf("%q names no claim: %s", name, hashKeyExample)
		}
		return func(ctx context.Context, _ *rest.Call) any { return auth.Claim(ctx, path) }, nil
	case "$args":
		names := strings.Split(path, ".")
		for _, n := range names {
			if !argumentName.MatchString(n) {
				return nil, fmt.Errorf(`%q names no argument: write one like "$args.id" or "$args.input.id"`, name)
			}
		}
		return func(ctx context.Context, _ *rest.Call) any { return engine.FieldArgument(ctx, names...) }, nil
	case "$request":
		header, ok := strings.CutPrefix(path, "headers.")
		if !ok {
			return nil, fmt.Errorf(`%q is not a header: write one like "$request.headers.x-session"`, name)
		}
		if reason := ForwardError(header); reason != "" {
			return nil, fmt.Errorf("%q cannot be used: the header %s", name, reason)
		}
		return func(ctx context.Context, _ *rest.Call) any { return RequestHeader(ctx, header) }, nil
	case "$call":
		if path != "path" {
			return nil, fmt.Errorf("%q is unknown: write $call.path", name)
		}
		return func(_ context.Context, c *rest.Call) any { return c.Path() }, nil
	case "$this", "$batch", "$keys":
		return nil, fmt.Errorf("%q has no value here, since a call may be for several parents: %s", name, hashKeyVariables)
	case "$config", "$env":
		return nil, fmt.Errorf("%q is the same for all calls, so that it tells none apart: %s", name, hashKeyVariables)
	}
	return nil, fmt.Errorf("%q is not a variable: %s", name, hashKeyVariables)
}

// of returns the hash for a call that the field in ctx makes. It reports false if a value is absent or
// empty, or is a list or an object. The call may then go to any endpoint.
func (k hashKey) of(ctx context.Context, c *rest.Call) (hash uint64, ok bool) {
	if len(k) == 1 {
		text, ok := hashKeyText(k[0].value(ctx, c))
		return balance.HashKey(text), ok
	}
	var b strings.Builder
	for _, part := range k {
		text := part.literal
		if part.value != nil {
			value, ok := hashKeyText(part.value(ctx, c))
			if !ok {
				return 0, false
			}
			text = strconv.Quote(value) // so that a/b and c differ from a and b/c
		}
		b.WriteString(text)
	}
	return balance.HashKey(b.String()), true
}

// hashKeyText returns a value as text, and whether it has one.
func hashKeyText(v any) (text string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case string:
		return v, v != ""
	case json.Number:
		return v.String(), true
	}
	switch reflect.TypeOf(v).Kind() {
	case reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64, reflect.Float64:
		return fmt.Sprint(v), true
	}
	return "", false
}

// keyed returns the call with the hash that the source balances it by. It returns c if the source has
// no key, or the call no value for it.
func (s *source) keyed(ctx context.Context, c *rest.Call) *rest.Call {
	if s.key == nil || c.HasHashKey() {
		return c
	}
	if hash, ok := s.key.of(ctx, c); ok {
		return c.WithHashKey(hash)
	}
	return c
}
