package front_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gatehouse-graphql/gatehouse/gateway/documents"
	"github.com/gatehouse-graphql/gatehouse/gateway/front"
	"github.com/gatehouse-graphql/gatehouse/gateway/front/middleware"
)

const (
	chrome  = "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
	safari  = "User-Agent: Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.6 Safari/605.1.15" // sends no Sec-Fetch-Site
	ie11    = "User-Agent: Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"
	monitor = "User-Agent: Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)"

	cross  = "Sec-Fetch-Site: cross-site"
	same   = "Sec-Fetch-Site: same-origin"
	evil   = "Origin: https://evil.example"
	shop   = "Origin: https://shop.example"
	asJSON = "Content-Type: application/json"
)

// A request is executed if a page of another origin cannot have made a browser send it, or may do so by
// the settings. Each row is a kind of request with the headers that tell.
func TestForgery(t *testing.T) {
	shopMay := front.Options{CORS: middleware.CORS{Origins: []string{"https://shop.example", "https://*.shop.example"}}}
	shopMayWithCookies := front.Options{CORS: middleware.CORS{Origins: []string{"https://shop.example"}, Credentials: true}}
	allMay := front.Options{CORS: middleware.CORS{Origins: []string{"*"}}}
	trusted := front.Options{CSRF: middleware.CSRF{TrustedOrigins: []string{"https://*.shop.example", "http://intranet"}}}
	ownHeader := front.Options{CSRF: middleware.CSRF{Headers: []string{"x-shop-client"}}}
	onlyLogged := front.Options{CSRF: middleware.CSRF{Mode: middleware.CSRFLog}}
	off := front.Options{CSRF: middleware.CSRF{Mode: middleware.CSRFOff}}

	const ok, refused, unsupported = 200, 403, 415
	for _, test := range []struct {
		name    string
		options front.Options
		method  string
		status  int
		headers []string
	}{
		// Clients that are not browsers.
		{"curl", front.Options{}, "GET", ok, []string{"User-Agent: curl/8.14.1", "Accept: */*"}},
		{"no User-Agent", front.Options{}, "GET", ok, []string{"User-Agent: "}},
		{"a CDN", front.Options{}, "GET", ok, []string{"User-Agent: Amazon CloudFront", "Via: 1.1 abc.cloudfront.net"}},
		{"fetch of Node", front.Options{}, "GET", ok, []string{"User-Agent: node", "Sec-Fetch-Mode: cors", "Accept: */*"}},
		{"a phone", front.Options{}, "GET", ok, []string{"User-Agent: okhttp/5.1.0"}},
		{"another phone", front.Options{}, "GET", ok, []string{"User-Agent: Shop/1 CFNetwork/1568.100.1 Darwin/24.0.0"}},
		{"a monitor", front.Options{}, "GET", ok, []string{monitor}},
		{"curl, POST", front.Options{}, "POST", ok, []string{"User-Agent: curl/8.14.1", asJSON}},
		{"a service with an Origin of ours", front.Options{}, "POST", ok, []string{asJSON, "Origin: http://{host}"}},

		// Pages of the gateway's own origin.
		{"own page", front.Options{}, "GET", ok, []string{chrome, same}},
		{"own page, POST", front.Options{}, "POST", ok, []string{chrome, same, asJSON, "Origin: http://{host}"}},
		{"own page, POST, behind a proxy that changes the host", front.Options{}, "POST", ok, []string{chrome, same, asJSON, evil}},
		{"typed by the user", front.Options{}, "GET", ok, []string{chrome, "Sec-Fetch-Site: none", "Sec-Fetch-Mode: navigate"}},
		{"own page, old browser", front.Options{}, "GET", ok, []string{safari, "Referer: http://{host}/"}},
		{"own page, old browser, POST", front.Options{}, "POST", ok, []string{safari, asJSON, "Origin: http://{host}"}},
		{"own page, old browser, POST, proxy", front.Options{}, "POST", ok, []string{safari, asJSON, shop, "X-Forwarded-Host: shop.example"}},
		{"own page, old browser, proxies", front.Options{}, "GET", ok, []string{safari, "Referer: https://shop.example/x", "X-Forwarded-Host: shop.example, inner.example"}},

		// Pages of other origins, by modern browsers.
		{"image", front.Options{}, "GET", refused, []string{chrome, cross, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image", "Accept: image/avif,*/*"}},
		{"link or form", front.Options{}, "GET", refused, []string{chrome, cross, "Sec-Fetch-Mode: navigate", "Sec-Fetch-User: ?1", "Accept: text/html,*/*"}},
		{"HEAD", front.Options{}, "HEAD", refused, []string{chrome, cross}},
		{"sibling", front.Options{}, "GET", refused, []string{chrome, "Sec-Fetch-Site: same-site"}},
		{"script", front.Options{}, "GET", refused, []string{chrome, cross, evil}},
		{"script, JSON accepted", front.Options{}, "GET", refused, []string{chrome, cross, "Accept: application/graphql-response+json"}},
		{"POST", front.Options{}, "POST", refused, []string{chrome, cross, evil, asJSON}},
		{"POST with a header", front.Options{}, "POST", refused, []string{chrome, cross, evil, asJSON, "Apollo-Require-Preflight: true"}},
		{"POST of a sibling", front.Options{}, "POST", refused, []string{chrome, "Sec-Fetch-Site: same-site", "Origin: http://other.{host}", asJSON}},
		{"sandboxed frame", front.Options{}, "POST", refused, []string{chrome, cross, "Origin: null", asJSON}},
		{"POST without Origin", front.Options{}, "POST", refused, []string{chrome, cross, asJSON}},
		{"a site that does not exist yet", front.Options{}, "POST", refused, []string{chrome, "Sec-Fetch-Site: other", asJSON}},
		{"forged host", front.Options{}, "POST", refused, []string{chrome, cross, shop, asJSON, "X-Forwarded-Host: shop.example"}},
		{"login form", front.Options{}, "POST", refused, []string{chrome, cross, evil, "Content-Type: application/x-www-form-urlencoded"}},
		{"form as text", front.Options{}, "POST", refused, []string{chrome, cross, evil, "Content-Type: text/plain"}},
		{"form with files", front.Options{}, "POST", refused, []string{chrome, cross, evil, "Content-Type: multipart/form-data; boundary=x"}},
		{"another method", front.Options{}, "PUT", refused, []string{chrome, cross, evil, asJSON}},

		// Pages of other origins, by browsers without Sec-Fetch-Site: old ones, and all without TLS.
		{"image, old browser", front.Options{}, "GET", refused, []string{safari, "Accept: image/png"}},
		{"image, old browser, other page", front.Options{}, "GET", refused, []string{safari, "Referer: https://evil.example/"}},
		{"image, old browser, page with our name", front.Options{}, "GET", refused, []string{safari, "Referer: https://{host}.evil.example/{host}"}},
		{"image, very old browser", front.Options{}, "HEAD", refused, []string{ie11}},
		{"script, old browser", front.Options{}, "GET", refused, []string{safari, evil}},
		{"POST, old browser", front.Options{}, "POST", refused, []string{safari, evil, asJSON}},
		{"POST, old browser, null", front.Options{}, "POST", refused, []string{safari, "Origin: null", asJSON}},
		{"form, old browser", front.Options{}, "POST", refused, []string{safari, evil, "Content-Type: text/plain"}},
		{"form, browser without Origin", front.Options{}, "POST", unsupported, []string{ie11, "Content-Type: text/plain"}},
		{"form with files, browser without Origin", front.Options{}, "POST", unsupported, []string{ie11, "Content-Type: multipart/form-data; boundary=x"}},
		{"login form, browser without Origin", front.Options{}, "POST", unsupported, []string{ie11, "Content-Type: application/x-www-form-urlencoded"}},
		{"form without a type", front.Options{}, "POST", unsupported, []string{ie11}},

		// A header for which there was a preflight.
		{"Apollo", front.Options{}, "GET", ok, []string{safari, "Apollo-Require-Preflight: true"}},
		{"Apollo's operation name", front.Options{}, "GET", ok, []string{safari, "X-Apollo-Operation-Name: Q"}},
		{"others", front.Options{}, "GET", ok, []string{safari, "GraphQL-Require-Preflight: 1"}},
		{"Apollo Client's GET", front.Options{}, "GET", ok, []string{safari, asJSON}},
		{"the type of a form", front.Options{}, "GET", refused, []string{safari, "Content-Type: text/plain"}},
		{"two types", front.Options{}, "GET", refused, []string{safari, asJSON, "Content-Type: text/plain"}},
		{"an empty header", front.Options{}, "GET", refused, []string{safari, "Apollo-Require-Preflight: "}},
		{"a header that a proxy may have added", front.Options{}, "GET", refused, []string{safari, "X-Request-Id: 1", "Traceparent: 00-1-2-3"}},
		{"a token that a proxy may have made of a cookie", front.Options{}, "GET", refused, []string{safari, "Authorization: Bearer x"}},
		{"CORS of a proxy", front.Options{}, "GET", ok, []string{chrome, cross, evil, "Apollo-Require-Preflight: true"}},
		{"a header of others", front.Options{}, "GET", refused, []string{safari, "X-Shop-Client: 1"}},
		{"a header of ours", ownHeader, "GET", ok, []string{safari, "X-Shop-Client: 1"}},

		// Origins that the settings allow.
		{"CORS", shopMay, "GET", ok, []string{chrome, cross, shop}},
		{"CORS, old browser", shopMay, "GET", ok, []string{safari, shop}},
		{"CORS, POST", shopMay, "POST", ok, []string{chrome, cross, shop, asJSON}},
		{"CORS, subdomain", shopMay, "POST", ok, []string{chrome, cross, "Origin: https://a.shop.example", asJSON}},
		{"CORS, others", shopMay, "POST", refused, []string{chrome, cross, evil, asJSON}},
		{"CORS, by http", shopMay, "POST", refused, []string{chrome, cross, "Origin: http://shop.example", asJSON}},
		{"CORS, image", shopMay, "GET", refused, []string{chrome, cross}},
		{"CORS, form", shopMay, "POST", unsupported, []string{chrome, cross, shop, "Content-Type: text/plain"}},
		{"CORS, cookies", shopMay, "GET", refused, []string{chrome, cross, shop, "Cookie: session=1"}},
		{"CORS, cookies after a preflight", shopMay, "GET", ok, []string{chrome, cross, shop, "Cookie: session=1", "Apollo-Require-Preflight: true"}},
		{"CORS with credentials, cookies", shopMayWithCookies, "GET", ok, []string{chrome, cross, shop, "Cookie: session=1"}},
		{"CORS with credentials, others", shopMayWithCookies, "GET", refused, []string{chrome, cross, evil, "Cookie: session=1"}},
		{"all", allMay, "GET", ok, []string{chrome, cross, evil}},
		{"all, POST", allMay, "POST", ok, []string{chrome, cross, evil, asJSON}},
		{"all, sandboxed frame", allMay, "POST", ok, []string{chrome, cross, "Origin: null", asJSON}},
		{"all, image", allMay, "GET", refused, []string{chrome, cross, "Sec-Fetch-Mode: no-cors"}},
		{"all, cookies", allMay, "GET", refused, []string{chrome, cross, evil, "Cookie: session=1"}},
		{"trusted", trusted, "POST", ok, []string{chrome, cross, "Origin: https://a.shop.example", asJSON, "Cookie: session=1"}},
		{"trusted, proxy that changes the host", trusted, "POST", ok, []string{safari, "Origin: http://intranet", asJSON}},
		{"trusted, others", trusted, "POST", refused, []string{chrome, cross, evil, asJSON}},
		{"logged", onlyLogged, "POST", ok, []string{chrome, cross, evil, asJSON}},
		{"off", off, "GET", ok, []string{chrome, cross, evil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGateway(t, test.options, nil)
			path, body := "/graphql", `{"query":"{n}"}`
			if test.method == "GET" || test.method == "HEAD" {
				path, body = "/graphql?query={n}", ""
			}
			var headers []string
			for _, header := range test.headers {
				headers = append(headers, strings.ReplaceAll(header, "{host}", strings.TrimPrefix(g.URL, "http://")))
			}
			for _, path := range []string{path, strings.Replace(path, "/graphql", "/graphql/", 1)} {
				before := g.service.asked.Load()
				got := g.do(t, g.request(t, test.method, path, body, headers...))
				if got.status != test.status || test.status == refused && test.method != "HEAD" && !strings.Contains(got.text, `"extensions":{"code":"FORBIDDEN","reason":"csrf"}`) {
					t.Errorf("%s: %d %s", path, got.status, got.text)
				}
				if executed := g.service.asked.Load() > before; executed != (test.status == ok) {
					t.Errorf("%s: executed: %t", path, executed)
				}
			}
		})
	}
}

// A mutation is executed by POST alone, whatever page or client sends it.
func TestMutationByGETIsNeverExecuted(t *testing.T) {
	g := newGateway(t, front.Options{CORS: middleware.CORS{Origins: []string{"*"}}}, nil)
	for _, headers := range [][]string{nil, {chrome, same}, {chrome, cross, evil}, {safari, "Apollo-Require-Preflight: true"}} {
		got := g.do(t, g.request(t, "GET", "/graphql?query="+url.QueryEscape("mutation{set(n:1)}"), "", headers...))
		if got.status != 405 || g.service.asked.Load() != 0 {
			t.Errorf("%v: %d %s", headers, got.status, got.text)
		}
	}
}

// GHSA-2p3c-p3qw-69r4 (graphql-upload, Apollo Server 2): a form of any site uploaded files with a mutation,
// since multipart/form-data needs no preflight. It is refused, whichever browser sends it.
func TestGHSA2p3cUploadsOfForms(t *testing.T) {
	form := "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{\"query\":\"mutation{set(n:1)}\"}\r\n--x--\r\n"
	g := newGateway(t, front.Options{CORS: middleware.CORS{Origins: []string{"*"}}}, nil)
	for _, headers := range [][]string{{ie11}, {safari, evil}, {chrome, cross, evil}, {"User-Agent: curl/8"}} {
		got := g.do(t, g.request(t, "POST", "/graphql", form, append(headers, "Content-Type: multipart/form-data; boundary=x")...))
		if got.status != 415 || g.service.asked.Load() != 0 {
			t.Errorf("%v: %d %s", headers, got.status, got.text)
		}
	}
}

// GHSA-9q82-xgwf-vj6h (Apollo Server): a browser sent GET requests with some media types without a
// preflight, so that pages could measure how long queries of the caller take. No media type but JSON
// counts as proof of a preflight.
func TestGHSA9q82MediaTypesOfGET(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	for _, mediaType := range []string{
		"application/graphql", "application/csp-report", "application/reports+json", "message/ohttp-req", "text/ping", "text/event-stream",
		"application/json; charset=utf-16", "text/plain; application/json", "text/plain, application/json", "application/json, text/plain", "json", ";", "*/*", "",
	} {
		for _, headers := range [][]string{{chrome, cross}, {chrome, cross, evil}, {safari}, {safari, evil}} {
			got := g.do(t, g.request(t, "GET", "/graphql?query={n}", "", append(headers, "Content-Type: "+mediaType)...))
			if got.status != 403 || g.service.asked.Load() != 0 {
				t.Errorf("%v with %q: %d %s", headers, mediaType, got.status, got.text)
			}
		}
	}
}

// CVE-2026-23897 (Apollo Server): bodies in unusual character sets took memory and time without bound. Only
// UTF-8 is read.
func TestCVE202623897CharacterSets(t *testing.T) {
	g := newGateway(t, front.Options{}, nil)
	for _, charset := range []string{"utf-16", "utf-16le", "utf-32", "utf-7", "cesu-8", "iso-8859-1", "us-ascii", "x", "utf-8; charset=utf-16"} {
		got := g.do(t, g.request(t, "POST", "/graphql", `{"query":"{n}"}`, "Content-Type: application/json; charset="+charset))
		if got.status != 415 || g.service.asked.Load() != 0 {
			t.Errorf("%s: %d %s", charset, got.status, got.text)
		}
	}
}

// What is refused is in the log once for each page, with what to change, and so is what would be.
func TestForgeryIsLogged(t *testing.T) {
	for mode, message := range map[string]string{
		middleware.CSRFEnforce: "a request that a page of another origin may have made a browser send was refused; this is logged once",
		middleware.CSRFLog:     "a request that a page of another origin may have made a browser send would be refused by csrf.mode: enforce; this is logged once",
	} {
		g := newGateway(t, front.Options{CSRF: middleware.CSRF{Mode: mode}, CORS: middleware.CORS{Origins: []string{"https://shop.example"}}}, nil)
		for _, test := range []struct {
			headers                []string
			origin, refused, value string
		}{
			{[]string{chrome, cross, evil}, "https://evil.example", "origin", "https://evil.example"},
			{[]string{chrome, cross, shop, "Cookie: session=secret"}, "https://shop.example", "credentials", "https://shop.example"},
			{[]string{safari, "Referer: https://evil.example/secret?token=secret"}, "", "preflight", "https://evil.example"},
			{[]string{safari}, "", "preflight", ""},
			{[]string{chrome, cross, "Origin: " + strings.Repeat("x", 1000)}, strings.Repeat("x", 200), "origin", strings.Repeat("x", 200)},
		} {
			before := len(g.log.lines(t, message))
			for range 2 {
				g.do(t, g.request(t, "GET", "/graphql?query={n}", "", test.headers...))
			}
			lines := g.log.lines(t, message)[before:]
			if len(lines) != 1 || lines[0]["level"] != "WARN" || lines[0]["origin"] != test.origin || lines[0]["refused"] != test.refused || lines[0]["value"] != test.value {
				t.Errorf("%s, %v: %v", mode, test.headers, lines)
			}
		}
		for i := range 200 { // pages of an attacker do not fill the log
			g.do(t, g.request(t, "GET", "/graphql?query={n}", "", chrome, cross, fmt.Sprintf("Origin: https://%d.evil.example", i)))
		}
		if n := len(g.log.lines(t, message)); n != 100 {
			t.Errorf("%s: %d lines", mode, n)
		}
		if strings.Contains(g.log.String(), "secret") {
			t.Errorf("%s: a secret is in the log", mode)
		}
	}
}

// A refused request is counted, and its line in the access log says why.
func TestForgeryIsCounted(t *testing.T) {
	counted := make(chan string, 1)
	g := newGateway(t, front.Options{}, nil, func(d *front.Deps) { d.OnRefused = func(reason string) { counted <- reason } })
	g.do(t, g.request(t, "POST", "/graphql", `{"query":"{n}"}`, asJSON, chrome, cross, evil))
	if reason := <-counted; reason != "csrf" {
		t.Errorf("counted as %s", reason)
	}
	if lines := g.log.lines(t, "operation"); len(lines) != 1 || lines[0]["refused"] != "csrf" || lines[0]["status"] != 403.0 {
		t.Errorf("the log has %v", lines)
	}
}

// A link of another page opens the playground, and executes nothing.
func TestLinksToThePlayground(t *testing.T) {
	page := func(d *front.Deps) {
		d.Playground = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "playground") })
	}
	link := []string{chrome, cross, "Sec-Fetch-Mode: navigate", "Accept: text/html,*/*"}
	g := newGateway(t, front.Options{Playground: true}, nil, page)
	if got := g.do(t, g.request(t, "GET", "/graphql", "", link...)); got.status != 200 || got.text != "playground" {
		t.Errorf("%d %s", got.status, got.text)
	}
	for _, path := range []string{"/graphql?query={n}", "/graphql?documentId=a", "/graphql?extensions={}"} {
		if got := g.do(t, g.request(t, "GET", path, "", link...)); got.status != 403 {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
	if g.service.asked.Load() != 0 {
		t.Error("an operation was executed")
	}
}

// An operation whose id is in the path passes the same rules.
func TestForgeryByAnIDInThePath(t *testing.T) {
	const listed = "{n}"
	g := newGateway(t, front.Options{Playground: true, Documents: documents.Options{
		Mode: documents.Enforce, Manifests: []documents.Manifest{manifest(t, "", map[string]string{"1": listed})},
	}}, nil, func(d *front.Deps) { d.Playground = http.NotFoundHandler() })
	for _, test := range []struct {
		headers []string
		status  int
	}{
		{nil, 200},
		{[]string{chrome, same}, 200},
		{[]string{safari, "Apollo-Require-Preflight: true"}, 200},
		{[]string{chrome, cross}, 403},
		{[]string{chrome, cross, "Accept: text/html"}, 403},
		{[]string{safari}, 403},
		{[]string{safari, evil}, 403},
	} {
		before := g.service.asked.Load()
		got := g.do(t, g.request(t, "GET", "/graphql/1", "", test.headers...))
		if executed := g.service.asked.Load() > before; got.status != test.status || executed != (test.status == 200) {
			t.Errorf("%v: %d %s, executed: %t", test.headers, got.status, got.text, executed)
		}
	}
}
