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
	"strconv"
	"strings"
	"time"
)

// dist holds the built files. "all:" because the bundler may name one with a
// leading underscore, which go:embed would leave out.
//
//go:embed all:dist
var dist embed.FS

// asset is one file, kept gzipped as most clients want it.
type asset struct {
	gzipped     []byte
	contentType string
	cache       string
	tag         string // without quotes
}

// embeddedAssets returns the files of dist by the pattern they are served at.
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
		panic("playground: the embedded files cannot be read: " + err.Error()) // memory of this program
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

// contentTypes is fixed here because mime.TypeByExtension reads the machine's
// own tables, and with nosniff a wrong one would stop the page.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".svg":  "image/svg+xml",
	".ttf":  "font/ttf",
	".txt":  "text/plain; charset=utf-8",
}

// cacheControl lets browsers keep what has a hash of its content in its name,
// and has them ask again for the rest.
func cacheControl(name string) string {
	if strings.HasPrefix(name, "/playground/assets/") {
		return "public, max-age=31536000, immutable"
	}
	return "no-cache"
}

// ServeHTTP sends the file gzipped, or plain to a client that does not take
// gzip. The two have their own strong tags, being different bytes.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.contentType)
	h.Set("Cache-Control", a.cache)
	h.Add("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header) {
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", `"`+a.tag+`-gzip"`)
		serve(w, r, a.gzipped)
		return
	}
	h.Set("ETag", `"`+a.tag+`"`)
	serve(w, r, decompress(a.gzipped))
}

// serve leaves If-None-Match, ranges and HEAD to net/http.
func serve(w http.ResponseWriter, r *http.Request, content []byte) {
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// acceptsGzip reads Accept-Encoding: gzip named, or covered by "*", with a
// quality above zero. No header means that any coding would do, but a client
// that says nothing most likely cannot unpack: it gets plain bytes.
func acceptsGzip(h http.Header) bool {
	var other bool
	for item := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		coding, parameter, _ := strings.Cut(item, ";")
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip":
			return isAccepted(parameter)
		case "*":
			other = isAccepted(parameter)
		}
	}
	return other
}

// isAccepted tells whether a "q=0.5" is above zero; a missing one counts as 1.
func isAccepted(parameter string) bool {
	name, value, found := strings.Cut(strings.TrimSpace(parameter), "=")
	if !found || !strings.EqualFold(name, "q") {
		return true
	}
	quality, err := strconv.ParseFloat(value, 64)
	return err == nil && quality > 0
}

func compress(plain []byte) []byte {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(plain) // into memory: cannot fail
	_ = z.Close()
	return packed.Bytes()
}

// decompress undoes pack. The bytes are our own, so that damage would be a mistake
// in this program, which net/http reports for the one request.
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
