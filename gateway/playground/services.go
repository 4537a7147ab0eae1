package playground

import (
	"embed"
	"net/http"

	"github.com/gatehouse-graphql/gatehouse/gateway/compress"
)

// servicesFiles has the page of services. It needs no build.
//
//go:embed services
var servicesFiles embed.FS

// ServicesHandler returns a handler that serves the live page of services at "/services" and its files
// below: the state that the page reads each second is at "/services/state", by the given handler. It
// answers GET and HEAD. The state has internal addresses, so that the page is for development.
func ServicesHandler(state http.Handler) http.Handler {
	mux := http.NewServeMux()
	for route, name := range map[string]string{
		"/services": "index.html", "/services/services.js": "services.js", "/services/services.css": "services.css",
	} {
		text, err := servicesFiles.ReadFile("services/" + name)
		if err != nil {
			panic("playground: the embedded files cannot be read: " + err.Error()) // they are in the memory of the program
		}
		mux.Handle("GET "+route, newAsset("/"+name, compress.Gzip(text)))
	}
	mux.Handle("GET /services/state", state)
	return withSecurityHeaders(servicesPolicy, mux)
}
