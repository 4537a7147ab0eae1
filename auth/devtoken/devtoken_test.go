package devtoken_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"github.com/gatehouse-graphql/gatehouse/auth/devtoken"
)

var secret = []byte("a secret of thirty-two bytes, ok")

func parse(t *testing.T, token string) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims{}
	_, err := jwt.ParseWithClaims(token, claims, func(*jwt.Token) (any, error) { return secret, nil },
		jwt.WithValidMethods([]string{"HS256"}), jwt.WithoutClaimsValidation())
	if err != nil {
		t.Fatalf("the token does not verify: %v", err)
	}
	return claims
}

func TestSign(t *testing.T) {
	full := devtoken.Claims{
		Issuer: "gatehouse-demo", Audience: "shop", Subject: "u1",
		Scope: "users:read orders:read", Roles: []string{"admin"}, TTL: 5 * time.Minute,
	}
	// The bubble's clock starts at this second.
	start := float64(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).Unix())
	tests := []struct {
		name   string
		claims devtoken.Claims
		want   jwt.MapClaims
	}{
		{"everything", full, jwt.MapClaims{
			"iss": "gatehouse-demo", "aud": "shop", "sub": "u1", "scope": "users:read orders:read",
			"roles": []any{"admin"}, "iat": start, "exp": start + 300,
		}},
		{"nothing", devtoken.Claims{}, jwt.MapClaims{"iat": start, "exp": start + 3600}},
		{"expired", devtoken.Claims{TTL: -time.Minute}, jwt.MapClaims{"iat": start, "exp": start - 60}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				token, err := devtoken.Sign(secret, test.claims)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(test.want, parse(t, token)); diff != "" {
					t.Errorf("claims differ (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestSignRefusesAShortSecret(t *testing.T) {
	_, err := devtoken.Sign(secret[:31], devtoken.Claims{})
	if err == nil || !strings.Contains(err.Error(), "31 bytes, it needs at least 32") {
		t.Errorf("got %v, want a word on the length", err)
	}
}

func Example() {
	token, err := devtoken.Sign([]byte("a secret of thirty-two bytes, ok"),
		devtoken.Claims{Issuer: "gatehouse-demo", Audience: "shop", Subject: "u1", Scope: "users:read"})
	fmt.Println(strings.Count(token, "."), err)
	// Output: 2 <nil>
}
