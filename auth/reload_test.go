package auth_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/auth"
	"github.com/gatehouse-graphql/gatehouse/fault"
)

// apply has v verify by o.
func apply(t *testing.T, v *auth.Verifier, o auth.Options) {
	t.Helper()
	apply, err := v.Prepare(o)
	if err != nil {
		t.Fatal(err)
	}
	apply()
}

func TestPrepareChangesTheIssuers(t *testing.T) {
	first, second := edSigner(), edSigner()
	server := newKeyServer(t, first.jwk(object{"kid": "k1"}))
	v := startVerifier(t, remote(server.URL))
	token := first.named("k1", "EdDSA", goodClaims())
	wantAccepted(t, v, token)

	// A mistake changes nothing.
	wrong := remote(server.URL)
	wrong.Issuers[0].Audiences = nil
	if _, err := v.Prepare(wrong); err == nil {
		t.Error("no error without audiences")
	}
	wantAccepted(t, v, token)

	// Neither does a Prepare whose function is not called.
	other := remote(server.URL)
	other.Issuers[0].Audiences = []string{"bank"}
	if _, err := v.Prepare(other); err != nil {
		t.Fatal(err)
	}
	wantAccepted(t, v, token)

	apply(t, v, other)
	wantCode(t, v, token, fault.Unauthenticated)
	apply(t, v, remote(newKeyServer(t, second.jwk(object{"kid": "k2"})).URL))
	wantCode(t, v, token, fault.Unauthenticated)
	wantAccepted(t, v, second.named("k2", "EdDSA", goodClaims()))
	apply(t, v, auth.Options{})
	wantCode(t, v, token, fault.Unauthenticated)
}

// wantCode fails unless the token is refused with a code.
func wantCode(t *testing.T, v *auth.Verifier, token string, code fault.Code) {
	t.Helper()
	if _, err := v.Verify(t.Context(), "Bearer "+token); fault.CodeOf(err) != code {
		t.Errorf("%v, want %s", err, code)
	}
}

// The keys of an issuer that stays are kept, so that its tokens are accepted though its server is down.
func TestPrepareKeepsFetchedKeys(t *testing.T) {
	s := edSigner()
	server := newKeyServer(t, s.jwk(object{"kid": "k1"}))
	v := startVerifier(t, remote(server.URL))
	token := s.named("k1", "EdDSA", goodClaims())
	wantAccepted(t, v, token)
	server.serve(http.StatusInternalServerError, "")
	calls := server.calls.Load()

	changed := remote(server.URL)
	changed.RolesClaim, changed.Issuers[0].Audiences = "groups", []string{audience, "another"}
	changed.Issuers = append(changed.Issuers, auth.Issuer{Issuer: "https://new.example", Audiences: []string{audience}, Algorithms: []string{"EdDSA"}, JWKS: newKeyServer(t, s.jwk(object{"kid": "k1"})).URL})
	for range 3 {
		apply(t, v, changed)
		wantAccepted(t, v, token)
	}
	wantAccepted(t, v, s.named("k1", "EdDSA", goodClaims().with(object{"iss": "https://new.example"})))
	if now := server.calls.Load(); now != calls {
		t.Errorf("the keys were fetched %d times more", now-calls)
	}
}

// The goroutines of issuers that were removed end at once, and all others with the context.
func TestPrepareEndsFetching(t *testing.T) {
	server := newKeyServer(t, edSigner().jwk(object{"kid": "k1"}))
	ctx, stop := context.WithCancel(t.Context())
	v, err := auth.NewVerifier(ctx, remote(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		apply(t, v, auth.Options{})
		apply(t, v, remote(server.URL))
	}
	apply(t, v, auth.Options{})
	v.Wait() // though ctx has not ended
	apply(t, v, remote(server.URL))
	stop()
	v.Wait()
}

// Tokens are verified while the issuers change.
func TestPrepareWhileVerifying(t *testing.T) {
	s := edSigner()
	server := newKeyServer(t, s.jwk(object{"kid": "k1"}))
	v := startVerifier(t, remote(server.URL))
	token := s.named("k1", "EdDSA", goodClaims())
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 100 {
				wantAccepted(t, v, token)
			}
		})
	}
	for range 50 {
		apply(t, v, remote(server.URL))
	}
	all.Wait()
}
