package playground

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/gatehouse-graphql/gatehouse/gateway/compress"
)

// dist has the built files. "all:" includes files with a leading underscore, which the bundler may
// write and go:embed would leave out.
//
//go:embed all:dist
var dist embed.FS

// asset is a file. It is kept gzipped, which is how most clients accept it.
type asset struct {
	gzipped     []byte
	contentType string
	cache       string
	tag         string // without quotes
}

// embeddedAssets returns the files of dist by the patterns of their routes.
func embeddedAssets() map[string]*asset {
	assets := make(map[string]*asset)
	err := fs.WalkDir(dist, "dist", func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		packed, err := dist.ReadFile(file)
		name := strings.TrimSuffix(strings.TrimPrefix(file, "dist"), ".gz")
		assets[pattern(name)] = newAsset(name, packed)
		return err
	})
	if err != nil {
		panic("playground: the embedded files cannot be read: " + err.Error()) // they are in the memory of the program
	}
	return assets
}

func pattern(name string) string {
	if name == "/index.html" {
		return "/{$}"
	}
	return name
}

func newAsset(name string, packed []byte) *asset {
	sum := sha256.Sum256(packed)
	return &asset{
		gzipped:     packed,
		contentType: contentTypes[path.Ext(name)],
		cache:       cacheControl(name),
		tag:         hex.EncodeToString(sum[:12]),
	}
}

// contentTypes are fixed, since mime.TypeByExtension depends on the tables of the machine and nosniff
// makes a browser refuse a file with a wrong type.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
	".txt":  "text/plain; charset=utf-8",
}

// cacheControl returns the caching of a file: for ever if its name has a hash of its content, and with
// revalidation otherwise.
func cacheControl(name string) string {
	if strings.HasPrefix(name, "/playground/assets/") {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache"
}

// ServeHTTP sends the file gzipped, or plain to a client that does not accept gzip. The two have
// different bytes and therefore different strong entity tags.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", a.cache)
	h.Add("Vary", "Accept-Encoding")
	if compress.Negotiate(r.Header) != compress.Identity {
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", `"`+a.tag+`-gzip"`)
		serve(w, r, a.gzipped)
		return
	}
	h.Set("ETag", `"`+a.tag+`"`)
	serve(w, r, decompress(a.gzipped))
}

// serve writes content. net/http handles If-None-Match, ranges and HEAD.
func serve(w http.ResponseWriter, r *http.Request, content []byte) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// decompress reverses compress.Gzip. It panics for damaged bytes, which are part of the program.
func decompress(packed []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("playground: " + err.Error())
	}
	plain, err := io.ReadAll(z)
	if err != nil {
		panic("playground: " + err.Error())
	}
	return plain
}
