// Package playgroundtest uses the playground as a visitor does: in a headless
// Chromium that can reach this machine and nothing else. A page that complains
// (an error in its console, a broken policy, a failed or foreign request) fails
// the test that opened it.
package playgroundtest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A page that works needs a second for a step and a few for everything. The
// bounds are long because the first start on a busy machine is slow.
const (
	stepTime = 30 * time.Second
	pageTime = 3 * time.Minute // the start of Chromium included
)

// Page is a playground opened in a browser. Its methods wait for what they
// promise and end the test when it does not come. They are for the goroutine
// that runs the test.
type Page struct {
	t        testing.TB
	ctx      context.Context
	problems *problems
}

// Option changes how Open starts the browser.
type Option func(*options)

type options struct {
	scheme string
	narrow bool
	expect string
}

// Dark gives the visitor a dark system theme; without it, it is light.
func Dark() Option { return func(o *options) { o.scheme = "dark" } }

// Narrow gives the visitor the screen of a telephone, 390 by 844 pixels; without it, the window is
// 1440 by 900.
func Narrow() Option { return func(o *options) { o.narrow = true } }

// Expecting permits the page to complain of what contains a text, such as "502".
func Expecting(text string) Option { return func(o *options) { o.expect = text } }

// Open starts Chromium, opens the playground at url, the only host it can
// reach, and waits until the editors stand. The browser ends with the test.
// Without Chromium the test is skipped, or fails when the environment says
// CI=true.
func Open(t testing.TB, url string, opts ...Option) *Page {
	t.Helper()
	p := open(t, url, opts...)
	p.ready()
	return p
}

// open is Open for any page. It waits for nothing.
func open(t testing.TB, url string, opts ...Option) *Page {
	t.Helper()
	o := options{scheme: "light"}
	for _, opt := range opts {
		opt(&o)
	}
	p := &Page{t: t, ctx: browser(t, url), problems: &problems{origin: origin(t, url)}}
	if err := chromedp.Listen(p.ctx, p.problems.note); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	t.Cleanup(func() {
		for _, problem := range p.problems.all() {
			if o.expect != "" && strings.Contains(problem, o.expect) {
				continue
			}
			t.Errorf("the page complained: %s", problem)
		}
	})
	steps := []chromedp.Action[chromedp.Void]{theme(o.scheme)}
	if o.narrow {
		steps = append(steps, telephone())
	}
	p.do("open "+url, append(steps, chromedp.Navigate(url))...)
	return p
}

// theme is the visitor's system theme, "light" or "dark".
func theme(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		feature := &emulation.MediaFeature{Name: "prefers-color-scheme", Value: scheme}
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia,
			emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{feature}})
		return err
	})
}

// telephone is the screen of Narrow.
func telephone() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetDeviceMetricsOverride,
			emulation.SetDeviceMetricsOverrideParams{Width: 390, Height: 844, DeviceScaleFactor: 1, Mobile: true})
		return err
	})
}

// Reload opens the page anew in the same browser, as a visitor who returns.
func (p *Page) Reload() {
	p.t.Helper()
	p.Stored("activeTabIndex")
	p.do("reload", chromedp.Reload())
	p.ready()
}

func (p *Page) ready() {
	p.t.Helper()
	p.await("the editors", model("response.json")+` && document.querySelector('.graphiql-query-editor .view-line')`)
}

// Title is the title of the page.
func (p *Page) Title() string {
	p.t.Helper()
	return p.await("a title", `document.title`)
}

// Tabs lists the titles of the open tabs.
func (p *Page) Tabs() []string {
	p.t.Helper()
	return strings.Split(p.await("tabs", `[...document.querySelectorAll('.graphiql-tab-button')].map(b => b.innerText.trim()).join('\n')`), "\n")
}

// OpenTab goes to the tab with this title.
func (p *Page) OpenTab(title string) {
	p.t.Helper()
	p.press(fmt.Sprintf(`.graphiql-tab-button[title=%q]`, title))
}

// Query, Variables and Headers are the texts of the open tab.
func (p *Page) Query() string     { p.t.Helper(); return p.pane("operation.graphql") }
func (p *Page) Variables() string { p.t.Helper(); return p.pane("variables.json") }
func (p *Page) Headers() string   { p.t.Helper(); return p.pane("request-headers.json") }

// VisibleQuery is what the visitor sees of the query without scrolling sideways.
func (p *Page) VisibleQuery() string {
	p.t.Helper()
	return p.await("the lines of the query", `(() => {
		const right = document.querySelector('.graphiql-query-editor .monaco-scrollable-element').getBoundingClientRect().right;
		return [...document.querySelectorAll('.graphiql-query-editor .view-line')]
			.filter(line => line.firstChild.getBoundingClientRect().right <= right).map(line => line.innerText.replaceAll('\u00a0', ' ')).join('\n');
	})()`)
}

// SetQuery and SetHeaders replace a text of the open tab.
func (p *Page) SetQuery(text string)   { p.t.Helper(); p.setPane("operation.graphql", text) }
func (p *Page) SetHeaders(text string) { p.t.Helper(); p.setPane("request-headers.json", text) }

// Run runs the operation of the open tab and waits until it has been answered.
func (p *Page) Run() {
	p.t.Helper()
	p.setPane("response.json", "")
	p.press(`.graphiql-execute-button`)
	p.await("an answer on the screen", `document.querySelector('.result-window .view-line')?.innerText.trim()`)
}

// Answer is the answer shown, as GraphiQL formats it.
func (p *Page) Answer() string {
	p.t.Helper()
	return p.pane("response.json")
}

// Hint is the text in the empty pane of a tab that has not been run.
func (p *Page) Hint() string {
	p.t.Helper()
	return p.await("the hint", `document.querySelector('.gatehouse-hint')?.innerText`)
}

// Figures are the status, time, size and request id of the answer, one a line.
func (p *Page) Figures() string {
	p.t.Helper()
	return p.await("the figures of the answer", `document.querySelector('.gatehouse-figures')?.innerText`)
}

// SchemaLink is the address of the schema to download, "none" without one.
func (p *Page) SchemaLink() string {
	p.t.Helper()
	return p.await("the schema's link", `document.querySelector('a[download="schema.graphql"]')?.href ?? 'none'`)
}

// OpenExample opens the example with this operation name from the side panel, and waits until the
// new tab is there.
func (p *Page) OpenExample(name string) {
	p.t.Helper()
	p.panel("Examples")
	before := len(p.Tabs())
	p.await("the example "+name, fmt.Sprintf(`(() => {
		const button = [...document.querySelectorAll('.gatehouse-examples button')].find(b => b.querySelector('b').innerText === %s);
		button?.click();
		return button;
	})()`, quote(name)))
	p.await("a new tab", fmt.Sprintf(`document.querySelectorAll('.graphiql-tab-button').length === %d`, before+1))
}

// Box is a place on the screen, in CSS pixels.
type Box struct{ Left, Top, Right, Bottom float64 }

// Place is where the first element that a CSS selector finds stands on the screen.
func (p *Page) Place(selector string) Box {
	p.t.Helper()
	text := p.await("the place of "+selector, fmt.Sprintf(`(() => {
		const r = document.querySelector(%s)?.getBoundingClientRect();
		return r && JSON.stringify({Left: r.left, Top: r.top, Right: r.right, Bottom: r.bottom});
	})()`, quote(selector)))
	var box Box
	if err := json.Unmarshal([]byte(text), &box); err != nil {
		p.t.Fatal(err)
	}
	return box
}

// Prettify presses the button that formats the open tab and waits until the
// query reads as wanted.
func (p *Page) Prettify(want string) {
	p.t.Helper()
	p.press(`button[aria-label^="Prettify"]`)
	p.await("the query to read "+want, fmt.Sprintf(`(%s)?.getValue() === %s`, model("operation.graphql"), quote(want)))
}

// Docs opens the documentation of a type and returns its text.
func (p *Page) Docs(typeName string) string {
	p.t.Helper()
	p.panel("Documentation Explorer")
	p.await("the type "+typeName+" in the docs", fmt.Sprintf(`(() => {
		const link = [...document.querySelectorAll('.graphiql-plugin .graphiql-doc-explorer-type-name')].find(a => a.innerText === %s);
		link?.click();
		return link;
	})()`, quote(typeName)))
	return p.await("the docs of "+typeName, fmt.Sprintf(`document.querySelector('.graphiql-doc-explorer-title')?.innerText === %s &&
		document.querySelector('.graphiql-plugin').innerText`, quote(typeName)))
}

// Explorer opens the explorer and returns the fields and arguments it offers,
// one a line.
func (p *Page) Explorer() string {
	p.t.Helper()
	p.panel("GraphiQL Explorer")
	return p.await("fields in the explorer", `[...document.querySelectorAll('.graphiql-explorer-root .graphiql-explorer-field-view')].map(n => n.innerText.trim()).join('\n')`)
}

// History opens the history and returns the operations in it, one a line.
func (p *Page) History() string {
	p.t.Helper()
	p.panel("History")
	return p.await("operations in the history", `[...document.querySelectorAll('.graphiql-history-item-label')].map(n => n.innerText.trim()).join('\n')`)
}

// Suggestions puts the cursor behind the first name of a text in the query, and returns what the editor
// suggests there, with the description of the first suggestion.
func (p *Page) Suggestions(name string) string {
	p.t.Helper()
	p.await("the query's editor", fmt.Sprintf(`(() => {
		const editor = globalThis.__MONACO.editor.getEditors().find(e => e.getModel()?.uri.path.endsWith('operation.graphql'));
		const match = editor?.getModel().findMatches(%s, false, false, true, null, false)[0];
		if (!match) return false;
		editor.focus();
		editor.setPosition(match.range.getEndPosition());
		editor.trigger('test', 'editor.action.triggerSuggest');
		return true;
	})()`, quote(name)))
	p.await("suggestions", `document.querySelector('.suggest-widget.visible .monaco-list-row')?.innerText`)
	return p.await("the description of the first suggestion", `(() => {
		const details = document.querySelector('.suggest-details-container');
		if (details?.innerText.trim()) return document.querySelector('.suggest-widget').innerText + details.innerText;
		if (!globalThis.gatehouseTestDetails) {
			globalThis.gatehouseTestDetails = true;
			globalThis.__MONACO.editor.getEditors().find(e => e.getModel()?.uri.path.endsWith('operation.graphql')).trigger('test', 'toggleSuggestionDetails');
		}
	})()`)
}

// Count returns how many elements a CSS selector finds.
func (p *Page) Count(selector string) int {
	p.t.Helper()
	n, _ := strconv.Atoi(p.await("the elements "+selector, fmt.Sprintf(`String(document.querySelectorAll(%s).length)`, quote(selector))))
	return n
}

// Global returns the value of a global variable of the page, "undefined" if there is none.
func (p *Page) Global(name string) string {
	p.t.Helper()
	return p.await("the variable "+name, fmt.Sprintf(`String(globalThis[%s])`, quote(name)))
}

// panel opens a side panel unless it is open.
func (p *Page) panel(title string) {
	p.t.Helper()
	p.await("the panel "+title, fmt.Sprintf(`(() => {
		if (document.querySelector('button[aria-label="Hide %[1]s"]')) return true;
		document.querySelector('button[aria-label="Show %[1]s"]')?.click();
	})()`, title))
}

// Storage is all that the page keeps in the browser between visits, as JSON.
func (p *Page) Storage() string {
	p.t.Helper()
	return p.await("the storage", `JSON.stringify(localStorage)`)
}

// Stored waits until the saved tabs hold this text, which they do half a second
// after the last key.
func (p *Page) Stored(text string) {
	p.t.Helper()
	p.await(text+" to be stored", fmt.Sprintf(`localStorage.getItem('gatehouse/graphiql:tabState')?.includes(%s)`, quote(text)))
}

// PersistHeaders answers the question in the settings whether headers are kept
// between visits.
func (p *Page) PersistHeaders(yes bool) {
	p.t.Helper()
	answer := "#disable-persist-headers"
	if yes {
		answer = "#enable-persist-headers"
	}
	p.press(`button[data-value="settings"]`)
	p.press(answer)
	p.await("the answer to be taken", fmt.Sprintf(`document.querySelector('%s.active')`, answer))
	p.press(`.graphiql-dialog-close`)
	p.await("the settings to close", fmt.Sprintf(`!document.querySelector('%s')`, answer))
}

// Screenshot writes what the visitor sees to name.png, in the folder that the
// environment names in PLAYGROUND_SCREENSHOT_DIR or a temporary one, and
// returns the file's path.
func (p *Page) Screenshot(name string) string {
	p.t.Helper()
	p.await("the colours of the texts", coloured)
	return p.picture(name)
}

func (p *Page) picture(name string) string {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatalf("take a screenshot: %v", err)
	}
	file := filepath.Join(p.folder(), name+".png")
	if err := os.WriteFile(file, picture, 0o644); err != nil {
		p.t.Fatalf("keep the screenshot: %v", err)
	}
	p.t.Logf("screenshot: %s", file)
	return file
}

// folder is where screenshots go.
func (p *Page) folder() string {
	p.t.Helper()
	folder := os.Getenv("PLAYGROUND_SCREENSHOT_DIR")
	if folder == "" {
		return p.t.TempDir()
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		p.t.Fatalf("keep screenshots: %v", err)
	}
	return folder
}

// coloured is true when Monaco, which colours a text line by line after it shows
// it, is through with every line that has words. Its class mtk1 is no colour.
const coloured = `[...document.querySelectorAll('.graphiql-editor:not(.hidden) .view-line, .result-window .view-line')]
	.filter(line => /\w/.test(line.innerText))
	.every(line => line.querySelector('[class*=mtk]:not(.mtk1)'))`

// model finds the text behind one of GraphiQL's editors. The screen would show
// only the lines that fit.
func model(file string) string {
	return fmt.Sprintf(`globalThis.__MONACO?.editor.getModels().find(m => m.uri.path.endsWith(%s))`, quote(file))
}

func (p *Page) pane(file string) string {
	p.t.Helper()
	return take(p, "read "+file, chromedp.Evaluate[string](model(file)+`.getValue()`))
}

func (p *Page) setPane(file, text string) {
	p.t.Helper()
	p.do("write "+file, chromedp.Evaluate[chromedp.Void](fmt.Sprintf(`%s.setValue(%s)`, model(file), quote(text))))
}

// await evaluates a JavaScript expression in the page until it gives something
// (not null, undefined, false or ""), which it returns as a string. The page
// itself asks again and again: chromedp's own polling builds functions from
// text, which the content security policy forbids.
func (p *Page) await(what, expression string) string {
	p.t.Helper()
	loop := fmt.Sprintf(`new Promise(resolve => {
		const ask = () => { const v = %s; v ? resolve(String(v)) : setTimeout(ask, 20); };
		ask();
	})`, expression)
	return take(p, "wait for "+what, chromedp.Evaluate[string](loop, chromedp.EvalAwaitPromise))
}

// press waits for a button and presses it. The page does it, since a click of
// the mouse is lost when the button moves at that moment, as dialogs do while
// they open.
func (p *Page) press(selector string) {
	p.t.Helper()
	p.await("the button "+selector, fmt.Sprintf(`(() => {
		const button = document.querySelector(%s + ':enabled');
		button?.click();
		return button;
	})()`, quote(selector)))
}

func (p *Page) do(what string, steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	take(p, what, chromedp.Steps(steps...))
}

// take runs an action and returns what it gives. A failure ends the test and
// leaves a picture of the page as it was.
func take[T any](p *Page, what string, action chromedp.Action[T]) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		p.t.Errorf("%s: %v", what, err)
		p.picture("failed")
		p.t.FailNow()
	}
	return value
}

func quote(text string) string {
	quoted, _ := json.Marshal(text) // a string: cannot fail
	return string(quoted)
}
