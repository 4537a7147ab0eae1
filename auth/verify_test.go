package auth_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

func TestEveryAlgorithmIsAccepted(t *testing.T) {
	for name, s := range signers() {
		for _, alg := range s.algorithms {
			t.Run(name+"/"+alg, func(t *testing.T) {
				caller := wantAccepted(t, accepting(t, s), s.token(alg, goodClaims()))
				if caller.Subject != "u1" || !caller.HasScope("orders:read") {
					t.Errorf("got %#v with %v", caller, caller.Scopes)
				}
			})
		}
	}
}

// forgery makes a token that must not be accepted. It is tried with every algorithm.
type forgery struct {
	name string
	make func(s signer, alg string) string
	text string // the message for the client; "" means "the token is not valid"
}

func claiming(changes object) func(signer, string) string {
	return func(s signer, alg string) string { return s.token(alg, goodClaims().with(changes)) }
}

func heading(changes object) func(signer, string) string {
	return func(s signer, alg string) string {
		return sign(object{"alg": alg}.with(changes), goodClaims(), alg, s.private)
	}
}

// writing signs the payload unchanged.
func writing(payload string) func(signer, string) string {
	return func(s signer, alg string) string { return s.token(alg, payload) }
}

// spelling changes the three parts of a valid token.
func spelling(change func(parts []string)) func(signer, string) string {
	return func(s signer, alg string) string {
		parts := strings.Split(s.token(alg, goodClaims()), ".")
		change(parts)
		return strings.Join(parts, ".")
	}
}

// payload returns the valid claims as JSON, with additional members at the end.
func payload(more string) string {
	text, _ := json.Marshal(goodClaims())
	return strings.TrimSuffix(string(text), "}") + more
}

const msgAudience = "the token is not meant for this gateway"

func forgeries() []forgery {
	const expired, early = "the token has expired", "the token is not valid yet"
	now := time.Now().Unix()
	return []forgery{
		{"expired", claiming(object{"exp": now - 31}), expired},
		{"expired long ago", claiming(object{"exp": 1}), expired},
		{"exp zero", claiming(object{"exp": 0}), expired},
		{"no exp", claiming(object{"exp": nil}), ""},
		{"exp null", writing(strings.Replace(payload("}"), `"exp":`, `"exp":null,"was":`, 1)), ""},
		{"exp a text", claiming(object{"exp": "9999999999"}), ""},
		{"exp a list", claiming(object{"exp": []int{1}}), ""},
		{"exp in milliseconds", claiming(object{"exp": now * 1000}), ""},
		{"exp beyond int64", claiming(object{"exp": json.Number("9223372036854775808")}), ""},
		{"exp beyond float64", claiming(object{"exp": json.Number("1e400")}), ""},
		{"exp negative", claiming(object{"exp": -1}), ""},
		{"expired and for another", claiming(object{"exp": 1, "aud": "bank"}), expired},
		{"nbf ahead", claiming(object{"nbf": now + 60}), early},
		{"iat ahead", claiming(object{"iat": now + 60}), early},
		{"iat a text", claiming(object{"iat": "0"}), ""},
		{"iat beyond float64", claiming(object{"iat": json.Number("1e400")}), ""},
		{"nbf a text", claiming(object{"nbf": "0"}), ""},
		{"nbf beyond float64", claiming(object{"nbf": json.Number("1e400")}), ""},
		{"another audience", claiming(object{"aud": "bank"}), msgAudience},
		{"other audiences", claiming(object{"aud": []string{"bank", "Shop"}}), msgAudience},
		{"no audience", claiming(object{"aud": nil}), ""},
		{"empty audience", claiming(object{"aud": ""}), ""},
		{"no audiences", claiming(object{"aud": []string{}}), ""},
		{"audience an object", claiming(object{"aud": object{audience: true}}), ""},
		{"audience with a number", claiming(object{"aud": []any{audience, 1}}), ""},
		{"another issuer", claiming(object{"iss": "https://evil.example"}), ""},
		{"issuer with a slash", claiming(object{"iss": issuerName + "/"}), ""},
		{"no issuer", claiming(object{"iss": nil}), ""},
		{"issuer in a list", claiming(object{"iss": []string{issuerName}}), ""},
		{"subject a number", claiming(object{"sub": 1}), ""},
		{"a claim twice", writing(payload(`,"sub":"admin"}`)), ""},
		{"a claim twice deep down", writing(payload(`,"a":[{"b":1,"b":2}]}`)), ""},
		{"more after the payload", writing(payload("}") + "{}"), ""},
		{"payload cut short", writing(payload("")), ""},
		{"payload a list", writing(`[1]`), ""},
		{"payload null", writing(`null`), ""},
		{"payload a text", writing(`"x"`), ""},
		{"payload empty", writing(``), ""},
		{"payload no UTF-8", writing(payload(",\"x\":\"\xff\"}")), ""},
		{"payload deep", writing(strings.Repeat("[", 2500) + strings.Repeat("]", 2500)), ""},

		{"none", unsigned("none"), ""},
		{"None", unsigned("None"), ""},
		{"NONE", unsigned("NONE"), ""},
		{"alg empty", unsigned(""), ""},
		{"alg lower case", func(s signer, alg string) string {
			return sign(object{"alg": strings.ToLower(alg)}, goodClaims(), alg, s.private)
		}, ""},
		{"alg missing", heading(object{"alg": nil}), ""},
		{"alg a number", heading(object{"alg": 1}), ""},
		{"alg a list", heading(object{"alg": []string{"HS256"}}), ""},
		{"crit", heading(object{"crit": []string{"exp"}}), ""},
		{"crit empty", heading(object{"crit": []string{}}), ""},
		{"crit with b64", heading(object{"crit": []string{"b64"}, "b64": false}), ""},
		{"kid a number", heading(object{"kid": 1}), ""},
		{"kid an object", heading(object{"kid": object{}}), ""},
		{"alg twice", func(s signer, alg string) string {
			return sign(`{"alg":"none","alg":"`+alg+`"}`, goodClaims(), alg, s.private)
		}, ""},
		{"header a list", func(s signer, alg string) string { return sign(`[]`, goodClaims(), alg, s.private) }, ""},

		{"tampered payload", spelling(func(p []string) { p[1] = part(goodClaims().with(object{"sub": "admin"})) }), ""},
		{"tampered header", spelling(func(p []string) { p[0] = part(object{"alg": "HS256", "kid": "x"}) }), ""},
		{"tampered signature", spelling(func(p []string) { p[2] = flip(p[2]) }), ""},
		{"no signature", spelling(func(p []string) { p[2] = "" }), ""},
		{"half a signature", spelling(func(p []string) { p[2] = p[2][:len(p[2])/8*4] }), ""},
		{"all zero", spelling(func(p []string) { p[2] = strings.Repeat("A", len(p[2])) }), ""},
		{"signature twice", spelling(func(p []string) { p[2] += p[2] }), ""},
		{"padding", spelling(func(p []string) { p[1] += strings.Repeat("=", 4-len(p[1])%4) }), ""},
		{"standard alphabet", spelling(func(p []string) { p[2] = "+/" + p[2][2:] }), ""},
		{"line break inside", spelling(func(p []string) { p[2] = p[2][:4] + "\n" + p[2][4:] }), ""},
		{"carriage return at the end", spelling(func(p []string) { p[2] += "\r" }), ""},
		{"line break before", spelling(func(p []string) { p[0] = "\n" + p[0] }), ""},
		{"NUL", spelling(func(p []string) { p[2] += "\x00" }), ""},
		{"four parts", spelling(func(p []string) { p[2] += ".x" }), ""},
		{"dot at the end", spelling(func(p []string) { p[2] += "." }), ""},
		{"dot at the start", spelling(func(p []string) { p[0] = "." + p[0] }), ""},
		{"five parts", spelling(func(p []string) { p[2] += "." + p[1] + "." + p[2] }), ""},
		{"two parts", spelling(func(p []string) { p[1], p[2] = p[1]+p[2], "" }), ""},
		{"too long", claiming(object{"x": strings.Repeat("x", 8192)}), "the token is too long"},
		{"a million dots", spelling(func(p []string) { p[2] = strings.Repeat(".", 1<<20) }), "the token is too long"},
	}
}

func unsigned(alg string) func(signer, string) string {
	return func(signer, string) string { return part(object{"alg": alg}) + "." + part(goodClaims()) + "." }
}

// flip changes the first letter of a part.
func flip(part string) string {
	if part[0] == 'A' {
		return "B" + part[1:]
	}
	return "A" + part[1:]
}

func TestForgedTokensAreRefused(t *testing.T) {
	for name, s := range signers() {
		v := accepting(t, s)
		for _, alg := range s.algorithms {
			for _, f := range forgeries() {
				t.Run(name+"/"+alg+"/"+f.name, func(t *testing.T) {
					token := f.make(s, alg)
					refused := wantRefused(t, v, "Bearer "+token, fault.Unauthenticated)
					want := f.text
					if want == "" {
						want = "the token is not valid"
					}
					if refused.Message != want {
						t.Errorf("the client reads %q, want %q (%v)", refused.Message, want, refused)
					}
					wantNoLeak(t, refused, token)
				})
			}
		}
	}
}

// wantNoLeak fails if any part of the token occurs in what a log would show.
func wantNoLeak(t *testing.T, refused *fault.Error, token string) {
	t.Helper()
	if refused.Cause == nil {
		t.Error("no cause for the log")
	}
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 16 && strings.Contains(refused.Error(), part[:16]) {
			t.Errorf("%q shows the token", refused)
		}
	}
}

// A key verifies signatures by its own algorithms only, whatever the token says.
func TestKeysAreNotConfused(t *testing.T) {
	for name, s := range signers() {
		v := accepting(t, s)
		for other, forger := range signers() {
			for _, alg := range forger.algorithms {
				if name == other {
					continue
				}
				t.Run(name+" by "+alg, func(t *testing.T) {
					wantRefused(t, v, "Bearer "+forger.token(alg, goodClaims()), fault.Unauthenticated)
				})
			}
		}
	}
}

// Algorithm confusion (RFC 8725, 2.1): a token signed with the public key as HMAC secret.
func TestAlgorithmConfusion(t *testing.T) {
	for name, s := range signers() {
		if s.public == nil {
			continue
		}
		text := publicPEM(s.public)
		for _, spelling := range []string{text, strings.TrimSpace(text), strings.ReplaceAll(text, "\n", "")} {
			for _, alg := range []string{"HS256", "HS384", "HS512"} {
				forger := signer{private: []byte(spelling)}
				t.Run(name+"/"+alg, func(t *testing.T) {
					wantRefused(t, accepting(t, s), "Bearer "+forger.token(alg, goodClaims()), fault.Unauthenticated)
				})
			}
		}
	}
}

// An algorithm that fits the key is accepted only when it is listed.
func TestAlgorithmOutsideTheList(t *testing.T) {
	for name, s := range signers() {
		if len(s.algorithms) == 1 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			i := s.issuer(t)
			i.Algorithms = s.algorithms[:1]
			v := newVerifier(t, auth.Options{Issuers: []auth.Issuer{i}})
			wantAccepted(t, v, s.token(s.algorithms[0], goodClaims()))
			for _, alg := range s.algorithms[1:] {
				wantRefused(t, v, "Bearer "+s.token(alg, goodClaims()), fault.Unauthenticated)
			}
		})
	}
}

// Keys in the token's own header are ignored.
func TestKeysInHeaderAreIgnored(t *testing.T) {
	forger := otherRSA()
	header := object{
		"alg": "RS256", "kid": "mine", "jku": "http://127.0.0.1:1/keys", "x5u": "http://127.0.0.1:1/cert",
		"jwk": object{"kty": "RSA", "e": "AQAB", "n": base64.RawURLEncoding.EncodeToString(forger.public.(*rsa.PublicKey).N.Bytes())},
	}
	token := sign(header, goodClaims(), "RS256", forger.private)
	wantRefused(t, accepting(t, signers()["RSA"]), "Bearer "+token, fault.Unauthenticated)
}

func TestSaltIsAsLongAsTheHash(t *testing.T) {
	s := signers()["RSA"]
	v := accepting(t, s)
	for _, salt := range []int{0, 20, 31, 33, 64} {
		signed := part(object{"alg": "PS256"}) + "." + part(goodClaims())
		sum := sha256.Sum256([]byte(signed))
		signature := must(rsa.SignPSS(rand.Reader, s.private.(*rsa.PrivateKey), crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: salt}))
		token := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
		wantRefused(t, v, "Bearer "+token, fault.Unauthenticated)
	}
}

// Each token has one encoding: the unused bits of the last character are zero.
func TestStrayBitsAreRefused(t *testing.T) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	s := signers()["HMAC"]
	v := accepting(t, s)
	token := s.token("HS256", goodClaims()) // 32 bytes of signature: two bits are left
	last := strings.IndexByte(alphabet, token[len(token)-1])
	for bits := 1; bits < 4; bits++ {
		loose := token[:len(token)-1] + string(alphabet[last|bits])
		wantRefused(t, v, "Bearer "+loose, fault.Unauthenticated)
	}
	wantAccepted(t, v, token)
}

func TestHeader(t *testing.T) {
	s := signers()["HMAC"]
	v := accepting(t, s)
	token := s.token("HS256", goodClaims())
	if caller, err := v.Verify(t.Context(), ""); caller != nil || err != nil {
		t.Errorf("without a header: %v, %v", caller, err)
	}
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER ", "Bearer  "} {
		if _, err := v.Verify(t.Context(), scheme+token); err != nil {
			t.Errorf("%q: %v", scheme, err)
		}
	}
	refused := []string{
		" ", "Bearer", "Bearer ", token, "Basic " + token, "Token " + token, "Bearer:" + token, "Bearer\t" + token,
		" Bearer " + token, "Bearer " + token + " " + token, "Bearer " + token + ", Bearer " + token,
		"Bearer Bearer " + token, "Bearer " + token + "\t", "Bearer\u00a0" + token, "Bearer x," + token,
	}
	for _, header := range refused {
		got := wantRefused(t, v, header, fault.Unauthenticated)
		if got.Message != "the Authorization header must hold one bearer token" {
			t.Errorf("%q: the client reads %q", header, got.Message)
		}
	}
}

func TestWithoutIssuers(t *testing.T) {
	v := newVerifier(t, auth.Options{})
	if caller, err := v.Verify(t.Context(), ""); caller != nil || err != nil {
		t.Errorf("without a header: %v, %v", caller, err)
	}
	for _, header := range []string{"Bearer " + signers()["HMAC"].token("HS256", goodClaims()), "Bearer " + unsigned("none")(signer{}, ""), "x"} {
		wantRefused(t, v, header, fault.Unauthenticated)
	}
}

// The tokens of each issuer are verified by its own key, audiences and algorithms.
func TestSeveralIssuers(t *testing.T) {
	shared, public := signers()["HMAC"], signers()["RSA"]
	second := public.issuer(t)
	second.Issuer, second.Audiences = "https://second.example", []string{"bank"}
	v := newVerifier(t, auth.Options{Issuers: []auth.Issuer{shared.issuer(t), second}})
	of := object{"iss": second.Issuer, "aud": "bank"}

	wantAccepted(t, v, shared.token("HS256", goodClaims()))
	wantAccepted(t, v, public.token("RS256", goodClaims().with(of)))
	wantRefused(t, v, "Bearer "+shared.token("HS256", goodClaims().with(of)), fault.Unauthenticated)
	wantRefused(t, v, "Bearer "+public.token("RS256", goodClaims()), fault.Unauthenticated)
	wantRefused(t, v, "Bearer "+public.token("RS256", goodClaims().with(object{"iss": second.Issuer})), fault.Unauthenticated)
	wantRefused(t, v, "Bearer "+shared.token("HS256", goodClaims().with(object{"aud": "bank"})), fault.Unauthenticated)
}

func TestLeeway(t *testing.T) {
	tests := []struct {
		name    string
		leeway  time.Duration
		claim   string
		offset  int64 // of the claim from now, in seconds
		accepts bool
	}{
		{"just expired", 0, "exp", -29, true},
		{"expired", 0, "exp", -30, false},
		{"almost valid", 0, "nbf", 30, true},
		{"not valid yet", 0, "nbf", 31, false},
		{"longer, just expired", time.Minute, "exp", -59, true},
		{"longer, expired", time.Minute, "exp", -60, false},
		{"none, not expired", -1, "exp", 1, true},
		{"none, expired", -1, "exp", 0, false},
		{"issued just now", 0, "iat", 30, true},
		{"issued in the future", 0, "iat", 31, false},
		{"none, issued in the future", -1, "iat", 1, false},
		{"none, valid", -1, "nbf", 0, true},
		{"none, not valid yet", -1, "nbf", 1, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := signers()["HMAC"]
				v := newVerifier(t, auth.Options{Issuers: []auth.Issuer{s.issuer(t)}, Leeway: test.leeway})
				claims := goodClaims().with(object{test.claim: time.Now().Unix() + test.offset})
				_, err := v.Verify(t.Context(), "Bearer "+s.token("HS256", claims))
				if accepted := err == nil; accepted != test.accepts {
					t.Errorf("accepted %v, want %v (%v)", accepted, test.accepts, err)
				}
			})
		})
	}
}

func TestTokenExpiresWhileInUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := signers()["HMAC"]
		v := accepting(t, s)
		token := s.token("HS256", goodClaims()) // valid for an hour
		time.Sleep(time.Hour + 29*time.Second)
		wantAccepted(t, v, token)
		time.Sleep(time.Second)
		if got := wantRefused(t, v, "Bearer "+token, fault.Unauthenticated); got.Message != "the token has expired" {
			t.Errorf("the client reads %q", got.Message)
		}
	})
}

func TestMaxTokenLength(t *testing.T) {
	s := signers()["HMAC"]
	token := s.token("HS256", goodClaims())
	at := func(length int) *auth.Verifier {
		return newVerifier(t, auth.Options{Issuers: []auth.Issuer{s.issuer(t)}, MaxTokenLength: length})
	}
	wantAccepted(t, at(len(token)), token)
	wantRefused(t, at(len(token)-1), "Bearer "+token, fault.Unauthenticated)
}

func TestIdentityOfClaims(t *testing.T) {
	tests := []struct {
		name       string
		rolesClaim string
		claims     object
		want       auth.Identity
	}{
		{"scope as a text", "", object{"scope": "a  b a "}, auth.Identity{Scopes: []string{"a", "b"}}},
		{"scope as a list", "", object{"scope": []string{"a", "b"}}, auth.Identity{Scopes: []string{"a", "b"}}},
		{"scp as a text", "", object{"scp": "a b"}, auth.Identity{Scopes: []string{"a", "b"}}},
		{"scp as a list", "", object{"scp": []string{"b", "a"}}, auth.Identity{Scopes: []string{"b", "a"}}},
		{"scope before scp", "", object{"scope": "a", "scp": "b"}, auth.Identity{Scopes: []string{"a"}}},
		{"an empty scope", "", object{"scope": "", "scp": "b"}, auth.Identity{}},
		{"scope of no kind", "", object{"scope": object{"a": true}}, auth.Identity{}},
		{"not all texts", "", object{"scope": []any{"a", 1, nil, "", []string{"b"}}}, auth.Identity{Scopes: []string{"a"}}},
		{"only spaces part", "", object{"scope": "a\tb\u00a0c"}, auth.Identity{Scopes: []string{"a\tb\u00a0c"}}},
		{"one role", "", object{"roles": "shop admin"}, auth.Identity{Roles: []string{"shop admin"}}},
		{"roles", "", object{"roles": []string{"admin", "clerk", "admin"}}, auth.Identity{Roles: []string{"admin", "clerk"}}},
		{"roles deep down", "realm_access.roles", object{"realm_access": object{"roles": []string{"admin"}}}, auth.Identity{Roles: []string{"admin"}}},
		{"a name with dots", "https://shop.example/roles", object{"https://shop.example/roles": []string{"admin"}}, auth.Identity{Roles: []string{"admin"}}},
		{"roles elsewhere", "groups", object{"roles": "admin"}, auth.Identity{}},
		{"roles of no kind", "", object{"roles": object{"admin": true}}, auth.Identity{}},
		{"a path through a text", "sub.roles", object{"sub": "u1"}, auth.Identity{Subject: "u1"}},
	}
	s := signers()["HMAC"]
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			v := newVerifier(t, auth.Options{Issuers: []auth.Issuer{s.issuer(t)}, RolesClaim: test.rolesClaim})
			claims := goodClaims().with(object{"sub": nil, "scope": nil}).with(test.claims)
			got := *wantAccepted(t, v, s.token("HS256", claims))
			got.Claims = nil
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreUnexported(auth.Identity{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Numbers are kept as they were written, so that long ids keep their digits.
func TestClaimsKeepTheirNumbers(t *testing.T) {
	s := signers()["HMAC"]
	caller := wantAccepted(t, accepting(t, s), s.token("HS256", payload(`,"account":9007199254740993,"x":{"y":null}}`)))
	if got, _ := caller.Claim("account"); got != json.Number("9007199254740993") {
		t.Errorf("got %v", got)
	}
	if got, ok := caller.Claim("x.y"); got != nil || !ok {
		t.Errorf("a null claim: %v, %v", got, ok)
	}
	if got, ok := caller.Claim("x.z"); got != nil || ok {
		t.Errorf("a missing claim: %v, %v", got, ok)
	}
}

func TestVerifyIsSafeForConcurrentUse(t *testing.T) {
	s := signers()["P256"]
	v := accepting(t, s)
	var callers sync.WaitGroup
	for at := range 16 {
		callers.Go(func() {
			subject := fmt.Sprint("u", at)
			caller, err := v.Verify(t.Context(), "Bearer "+s.token("ES256", goodClaims().with(object{"sub": subject})))
			if err != nil || caller.Subject != subject {
				t.Errorf("%s became %v, %v", subject, caller, err)
			}
		})
	}
	callers.Wait()
}
