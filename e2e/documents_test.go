package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/services"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	trusted "github.com/gatehouse-graphql/gatehouse/gateway/documents"
)

// manifestsOfTools are the manifests that the real tools have written; TestToolsWriteTheManifests compares.
const manifestsOfTools = "gateway/documents/testdata/"

// enforcing returns a change of the settings that enforces manifests.
func enforcing(files ...string) func(*config.Config) {
	return func(c *config.Config) {
		c.Introspection, c.Playground = false, false
		c.Documents = trusted.Options{Mode: trusted.Enforce, Manifests: []trusted.Manifest{{Files: files}}}
	}
}

// The documents of each tool's manifest are executed by their ids, with the calls and the guards that their
// texts have, and what is not in it is refused without a call.
func TestManifestsOfTools(t *testing.T) {
	for file, test := range map[string]struct{ orders, cancel string }{ // the ids of two documents
		"relay.json":        {"93ee8292ce057c89c923b30e549959a32a9bd17244b092d9bc438ef441616f12", "2857e6f6d59aa190afb057f2f6e41354a4e78de51210e259ca8e66f82b45f3a5"},
		"relay-md5.json":    {"8264fe4f7fb6d8d270b56f23e6d0d879", "7eed040fce05a9a072b12d632f1d2f85"},
		"codegen.json":      {"sha256:59c185d5b3e0c5a48754dffc6c34d1d83ba3f4f91a2831bbf4c757bfc443e7b3", "sha256:b97f23b18b5e83554d81e42f818948360cfd3767f3620d5846a75b960d02b2e4"},
		"codegen-sha1.json": {"a239deecf4016d54d4e3acb89025072b7a5f53d2", "2e0ecf2b6092d8202452166b89658cacadfb415d"},
		"apollo.json":       {"42b3d36c53403b5d09a9862c465d3c443e5f5f567d8da90403b481c0636f6792", "aab73e491da461135ae77b7ae592f4c115cf650243c6828871ab344e42f6e157"},
	} {
		t.Run(file, func(t *testing.T) {
			g := newGateway(t, enforcing(manifestsOfTools+file))
			send := func(token, id string) *response {
				return g.post(t, token, strings.NewReader(fmt.Sprintf(`{"documentId": %q, "variables": {"limit": 1, "id": "9007199254751724"}}`, id)))
			}
			customer := g.token(t, services.Customer)
			a := send(customer, test.orders)
			if text := string(a.Data); a.codes() != "" || !strings.Contains(text, `"total":{"amount":"56.00","currency":"EUR"`) {
				t.Errorf("%s %s", a.codes(), text)
			}
			g.wantCalls(t, map[string]int{"getUser": 1, "orderHistory": 1})
			if a := send("", test.cancel); !strings.Contains(a.codes(), "UNAUTHENTICATED") && !strings.Contains(a.codes(), "FORBIDDEN") {
				t.Errorf("an anonymous caller cancels an order: %s", a.Body)
			}
			if a := g.query(t, customer, "{ me { name email } }", nil); a.codes() != "QUERY_NOT_IN_SAFELIST" {
				t.Errorf("a text: %s", a.codes())
			}
			if a := send(customer, strings.Repeat("0", 64)); a.codes() != "PERSISTED_QUERY_NOT_FOUND" {
				t.Errorf("an unknown id: %s", a.codes())
			}
			g.wantCalls(t, map[string]int{"getUser": 1, "orderHistory": 1})
			if !strings.Contains(g.Log.String(), `"the documents of the manifests are planned","documents":`) {
				t.Error("the log does not say that the documents are planned")
			}
		})
	}
}

// The tools write the manifests with which the other tests work, and their clients send what is in them.
func TestToolsWriteTheManifests(t *testing.T) {
	if testing.Short() {
		t.Skip("the tools take long, and what they write does not depend on the executor")
	}
	c := newClients(t)
	source, err := filepath.Abs("e2e/testdata/manifests")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(c.folder, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	c.run(t, "gateway schema print > schema.graphql")
	golden := func(written, file string) {
		t.Helper()
		written = readFile(t, filepath.Join(c.folder, written))
		if fmt.Sprint(decoded(t, written)) != fmt.Sprint(decoded(t, readFile(t, manifestsOfTools+file))) {
			t.Errorf("%s is not what the tool writes:\n%s", file, written)
		}
	}
	c.write(t, "relay.json", "{}")
	c.run(t, "relay-compiler >&2")
	golden("relay.json", "relay.json")
	c.run(t, "generate-persisted-query-manifest >&2")
	golden("apollo.json", "apollo.json")
	for algorithm, file := range map[string]string{"sha256": "codegen.json", "sha1": "codegen-sha1.json"} {
		c.write(t, "codegen.yml", strings.Replace(readFile(t, filepath.Join(source, "codegen.yml")), "sha256", algorithm, 1))
		c.run(t, "graphql-codegen --config codegen.yml >&2")
		golden("gql/persisted-documents.json", file)
	}

	enforced := newGateway(t, enforcing(filepath.Join(c.folder, "relay.json"), filepath.Join(c.folder, "apollo.json")))
	registering := newGateway(t, func(c *config.Config) { c.Documents.APQ.Enabled = true })
	for _, test := range []struct {
		command string
		g       *gatewayUnderTest
		want    string // the requests of each of two queries, and the number of orders
	}{
		{"node relay.mjs %s", enforced, "1"},
		{"node apollo.mjs %s apollo.json POST", enforced, "POST id: 1\nPOST id: 2"},
		{"node apollo.mjs %s apollo.json GET", enforced, "GET id: 1\nGET id: 2"},
		{"node apollo.mjs %s '' POST", registering, "POST id, POST text: 1\nPOST id: 2"},
		{"node apollo.mjs %s '' GET", registering, "GET id: 1\nGET id: 2"}, // it is registered by now
		{"node urql.mjs %s '' POST", registering, "POST id, POST text: 1\nPOST id: 2"},
		{"node urql.mjs %s '' GET", registering, "GET id: 1\nGET id: 2"},
	} {
		c.env = append(c.env, "TOKEN="+test.g.token(t, services.Customer))
		command := fmt.Sprintf(test.command, test.g.URL+"/graphql")
		if got := strings.TrimSpace(c.run(t, command)); got != test.want {
			t.Errorf("%s:\n%s\nwant\n%s", command, got, test.want)
		}
	}
}
