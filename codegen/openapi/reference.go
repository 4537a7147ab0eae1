package openapi

import (
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
)

// target is the destination of a reference.
type target struct{ file, fragment string }

// follow returns the node at the end of a chain of references, or n itself if it is not a
// reference. The result is absent, with a warning, if the chain is broken or circular.
func (r *reader) follow(n node) node {
	for range maxReferences {
		ref := n.get("$ref")
		if !ref.isScalar() {
			return n
		}
		n = r.resolve(ref)
	}
	r.warn(n.place(), "the reference leads back to itself; name a definition")
	return node{file: n.file}
}

// resolve returns the node that the text of a $ref refers to. Relative files are relative to the
// file that contains the reference. The result is absent, with a warning, if there is no such node.
func (r *reader) resolve(ref node) node {
	file, fragment, _ := strings.Cut(ref.Value, "#")
	switch {
	case strings.Contains(file, "://"):
		r.warn(ref.place(), "%s is not fetched; save it as a file and refer to that", ref.Value)
		return node{file: ref.file}
	case file == "":
		file = ref.file
	default:
		file = filepath.Join(filepath.Dir(ref.file), filepath.FromSlash(unescape(file)))
	}
	t := target{file, fragment}
	found, ok := r.targets[t]
	if !ok {
		found = r.point(r.file(ref, file), fragment)
		r.targets[t] = found
	}
	if found.absent() && !r.files[file].absent() {
		r.warn(ref.place(), "there is no %s; correct the reference, or add what it names", ref.Value)
	}
	return found
}

// file returns the root of a file, which it reads once. The result is absent, with a warning, if it
// cannot be read.
func (r *reader) file(ref node, file string) node {
	if n, ok := r.files[file]; ok {
		return n
	}
	text, err := r.open(file)
	n := node{file: file}
	if err == nil {
		n, err = r.parse(file, text)
	}
	if err != nil {
		r.warn(ref.place(), "%s cannot be read (%v); put the file there", ref.Value, err)
	}
	r.files[file] = n
	return n
}

// point follows a JSON pointer (RFC 6901) in the fragment of a reference. A reference on the way
// is followed, as in documents whose sections are files of their own. It does not support anchors.
func (r *reader) point(n node, fragment string) node {
	if fragment != "" && !strings.HasPrefix(fragment, "/") {
		return node{file: n.file}
	}
	for _, token := range strings.Split(fragment, "/")[1:] {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(unescape(token))
		if i, err := strconv.Atoi(token); err == nil && n.isList() && i >= 0 && i < len(n.list()) {
			n = n.list()[i]
			continue
		}
		next := n.get(token)
		if next.absent() && n.get("$ref").isScalar() && r.depth < maxReferences {
			r.depth++
			next = r.follow(n).get(token)
			r.depth--
		}
		n = next
	}
	return n
}

func unescape(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// nameOf returns the name that a reference has for its target: the last token of the pointer, or
// the name of the file without its extension.
func nameOf(ref string) string {
	file, fragment, _ := strings.Cut(ref, "#")
	if fragment == "" {
		base := filepath.Base(file)
		return strings.TrimSuffix(base, filepath.Ext(base))
	}
	last := fragment[strings.LastIndex(fragment, "/")+1:]
	return strings.NewReplacer("~1", "/", "~0", "~").Replace(unescape(last))
}
