package caller

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"

	"github.com/gatehouse-graphql/gatehouse/auth"
)

// Options say how callers are told apart.
type Options struct {
	// ClientNameHeaders are headers in which a client states its name; the first one that a request has
	// counts. Default graphql-client-name and apollographql-client-name.
	ClientNameHeaders []string `yaml:"clientNameHeaders"`
	// ClientVersionHeaders are headers in which a client states its version. Default graphql-client-version
	// and apollographql-client-version.
	ClientVersionHeaders []string `yaml:"clientVersionHeaders"`
	// Classes are classes of callers. The first one to which a caller belongs counts; callers that belong
	// to none are authenticated or anonymous, by their token. Default none.
	Classes []Class `yaml:"classes"`
}

// The default headers.
var (
	nameHeaders    = []string{"Graphql-Client-Name", "Apollographql-Client-Name"}
	versionHeaders = []string{"Graphql-Client-Version", "Apollographql-Client-Version"}
)

// ClassNames returns the names of all classes in their order, each once.
func (o Options) ClassNames() []string {
	var names []string
	for _, c := range o.Classes {
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	return append(names, Authenticated, Anonymous)
}

// Headers returns the names of the headers that settings name.
func (o Options) Headers() []string {
	return slices.Concat(o.ClientNameHeaders, o.ClientVersionHeaders)
}

// Validate returns what is wrong with the headers. Each of the joined errors begins with the name of a
// setting and an index. Class.Validate has what is wrong with a class.
func (o Options) Validate() error {
	_, errName := headerNames("clientNameHeaders", o.ClientNameHeaders, nameHeaders)
	_, errVersion := headerNames("clientVersionHeaders", o.ClientVersionHeaders, versionHeaders)
	return errors.Join(errName, errVersion)
}

// headerNames returns the names of headers as net/http has them, the default without any.
func headerNames(setting string, names, fallback []string) (canonical []string, err error) {
	if len(names) == 0 {
		return fallback, nil
	}
	for i, name := range names {
		if !isToken(name) {
			err = errors.Join(err, fmt.Errorf("%s[%d] %q is not the name of a header; write one as X-Client-Name", setting, i, name))
		}
		canonical = append(canonical, textproto.CanonicalMIMEHeaderKey(name))
	}
	return canonical, err
}

// isToken reports whether text is a token of HTTP (RFC 9110, section 5.6.2), as the names of headers are.
func isToken(text string) bool {
	for _, c := range text {
		if !isLetterOrDigit(c) && !strings.ContainsRune("!#$%&'*+-.^_`|~", c) {
			return false
		}
	}
	return text != ""
}

// Rules identify the callers of requests, by settings. They do not change, and are safe for concurrent
// use.
type Rules struct {
	proxies                     proxies
	nameHeaders, versionHeaders []string
	classes                     []class
}

// NewRules returns the rules of settings. The error joins all that is wrong.
func NewRules(p Proxies, o Options) (*Rules, error) {
	var errs [3]error
	r := &Rules{}
	r.proxies, errs[0] = p.compile()
	r.nameHeaders, errs[1] = headerNames("clientNameHeaders", o.ClientNameHeaders, nameHeaders)
	r.versionHeaders, errs[2] = headerNames("clientVersionHeaders", o.ClientVersionHeaders, versionHeaders)
	err := errors.Join(errs[:]...)
	for i, c := range o.Classes {
		compiled, errClass := c.compile()
		if errClass != nil {
			err = errors.Join(err, fmt.Errorf("classes[%d]: %w", i, errClass))
		}
		r.classes = append(r.classes, compiled)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Address returns the address of the client that sends a request, the zero Addr if it is not known.
func (r *Rules) Address(req *http.Request) netip.Addr { return r.proxies.address(req) }

// Identify returns the caller at an address that sends a request with h, and whose token has an
// identity, nil for none.
func (r *Rules) Identify(h http.Header, ip netip.Addr, identity *auth.Identity) Caller {
	c := Caller{IP: ip, Identity: identity, Client: stated(h, r.nameHeaders), ClientVersion: stated(h, r.versionHeaders)}
	c.Class = r.classOf(&c)
	return c
}

func (r *Rules) classOf(c *Caller) string {
	for i := range r.classes {
		if r.classes[i].has(c) {
			return r.classes[i].Name
		}
	}
	if c.Identity != nil {
		return Authenticated
	}
	return Anonymous
}

// maxStated is the length of the longest name or version of a client, in bytes.
const maxStated = 100

// stated returns what a client states in the first of some headers that it sends, "" if it sends none. A
// value that is not 1 to maxStated printable characters of ASCII counts as none, and so does one of two
// values: limits and logs use it.
func stated(h http.Header, headers []string) string {
	for _, name := range headers {
		values := h[name]
		if len(values) == 0 {
			continue
		}
		if len(values) > 1 || len(values[0]) > maxStated || !isPrintable(values[0]) {
			return ""
		}
		return values[0]
	}
	return ""
}

func isPrintable(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
