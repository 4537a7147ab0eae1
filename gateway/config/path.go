package config

import (
	"strconv"
	"strings"
)

// path names a setting: sources.users.urls[0].
type path []step

// step is a name in a block, or with index >= 0 a place in a list.
type step struct {
	name  string
	index int
}

func (p path) in(name string) path { return append(p[:len(p):len(p)], step{name, -1}) }

func (p path) at(index int) path { return append(p[:len(p):len(p)], step{"", index}) }

// String writes p as messages and the documentation do.
func (p path) String() string {
	var b strings.Builder
	for _, s := range p {
		switch {
		case s.index >= 0:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		case b.Len() > 0:
			b.WriteString("." + s.name)
		default:
			b.WriteString(s.name)
		}
	}
	return b.String()
}

// variable is the name under which the environment sets p:
// sources.users.maxResponse is GATEWAY_SOURCES_USERS_MAX_RESPONSE.
func (p path) variable() string {
	var b strings.Builder
	b.WriteString("GATEWAY")
	for _, s := range p {
		b.WriteByte('_')
		if s.index >= 0 {
			b.WriteString(strconv.Itoa(s.index))
		} else {
			b.WriteString(envWord(s.name))
		}
	}
	return b.String()
}

// envWord turns one name of the file into its upper-case form with underscores.
func envWord(name string) string {
	var b strings.Builder
	lower := false
	for _, r := range name {
		switch {
		case r >= 'A' && r <= 'Z' && lower:
			b.WriteByte('_')
			b.WriteRune(r)
		case r >= 'a' && r <= 'z':
			b.WriteRune(r - 'a' + 'A')
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
		lower = r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
	}
	return b.String()
}

// within tells whether p lies under q or is q itself.
func (p path) within(q path) bool {
	if len(p) < len(q) {
		return false
	}
	for i := range q {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}

// parsePath reads the names of a setting that lies in no list.
func parsePath(setting string) path {
	var p path
	for name := range strings.SplitSeq(setting, ".") {
		p = p.in(name)
	}
	return p
}
