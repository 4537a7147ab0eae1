package main

import (
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/gateway/config"
)

// A demo's cursors outlive it as its tokens do, unless the settings know better.
func TestTheDemosCursors(t *testing.T) {
	demoSecret, own := strings.Repeat("d", 32), strings.Repeat("c", 32)
	t.Setenv("GATEWAY_DEMO_SECRET", demoSecret)
	for set, want := range map[string]string{"": demoSecret, own: own} {
		c := &config.Config{Cursors: config.Cursors{Secret: set}}
		d, err := startDemo(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		d.Close()
		if c.Cursors.Secret != want {
			t.Errorf("%q became %q", set, c.Cursors.Secret)
		}
	}
}
