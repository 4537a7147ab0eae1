package auth_test

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/MicahParks/jwkset"
	"go.uber.org/goleak"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// jwk returns a public key as a JSON Web Key with additional members.
func (s signer) jwk(members object) object {
	key := must(jwkset.NewJWKFromKey(s.public, jwkset.JWKOptions{}))
	var written object
	if err := json.Unmarshal(must(json.Marshal(key.Marshal())), &written); err != nil {
		panic(err)
	}
	return written.with(object{"alg": nil}).with(members)
}

func keySet(keys ...any) string { return string(must(json.Marshal(object{"keys": keys}))) }

// named returns a token with a key id in its header.
func (s signer) named(kid, alg string, claims any) string {
	return sign(object{"alg": alg, "kid": kid}, claims, alg, s.private)
}

// keyServer is the JWKS endpoint of an issuer. Its response may be changed while it runs.
type keyServer struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	calls  atomic.Int64
}

func newKeyServer(t *testing.T, keys ...any) *keyServer {
	t.Helper()
	s := &keyServer{}
	s.serve(http.StatusOK, keySet(keys...))
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		(*s.answer.Load())(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *keyServer) serve(status int, body string) {
	s.handle(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		w.Write([]byte(body))
	})
}

func (s *keyServer) handle(answer http.HandlerFunc) { s.answer.Store(&answer) }

// remote configures an issuer by URL, for every algorithm with public keys.
func remote(url string) auth.Options {
	return auth.Options{
		Issuers: []auth.Issuer{{
			Issuer: issuerName, Audiences: []string{audience}, JWKS: url,
			Algorithms: []string{"RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"},
		}},
		Log: slog.New(slog.DiscardHandler),
	}
}

// startVerifier returns a verifier whose fetching ends with the test.
func startVerifier(t *testing.T, o auth.Options) *auth.Verifier {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	v, err := auth.NewVerifier(ctx, o)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	t.Cleanup(v.Wait)
	t.Cleanup(stop)
	return v
}

func TestJWKS(t *testing.T) {
	var keys []any
	for name, s := range signers() {
		if s.public != nil {
			keys = append(keys, s.jwk(object{"kid": name}))
		}
	}
	server := newKeyServer(t, keys...)
	v := startVerifier(t, remote(server.URL))
	for name, s := range signers() {
		if s.public == nil {
			continue
		}
		alg := s.algorithms[0]
		t.Run(name, func(t *testing.T) {
			wantAccepted(t, v, s.named(name, alg, goodClaims()))
			wantAccepted(t, v, s.token(alg, goodClaims())) // no kid: every fitting key is tried
			wantRefused(t, v, "Bearer "+s.named(name, alg, goodClaims().with(object{"aud": "bank"})), fault.Unauthenticated)
			for other := range signers() {
				if other != name {
					wantRefused(t, v, "Bearer "+s.named(other, alg, goodClaims()), fault.Unauthenticated)
				}
			}
		})
	}
	if calls := server.calls.Load(); calls != 1 {
		t.Errorf("the set was fetched %d times, want once", calls)
	}
}

func TestForgedTokensWithJWKS(t *testing.T) {
	s := signers()["P256"]
	server := newKeyServer(t, s.jwk(object{"kid": "k1"}))
	v := startVerifier(t, remote(server.URL))
	wantAccepted(t, v, s.named("k1", "ES256", goodClaims()))
	for _, f := range forgeries() {
		t.Run(f.name, func(t *testing.T) {
			wantRefused(t, v, "Bearer "+f.make(s, "ES256"), fault.Unauthenticated)
		})
	}
	stranger := curveSigner(elliptic.P256(), "ES256")
	wantRefused(t, v, "Bearer "+stranger.named("k1", "ES256", goodClaims()), fault.Unauthenticated)
}

// A key is used only as its use, key_ops and alg permit (RFC 7517, 4.2 to 4.4).
func TestKeyUse(t *testing.T) {
	tests := []struct {
		name    string
		members object
		accepts bool
	}{
		{"says nothing", object{}, true},
		{"for signatures", object{"use": "sig"}, true},
		{"to verify", object{"key_ops": []string{"sign", "verify"}}, true},
		{"for signatures, to verify", object{"use": "sig", "key_ops": []string{"verify"}}, true},
		{"for its algorithm", object{"alg": "RS256"}, true},
		{"for encryption", object{"use": "enc"}, false},
		{"to encrypt", object{"key_ops": []string{"encrypt", "wrapKey"}}, false},
		{"to sign only", object{"key_ops": []string{"sign"}}, false},
		{"for signatures, to encrypt", object{"use": "sig", "key_ops": []string{"encrypt"}}, false},
		{"for another algorithm", object{"alg": "PS256"}, false},
		{"for an algorithm in lower case", object{"alg": "rs256"}, false},
		{"for key wrapping", object{"alg": "RSA-OAEP"}, false},
		{"for something else", object{"use": "tls"}, false},
	}
	s := signers()["RSA"]
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := newKeyServer(t, s.jwk(test.members.with(object{"kid": "k1"})))
			v := startVerifier(t, remote(server.URL))
			for _, token := range []string{s.named("k1", "RS256", goodClaims()), s.token("RS256", goodClaims())} {
				if test.accepts {
					wantAccepted(t, v, token)
				} else {
					wantRefused(t, v, "Bearer "+token, fault.Unauthenticated)
				}
			}
		})
	}
}

// A key that cannot be parsed, or must not be used, does not hide the others.
func TestMalformedKeysInSet(t *testing.T) {
	s, small := signers()["P256"], rsaSigner(1024)
	secret := object{"kty": "oct", "kid": "oct", "k": part(sharedKey)}
	odd := []any{
		nil, 1, "x",
		object{},
		object{"kty": "AKP"},
		object{"kty": "RSA", "n": "!", "e": "AQAB"},
		object{"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"},
		s.jwk(object{"kid": 1}), s.jwk(object{"crv": "secp256k1"}),
		secret, small.jwk(object{"kid": "small"}),
	}
	server := newKeyServer(t, append(odd, s.jwk(object{"kid": "k1"}))...)
	v := startVerifier(t, remote(server.URL))
	wantAccepted(t, v, s.named("k1", "ES256", goodClaims()))
	wantRefused(t, v, "Bearer "+small.named("small", "RS256", goodClaims()), fault.Unauthenticated)
	wantRefused(t, v, "Bearer "+signers()["HMAC"].named("oct", "HS256", goodClaims()), fault.Unauthenticated)
}

// The gateway starts while the issuer is down, logs that, and refuses tokens as
// unavailable: they may be valid.
func TestServerDown(t *testing.T) {
	s := signers()["P256"]
	token := s.named("k1", "ES256", goodClaims())
	keys := []byte(keySet(s.jwk(object{"kid": "k1"}))) // valid keys, but a redirect or a status is not followed
	answers := map[string]http.HandlerFunc{
		"error": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			w.Write(keys)
		},
		"HTML":       func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"other JSON": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"error":"later"}`)) },
		"empty":      func(http.ResponseWriter, *http.Request) {},
		"cut off": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "99")
			w.Write([]byte("{"))
		},
		"too large":    func(w http.ResponseWriter, _ *http.Request) { w.Write(keys); w.Write(bytes.Repeat([]byte(" "), 2<<20)) },
		"redirect":     func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) },
		"dropped line": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			server := newKeyServer(t)
			server.handle(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/elsewhere" {
					w.Write(keys)
					return
				}
				answer(w, r)
			})
			var log lockedBuffer
			o := remote(server.URL)
			o.Log = slog.New(slog.NewTextHandler(&log, nil))
			v := startVerifier(t, o)
			refused := wantRefused(t, v, "Bearer "+token, fault.ServiceUnavailable)
			if refused.Cause == nil || strings.Contains(refused.Message, "http") {
				t.Errorf("got %q because of %v", refused.Message, refused.Cause)
			}
			if text := log.String(); !strings.Contains(text, issuerName) || strings.Contains(text, token) {
				t.Errorf("the log reads %q", text)
			}
		})
	}
}

// lockedBuffer may be written and read concurrently.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A server that is down does not affect the tokens of other issuers, nor forged ones.
func TestServerDownAffectsItsIssuerOnly(t *testing.T) {
	server := newKeyServer(t)
	server.serve(http.StatusBadGateway, "")
	o := remote(server.URL)
	second := signers()["HMAC"].issuer(t)
	second.Issuer = "https://second.example"
	o.Issuers = append(o.Issuers, second)
	v := startVerifier(t, o)
	wantAccepted(t, v, signers()["HMAC"].token("HS256", goodClaims().with(object{"iss": second.Issuer})))
	wantRefused(t, v, "Bearer "+unsigned("none")(signer{}, ""), fault.Unauthenticated)
	if caller, err := v.Verify(t.Context(), ""); caller != nil || err != nil {
		t.Errorf("without a header: %v, %v", caller, err)
	}
}

func TestFetchingEndsWithContext(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	s := signers()["P256"]
	server := newKeyServer(t, s.jwk(object{"kid": "k1"}))
	ctx, stop := context.WithCancel(context.Background())
	v := must(auth.NewVerifier(ctx, remote(server.URL)))
	wantAccepted(t, v, s.named("k1", "ES256", goodClaims()))
	stop()
	v.Wait()
	wantAccepted(t, v, s.named("k1", "ES256", goodClaims())) // known keys are kept
	server.Close()
}

// A server that hangs delays neither the end of fetching nor a client that has left.
func TestHangingServer(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	server := newKeyServer(t)
	asked := make(chan struct{}, 1)
	server.handle(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	})
	ctx, stop := context.WithCancel(context.Background())
	v := must(auth.NewVerifier(ctx, remote(server.URL)))
	<-asked
	gone, leave := context.WithCancel(context.Background())
	leave()
	token := signers()["P256"].named("k1", "ES256", goodClaims())
	if _, err := v.Verify(gone, "Bearer "+token); fault.CodeOf(err) != fault.ServiceUnavailable {
		t.Errorf("got %v", err)
	}
	stop()
	v.Wait()
	wantRefused(t, v, "Bearer "+token, fault.ServiceUnavailable)
	server.Close()
}
