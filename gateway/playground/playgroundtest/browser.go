package playgroundtest

import (
	"context"
	"net/url"
	"os"
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"
)

// programs are what Chromium is called on the systems we know of.
var programs = []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless-shell"}

// browser starts a Chromium with a fresh profile, which ends with the test. It can reach the host of an
// address, and this machine by further names.
func browser(t testing.TB, address string, names ...string) context.Context {
	t.Helper()
	rules := "MAP * ~NOTFOUND"
	if host := host(t, address); host != "" {
		rules += " , EXCLUDE " + host
	}
	for _, name := range names {
		rules = "MAP " + name + " 127.0.0.1 , " + rules
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)),
		chromedp.NoSandbox, // root has none, as in containers
		chromedp.DisableGPU,
		chromedp.WindowSize(1440, 900),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		// The network is cut off: no other name resolves.
		chromedp.Flag("host-resolver-rules", rules),
	)
	ctx, cancel := context.WithTimeout(context.Background(), pageTime)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, flags...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// chromium finds the browser, or says why the test cannot run.
func chromium(t testing.TB) string {
	t.Helper()
	for _, name := range programs {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const missing = "no Chromium on this machine (looked for %q on the PATH): install one to test the playground"
	if os.Getenv("CI") == "true" {
		t.Fatalf(missing, programs)
	}
	t.Skipf(missing, programs)
	return ""
}

func parse(t testing.TB, address string) *url.URL {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatalf("the playground's address: %v", err)
	}
	return u
}

func host(t testing.TB, address string) string {
	t.Helper()
	return parse(t, address).Hostname()
}

func origin(t testing.TB, address string) string {
	t.Helper()
	u := parse(t, address)
	return u.Scheme + "://" + u.Host
}
