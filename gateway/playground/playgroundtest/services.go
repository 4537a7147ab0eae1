package playgroundtest

import (
	"fmt"
	"strings"
	"testing"
)

// OpenServices is Open for the live page of services. It waits until the page has shown a state.
func OpenServices(t testing.TB, url string, opts ...Option) *Page {
	t.Helper()
	p := open(t, url, opts...)
	p.await("the services", `document.querySelector('.source tbody tr')`)
	return p
}

// Await waits until the text of the page contains a text, whatever its spaces and line breaks.
func (p *Page) Await(text string) {
	p.t.Helper()
	p.await("the text "+text, fmt.Sprintf(`(%s).includes(%s)`, pageText, quote(text)))
}

// Text is the text of the page with single spaces.
func (p *Page) Text() string {
	p.t.Helper()
	return p.await("a text", pageText)
}

const pageText = `document.body.innerText.replace(/\s+/g, ' ')`

// Endpoint returns the cells of an endpoint's row on the page of services.
func (p *Page) Endpoint(name string) []string {
	p.t.Helper()
	return strings.Split(p.await("the endpoint "+name, fmt.Sprintf(
		`[...document.getElementById(%s)?.children ?? []].map(cell => cell.innerText.replace(/\s+/g, ' ').trim()).join('\n')`, quote("endpoint-"+name))), "\n")
}

// Overflow returns how many CSS pixels the page is wider than the screen.
func (p *Page) Overflow() string {
	p.t.Helper()
	return p.await("the width", `String(document.documentElement.scrollWidth - document.documentElement.clientWidth)`)
}
