package playgroundtest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// problems collects what a visitor with the developer tools open would frown
// at, and every request to another server than the page's own. The workers'
// own requests are not reported to the page; the policy their scripts come
// with and the missing network hold them.
type problems struct {
	origin string // the page's own, "http://127.0.0.1:8080"

	mu    sync.Mutex
	found []string // guarded by mu
}

// note is called by chromedp with each event, in order, on the goroutine that
// reads them.
func (p *problems) note(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		if !p.own(e.Request.URL) {
			p.add("a request to %s", e.Request.URL)
		}
	case *network.EventLoadingFailed:
		if !e.Canceled {
			p.add("a request failed: %s %s", e.ErrorText, e.BlockedReason)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			p.add("%s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		p.add("%v", &chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails})
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			p.add("console.error: %s", text(e.Args))
		}
	}
}

// own reports whether an address is the page's own server, or inside the page.
func (p *problems) own(address string) bool {
	return strings.HasPrefix(address, p.origin+"/") || strings.HasPrefix(address, "data:") ||
		strings.HasPrefix(address, "blob:"+p.origin+"/")
}

func (p *problems) add(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.found = append(p.found, fmt.Sprintf(format, args...))
}

func (p *problems) all() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.found...)
}

func text(args []*runtime.RemoteObject) string {
	var words []string
	for _, arg := range args {
		words = append(words, strings.Trim(string(arg.Value), `"`)+arg.Description)
	}
	return strings.Join(words, " ")
}
