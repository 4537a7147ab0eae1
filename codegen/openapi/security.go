package openapi

import (
	"slices"
	"strings"
)

// SecurityScheme is a way in which a service wants to be called, such as by an API key. Its
// credentials stand in one place of a request, which In and Name say.
type SecurityScheme struct {
	Place
	ID     string // its name under securitySchemes
	Type   string // apiKey, http, oauth2, openIdConnect or mutualTLS
	Scheme string // of type http, in lower case: bearer, basic
	In     string // header, query or cookie; "" where no part of the request holds credentials
	Name   string // of the header, the parameter or the cookie
}

// Scheme returns the security scheme whose credentials have a place, such as "query", and a name, or nil.
// Names of headers are compared without regard to case.
func (d *Document) Scheme(in, name string) *SecurityScheme {
	i := slices.IndexFunc(d.Schemes, func(s *SecurityScheme) bool {
		return s.In == in && in != "" && (s.Name == name || in == "header" && strings.EqualFold(s.Name, name))
	})
	if i < 0 {
		return nil
	}
	return d.Schemes[i]
}

// securitySchemes reads components.securitySchemes, in Swagger 2.0 securityDefinitions.
func (r *reader) securitySchemes() {
	schemes := r.follow(r.root.get("components")).get("securitySchemes")
	if r.isSwagger() {
		schemes = r.root.get("securityDefinitions")
	}
	for id, n := range r.follow(schemes).members() {
		if n = r.follow(n); !n.isMapping() {
			continue
		}
		s := &SecurityScheme{Place: id.place(), ID: id.Value, Type: n.get("type").text()}
		switch s.Type {
		case "apiKey":
			s.In, s.Name = n.get("in").text(), n.get("name").text()
			if s.Name == "" || !slices.Contains([]string{"header", "query", "cookie"}, s.In) {
				r.warn(s.Place, "the security scheme %q is an apiKey, which needs name and in: header, query or cookie", s.ID)
				s.In = ""
			}
		case "basic": // of Swagger 2.0
			s.Type, s.Scheme = "http", "basic"
			s.In, s.Name = "header", "Authorization"
		case "http":
			s.Scheme = strings.ToLower(n.get("scheme").text())
			s.In, s.Name = "header", "Authorization"
		case "oauth2", "openIdConnect":
			s.In, s.Name = "header", "Authorization"
		}
		r.doc.Schemes = append(r.doc.Schemes, s)
	}
}

// security reads the alternatives of an operation: its own, else those of the document. An empty list
// means that the operation needs no credentials.
func (r *reader) security(operation node) [][]*SecurityScheme {
	n := operation.get("security")
	if !n.isList() {
		n = r.root.get("security")
	}
	var all [][]*SecurityScheme
	for _, requirement := range n.list() {
		if schemes, ok := r.requirement(requirement); ok {
			all = append(all, schemes)
		}
	}
	return all
}

// requirement reads the schemes that one alternative needs together, none for {}. It reports false, with a
// warning, if the document does not have one of them.
func (r *reader) requirement(n node) ([]*SecurityScheme, bool) {
	var schemes []*SecurityScheme
	for id := range n.members() {
		i := slices.IndexFunc(r.doc.Schemes, func(s *SecurityScheme) bool { return s.ID == id.Value })
		if i < 0 {
			r.warn(id.place(), "there is no security scheme %q under components.securitySchemes; add it, or correct the name", id.Value)
			return nil, false
		}
		schemes = append(schemes, r.doc.Schemes[i])
	}
	return schemes, n.isMapping()
}

// documentServers returns the URLs of the document's servers. Those of Swagger 2.0 have a host and a path in
// common, and each scheme makes one.
func (r *reader) documentServers() []string {
	if !r.isSwagger() {
		return servers(r.root.get("servers"))
	}
	host, path := r.root.get("host").text(), strings.TrimSuffix(r.root.get("basePath").text(), "/")
	if host == "" {
		return slices.DeleteFunc([]string{path}, func(s string) bool { return s == "" })
	}
	var urls []string
	for _, scheme := range r.root.get("schemes").list() {
		urls = append(urls, scheme.text()+"://"+host+path)
	}
	if len(urls) == 0 { // the scheme is that by which the document was fetched
		urls = append(urls, "https://"+host+path)
	}
	return urls
}

// servers returns the URLs of a list of servers, with the defaults of their variables.
func servers(n node) []string {
	var urls []string
	for _, s := range n.list() {
		url := s.get("url").text()
		for name, v := range s.get("variables").members() {
			url = strings.ReplaceAll(url, "{"+name.Value+"}", v.get("default").text())
		}
		if url = strings.TrimSuffix(url, "/"); url != "" {
			urls = append(urls, url)
		}
	}
	return urls
}

// serversOf returns the servers of an operation, which are its own, else those of its path, else nil:
// those of the document.
func serversOf(operation, path node) []string {
	if own := servers(operation.get("servers")); len(own) > 0 {
		return own
	}
	return servers(path.get("servers"))
}
