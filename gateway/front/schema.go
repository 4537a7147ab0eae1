package front

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/gatehouse-graphql/gatehouse/engine/introspect"
	"github.com/gatehouse-graphql/gatehouse/gateway/compress"
)

// schemaFile serves the SDL of a schema, which does not change while the process runs.
type schemaFile struct {
	plain, gzipped []byte // gzipped is nil if nothing is compressed
	tag            string // without quotes
}

func newSchemaFile(schema *ast.Schema, compression string) *schemaFile {
	f := &schemaFile{plain: []byte(introspect.Print(schema))}
	sum := sha256.Sum256(f.plain)
	f.tag = hex.EncodeToString(sum[:12])
	if compression != CompressionNone {
		f.gzipped = compress.Gzip(f.plain)
	}
	return f
}

// ServeHTTP sends the SDL. The compressed and the plain one have different bytes and therefore
// different strong entity tags; net/http handles If-None-Match, ranges and HEAD.
func (f *schemaFile) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8") // a browser shows it
	h.Set("Cache-Control", "no-cache")
	content, tag := f.plain, f.tag
	if f.gzipped != nil {
		h.Add("Vary", "Accept-Encoding")
		if compress.Negotiate(r.Header) != compress.Identity {
			h.Set("Content-Encoding", "gzip")
			content, tag = f.gzipped, f.tag+"-gzip"
		}
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}
