package config

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

const shopFile = "../../gateway.yaml"

func TestTheShopsFile(t *testing.T) {
	c, err := Load(LoadOptions{Path: shopFile, Explicit: true, Env: []string{"GATEWAY_DEMO_SECRET=" + key}})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Warnings) > 0 {
		t.Error(c.Warnings)
	}
	issuer := c.Auth.Issuers[0]
	if issuer.Issuer != "gatehouse-demo" || !slices.Equal(issuer.Audiences, []string{"shop"}) || issuer.Secret != key {
		t.Errorf("%v", c.Auth)
	}
	for name, want := range map[string]struct {
		urls    []string
		forward int
	}{
		"users":    {[]string{"http://localhost:9101"}, 1},
		"orders":   {[]string{"http://localhost:9201"}, 1},
		"products": {[]string{"http://localhost:9301", "http://localhost:9302", "http://localhost:9303"}, 0},
	} {
		if s := c.Sources[name]; !slices.Equal(s.URLs, upstreams.URLs(want.urls...)) || len(s.Forward) != want.forward || s.Timeout != 5*time.Second {
			t.Errorf("%s: %+v", name, s)
		}
	}
	if c.Playground || c.Introspection {
		t.Error("what is for development is on")
	}
}

func TestTheShopsFileWithoutItsSecret(t *testing.T) {
	_, err := Load(LoadOptions{Path: shopFile, Explicit: true})
	if err == nil || !strings.Contains(err.Error(), "GATEWAY_DEMO_SECRET is not set") || !strings.Contains(err.Error(), "--demo") {
		t.Error(err)
	}
	if _, err := Load(LoadOptions{Path: shopFile, Explicit: true, Demo: true}); err != nil {
		t.Error("the demo brings its own:", err)
	}
}

func TestTheShopsFileFitsTheSchema(t *testing.T) {
	text, err := os.ReadFile(shopFile)
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := yaml.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	root := parseSchema(t, Schema())
	if complaint := root.check(root, value, ""); complaint != "" {
		t.Error(complaint)
	}
}
