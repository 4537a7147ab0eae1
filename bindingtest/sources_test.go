package bindingtest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/bindingtest"
	"github.com/gatehouse-graphql/gatehouse/upstreams"
)

// withConfig writes a file with one test, whose call has the headers, and returns its path.
func withConfig(t *testing.T, config, headers, more string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "some.test.yaml")
	text := fmt.Sprintf(`config:
%s
tests:
  - name: A product
    connector: Query.product
    query: '{ product(sku: "B-1") { sku } }'
    requestHeaders: {Accept-Language: de}
    apiResponseBody: {sku: B-1, name: One, price: 1, currency: EUR}
%s
    expect:
      connectorRequest: {url: /products/B-1, headers: %s}
      connectorResponse: {sku: B-1}
`, strings.TrimRight(config, "\n"), more, headers)
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func printed(p bindingtest.Project, t *testing.T, file string) (string, bool) {
	t.Helper()
	var out strings.Builder
	ok := p.Print(t.Context(), &out, nil, file)
	return strings.ReplaceAll(out.String(), file, "FILE"), ok
}

// Sources are read as those of gateway.yaml.
func TestSourcesAreThoseOfSettings(t *testing.T) {
	t.Setenv("GATEHOUSE_TEST_TENANT", "of the process")
	for name, c := range map[string]struct{ config, headers string }{
		"a merge":                    {"  sources:\n    users: &all {forward: [Accept-Language], headers: {X-Tenant: a}}\n    products: {<<: *all, headers: {X-Tenant: b}}", "{Accept-Language: de, X-Tenant: b}"},
		"an alias":                   {"  sources:\n    users: &all {forward: [Accept-Language]}\n    products: *all", "{Accept-Language: de}"},
		"addresses in a flow list":   {"  sources: {products: {urls: [http://localhost:9101,http://localhost:9102], headers: {X-Tenant: a}}}", "{X-Tenant: a}"},
		"sizes and durations":        {"  sources: {products: {timeout: 5s, maxResponse: 1MiB, pool: {idleTimeout: 1m}, headers: {X-Tenant: a}}}", "{X-Tenant: a}"},
		"nothing":                    {"  sources:\n    products:", "{Accept-Language: null}"},
		"a variable of the file":     {"  sources: {products: {headers: {X-Tenant: '${GATEHOUSE_TEST_TENANT}'}}}\n  env: {GATEHOUSE_TEST_TENANT: of the file}", "{X-Tenant: of the file}"},
		"a variable of the process":  {"  sources: {products: {headers: {X-Tenant: '${GATEHOUSE_TEST_TENANT}'}}}", "{X-Tenant: of the process}"},
		"a source without a binding": {"  sources: {audit: {timeout: 1s}, products: {headers: {X-Tenant: a}}}", "{X-Tenant: a}"},
	} {
		t.Run(name, func(t *testing.T) {
			if out, ok := printed(shop, t, withConfig(t, c.config, c.headers, "")); !ok {
				t.Error(out)
			}
		})
	}
}

// What the gateway refuses in gateway.yaml, a file of tests cannot have.
func TestSourcesAreRefusedAsSettings(t *testing.T) {
	t.Setenv("GATEHOUSE_TEST_TENANT", "")
	for config, want := range map[string]string{
		"  sources: {products: {timeot: 5s}}":                                 `FILE:2:24: sources.products.timeot: no such setting; did you mean "timeout"?`,
		"  sources: {products: {timeout: 5}}":                                 `FILE:2:33: sources.products.timeout: must be a duration`,
		"  sources: {products: {timeout: -5s}}":                               `FILE:2:33: sources.products.timeout: is negative`,
		"  sources: {products: {config: {tenant: 7}}}":                        `FILE:2:41: sources.products.config.tenant: must be text; put it in quotes`,
		"  sources: {products: {urls: [localhost:9101]}}":                     `FILE:2:31: sources.products.urls[0]: must begin with http://, https:// or unix://`,
		"  sources: {products: {urls: []}}":                                   `FILE:2:24: sources.products.urls: is empty`,
		"  sources: {products: {balance: rondRobin}}":                         `FILE:2:24: sources.products.balance.policy: "rondRobin" is unknown`,
		"  sources: {products: {headers: {Host: a}}}":                         `FILE:2:`,
		"  sources: {products: {tls: {caFile: there-is-none.pem}}}":           `there-is-none.pem`,
		"  sources: {Pro.ducts: {}}":                                          `FILE:2:13: sources`,
		"  sources: {products: [a]}":                                          `FILE:2:23: sources.products: must be a block of settings, not a list`,
		"  sources: {products: {headers: {X: '${GATEHOUSE_TEST_NOT_SET!}'}}}": `FILE:2:`,
	} {
		out, ok := printed(shop, t, withConfig(t, config, "{}", ""))
		if ok || !strings.Contains(out, want) || !strings.Contains(out, "files with mistakes: 1") {
			t.Errorf("%s:\nwant %s\ngot %s", config, want, out)
		}
	}
}

// A test fails where the gateway would not start.
func TestRequirementsAreThoseOfTheStart(t *testing.T) {
	p := shop
	p.Requirements = upstreams.Requirements{
		Sources:     shop.Requirements.Sources,
		Config:      map[string][]string{"products": {"tenant"}},
		Environment: []string{"GATEHOUSE_TEST_REGION"},
	}
	const (
		source      = "  sources: {products: {config: {tenant: a}}}\n"
		env         = "  env: {GATEHOUSE_TEST_REGION: eu}\n"
		lacksConfig = "the graph uses $config.tenant, but the settings have no sources.products.config.tenant; add it"
		lacksEnv    = "the graph uses $env.GATEHOUSE_TEST_REGION, but the environment variable GATEHOUSE_TEST_REGION is not set; set it"
	)
	for name, c := range map[string]struct {
		config, more string
		want         []string
	}{
		"all is there":          {config: source + env},
		"a test's own variable": {config: source, more: "    env: {GATEHOUSE_TEST_REGION: us}"},
		"no config":             {config: env, want: []string{lacksConfig}},
		"an empty config":       {config: "  sources: {products: {config: {tenant: ''}}}\n" + env, want: []string{lacksConfig}},
		"no variable":           {config: source, want: []string{lacksEnv}},
		"an empty variable":     {config: source + "  env: {GATEHOUSE_TEST_REGION: ''}\n", want: []string{lacksEnv}},
		"a variable is unset":   {config: source + env, more: "    env: {GATEHOUSE_TEST_REGION: null}", want: []string{lacksEnv}},
		"neither":               {config: "  claims: null", want: []string{lacksEnv}}, // config is asked for where its source is called,
	} {
		t.Run(name, func(t *testing.T) {
			out, ok := printed(p, t, withConfig(t, c.config, "{}", c.more))
			if ok != (len(c.want) == 0) {
				t.Errorf("it passes: %v\n%s", ok, out)
			}
			for _, want := range c.want {
				if !strings.Contains(out, want) {
					t.Errorf("want %s, got\n%s", want, out)
				}
			}
		})
	}
}
