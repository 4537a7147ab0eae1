package playgroundtest

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// Visit opens a page that is not ours, such as one that attacks the gateway. The browser reaches this
// machine by its addresses and by the given names, and nothing else. What the page complains of does not
// fail the test.
func Visit(t testing.TB, url string, names ...string) *Page {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes long, and what it may send does not depend on the executor")
	}
	p := &Page{t: t, ctx: browser(t, url, names...), problems: &problems{}}
	if err := chromedp.Listen(p.ctx, p.problems.note); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	p.do("open "+url, chromedp.Navigate(url))
	return p
}

// Go opens another page in the same browser.
func (p *Page) Go(url string) {
	p.t.Helper()
	p.do("open "+url, chromedp.Navigate(url))
}

// Eval returns the value of a JavaScript expression, or that of its promise, as a text.
func (p *Page) Eval(expression string) string {
	p.t.Helper()
	return take(p, "evaluate "+expression, chromedp.Evaluate[string]("(async () => String(await ("+expression+")))()", chromedp.EvalAwaitPromise))
}
