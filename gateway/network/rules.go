package network

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"slices"
	"strings"
)

// Options say from which addresses the gateway may be used. The zero value refuses no address.
type Options struct {
	Lists `yaml:",inline"`

	// Routes are lists for one path and all below it, such as /graphql or /metrics. Of two paths the longer
	// one counts; "/" is every path that no other one has. The lists of a path add to deny and
	// denyFile above, and replace allow and allowFile. The paths of health checks, /healthz and /readyz,
	// have only the lists that stand here under their own names. Default none.
	Routes map[string]Lists `yaml:"routes"`
}

// Lists are the networks whose addresses are accepted and refused. An element is a network, such as
// 10.0.0.0/8 or 2001:db8::/32, or one address.
type Lists struct {
	// Allow are the only networks that are accepted. Default all.
	Allow []string `yaml:"allow"`
	// Deny are networks that are refused, even if they are allowed. Default none.
	Deny []string `yaml:"deny"`
	// AllowFile is a file with further networks for allow, one in each line; # begins a comment. It is
	// read at the start and when settings are reloaded. Default none.
	AllowFile string `yaml:"allowFile"`
	// DenyFile is a file with further networks for deny, as allowFile is for allow. Default none.
	DenyFile string `yaml:"denyFile"`
}

// Validate returns what is wrong with the lists, and reads their files. Each of the joined errors begins
// with the name of a list or of a file.
func (l Lists) Validate() error {
	_, err := l.compile()
	return err
}

// lists are compiled Lists.
type lists struct {
	allow, deny Set
	isLimited   bool // to allow
}

func (l Lists) compile() (lists, error) {
	allow, errAllow := l.set("allow", l.Allow, l.AllowFile)
	deny, errDeny := l.set("deny", l.Deny, l.DenyFile)
	return lists{allow, deny, !allow.IsEmpty()}, errors.Join(errAllow, errDeny)
}

// set returns the addresses of a list and of its file, "" for none. A file without a network is an error:
// as a list of what is allowed it could mean all or nothing.
func (l Lists) set(name string, texts []string, file string) (Set, error) {
	set, err := ParseSet(name, texts)
	if file == "" {
		return set, err
	}
	fromFile, errFile := readFile(file)
	switch {
	case errFile != nil:
		errFile = fmt.Errorf("%sFile %w", name, errFile)
	case fromFile == nil:
		errFile = fmt.Errorf("%sFile %s has no network; write one, or remove this setting", name, file)
	}
	if err := errors.Join(err, errFile); err != nil {
		return Set{}, err
	}
	for _, text := range texts {
		p, _ := Parse(text) // ParseSet has accepted it
		fromFile = append(fromFile, p)
	}
	return NewSet(fromFile...), nil
}

// readFile returns the networks in a file. Its error begins with the name of the file.
func readFile(file string) ([]netip.Prefix, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", file, errors.Unwrap(err))
	}
	var prefixes []netip.Prefix
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		p, err := Parse(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file, number, err)
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}

// Rules are compiled Options. They do not change, and are safe for concurrent use. Nil refuses no address.
type Rules struct {
	general lists
	routes  []route // the longest path first
}

// route is a path with its lists.
type route struct {
	path string
	lists
	isExempt bool // from the general lists
}

// NewRules returns the rules of o, nil if they refuse no address. Paths that are exempt have only the lists
// of o.Routes. The error joins those of all lists, each with the path that they are for.
func NewRules(o Options, exempt ...string) (*Rules, error) {
	general, err := o.Lists.compile()
	errs := []error{err}
	r := &Rules{general: general}
	for path, l := range o.Routes {
		compiled, err := l.compile()
		if err != nil {
			errs = append(errs, fmt.Errorf("routes %s: %w", path, err))
		}
		r.routes = append(r.routes, route{path, compiled, slices.Contains(exempt, path)})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(r.routes) == 0 && general.deny.IsEmpty() && !general.isLimited {
		return nil, nil
	}
	for _, path := range exempt {
		if _, ok := o.Routes[path]; !ok {
			r.routes = append(r.routes, route{path: path, isExempt: true})
		}
	}
	slices.SortFunc(r.routes, func(a, b route) int {
		return cmp.Or(len(b.path)-len(a.path), strings.Compare(a.path, b.path))
	})
	return r, nil
}

// Permit reports whether a client at ip may request path, which is that of a URL, decoded. An address
// that is not known, the zero Addr, is in no list.
func (r *Rules) Permit(path string, ip netip.Addr) bool {
	if r == nil {
		return true
	}
	var own route
	for i := range r.routes {
		if isBelow(path, r.routes[i].path) {
			own = r.routes[i]
			break
		}
	}
	if own.deny.Contains(ip) || !own.isExempt && r.general.deny.Contains(ip) {
		return false
	}
	if own.isLimited {
		return own.allow.Contains(ip)
	}
	return own.isExempt || !r.general.isLimited || r.general.allow.Contains(ip)
}

// isBelow reports whether path is route or below it.
func isBelow(path, route string) bool {
	rest, ok := strings.CutPrefix(path, route)
	return ok && (rest == "" || rest[0] == '/' || route == "/")
}

// Paths returns the paths of o.Routes in their order.
func (o Options) Paths() []string { return slices.Sorted(maps.Keys(o.Routes)) }
