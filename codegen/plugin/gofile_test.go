package plugin

import (
	"go/types"
	"strings"
	"testing"
	"text/template"
)

// Imports have names of their own, which no variable has, and only what is used stays.
func TestImports(t *testing.T) {
	f := newGoFile("example.com/self", setOf("keys"))
	for _, use := range [][2]string{
		{f.use("example.com/self"), ""},
		{f.use("net/http"), "http."},
		{f.use("example.com/other/http"), "http2."},
		{f.use("net/http"), "http."},
		{f.use("example.com/keys"), "keys2."},
		{f.use("github.com/graph-gophers/dataloader/v7"), "dataloader."},
		{f.useNamed("gopkg.in/yaml.v3", "yaml"), "yaml."},
		{f.typ(types.NewNamed(types.NewTypeName(0, types.NewPackage("example.com/go-odd", "odd"), "T", nil), types.Typ[types.Int], nil)), "odd.T"},
		{f.use("time"), "time."},
	} {
		if use[0] != use[1] {
			t.Errorf("got %q, want %q", use[0], use[1])
		}
	}
	body := template.Must(template.New("").Parse(`
// time.Now is spoken of alone.
var x = http.A + http2.B + keys2.C + dataloader.D + yaml.E + odd.F`))
	got, err := f.render("self", body, nil)
	const want = `import (
	"net/http"

	keys2 "example.com/keys"
	odd "example.com/go-odd"
	http2 "example.com/other/http"
	"github.com/graph-gophers/dataloader/v7"
	yaml "gopkg.in/yaml.v3"
)`
	for line := range strings.SplitSeq(want, "\n") {
		if !strings.Contains(string(got), line+"\n") {
			t.Errorf("%q is not in\n%s%v", line, got, err)
		}
	}
	if strings.Contains(string(got), `"time"`) {
		t.Errorf("time is imported for nothing:\n%s", got)
	}
}

// Code that does not parse never reaches a file.
func TestBrokenCode(t *testing.T) {
	body := template.Must(template.New("").Parse("var x = ("))
	if got, err := newGoFile("self", nil).render("self", body, nil); err == nil || !strings.Contains(err.Error(), "bug of gatehouse") {
		t.Errorf("got %s, %v", got, err)
	}
}
