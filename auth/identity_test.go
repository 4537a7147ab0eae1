package auth_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/auth"
)

// holder has an Identity in an unexported field, where fmt cannot call its methods.
type holder struct {
	value   auth.Identity
	pointer *auth.Identity
}

func TestIdentityNeverShowsItsToken(t *testing.T) {
	s := signers()["HMAC"]
	token := s.token("HS256", goodClaims())
	caller := wantAccepted(t, accepting(t, s), token)
	signature := token[strings.LastIndexByte(token, '.')+1:]
	shown := map[string]string{"String": caller.String(), "GoString": caller.GoString(), "error": fmt.Errorf("x: %v", caller).Error()}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t"} {
		shown["pointer "+verb] = fmt.Sprintf(verb, caller)
		shown["value "+verb] = fmt.Sprintf(verb, *caller)
		shown["inside "+verb] = fmt.Sprintf(verb, holder{*caller, caller})
		shown["list "+verb] = fmt.Sprintf(verb, []*auth.Identity{caller})
	}
	for name, value := range map[string]any{"pointer": caller, "value": *caller, "inside": holder{*caller, caller}} {
		shown["JSON "+name] = string(must(json.Marshal(value)))
		shown["log "+name] = logged(func(h slog.HandlerOptions, b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, &h) }, value)
		shown["JSON log "+name] = logged(func(h slog.HandlerOptions, b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, &h) }, value)
	}
	hexadecimal := fmt.Sprintf("%x", signature)
	for name, text := range shown {
		if strings.Contains(text, signature) || strings.Contains(text, hexadecimal) {
			t.Errorf("%s shows the token: %s", name, text)
		}
	}
}

func logged(handler func(slog.HandlerOptions, *bytes.Buffer) slog.Handler, value any) string {
	var b bytes.Buffer
	slog.New(handler(slog.HandlerOptions{}, &b)).Info("x", "caller", value)
	return b.String()
}

func TestIdentityInALog(t *testing.T) {
	text := func(h slog.HandlerOptions, b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, &h) }
	if got := logged(text, &auth.Identity{Subject: "u1"}); !strings.Contains(got, "caller.sub=u1") {
		t.Errorf("got %s", got)
	}
	if got := logged(text, (*auth.Identity)(nil)); !strings.Contains(got, "caller=anonymous") {
		t.Errorf("got %s", got)
	}
}

// An anonymous caller is nil, and all methods may be called on it.
func TestAnonymous(t *testing.T) {
	caller := auth.FromContext(t.Context())
	if caller != nil || caller.HasScope("a") || caller.HasRole("a") || caller.String() != "anonymous" {
		t.Errorf("got %v", caller)
	}
	if claim, ok := caller.Claim("sub"); claim != nil || ok {
		t.Errorf("got %v, %v", claim, ok)
	}
	if claim := auth.Claim(t.Context(), "sub"); claim != nil {
		t.Errorf("got %v", claim)
	}
	known := auth.NewContext(t.Context(), &auth.Identity{Subject: "u1"})
	if auth.FromContext(known).Subject != "u1" || auth.FromContext(auth.NewContext(known, nil)) != nil {
		t.Error("With did not replace the caller")
	}
}

func TestHasRole(t *testing.T) {
	caller := &auth.Identity{Roles: []string{"admin"}}
	if !caller.HasRole("admin") || caller.HasRole("Admin") || caller.HasRole("") {
		t.Error("roles are compared letter by letter")
	}
}

func TestClaim(t *testing.T) {
	caller := &auth.Identity{Claims: map[string]any{
		"sub": "u1",
		"a.b": "whole",
		"a":   map[string]any{"b": "part", "c.d": map[string]any{"e": "mixed"}},
		"":    "empty",
	}}
	tests := []struct {
		path  string
		value any
		found bool
	}{
		{"sub", "u1", true},
		{"a.b", "whole", true},
		{"a.c.d.e", "mixed", true},
		{"a.b.c", nil, false},
		{"sub.x", nil, false},
		{"a.", nil, false},
		{".", nil, false},
		{"", "empty", true},
		{"Sub", nil, false},
	}
	for _, test := range tests {
		if value, found := caller.Claim(test.path); value != test.value || found != test.found {
			t.Errorf("%q: got %v, %v", test.path, value, found)
		}
		if value := auth.Claim(auth.NewContext(t.Context(), caller), test.path); value != test.value {
			t.Errorf("%q of the context: got %v", test.path, value)
		}
	}
}
