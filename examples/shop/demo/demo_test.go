package demo

import (
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// Cursors of a demo can be read by the next one, as its tokens can, unless the settings have
// a secret for cursors.
func TestCursorSecret(t *testing.T) {
	demoSecret, configured := strings.Repeat("d", 32), strings.Repeat("c", 32)
	t.Setenv("GATEWAY_DEMO_SECRET", demoSecret)
	for set, want := range map[string]string{"": demoSecret, configured: configured} {
		c := &config.Config{Cursors: config.Cursors{Secret: set}}
		d, err := Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		d.Configure(c)
		d.Close()
		if c.Cursors.Secret != want {
			t.Errorf("cursors.secret %q became %q, want %q", set, c.Cursors.Secret, want)
		}
	}
}
