package auth_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// A header without a valid signature is refused with a fault, and only an empty one is
// anonymous.
func FuzzVerify(f *testing.F) {
	stranger := signer{private: []byte(strings.Repeat("x", 64))}
	for _, alg := range []string{"HS256", "HS512"} {
		for _, forgery := range forgeries() {
			f.Add("Bearer " + forgery.make(stranger, alg))
		}
		f.Add("Bearer " + stranger.token(alg, goodClaims()))
	}
	f.Add("")
	f.Add("bearer ..")
	v := accepting(f, signers()["HMAC"])
	f.Fuzz(func(t *testing.T, header string) {
		caller, err := v.Verify(t.Context(), header)
		if caller != nil {
			t.Fatalf("%q is accepted: %v", header, caller)
		}
		var refused *fault.Error
		if known := errors.As(err, &refused); known == (header == "") || known && refused.Code != fault.Unauthenticated {
			t.Fatalf("%q: %v", header, err)
		}
	})
}

// A payload with a valid signature is accepted only with valid claims.
func FuzzPayload(f *testing.F) {
	for _, more := range []string{"}", `,"nbf":0}`, `,"exp":1e999}`, `,"scope":["a",{}]}`, `,"roles":{"a":{"b":[]}}}`, `,"aud":[]}`} {
		f.Add(payload(more))
	}
	f.Add(`{"iss":"https://issuer.example","aud":["shop"],"exp":253402300799.5e-0,"roles":"x"}`)
	f.Add(`null`)
	s := signers()["HMAC"]
	v := accepting(f, s)
	f.Fuzz(func(t *testing.T, payload string) {
		caller, err := v.Verify(t.Context(), "Bearer "+s.token("HS256", payload))
		if err != nil {
			if kind := fault.CodeOf(err); caller != nil || kind != fault.Unauthenticated {
				t.Fatalf("%v, %v", caller, err)
			}
			return
		}
		wantSound(t, caller)
	})
}

// wantSound validates the claims by another implementation.
func wantSound(t *testing.T, caller *auth.Identity) {
	t.Helper()
	number, _ := caller.Claims["exp"].(json.Number)
	exp, err := number.Float64()
	if err != nil || exp < float64(time.Now().Add(-time.Minute).Unix()) || exp > 1e12 {
		t.Errorf("exp %v is accepted", caller.Claims["exp"])
	}
	if caller.Claims["iss"] != issuerName {
		t.Errorf("iss %v is accepted", caller.Claims["iss"])
	}
	list, _ := caller.Claims["aud"].([]any)
	list = append(list, caller.Claims["aud"])
	if !slices.ContainsFunc(list, func(aud any) bool { return aud == any(audience) || aud == any("other") }) {
		t.Errorf("aud %v is accepted", caller.Claims["aud"])
	}
}

// Scopes are never empty and never duplicates, and each occurs in the claim.
func FuzzScopes(f *testing.F) {
	for _, claim := range []string{`"a b"`, `" a  a "`, `["a","b c",1,null]`, `[]`, `{}`, `1`, `"\u0000 \t"`} {
		f.Add(claim)
	}
	s := signers()["HMAC"]
	v := accepting(f, s)
	f.Fuzz(func(t *testing.T, claim string) {
		token := s.token("HS256", `{"iss":"`+issuerName+`","aud":"shop","exp":9999999999,"scope":`+claim+`}`)
		caller, err := v.Verify(t.Context(), "Bearer "+token)
		if err != nil {
			return
		}
		_, isText := caller.Claims["scope"].(string)
		for at, scope := range caller.Scopes {
			if scope == "" || slices.Contains(caller.Scopes[:at], scope) || isText && strings.Contains(scope, " ") {
				t.Errorf("%q: got %q", claim, caller.Scopes)
			}
			if !strings.Contains(string(must(json.Marshal(caller.Claims["scope"]))), string(must(json.Marshal(scope)))[1:]) && !isText {
				t.Errorf("%q is not in %s", scope, claim)
			}
		}
	})
}
