package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/examples/shop/demo"
	"github.com/gatehouse-graphql/gatehouse/gateway/command"
	"github.com/gatehouse-graphql/gatehouse/gateway/config"
	"github.com/gatehouse-graphql/gatehouse/gateway/playground/playgroundtest"
)

// The demo's playground without a network: an example is open with a token that may run it, it runs
// and shows data of all three services, and the docs are there.
func TestPlayground(t *testing.T) {
	g := newDemo(t)
	page := playgroundtest.Open(t, g.URL+"/")
	if tabs := strings.Join(page.Tabs(), " "); tabs != "Me Browse Orders Buy" {
		t.Errorf("the tabs are %s", tabs)
	}
	page.Run()
	for _, word := range []string{`"name": "Ada Lindqvist"`, `"email": "ada.lindqvist@example.com"`, `"status": "`, `"inStock": `} {
		if !strings.Contains(page.Answer(), word) {
			t.Errorf("the answer lacks %s:\n%s", word, page.Answer())
		}
	}
	if strings.Contains(page.Answer(), `"errors"`) {
		t.Errorf("the answer has errors:\n%s", page.Answer())
	}
	docs := page.Docs("Product")
	for _, word := range []string{"Something to buy.", "How many are in stock.", "related: [Product!]"} {
		if !strings.Contains(docs, word) {
			t.Errorf("the docs lack %q:\n%s", word, docs)
		}
	}
	if file, err := os.Stat(page.Screenshot("demo")); err != nil || file.Size() < 10_000 {
		t.Errorf("the screenshot is empty: %v", err)
	}
}

// newDemo starts what `gateway --demo` runs.
func newDemo(t *testing.T) *gatewayUnderTest {
	t.Helper()
	t.Setenv("GATEWAY_DEMO_SECRET", secret)
	settings := &config.Config{Listen: "127.0.0.1:0", Playground: true, Introspection: true}
	shop, err := demo.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	shop.Configure(settings)
	g, stop, stopped := serve(t, command.Start{Config: settings, Mode: command.Mode{Demo: true}}, shop)
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Errorf("the demo stopped with: %v", err)
		}
		shop.Close()
	})
	return g
}

// Every example runs without changes.
func TestPlaygroundExamples(t *testing.T) {
	g := newDemo(t)
	page := playgroundtest.Open(t, g.URL+"/", playgroundtest.Dark())
	for i, tab := range page.Tabs() {
		page.OpenTab(tab)
		page.Stored(fmt.Sprintf(`"activeTabIndex":%d`, i)) // by then GraphiQL knows the tab's operation
		page.Run()
		if answer := page.Answer(); !strings.Contains(answer, `"data": {`) || strings.Contains(answer, `"errors"`) {
			t.Errorf("%s got\n%s", tab, answer)
		}
	}
	page.Screenshot("demo-dark")
}

// Without a token, the error of a null field is shown.
func TestPlaygroundWithoutToken(t *testing.T) {
	g := newDemo(t)
	page := playgroundtest.Open(t, g.URL+"/")
	page.SetHeaders("{}")
	page.Run()
	for _, word := range []string{`"me": null`, `"UNAUTHENTICATED"`} {
		if !strings.Contains(page.Answer(), word) {
			t.Errorf("the answer lacks %s:\n%s", word, page.Answer())
		}
	}
}

// Headers are not stored, but after a reload the examples have their tokens again.
func TestPlaygroundReloaded(t *testing.T) {
	g := newDemo(t)
	page := playgroundtest.Open(t, g.URL+"/")
	page.Run()
	page.OpenTab("Orders")
	page.Stored(`"activeTabIndex":2`)
	page.Reload()
	page.Run()
	if answer := page.Answer(); !strings.Contains(answer, `"customer": {`) || strings.Contains(answer, `"errors"`) {
		t.Errorf("after a reload the open tab gets\n%s", answer)
	}
	page.OpenTab("Me")
	page.Stored(`"activeTabIndex":0`)
	page.Run()
	if answer := page.Answer(); !strings.Contains(answer, "Ada Lindqvist") {
		t.Errorf("after a reload another tab gets\n%s", answer)
	}
	if tabs := page.Tabs(); len(tabs) != 4 {
		t.Errorf("after a reload there are the tabs %s", tabs)
	}
}
